//===- Checkpoint.h - what a checkpoint is that cannot be read -*- C++ -*-===//
//
// Files and tensors that people have, and that no input can be made from: the
// index of a checkpoint in several files, other formats, quantised weights. A
// message that says what such a thing is saves the search for a fault that is
// none.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_GSA_RUN_CHECKPOINT_H
#define GSA_TOOLS_GSA_RUN_CHECKPOINT_H

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/core/safetensors.h"

namespace gsa {

/// `status`, why the file at `path` could not be opened, or a better one if the
/// file is something else. Of an index, the files are named that hold tensors
/// with the prefix, if one is given.
absl::Status explainFile(const std::string& path, const absl::Status& status,
                         const std::optional<std::string>& prefix);

/// Whether `name` is a tensor from which a quantised `weight` ("q_proj.weight")
/// would be computed: "...q_proj.qweight", "...q_proj.weight_scale", ...
bool isPartOfQuantised(const std::string& name, const std::string& weight);

/// "'a', 'b' and 3 more".
std::string listNames(const std::vector<std::string>& names);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_CHECKPOINT_H
