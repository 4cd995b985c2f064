//===- InputFiles.cpp - tensors of files for inputs of a module -----------===//

#include "tools/gsa-run/InputFiles.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"
#include "tools/gsa-run/Checkpoint.h"

namespace gsa {
namespace {

std::string tensors(size_t count) {
  return absl::StrCat(count, count == 1 ? " tensor" : " tensors");
}

/// Whether a float of type `from` becomes one of type `to` without a loss.
bool widens(DType from, DType to) { return DTypeSize(from) < DTypeSize(to); }

/// The first element that is finite in `from` and not in `to`, or -1.
int64_t findOverflow(const HostTensor& from, const HostTensor& to) {
  absl::StatusOr<HostTensor> before = from.ConvertTo(DType::kF64);
  absl::StatusOr<HostTensor> after = to.ConvertTo(DType::kF64);
  if (!before.ok() || !after.ok()) return -1;
  absl::Span<const double> exact = before->values<double>();
  absl::Span<const double> rounded = after->values<double>();
  for (size_t i = 0; i < exact.size(); ++i)
    if (std::isfinite(exact[i]) && !std::isfinite(rounded[i]))
      return static_cast<int64_t>(i);
  return -1;
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

/// The patterns of --ignore-weights, and which of them were of use.
class InputFiles::IgnoredNames {
 public:
  IgnoredNames(const std::vector<std::string>& patterns,
               const std::string& prefix)
      : patterns(patterns), prefix(prefix), used(patterns.size()) {}

  /// Whether the tensor may be missing or too many, as it is.
  bool take(const std::string& name) {
    const std::string plain =
        absl::StartsWith(name, prefix) ? name.substr(prefix.size()) : name;
    bool any = false;
    for (size_t i = 0; i < patterns.size(); ++i) {
      if (fnmatch(patterns[i].c_str(), name.c_str(), 0) != 0 &&
          fnmatch(patterns[i].c_str(), plain.c_str(), 0) != 0)
        continue;
      any = used[i] = true;
    }
    return any;
  }

  std::vector<std::string> unused() const {
    std::vector<std::string> result;
    for (size_t i = 0; i < patterns.size(); ++i)
      if (!used[i]) result.push_back(patterns[i]);
    return result;
  }

 private:
  const std::vector<std::string>& patterns;
  const std::string& prefix;
  std::vector<bool> used;
};

absl::StatusOr<InputFiles> InputFiles::open(
    const std::vector<std::string>& paths,
    const std::optional<std::string>& prefix) {
  InputFiles result;
  for (const std::string& path : paths) {
    absl::StatusOr<SafetensorsFile> file = SafetensorsFile::Open(path);
    if (!file.ok()) return explainFile(path, file.status(), prefix);
    result.files.push_back(*std::move(file));
  }
  return result;
}

absl::Status InputFiles::bind(const std::vector<TensorSpec>& inputs,
                              const std::optional<std::string>& prefix,
                              const std::vector<std::string>& patterns) {
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
  IgnoredNames ignored(patterns, chosenPrefix);
  GSA_RETURN_IF_ERROR(checkMissing(inputs, ignored));
  // A tensor that is there, and quantised, comes with others that are not
  // inputs: what is said first must be about the type.
  GSA_RETURN_IF_ERROR(checkTypes(inputs));
  GSA_RETURN_IF_ERROR(checkUnused(inputs, ignored));
  if (std::vector<std::string> unused = ignored.unused(); !unused.empty())
    bindNotes.push_back(
        absl::StrCat("--ignore-weights has no effect for ", listNames(unused),
                     ": no tensor of such a name is missing or left over"));
  return absl::OkStatus();
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
          listNames(layers), ": say which with --prefix"));
    if (!layers.empty()) chosenPrefix = layers.front();
    return absl::OkStatus();
  }
  chosenPrefix = *prefix;
  if (layers.empty() || countByPrefix(names, weights).count(*prefix) != 0)
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--prefix: no weight of the module has the prefix ", QuoteName(*prefix),
      " in the files; the files have ", listNames(layers),
      DidYouMean(*prefix, {layers.begin(), layers.end()})));
}

absl::Status InputFiles::checkMissing(const std::vector<TensorSpec>& inputs,
                                      IgnoredNames& ignored) {
  std::vector<std::string> generated, missing;
  const TensorSpec* first = nullptr;
  for (const TensorSpec& spec : inputs) {
    GSA_ASSIGN_OR_RETURN(Located found, locate(spec.name));
    // With a checkpoint, a missing weight is a mistake, not a wish.
    if (found.second || !isWeightName(spec.name)) continue;
    if (ignored.take(chosenPrefix + spec.name)) {
      generated.push_back(spec.name);
    } else if (first) {
      missing.push_back(spec.name);
    } else {
      first = &spec;
    }
  }
  if (!generated.empty())
    bindNotes.push_back(absl::StrCat("--ignore-weights: no file has ",
                                     listNames(generated), ": generated"));
  if (!first) return absl::OkStatus();
  const std::vector<std::string> quantised = quantisedNames(first->name);
  if (!quantised.empty())
    return absl::InvalidArgumentError(
        absl::StrCat("weight '", first->name, "' (",
                     TypeToString(first->dtype, first->shape),
                     ") is quantised in the files, as ", listNames(quantised),
                     ": expected a checkpoint of f16, bf16, f32 or f64"));
  const std::vector<std::string> elsewhere = namesEndingIn(first->name);
  std::string text =
      absl::StrCat("weight '", first->name, "' (",
                   TypeToString(first->dtype, first->shape), ") is ");
  if (elsewhere.empty())
    absl::StrAppend(&text, "in none of the input files");
  else
    absl::StrAppend(&text, "not in the files under the prefix ",
                    QuoteName(chosenPrefix), ", only as ",
                    listNames(elsewhere));
  if (!missing.empty())
    absl::StrAppend(&text, "; missing, too: ", listNames(missing));
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

std::vector<std::string> InputFiles::quantisedNames(
    const std::string& weight) const {
  std::vector<std::string> names;
  for (const SafetensorsFile& file : files)
    for (const SafetensorsEntry& entry : file.entries())
      if (isPartOfQuantised(entry.name, weight)) names.push_back(entry.name);
  return names;
}

absl::Status InputFiles::checkType(const Located& found,
                                   const TensorSpec& spec) const {
  const SafetensorsEntry& entry = *found.second;
  const bool isFree = std::count(spec.shape.begin(), spec.shape.end(), -1) > 0;
  bool fits = entry.shape.size() == spec.shape.size();
  for (size_t i = 0; fits && i < spec.shape.size(); ++i)
    fits = spec.shape[i] < 0 || spec.shape[i] == entry.shape[i];
  const std::optional<DType> dtype = entry.type->dtype;
  const bool areFloats = dtype && IsFloat(*dtype) && IsFloat(spec.dtype);
  // The type of a checkpoint is nobody's choice, that of other inputs is.
  const bool converts =
      areFloats && (isWeightName(spec.name) || widens(*dtype, spec.dtype));
  if (fits && (dtype == spec.dtype || converts)) return absl::OkStatus();
  std::string text = absl::StrCat(
      found.first->path(), ": tensor '", entry.name, "' for input '", spec.name,
      "': expected ", TypeToString(spec.dtype, spec.shape),
      isFree ? " (-1 is free)" : "", ", got ", entry.type_string());
  if (isWeightName(spec.name) && IsFloat(spec.dtype) &&
      (!dtype || !IsFloat(*dtype)))
    absl::StrAppend(&text,
                    ": quantised weights are not read, only f16, bf16, f32 "
                    "and f64");
  return absl::InvalidArgumentError(text);
}

absl::Status InputFiles::checkTypes(const std::vector<TensorSpec>& inputs) {
  std::map<std::string, std::vector<std::string>> rounded;
  for (const TensorSpec& spec : inputs) {
    GSA_ASSIGN_OR_RETURN(Located found, locate(spec.name));
    if (!found.second) continue;
    GSA_RETURN_IF_ERROR(checkType(found, spec));
    const DType from = *found.second->type->dtype;
    if (from != spec.dtype && !widens(from, spec.dtype))
      rounded[absl::StrCat(DTypeName(from), " to ", DTypeName(spec.dtype))]
          .push_back(spec.name);
  }
  for (const auto& [types, names] : rounded)
    bindNotes.push_back(
        absl::StrCat(names.size(),
                     names.size() == 1 ? " weight of the files is"
                                       : " weights of the files are",
                     " rounded from ", types, ": ", listNames(names)));
  return absl::OkStatus();
}

absl::Status InputFiles::checkUnused(const std::vector<TensorSpec>& inputs,
                                     IgnoredNames& ignored) {
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
      const bool isElsewhere = !isOfLayer && absl::StrContains(entry.name, '.');
      if (hasWeights && isElsewhere) continue;
      if (ignored.take(entry.name)) {
        left.push_back(entry.name);
      } else if (isElsewhere) {
        beside.push_back(entry.name);
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
        absl::StrCat(first, unused.empty() ? "" : "; nor " + listNames(unused),
                     "; --ignore-weights leaves it out"));
  if (!left.empty())
    bindNotes.push_back(absl::StrCat("--ignore-weights leaves out ",
                                     tensors(left.size()),
                                     " of the files: ", listNames(left)));
  if (!beside.empty())
    bindNotes.push_back(
        absl::StrCat(tensors(beside.size()),
                     " of the files are no inputs: ", listNames(beside)));
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
                   found.size(), ": ", listNames(places)));
}

absl::StatusOr<const SafetensorsEntry*> InputFiles::find(
    const std::string& name) const {
  GSA_ASSIGN_OR_RETURN(Located found, locate(name));
  return found.second;
}

absl::StatusOr<HostTensor> InputFiles::read(const TensorSpec& spec) const {
  GSA_ASSIGN_OR_RETURN(Located found, locate(spec.name));
  GSA_RETURN_IF_ERROR(checkType(found, spec));
  const SafetensorsEntry& entry = *found.second;
  GSA_ASSIGN_OR_RETURN(HostTensor tensor, found.first->Get(entry.name));
  if (tensor.dtype() != spec.dtype) {
    GSA_ASSIGN_OR_RETURN(HostTensor converted, tensor.ConvertTo(spec.dtype));
    const int64_t at = widens(tensor.dtype(), spec.dtype)
                           ? -1
                           : findOverflow(tensor, converted);
    if (at >= 0)
      return absl::InvalidArgumentError(
          absl::StrCat(found.first->path(), ": tensor '", entry.name,
                       "' for input '", spec.name, "': element ", at,
                       " is too large for ", DTypeName(spec.dtype)));
    tensor = std::move(converted);
  }
  tensor.set_name(spec.name);
  return tensor;
}

}  // namespace gsa
