//===- InputFiles.cpp - tensors of files for inputs of a module -----------===//

#include "tools/gsa-run/InputFiles.h"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

/// "'a', 'b' and 3 more".
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t longest = 8;
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(names.size(), longest); ++i)
    shown.push_back(QuoteName(names[i]));
  std::string text = absl::StrJoin(shown, ", ");
  if (names.size() > longest)
    absl::StrAppend(&text, " and ", names.size() - longest, " more");
  return text;
}

std::string tensors(size_t count) {
  return absl::StrCat(count, count == 1 ? " tensor" : " tensors");
}

bool matches(const std::vector<std::string>& patterns, const std::string& name,
             const std::string& prefix) {
  const std::string plain =
      absl::StartsWith(name, prefix) ? name.substr(prefix.size()) : name;
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) {
                       return fnmatch(pattern.c_str(), name.c_str(), 0) == 0 ||
                              fnmatch(pattern.c_str(), plain.c_str(), 0) == 0;
                     });
}

/// How many of `weights` the names hold under each prefix that has any.
std::map<std::string, size_t> countByPrefix(
    const std::set<std::string>& names,
    const std::vector<std::string>& weights) {
  std::map<std::string, size_t> counts;
  for (const std::string& weight : weights)
    for (const std::string& name : names)
      if (name == weight || absl::EndsWith(name, "." + weight))
        ++counts[name.substr(0, name.size() - weight.size())];
  return counts;
}

/// The prefixes of layers. A layer is recognised by most of its weights, so
/// that one that is missing is reported by its name and not as a missing layer;
/// where there is none, those with the most weights stand for it.
std::vector<std::string> findLayers(const std::set<std::string>& names,
                                    const std::vector<std::string>& weights) {
  const std::map<std::string, size_t> counts = countByPrefix(names, weights);
  size_t most = 0;
  for (const auto& [prefix, count] : counts) most = std::max(most, count);
  std::vector<std::string> layers;
  for (const auto& [prefix, count] : counts)
    if (2 * count > weights.size() ||
        (2 * most <= weights.size() && count == most))
      layers.push_back(prefix);
  // "layers.2." before "layers.10.".
  std::sort(layers.begin(), layers.end(), [](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return layers;
}

}  // namespace

bool isWeightName(const std::string& name) {
  return absl::EndsWith(name, ".weight") || absl::EndsWith(name, ".bias");
}

absl::StatusOr<InputFiles> InputFiles::open(
    const std::vector<std::string>& paths) {
  InputFiles result;
  for (const std::string& path : paths) {
    GSA_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(path));
    result.files.push_back(std::move(file));
  }
  return result;
}

absl::Status InputFiles::bind(const std::vector<TensorSpec>& inputs,
                              const std::optional<std::string>& prefix,
                              const std::vector<std::string>& ignored) {
  chosenPrefix.clear();
  bindNotes.clear();
  std::vector<std::string> weights;
  for (const TensorSpec& spec : inputs)
    if (isWeightName(spec.name)) weights.push_back(spec.name);
  if (prefix && weights.empty())
    return absl::InvalidArgumentError(
        "--prefix: the module has no weights, which are inputs whose names "
        "end in .weight or .bias");
  if (files.empty()) return absl::OkStatus();
  GSA_RETURN_IF_ERROR(choosePrefix(weights, prefix));
  GSA_RETURN_IF_ERROR(checkMissing(inputs, ignored));
  return checkUnused(inputs, ignored);
}

absl::Status InputFiles::choosePrefix(
    const std::vector<std::string>& weights,
    const std::optional<std::string>& prefix) {
  if (weights.empty()) return absl::OkStatus();
  std::set<std::string> names;
  for (const SafetensorsFile& file : files)
    for (const SafetensorsEntry& entry : file.entries())
      names.insert(entry.name);
  const std::vector<std::string> layers = findLayers(names, weights);
  if (!prefix) {
    if (layers.size() > 1)
      return absl::InvalidArgumentError(absl::StrCat(
          "the files hold ", layers.size(), " layers, with the prefixes ",
          listed(layers), ": say which with --prefix"));
    if (!layers.empty()) chosenPrefix = layers.front();
    return absl::OkStatus();
  }
  chosenPrefix = *prefix;
  if (layers.empty() || countByPrefix(names, weights).count(*prefix) != 0)
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--prefix: no weight of the module has the prefix ", QuoteName(*prefix),
      " in the files; the files have ", listed(layers),
      DidYouMean(*prefix, {layers.begin(), layers.end()})));
}

absl::Status InputFiles::checkMissing(const std::vector<TensorSpec>& inputs,
                                      const std::vector<std::string>& ignored) {
  std::vector<std::string> generated, missing;
  const TensorSpec* first = nullptr;
  for (const TensorSpec& spec : inputs) {
    GSA_ASSIGN_OR_RETURN(Located found, locate(spec.name));
    // With a checkpoint, a missing weight is a mistake, not a wish.
    if (found.second || !isWeightName(spec.name)) continue;
    if (matches(ignored, chosenPrefix + spec.name, chosenPrefix)) {
      generated.push_back(spec.name);
    } else if (first) {
      missing.push_back(spec.name);
    } else {
      first = &spec;
    }
  }
  if (!generated.empty())
    bindNotes.push_back(absl::StrCat("--ignore-weights: no file has ",
                                     listed(generated), ": generated"));
  if (!first) return absl::OkStatus();
  const std::vector<std::string> elsewhere = namesEndingIn(first->name);
  std::string text =
      absl::StrCat("weight '", first->name, "' (",
                   TypeToString(first->dtype, first->shape), ") is ");
  if (elsewhere.empty())
    absl::StrAppend(&text, "in none of the input files");
  else
    absl::StrAppend(&text, "not in the files under the prefix ",
                    QuoteName(chosenPrefix), ", only as ", listed(elsewhere));
  if (!missing.empty())
    absl::StrAppend(&text, "; missing, too: ", listed(missing));
  return absl::NotFoundError(
      absl::StrCat(text, "; --ignore-weights has it generated"));
}

std::vector<std::string> InputFiles::namesEndingIn(
    const std::string& name) const {
  std::vector<std::string> names;
  for (const SafetensorsFile& file : files)
    for (const SafetensorsEntry& entry : file.entries())
      if (entry.name == name || absl::EndsWith(entry.name, "." + name))
        names.push_back(entry.name);
  return names;
}

absl::Status InputFiles::checkUnused(const std::vector<TensorSpec>& inputs,
                                     const std::vector<std::string>& ignored) {
  std::set<const SafetensorsEntry*> taken;
  std::vector<absl::string_view> missing;
  bool hasWeights = false;
  for (const TensorSpec& spec : inputs) {
    hasWeights = hasWeights || isWeightName(spec.name);
    GSA_ASSIGN_OR_RETURN(Located found, locate(spec.name));
    taken.insert(found.second);
    if (!found.second) missing.push_back(spec.name);
  }
  std::vector<std::string> left, beside, unused;
  std::string first;
  for (const SafetensorsFile& file : files) {
    for (const SafetensorsEntry& entry : file.entries()) {
      if (taken.count(&entry)) continue;
      const bool isOfLayer =
          hasWeights && absl::StartsWith(entry.name, chosenPrefix);
      if (matches(ignored, entry.name, chosenPrefix)) {
        left.push_back(entry.name);
      } else if (!isOfLayer && absl::StrContains(entry.name, '.')) {
        if (!hasWeights) beside.push_back(entry.name);
      } else if (!first.empty()) {
        unused.push_back(entry.name);
      } else {
        const std::string plain =
            isOfLayer ? entry.name.substr(chosenPrefix.size()) : entry.name;
        first = absl::StrCat(file.path(), ": tensor ", QuoteName(entry.name),
                             " (", entry.type_string(),
                             "): no input of the module takes it",
                             DidYouMean(plain, missing));
      }
    }
  }
  if (!first.empty())
    return absl::InvalidArgumentError(
        absl::StrCat(first, unused.empty() ? "" : "; nor " + listed(unused),
                     "; --ignore-weights leaves it out"));
  if (!left.empty())
    bindNotes.push_back(absl::StrCat("--ignore-weights leaves out ",
                                     tensors(left.size()),
                                     " of the files: ", listed(left)));
  else if (!ignored.empty() && bindNotes.empty())
    bindNotes.push_back("--ignore-weights has no effect: it matches nothing");
  if (!beside.empty())
    bindNotes.push_back(
        absl::StrCat(tensors(beside.size()),
                     " of the files are no inputs: ", listed(beside)));
  return absl::OkStatus();
}

absl::StatusOr<InputFiles::Located> InputFiles::locate(
    const std::string& name) const {
  std::set<std::string> wanted = {chosenPrefix + name};
  if (!isWeightName(name)) wanted.insert(name);
  std::vector<Located> found;
  std::vector<std::string> places;
  for (const SafetensorsFile& file : files) {
    for (const SafetensorsEntry& entry : file.entries()) {
      if (wanted.count(entry.name) == 0) continue;
      found.push_back({&file, &entry});
      places.push_back(absl::StrCat(file.path(), ": ", entry.name));
    }
  }
  if (found.empty()) return Located();
  if (found.size() == 1) return found.front();
  return absl::InvalidArgumentError(
      absl::StrCat("input '", name, "': expected one tensor in the files, got ",
                   found.size(), ": ", listed(places)));
}

absl::StatusOr<const SafetensorsEntry*> InputFiles::find(
    const std::string& name) const {
  GSA_ASSIGN_OR_RETURN(Located found, locate(name));
  return found.second;
}

absl::StatusOr<HostTensor> InputFiles::read(const TensorSpec& spec) const {
  GSA_ASSIGN_OR_RETURN(Located found, locate(spec.name));
  const SafetensorsEntry& entry = *found.second;
  const std::optional<DType> dtype = entry.type->dtype;
  const bool widens = dtype && IsFloat(*dtype) && IsFloat(spec.dtype) &&
                      DTypeSize(*dtype) < DTypeSize(spec.dtype);
  if (entry.shape != spec.shape || (dtype != spec.dtype && !widens))
    return absl::InvalidArgumentError(absl::StrCat(
        found.first->path(), ": tensor '", entry.name, "' for input '",
        spec.name, "': expected ", TypeToString(spec.dtype, spec.shape),
        ", got ", entry.type_string()));
  GSA_ASSIGN_OR_RETURN(HostTensor tensor, found.first->Get(entry.name));
  if (tensor.dtype() != spec.dtype) {
    GSA_ASSIGN_OR_RETURN(tensor, tensor.ConvertTo(spec.dtype));
  }
  tensor.set_name(spec.name);
  return tensor;
}

}  // namespace gsa
