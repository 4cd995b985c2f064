// -----------------------------------------------------------------------------
// File: inputs.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/inputs.h"

#include <cmath>
#include <exception>
#include <utility>
#include <vector>

#include "runtime/core/status_macros.h"
#include "runtime/core/workload.h"
#include "test/reference/Metrics.h"

namespace gsa::bench {
namespace {

absl::Status Add(absl::StatusOr<HostTensor> made, const std::string& name,
                 DType dtype, Tensors* tensors) {
  if (!made.ok()) return made.status();
  HostTensor tensor = *std::move(made);
  if (tensor.dtype() != dtype) {
    GSA_ASSIGN_OR_RETURN(tensor, tensor.ConvertTo(dtype));
  }
  tensor.set_name(name);
  tensors->insert_or_assign(name, std::move(tensor));
  return absl::OkStatus();
}

reference::Tensor<int32_t> ToReference(const HostTensor& tensor) {
  absl::Span<const int32_t> values = tensor.values<int32_t>();
  return reference::Tensor<int32_t>(
      tensor.shape(), std::vector<int32_t>(values.begin(), values.end()));
}

}  // namespace

absl::StatusOr<Tensors> MakeInputs(const Dims& d, const std::string& workload,
                                   uint64_t seed) {
  Tensors tensors;
  int64_t width = d.heads * d.head_dim;
  auto normal = [&](const std::string& name, std::vector<int64_t> shape,
                    double stddev) {
    return Add(MakeNormal(name, std::move(shape), stddev, seed), name, d.dtype,
               &tensors);
  };
  std::vector<int64_t> query = {1, d.tokens, d.heads, d.head_dim};
  std::vector<int64_t> key = {1, d.tokens, d.kv_heads, d.head_dim};
  GSA_RETURN_IF_ERROR(normal("query", query, 1));
  GSA_RETURN_IF_ERROR(normal("key", key, 1));
  GSA_RETURN_IF_ERROR(normal("value", key, 1));
  GSA_RETURN_IF_ERROR(normal("output_gate", query, 1));
  GSA_RETURN_IF_ERROR(
      normal("weight", {width, width}, 1 / std::sqrt(double(width))));

  GSA_ASSIGN_OR_RETURN(Workload found, FindWorkload(workload));
  GSA_ASSIGN_OR_RETURN(
      IndexInputs index,
      MakeIndexInputs(found, d.tokens, d.index_heads, d.index_dim, seed));
  GSA_RETURN_IF_ERROR(
      Add(std::move(index.queries), "index_query", d.dtype, &tensors));
  GSA_RETURN_IF_ERROR(
      Add(std::move(index.keys), "index_key", d.dtype, &tensors));
  GSA_RETURN_IF_ERROR(
      Add(std::move(index.weights), "index_weights", d.dtype, &tensors));
  GSA_RETURN_IF_ERROR(
      Add(HostTensor::Create("index_bias", d.dtype, {d.index_heads}),
          "index_bias", d.dtype, &tensors));

  GSA_ASSIGN_OR_RETURN(
      HostTensor positions,
      HostTensor::Create("positions", DType::kI64, {1, d.tokens}));
  for (int64_t t = 0; t < d.tokens; ++t) positions.values<int64_t>()[t] = t;
  tensors.insert_or_assign("positions", std::move(positions));
  return tensors;
}

absl::Status MeasureOverlap(const PlanRunner& runner, Record* record) {
  GSA_ASSIGN_OR_RETURN(const HostTensor* indices, runner.Output("indices"));
  GSA_ASSIGN_OR_RETURN(const HostTensor* counts, runner.Output("counts"));
  return MeasureOverlap(*indices, *counts, record);
}

absl::Status MeasureOverlap(const HostTensor& indices, const HostTensor& counts,
                            Record* record) {
  if (indices.dtype() != DType::kI32 || counts.dtype() != DType::kI32 ||
      indices.rank() != 3) {
    return absl::InvalidArgumentError(
        "indices and counts: expected i32 [B, Sq, K] and [B, Sq], got " +
        indices.type_string() + " and " + counts.type_string());
  }
  reference::SelectionStatistics statistics;
  try {
    statistics =
        reference::MeasureSelection(ToReference(indices), ToReference(counts));
  } catch (const std::exception& error) {
    // The reference throws at what no run may return.
    return absl::InternalError(
        std::string("the selection of a run is broken: ") + error.what());
  }
  record->mean_k = statistics.mean_k;
  record->jaccard = statistics.jaccard;
  for (const reference::TileUnion& tile : statistics.unions) {
    if (tile.tile == 32) record->union32 = tile.union_over_k;
  }
  return absl::OkStatus();
}

}  // namespace gsa::bench
