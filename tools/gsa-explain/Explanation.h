//===- Explanation.h - an explanation as text and as JSON ------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_EXPLAIN_EXPLANATION_H
#define GSA_TOOLS_GSA_EXPLAIN_EXPLANATION_H

#include <cstddef>
#include <string>

#include "runtime/explain.h"

namespace gsa {

/// For people. Of what was rejected the `most` nearest of each op: what is
/// legal and costlier first, by its time.
std::string explanationText(const Explanation& explanation,
                            const std::string& title, size_t most);

/// For programs: everything.
std::string explanationJson(const Explanation& explanation,
                            const std::string& title);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_EXPLAIN_EXPLANATION_H
