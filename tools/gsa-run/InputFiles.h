//===- InputFiles.h - tensors of files for inputs of a module --*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_INPUTFILES_H
#define GSA_TOOLS_GSA_RUN_INPUTFILES_H

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/core/safetensors.h"
#include "runtime/core/tensor.h"
#include "runtime/plan.h"

namespace gsa {

/// Whether an input is a parameter by its name: "....weight" or "....bias".
bool isWeightName(const std::string& name);

/// The files of --inputs, and which of their tensors belongs to which input.
///
/// Weights have a prefix in the files (the layers of a checkpoint have one
/// each, a file of one layer may have none), and only names with it are
/// weights. They must match one to one: a weight that no file has is an error,
/// and so is a tensor under the prefix that no input takes. Other inputs have
/// their plain names, or the prefix before them. Beyond the prefix, a name with
/// a dot is another part of a checkpoint and of no concern; one without is the
/// name of an input, and an error if there is none of that name.
class InputFiles {
 public:
  /// `prefix` says of which tensors the files are named, if one is an index.
  static absl::StatusOr<InputFiles> open(
      const std::vector<std::string>& paths,
      const std::optional<std::string>& prefix);

  /// Applies these rules to `inputs`, of which names and types are looked at.
  /// Without `prefix` it is the only one under which most weights are found.
  /// `patterns` are those of fnmatch(3) for names, with or without the prefix,
  /// that may be missing or too many; a tensor that an input takes is read
  /// whatever they are. InvalidArgument names the tensor and what is near it,
  /// or the prefixes to choose from.
  absl::Status bind(const std::vector<TensorSpec>& inputs,
                    const std::optional<std::string>& prefix,
                    const std::vector<std::string>& patterns);

  /// The entry of the input called `name`; null if there is none, and before
  /// bind(). InvalidArgument if there are several.
  absl::StatusOr<const SafetensorsEntry*> find(const std::string& name) const;

  /// Reads the tensor for `spec`. A narrower float becomes a wider one; a float
  /// of a weight becomes any other, which bind() notes where it rounds.
  /// Everything else is InvalidArgument, and so is a weight that would become
  /// infinite.
  absl::StatusOr<HostTensor> read(const TensorSpec& spec) const;

  bool empty() const { return files.empty(); }
  /// What bind() did that the user should know, one line each.
  const std::vector<std::string>& notes() const { return bindNotes; }

 private:
  class IgnoredNames;
  using Located = std::pair<const SafetensorsFile*, const SafetensorsEntry*>;

  absl::StatusOr<Located> locate(const std::string& name) const;
  absl::Status choosePrefix(const std::vector<std::string>& weights,
                            const std::optional<std::string>& prefix);
  absl::Status checkMissing(const std::vector<TensorSpec>& inputs,
                            IgnoredNames& ignored);
  /// Of all inputs that are in the files; notes those that are rounded.
  absl::Status checkTypes(const std::vector<TensorSpec>& inputs);
  absl::Status checkType(const Located& found, const TensorSpec& spec) const;
  absl::Status checkUnused(const std::vector<TensorSpec>& inputs,
                           IgnoredNames& ignored);

  /// Names in the files that are `name`, or it after a prefix.
  std::vector<std::string> namesEndingIn(const std::string& name) const;
  /// Names in the files of what a quantised `weight` consists of.
  std::vector<std::string> quantisedNames(const std::string& weight) const;

  std::vector<SafetensorsFile> files;
  std::string chosenPrefix;
  std::vector<std::string> bindNotes;
};

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_INPUTFILES_H
