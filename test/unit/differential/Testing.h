//===- Testing.h - modules and rows for property tests ----------*- C++ -*-===//
//
// Property tests run one hand-made module on related inputs and compare rows
// bit by bit. A row is everything that belongs to one query of one batch
// element, over all outputs.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_TESTING_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_TESTING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "test/unit/differential/Data.h"
#include "test/unit/differential/Module.h"
#include "test/unit/differential/Runner.h"

namespace gsa::differential {

/// A gsa.attention module with gates; H = 4, G = 2, D = 32, Hi = 2, Di = 32.
inline Spec BlockSpec(DType dtype, reference::KPolicy policy, int64_t batch,
                      int64_t queries, int64_t keys) {
  Spec spec;
  spec.family = Family::kBlock;
  spec.dtype = spec.weights_dtype = spec.bias_dtype = spec.gate_dtype = dtype;
  spec.b = batch;
  spec.sq = queries;
  spec.sk = keys;
  spec.h = 4;
  spec.g = 2;
  spec.d = spec.dv = spec.di = 32;
  spec.hi = 2;
  spec.select.policy = policy;
  spec.normaliser = policy.UsesNormaliser();
  spec.value_gate = spec.output_gate = true;
  spec.threads = 2;
  return spec;
}

/// One policy of each kind; all give between 2 and 12 keys.
inline std::vector<reference::KPolicy> Policies() {
  using reference::KPolicyKind;
  std::vector<reference::KPolicy> policies = {reference::KPolicy::Fixed(7)};
  for (auto kind : {KPolicyKind::kUpstreamVariance, KPolicyKind::kPaperEma,
                    KPolicyKind::kEntropy, KPolicyKind::kOrth}) {
    policies.push_back({kind, 8, 2, 12, 1.0});
  }
  return policies;
}

/// A module, its plan and one set of inputs.
class Program {
 public:
  explicit Program(const Spec& spec, Workload workload = Workload::kAr1,
                   uint64_t seed = 1)
      : spec_(spec),
        module_(WriteModule(spec)),
        workload_(workload),
        seed_(seed) {
    auto plan = Compile(spec, module_);
    if (!plan.ok()) throw std::runtime_error(plan.status().ToString());
    plan_ = *plan;
    Reset();
  }

  /// Undoes all changes of the inputs.
  void Reset() { inputs = MakeInputs(spec_, module_.inputs, workload_, seed_); }

  Tensors Run(int threads = 2) const {
    auto outputs = differential::Run(*plan_, inputs, threads);
    if (!outputs.ok()) throw std::runtime_error(outputs.status().ToString());
    return *std::move(outputs);
  }

  /// Changes elements of an input; `change` gets the index and the value.
  void Edit(const std::string& name,
            const std::function<double(int64_t, double)>& change) {
    HostTensor& tensor = inputs.at(name);
    reference::Tensor<double> values = AsDouble(tensor);
    for (int64_t i = 0; i < values.size(); ++i) {
      values[i] = change(i, values[i]);
    }
    tensor = ToHost(name, tensor.dtype(), values);
  }
  /// Changes the elements of one token.
  void EditToken(const std::string& name, int64_t b, int64_t token,
                 const std::function<double(double)>& change) {
    const std::vector<int64_t>& shape = inputs.at(name).shape();
    int64_t size = inputs.at(name).num_elements() / (shape[0] * shape[1]);
    int64_t first = (b * shape[1] + token) * size;
    Edit(name, [&](int64_t i, double x) {
      return i >= first && i < first + size ? change(x) : x;
    });
  }

  const Spec& spec() const { return spec_; }
  const Plan& plan() const { return *plan_; }

  Tensors inputs;

 private:
  Spec spec_;
  Module module_;
  Workload workload_;
  uint64_t seed_;
  std::shared_ptr<const Plan> plan_;
};

/// The bytes of row (b, t) of one output.
inline std::string RowBytes(const HostTensor& tensor, int64_t b, int64_t t) {
  const std::vector<int64_t>& shape = tensor.shape();
  size_t element = DTypeSize(tensor.dtype());
  const char* data = static_cast<const char*>(tensor.raw_data());
  std::string bytes;
  if (tensor.name() == "lse") {  // [B, H, Sq]
    for (int64_t h = 0; h < shape[1]; ++h) {
      int64_t at = (b * shape[1] + h) * shape[2] + t;
      bytes.append(data + at * element, element);
    }
    return bytes;
  }
  size_t row = tensor.byte_size() / (shape[0] * shape[1]);
  return std::string(data + (b * shape[1] + t) * row, row);
}

/// The bytes of row (b, t) of all outputs but those in `except`.
inline std::string Row(const Tensors& outputs, int64_t b, int64_t t,
                       const std::set<std::string>& except = {}) {
  std::string bytes;
  for (const auto& [name, tensor] : outputs) {
    if (except.count(name) == 0) bytes += RowBytes(tensor, b, t);
  }
  return bytes;
}

/// The kept keys of row (b, t).
inline std::vector<int32_t> Keys(const Tensors& outputs, int64_t b, int64_t t) {
  const HostTensor& indices = outputs.at("indices");
  int64_t row = b * indices.shape()[1] + t, slots = indices.shape()[2];
  int32_t count = outputs.at("counts").values<int32_t>()[row];
  auto first = indices.values<int32_t>().begin() + row * slots;
  return std::vector<int32_t>(first, first + count);
}

inline bool Contains(const std::vector<int32_t>& keys, int64_t key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// Whether row (b, t) of a float output holds a NaN.
inline bool HasNan(const HostTensor& tensor, int64_t b, int64_t t) {
  int64_t row = tensor.num_elements() / (tensor.shape()[0] * tensor.shape()[1]);
  for (int64_t i = 0; i < row; ++i) {
    if (std::isnan(ElementAsDouble(tensor.view(),
                                   (b * tensor.shape()[1] + t) * row + i))) {
      return true;
    }
  }
  return false;
}

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_TESTING_H_
