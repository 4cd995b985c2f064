//===- Poison.cc - NaN where nothing may be read --------------------------===//

#include "test/unit/differential/Poison.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace gsa::differential {
namespace {

/// What is no key of a sequence; some of them times the size of a row wrap.
std::vector<int32_t> NoKeys(int64_t keys) {
  return {INT32_MIN, -123456, -1,         static_cast<int32_t>(keys),
          114514,    1919810, 2147480000, INT32_MAX};
}

class Poisoner {
 public:
  Poisoner(const Spec& spec, const Tensors& inputs, const Tensors& outputs)
      : spec_(spec), inputs_(inputs), outputs_(outputs) {
    for (const auto& [name, tensor] : inputs)
      poisoned_.emplace(name, tensor.Clone().value());
  }

  Tensors Run() {
    used_.assign(spec_.b * spec_.sk, !ReadsLists());
    if (ReadsLists()) FindUsed();
    if (spec_.lengths) HideBehindLengths();
    for (int64_t token = 0; token < spec_.b * spec_.sk; ++token)
      if (!used_[token])
        for (const char* name : {"key", "value", "value_gate"})
          FillToken(name, token);
    if (spec_.family == Family::kGather) SpoilTails();
    return std::move(poisoned_);
  }

 private:
  /// Whether attention is over lists.
  bool ReadsLists() const {
    return spec_.has_attention() && spec_.family != Family::kDense;
  }
  const HostTensor& List(const char* name) const {
    return spec_.family == Family::kGather ? inputs_.at(name)
                                           : outputs_.at(name);
  }

  void FindUsed() {
    absl::Span<const int32_t> indices = List("indices").values<int32_t>();
    absl::Span<const int32_t> counts = List("counts").values<int32_t>();
    int64_t slots = List("indices").shape()[2];
    for (int64_t row = 0; row < spec_.b * spec_.sq; ++row) {
      int64_t count = std::clamp<int64_t>(counts[row], 0, slots);
      for (int64_t i = 0; i < count; ++i) {
        int64_t key = indices[row * slots + i];
        if (key >= 0 && key < spec_.sk)
          used_[row / spec_.sq * spec_.sk + key] = true;
      }
    }
  }

  void HideBehindLengths() {
    absl::Span<const int32_t> lengths = inputs_.at("lengths").values<int32_t>();
    for (int64_t b = 0; b < spec_.b; ++b)
      for (int64_t key = std::max<int64_t>(lengths[b], 0); key < spec_.sk;
           ++key) {
        used_[b * spec_.sk + key] = false;
        FillToken("index_key", b * spec_.sk + key);
      }
  }

  void FillToken(const char* name, int64_t token) {
    auto it = poisoned_.find(name);
    if (it == poisoned_.end()) return;
    size_t bytes = it->second.byte_size() / (spec_.b * spec_.sk);
    std::memset(static_cast<char*>(it->second.raw_data()) + token * bytes,
                kNanByte, bytes);
  }

  void SpoilTails() {
    absl::Span<int32_t> indices = poisoned_.at("indices").values<int32_t>();
    absl::Span<const int32_t> counts = List("counts").values<int32_t>();
    int64_t slots = List("indices").shape()[2];
    for (int64_t row = 0; row < spec_.b * spec_.sq; ++row) {
      std::vector<int32_t> hostile = NoKeys(spec_.sk);
      for (int64_t key = 0; key < spec_.sk && hostile.size() < 12; ++key)
        if (!used_[row / spec_.sq * spec_.sk + key])
          hostile.push_back(static_cast<int32_t>(key));
      for (int64_t i = std::clamp<int64_t>(counts[row], 0, slots); i < slots;
           ++i)
        indices[row * slots + i] = hostile[(row + i) % hostile.size()];
    }
  }

  const Spec& spec_;
  const Tensors& inputs_;
  const Tensors& outputs_;
  Tensors poisoned_;
  std::vector<bool> used_;  // [B, Sk]
};

}  // namespace

Tensors Poisoned(const Spec& spec, const Tensors& inputs,
                 const Tensors& outputs) {
  return Poisoner(spec, inputs, outputs).Run();
}

}  // namespace gsa::differential
