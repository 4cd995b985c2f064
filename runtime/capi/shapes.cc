// -----------------------------------------------------------------------------
// File: shapes.cc
// -----------------------------------------------------------------------------
//
// Shapes of inputs by name, as callers give them.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/capi/internal.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace capi {

absl::Status ReadShapes(const char* kind, const gsa_named_shape* shapes,
                        size_t count,
                        std::map<std::string, std::vector<int64_t>>* target,
                        std::vector<absl::Status>* errors) {
  GSA_ASSIGN_OR_RETURN(auto read, ReadArray(kind, shapes, count));
  for (size_t i = 0; i < read.size(); ++i) {
    const gsa_named_shape& shape = read[i];
    std::string what = absl::StrCat(kind, " ", i);
    if (shape.name == nullptr) return NullError((what + ": name").c_str());
    absl::StrAppend(&what, " ('", shape.name, "')");
    if (shape.rank < 0 || shape.rank > static_cast<int64_t>(kMaxRank)) {
      errors->push_back(absl::InvalidArgumentError(
          absl::StrCat(what, ": expected a rank from 0 to ", kMaxRank, ", got ",
                       shape.rank)));
      continue;
    }
    if (shape.rank > 0 && shape.sizes == nullptr) {
      return NullError((what + ": sizes").c_str());
    }
    std::vector<int64_t> sizes(shape.sizes, shape.sizes + shape.rank);
    if (!target->emplace(shape.name, std::move(sizes)).second) {
      errors->push_back(absl::InvalidArgumentError(absl::StrCat(
          what, ": expected one ", kind, " for this input, got two")));
    }
  }
  return absl::OkStatus();
}

}  // namespace capi
}  // namespace gsa
