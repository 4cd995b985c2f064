// -----------------------------------------------------------------------------
// File: workload.cc
// -----------------------------------------------------------------------------
//
// Built with -ffp-contract=off, like random.cc.

#include "runtime/core/workload.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/core/random.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

constexpr Workload kWorkloads[] = {
    {"independent", 0.0, false, false},
    {"rho90", 0.90, false, false},
    {"rho98", 0.98, false, false},
    {"shared_rho95", 0.95, true, false},
    {"shared_rho99", 0.99, true, false},
    {"local_rho98", 0.98, false, true},
    {"local_shared_rho98", 0.98, true, true},
};

constexpr double kSlowRho = 0.9995;

// An AR(1) walk, row by row.
class Walk {
 public:
  Walk(uint64_t seed, const std::string& name, double rho, int64_t width)
      : stream_(seed, name),
        rho_(rho),
        innovation_(std::sqrt(1 - rho * rho)),
        row_(width),
        noise_(width) {}

  // Moves to the next row (the first one on the first call). The reference is
  // good until the next call.
  const std::vector<double>& Next() {
    stream_.FillNormal(position_, absl::MakeSpan(noise_));
    const bool first = position_ == 0;
    position_ += noise_.size();
    if (first || rho_ == 0) {
      row_ = noise_;
      return row_;
    }
    for (size_t i = 0; i < row_.size(); ++i) {
      row_[i] = rho_ * row_[i] + innovation_ * noise_[i];
    }
    return row_;
  }

 private:
  RandomStream stream_;
  double rho_;
  double innovation_;
  uint64_t position_ = 0;
  std::vector<double> row_;
  std::vector<double> noise_;
};

// (row + other) / sqrt(2); `other` repeats along the row.
void Mix(const std::vector<double>& other, std::vector<double>* row) {
  const double scale = std::sqrt(0.5);
  for (size_t i = 0; i < row->size(); i += other.size()) {
    for (size_t j = 0; j < other.size(); ++j) {
      (*row)[i + j] = ((*row)[i + j] + other[j]) * scale;
    }
  }
}

void StoreRow(const std::vector<double>& row, int64_t index,
              HostTensor* tensor) {
  float* out =
      tensor->values<float>().data() + index * static_cast<int64_t>(row.size());
  for (size_t i = 0; i < row.size(); ++i) out[i] = static_cast<float>(row[i]);
}

std::vector<double> NormalRow(uint64_t seed, const std::string& name,
                              int64_t width) {
  std::vector<double> row(width);
  RandomStream(seed, name).FillNormal(0, absl::MakeSpan(row));
  return row;
}

}  // namespace

absl::Span<const Workload> Workloads() { return kWorkloads; }

absl::StatusOr<Workload> FindWorkload(const std::string& name) {
  std::string known;
  for (const Workload& workload : kWorkloads) {
    if (name == workload.name) return workload;
    absl::StrAppend(&known, known.empty() ? "" : ", ", workload.name);
  }
  return absl::NotFoundError(
      absl::StrCat("unknown workload '", name, "': expected one of ", known));
}

absl::StatusOr<IndexInputs> MakeIndexInputs(const Workload& workload, int64_t n,
                                            int64_t heads, int64_t dim,
                                            uint64_t seed) {
  IndexInputs inputs;
  GSA_ASSIGN_OR_RETURN(
      inputs.queries,
      HostTensor::Create("index_queries", DType::kF32, {n, heads, dim}));
  GSA_ASSIGN_OR_RETURN(inputs.keys,
                       HostTensor::Create("index_keys", DType::kF32, {n, dim}));
  GSA_ASSIGN_OR_RETURN(
      inputs.weights,
      HostTensor::Create("index_weights", DType::kF32, {n, heads}));
  if (dim == 0 || heads == 0) return inputs;

  Walk query_walk(seed, "index.query", workload.rho, heads * dim);
  Walk key_walk(seed, "index.key", 0.0, dim);
  Walk weight_walk(seed, "index.weight", workload.rho, heads);
  Walk slow_walk(seed, "index.local", kSlowRho, dim);
  const std::vector<double> shared =
      NormalRow(seed, "index.shared", heads * dim);
  std::vector<double> query, key;
  for (int64_t t = 0; t < n; ++t) {
    query = query_walk.Next();
    key = key_walk.Next();
    if (workload.shared) Mix(shared, &query);
    if (workload.local) {
      const std::vector<double>& slow = slow_walk.Next();
      Mix(slow, &query);
      Mix(slow, &key);
    }
    StoreRow(query, t, &inputs.queries);
    StoreRow(key, t, &inputs.keys);
    StoreRow(weight_walk.Next(), t, &inputs.weights);
  }
  return inputs;
}

absl::StatusOr<HostTensor> MakeHiddenStates(std::string name,
                                            const Workload& workload,
                                            int64_t batch, int64_t tokens,
                                            int64_t width, uint64_t seed) {
  GSA_ASSIGN_OR_RETURN(
      HostTensor tensor,
      HostTensor::Create(std::move(name), DType::kF32, {batch, tokens, width}));
  if (width == 0) return tensor;
  std::vector<double> row;
  for (int64_t b = 0; b < batch; ++b) {
    const std::string prefix = absl::StrCat("hidden.", b);
    Walk walk(seed, prefix, workload.rho, width);
    Walk slow_walk(seed, absl::StrCat(prefix, ".local"), kSlowRho, width);
    const std::vector<double> shared =
        NormalRow(seed, absl::StrCat(prefix, ".shared"), width);
    for (int64_t t = 0; t < tokens; ++t) {
      row = walk.Next();
      if (workload.shared) Mix(shared, &row);
      if (workload.local) Mix(slow_walk.Next(), &row);
      StoreRow(row, b * tokens + t, &tensor);
    }
  }
  return tensor;
}

absl::StatusOr<HostTensor> MakeNormal(std::string name,
                                      std::vector<int64_t> shape, double stddev,
                                      uint64_t seed) {
  const RandomStream stream(seed, absl::StrCat("normal.", name));
  GSA_ASSIGN_OR_RETURN(
      HostTensor tensor,
      HostTensor::Create(std::move(name), DType::kF32, std::move(shape)));
  constexpr size_t kBlock = 1024;
  double block[kBlock];
  absl::Span<float> out = tensor.values<float>();
  for (size_t first = 0; first < out.size(); first += kBlock) {
    const size_t count = std::min(kBlock, out.size() - first);
    stream.FillNormal(first, absl::MakeSpan(block, count));
    for (size_t i = 0; i < count; ++i) {
      out[first + i] = static_cast<float>(stddev * block[i]);
    }
  }
  return tensor;
}

}  // namespace gsa
