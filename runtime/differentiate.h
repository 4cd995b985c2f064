// -----------------------------------------------------------------------------
// File: differentiate.h
// -----------------------------------------------------------------------------

#ifndef GSA_RUNTIME_DIFFERENTIATE_H_
#define GSA_RUNTIME_DIFFERENTIATE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace gsa {

// What gsa-differentiate is told.
struct DifferentiateOptions {
  std::string function;              // Empty: the module's only public one.
  std::vector<std::string> inputs;   // Empty: all.
  std::vector<std::string> outputs;  // Empty: all.
  std::string save = "none";         // "none", "lists", "attention" or "all".
};

// The text of a module with the backward function of one of its functions, say
// @f_backward of @f, and @f_forward where something is saved. InvalidArgument
// for text, a name or a choice that is wrong, Unimplemented for an op that has
// no gradient; the message is that of the pass, with its place in `filename`.
absl::StatusOr<std::string> DifferentiateModule(
    const std::string& text, const std::string& filename,
    const DifferentiateOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_DIFFERENTIATE_H_
