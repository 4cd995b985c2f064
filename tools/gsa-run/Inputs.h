//===- Inputs.h - where the inputs of a run come from ----------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_INPUTS_H
#define GSA_TOOLS_GSA_RUN_INPUTS_H

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/core/safetensors.h"
#include "runtime/core/tensor.h"
#include "runtime/plan.h"
#include "tools/gsa-run/Options.h"

namespace gsa {

/// The files of --inputs, searched in order.
class InputFiles {
 public:
  static absl::StatusOr<InputFiles> open(const std::vector<std::string>& paths);

  /// Chooses the prefix under which the files hold the weights among `inputs`
  /// (the layers of a checkpoint have one each): `prefix` if it is not empty,
  /// else none if the plain names are there, else the only prefix that
  /// completes every weight's name. InvalidArgument if there are several.
  absl::Status choosePrefix(const std::vector<TensorSpec>& inputs,
                            const std::string& prefix);

  /// The entry called `name`, or the chosen prefix and `name`; null if there
  /// is none. InvalidArgument if several files hold one.
  absl::StatusOr<const SafetensorsEntry*> find(const std::string& name) const;

  /// Reads the tensor for `spec`. A float of another width is converted only
  /// if no value changes its meaning: narrower to wider always, otherwise
  /// InvalidArgument.
  absl::StatusOr<HostTensor> read(const TensorSpec& spec) const;

  bool empty() const { return files.empty(); }

 private:
  absl::StatusOr<std::pair<const SafetensorsFile*, const SafetensorsEntry*>>
  locate(const std::string& name) const;

  std::vector<SafetensorsFile> files;
  std::string chosenPrefix;
};

/// Whether an input is a parameter by its name: "....weight" or "....bias".
bool isWeightName(const std::string& name);

/// Shapes by name for every input with dynamic sizes: from --shape, from the
/// files, from --batch, --seq and --keys, in that order.
absl::StatusOr<std::map<std::string, std::vector<int64_t>>> resolveShapes(
    const std::vector<TensorSpec>& declared, const InputFiles& files,
    const RunnerOptions& options);

/// Inputs in the order of `specs`: from the files where they have them,
/// generated otherwise. `generated` receives the names of the latter.
absl::StatusOr<std::vector<HostTensor>> makeInputs(
    const std::vector<TensorSpec>& specs, const InputFiles& files,
    const RunnerOptions& options, std::vector<std::string>* generated);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_INPUTS_H
