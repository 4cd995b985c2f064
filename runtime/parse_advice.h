// -----------------------------------------------------------------------------
// File: parse_advice.h
// -----------------------------------------------------------------------------
//
// The parser of MLIR advises its own developers: to register a dialect, to pass
// an option to a tool. Whoever calls a library can do neither. Internal:
// ParseModule calls this.

#ifndef GSA_RUNTIME_PARSE_ADVICE_H_
#define GSA_RUNTIME_PARSE_ADVICE_H_

#include <string>

#include "mlir/IR/MLIRContext.h"

namespace gsa {

// `message`, what the parser said, with the dialects of `context` in place of
// such advice, and with the nearest op where it knows none of that name.
std::string WithOwnAdvice(std::string message, mlir::MLIRContext* context);

}  // namespace gsa

#endif  // GSA_RUNTIME_PARSE_ADVICE_H_
