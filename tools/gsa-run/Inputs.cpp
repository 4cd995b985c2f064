//===- Inputs.cpp - where the inputs of a run come from -------------------===//

#include "tools/gsa-run/Inputs.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/compiler.h"
#include "runtime/core/layer_weights.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/workload.h"

namespace gsa {

std::vector<std::string> workloadNames() {
  std::vector<std::string> names;
  for (const Workload& workload : Workloads()) names.push_back(workload.name);
  names.push_back("conformance");
  return names;
}

namespace {

bool isKeySide(const std::string& name) {
  static const std::set<std::string> names = {"key", "value", "index_key",
                                              "value_gate", "key_positions"};
  return names.count(name) != 0;
}

absl::StatusOr<std::pair<std::string, std::vector<int64_t>>> parseShape(
    const std::string& text) {
  std::vector<std::string> sides = absl::StrSplit(text, '=');
  std::vector<int64_t> shape;
  bool ok = sides.size() == 2 && !sides[0].empty();
  if (ok && !sides[1].empty()) {
    for (const std::string& part :
         std::vector<std::string>(absl::StrSplit(sides[1], 'x'))) {
      int64_t size = 0;
      ok = ok && absl::SimpleAtoi(part, &size) && size >= 0;
      shape.push_back(size);
    }
  }
  if (!ok)
    return absl::InvalidArgumentError(
        absl::StrCat("--shape: expected name=1x4096x512, got '", text, "'"));
  return std::make_pair(sides[0], shape);
}

std::set<std::string> keysOf(
    const std::map<std::string, std::vector<int64_t>>& shapes) {
  std::set<std::string> names;
  for (const auto& [name, shape] : shapes) names.insert(name);
  return names;
}

/// The sizes that one of the options --batch, --seq and --keys may give.
struct FreeSizes {
  bool used = false;
  /// What gave such sizes in its place: "--shape", "the files", ...
  std::set<std::string> givers = {};
};

/// By option.
struct SizesUsed {
  FreeSizes batch, sequence, keys;
};

/// Sizes that were given and that a file contradicts. The first free size
/// beyond the batch counts as the length, or any other that agrees.
absl::Status checkAgainstFile(const TensorSpec& spec,
                              const SafetensorsEntry& entry,
                              const RunnerOptions& options, SizesUsed* used) {
  if (entry.shape.size() != spec.shape.size()) return absl::OkStatus();
  std::vector<int64_t> lengths;
  for (size_t i = 1; i < spec.shape.size(); ++i)
    if (spec.shape[i] < 0) lengths.push_back(entry.shape[i]);
  auto contradicts = [&](const char* option, int64_t given, int64_t held) {
    return absl::InvalidArgumentError(absl::StrCat(
        option, " ", given, ": the files hold ", entry.type_string(),
        " for input '", spec.name, "', which has ", held, " there"));
  };
  auto agrees = [&](int64_t length) {
    return std::count(lengths.begin(), lengths.end(), length) > 0;
  };
  if (spec.shape[0] < 0 && options.isGiven("--batch")) {
    used->batch.used = true;
    if (entry.shape[0] != options.batch)
      return contradicts("--batch", options.batch, entry.shape[0]);
  }
  if (lengths.empty()) return absl::OkStatus();
  // A length of keys that was not given is --seq only where no file says more.
  if (isKeySide(spec.name)) {
    if (!options.isGiven("--keys")) return absl::OkStatus();
    used->keys.used = true;
    if (!agrees(options.keys))
      return contradicts("--keys", options.keys, lengths.front());
  } else if (options.isGiven("--seq")) {
    used->sequence.used = true;
    if (!agrees(options.sequence))
      return contradicts("--seq", options.sequence, lengths.front());
  }
  return absl::OkStatus();
}

/// Notes that `giver` gave the free sizes of an input.
void noteGiver(const TensorSpec& spec, const std::string& giver,
               SizesUsed* used) {
  for (size_t i = 0; i < spec.shape.size(); ++i) {
    if (spec.shape[i] >= 0) continue;
    if (i == 0) {
      used->batch.givers.insert(giver);
    } else {
      used->sequence.givers.insert(giver);
      if (isKeySide(spec.name)) used->keys.givers.insert(giver);
    }
  }
}

/// An option that gives sizes and gives none is a mistake.
absl::Status checkUsed(const RunnerOptions& options, const SizesUsed& used,
                       bool hasKeySide) {
  if (options.isGiven("--keys") && !hasKeySide)
    return absl::InvalidArgumentError(
        "--keys has no effect: the module has no key-side input (key, value, "
        "index_key, value_gate, key_positions); a layer has them with "
        "projections=0");
  const std::tuple<const char*, const FreeSizes&, const char*> all[] = {
      {"--batch", used.batch, "the first size of every input"},
      {"--seq", used.sequence, "every size of an input after its first"},
      {"--keys", used.keys,
       "every size of a key-side input (key, value, index_key, value_gate, "
       "key_positions)"}};
  for (const auto& [name, sizes, what] : all) {
    if (!options.isGiven(name) || sizes.used) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        name, " has no effect: ", what, " is ",
        sizes.givers.empty() ? "fixed by the module"
                             : "fixed by the module or given by " +
                                   absl::StrJoin(sizes.givers, " or ")));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::map<std::string, std::vector<int64_t>>> resolveShapes(
    const std::vector<TensorSpec>& declared, const InputFiles& files,
    const RunnerOptions& options) {
  std::map<std::string, std::vector<int64_t>> result;
  for (const std::string& text : options.shapes) {
    GSA_ASSIGN_OR_RETURN(auto shape, parseShape(text));
    if (!result.emplace(shape.first, shape.second).second)
      return absl::InvalidArgumentError(absl::StrCat(
          "--shape: the shape of '", shape.first, "' is given twice"));
  }
  const std::set<std::string> given = keysOf(result);
  for (const std::string& name : given)
    GSA_RETURN_IF_ERROR(CheckInputName(name, declared));
  SizesUsed used;
  for (const TensorSpec& spec : declared) {
    bool isDynamic = std::count(spec.shape.begin(), spec.shape.end(), -1) > 0;
    if (isDynamic && given.count(spec.name)) noteGiver(spec, "--shape", &used);
    if (!isDynamic || given.count(spec.name)) continue;
    GSA_ASSIGN_OR_RETURN(const SafetensorsEntry* entry, files.find(spec.name));
    if (entry) {
      noteGiver(spec, "the files", &used);
      GSA_RETURN_IF_ERROR(checkAgainstFile(spec, *entry, options, &used));
      result[spec.name] = entry->shape;
      continue;
    }
    const bool byKeys = isKeySide(spec.name) && options.isGiven("--keys");
    const int64_t length = byKeys ? options.keys : options.sequence;
    std::vector<int64_t> shape = spec.shape;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] >= 0) continue;
      if (i > 0 && length == 0)
        return absl::InvalidArgumentError(absl::StrCat(
            "input '", spec.name, "' has shape ", ShapeToString(spec.shape),
            " (-1 is free): ", options.sizesHint));
      shape[i] = i == 0 ? options.batch : length;
      FreeSizes& sizes = i == 0   ? used.batch
                         : byKeys ? used.keys
                                  : used.sequence;
      sizes.used = true;
      if (i > 0 && byKeys) used.sequence.givers.insert("--keys");
    }
    result[spec.name] = shape;
  }
  bool hasKeySide =
      std::any_of(declared.begin(), declared.end(),
                  [](const TensorSpec& spec) { return isKeySide(spec.name); });
  GSA_RETURN_IF_ERROR(checkUsed(options, used, hasKeySide));
  return result;
}

//===----------------------------------------------------------------------===//
// Generated inputs
//===----------------------------------------------------------------------===//

namespace {

/// The variance of a row's scores under initial weights, about: what a running
/// average of it, the normaliser of paper_ema, is near to.
constexpr double kNormaliser = 0.09;

/// Makes inputs that no file holds. What a tensor looks like follows from its
/// name; a float of an unknown name is normal.
class Generator {
 public:
  Generator(const std::vector<TensorSpec>& specs, const RunnerOptions& options)
      : specs(specs), options(options) {}

  absl::Status prepare() {
    isConformance = options.workload == "conformance";
    if (!isConformance) {
      auto found = FindWorkload(options.workload);
      if (!found.ok()) return found.status();
      workload = *found;
    }
    return prepareLayer();
  }

  absl::StatusOr<HostTensor> make(const TensorSpec& spec) {
    auto weight = weights.find(spec.name);
    if (weight != weights.end()) return converted(weight->second, spec);
    if (!IsFloat(spec.dtype)) return makeIntegers(spec);
    if (spec.name == "hidden_states" && spec.shape.size() == 3) {
      if (isConformance)
        return converted(ConformanceInput(spec.name, spec.shape), spec);
      return converted(
          MakeHiddenStates(spec.name, workload, spec.shape[0], spec.shape[1],
                           spec.shape[2], options.seed),
          spec);
    }
    if (isConformance)
      return absl::InvalidArgumentError(
          absl::StrCat("the conformance workload has no values for input '",
                       spec.name, "'"));
    if (spec.name == "index_bias") return zeros(spec);
    if (spec.name == "normaliser" && spec.shape.empty())
      return constant(spec, kNormaliser);
    if (spec.name == "index_query" || spec.name == "index_key" ||
        spec.name == "index_weights")
      return makeIndexInput(spec);
    return converted(
        MakeNormal(spec.name, spec.shape, /*stddev=*/1.0, options.seed), spec);
  }

 private:
  const TensorSpec* findSpec(const std::string& name) const {
    for (const TensorSpec& spec : specs)
      if (spec.name == name) return &spec;
    return nullptr;
  }

  /// Initial weights if the module has the parameters of a whole layer. Only
  /// the products of heads and head sizes are known here, and only they matter.
  absl::Status prepareLayer() {
    const TensorSpec* q = findSpec("q_proj.weight");
    const TensorSpec* k = findSpec("k_proj.weight");
    const TensorSpec* bias = findSpec("indexer.bias");
    const TensorSpec* indexKey = findSpec("indexer.k_proj.weight");
    if (!q || !k || !bias || !indexKey || q->shape.size() != 2 ||
        k->shape.size() != 2 || bias->shape.size() != 1 ||
        indexKey->shape.size() != 2)
      return absl::OkStatus();
    LayerDims dims;
    dims.d_model = q->shape[1];
    dims.num_heads = q->shape[0];
    dims.num_kv_heads = k->shape[0];
    dims.head_dim = 1;
    dims.index_heads = bias->shape[0];
    dims.index_dim = indexKey->shape[0];
    auto made = isConformance ? ConformanceWeights(dims)
                              : InitLayerWeights(dims, options.seed);
    if (!made.ok()) return made.status();
    for (HostTensor& tensor : *made) {
      std::string name = tensor.name();
      weights.emplace(name, std::move(tensor));
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<HostTensor> converted(absl::StatusOr<HostTensor> made,
                                              const TensorSpec& spec) {
    if (!made.ok()) return made;
    return converted(*made, spec);
  }
  static absl::StatusOr<HostTensor> converted(const HostTensor& made,
                                              const TensorSpec& spec) {
    if (made.shape() != spec.shape)
      return absl::InvalidArgumentError(
          absl::StrCat("input '", spec.name, "': a generated tensor has shape ",
                       ShapeToString(made.shape()), ", expected ",
                       ShapeToString(spec.shape)));
    absl::StatusOr<HostTensor> result = made.ConvertTo(spec.dtype);
    if (result.ok()) result->set_name(spec.name);
    return result;
  }
  static absl::StatusOr<HostTensor> constant(const TensorSpec& spec,
                                             double value) {
    GSA_ASSIGN_OR_RETURN(
        HostTensor tensor,
        HostTensor::Create(spec.name, DType::kF64, spec.shape));
    for (double& element : tensor.values<double>()) element = value;
    return converted(tensor, spec);
  }
  static absl::StatusOr<HostTensor> zeros(const TensorSpec& spec) {
    return HostTensor::Create(spec.name, spec.dtype, spec.shape);
  }

  /// The first input whose pages a table names: "index_pool" [P, page, Di].
  const TensorSpec* findPool() const {
    for (const TensorSpec& spec : specs)
      if (absl::EndsWith(spec.name, "_pool") && spec.shape.size() >= 3)
        return &spec;
    return nullptr;
  }

  /// Pages in no order, each once as far as there are enough of them.
  absl::StatusOr<HostTensor> makeTable(const TensorSpec& spec, int64_t pages) {
    absl::StatusOr<HostTensor> tensor = zeros(spec);
    if (!tensor.ok()) return tensor;
    int64_t step = pages / 2 + 1;
    while (std::gcd(step, pages) != 1) ++step;
    absl::Span<int32_t> values = tensor->values<int32_t>();
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<int32_t>(static_cast<int64_t>(i) * step % pages);
    return tensor;
  }

  /// Of the rows that there is room for, all in the first sequence and fewer in
  /// each following one.
  absl::StatusOr<HostTensor> makeLengths(const TensorSpec& spec, int64_t room) {
    absl::StatusOr<HostTensor> tensor = zeros(spec);
    if (!tensor.ok()) return tensor;
    absl::Span<int32_t> values = tensor->values<int32_t>();
    auto batches = static_cast<int64_t>(values.size());
    for (int64_t b = 0; b < batches; ++b)
      values[b] = static_cast<int32_t>(room - b * room / batches);
    return tensor;
  }

  /// Positions count from the first key; queries are the last tokens.
  absl::StatusOr<HostTensor> makeIntegers(const TensorSpec& spec) {
    const TensorSpec *pool = findPool(), *table = findSpec("table");
    bool isPaged = pool && pool->shape[0] > 0 && table &&
                   table->shape.size() == 2 && spec.dtype == DType::kI32;
    if (isPaged && &spec == table) return makeTable(spec, pool->shape[0]);
    if (isPaged && spec.name == "lengths" && spec.shape.size() == 1)
      return makeLengths(spec, table->shape[1] * pool->shape[1]);
    bool isPosition = spec.name == "positions" || spec.name == "key_positions";
    if (!isPosition || spec.dtype != DType::kI64 || spec.shape.size() != 2)
      return absl::InvalidArgumentError(absl::StrCat(
          "input '", spec.name, "' (", TypeToString(spec.dtype, spec.shape),
          ") cannot be generated: give a file that holds it"));
    int64_t first = 0;
    const TensorSpec* keyPositions = findSpec("key_positions");
    if (spec.name == "positions" && keyPositions)
      first = keyPositions->shape[1] - spec.shape[1];
    absl::StatusOr<HostTensor> tensor = zeros(spec);
    if (!tensor.ok()) return tensor;
    absl::Span<int64_t> values = tensor->values<int64_t>();
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = first + static_cast<int64_t>(i) % spec.shape[1];
    return tensor;
  }

  /// Index queries, keys and weights of one workload belong together; each
  /// batch element is a sequence of its own, queries its last tokens.
  absl::StatusOr<HostTensor> makeIndexInput(const TensorSpec& spec) {
    const TensorSpec* query = findSpec("index_query");
    const TensorSpec* key = findSpec("index_key");
    if (!query || !key || query->shape.size() != 4 || key->shape.size() != 3)
      return converted(
          MakeNormal(spec.name, spec.shape, /*stddev=*/1.0, options.seed),
          spec);
    int64_t tokens = std::max(query->shape[1], key->shape[1]);
    absl::StatusOr<HostTensor> whole =
        HostTensor::Create(spec.name, DType::kF32, spec.shape);
    if (!whole.ok()) return whole;
    for (int64_t b = 0; b < spec.shape[0]; ++b) {
      auto made = MakeIndexInputs(workload, tokens, query->shape[2],
                                  query->shape[3], options.seed + b);
      if (!made.ok()) return made.status();
      const HostTensor& source = spec.name == "index_query" ? made->queries
                                 : spec.name == "index_key" ? made->keys
                                                            : made->weights;
      int64_t rows = spec.shape[1];
      if (rows == 0) continue;
      int64_t rowSize = whole->num_elements() / (spec.shape[0] * rows);
      absl::Span<const float> from = source.values<float>();
      std::memcpy(whole->values<float>().data() + b * rows * rowSize,
                  from.data() + (tokens - rows) * rowSize,
                  rows * rowSize * sizeof(float));
    }
    return converted(*whole, spec);
  }

  const std::vector<TensorSpec>& specs;
  const RunnerOptions& options;
  bool isConformance = false;
  Workload workload = {};
  std::map<std::string, HostTensor> weights;
};

}  // namespace

absl::StatusOr<std::vector<HostTensor>> makeInputs(
    const std::vector<TensorSpec>& specs, const InputFiles& files,
    const RunnerOptions& options, std::vector<std::string>* generated) {
  Generator generator(specs, options);
  GSA_RETURN_IF_ERROR(generator.prepare());
  std::vector<HostTensor> inputs;
  for (const TensorSpec& spec : specs) {
    GSA_ASSIGN_OR_RETURN(const SafetensorsEntry* entry, files.find(spec.name));
    absl::StatusOr<HostTensor> tensor =
        entry ? files.read(spec) : generator.make(spec);
    if (!tensor.ok()) return tensor.status();
    if (!entry) generated->push_back(spec.name);
    inputs.push_back(*std::move(tensor));
  }
  return inputs;
}

}  // namespace gsa
