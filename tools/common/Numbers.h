//===- Numbers.h - numbers on command lines --------------------*- C++ -*-===//

#ifndef GSA_TOOLS_COMMON_NUMBERS_H
#define GSA_TOOLS_COMMON_NUMBERS_H

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace gsa {

/// A whole number in decimal digits, without sign, blanks or leading zeros:
/// what other programs read as octal or let wrap around is an error here.
/// InvalidArgument says the range and what was got.
absl::StatusOr<uint64_t> parseWholeNumber(const std::string& text, uint64_t low,
                                          uint64_t high);

/// A finite number above 0.
absl::StatusOr<double> parsePositiveNumber(const std::string& text);

/// What was given, for a message: quoted, escaped, not longer than a line.
std::string quoteArgument(const std::string& text);

}  // namespace gsa

#endif  // GSA_TOOLS_COMMON_NUMBERS_H
