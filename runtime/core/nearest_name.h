// -----------------------------------------------------------------------------
// File: nearest_name.h
// -----------------------------------------------------------------------------
//
// Which known name a misspelt one was meant to be, for error messages.

#ifndef GSA_RUNTIME_CORE_NEAREST_NAME_H_
#define GSA_RUNTIME_CORE_NEAREST_NAME_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gsa {

// Up to `count` of the candidates that `name` may be a misspelling of, the
// nearest first, of equally near ones those that begin with `name`, then in
// alphabetical order: those whose Levenshtein distance is at most
// max(2, |name| / 2), and those that begin with `name`. Writing a name in
// another case is a distance of 1. Work is bounded, since
// names may come from hostile files: of very many candidates only the first are
// looked at, and a very long name is near to nothing.
std::vector<absl::string_view> NearestNames(
    absl::string_view name, const std::vector<absl::string_view>& candidates,
    size_t count);

// "; did you mean 'x'?" with the nearest candidate, empty where none is within
// max(2, |name| / 3): one proposal has to be right.
std::string DidYouMean(absl::string_view name,
                       const std::vector<absl::string_view>& candidates);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_NEAREST_NAME_H_
