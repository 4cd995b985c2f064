//===- Metrics.h - what a selection looks like ------------------*- C++ -*-===//
//
// Numbers that decide how fast a selection can be processed (how much do the
// lists of adjacent queries have in common) and how much it keeps of dense
// attention.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_REFERENCE_METRICS_H_
#define GSA_TEST_REFERENCE_METRICS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "test/reference/Tensor.h"
#include "test/reference/Types.h"

namespace gsa::reference {

/// Union of the lists of `tile` adjacent rows.
struct TileUnion {
  int64_t tile = 0;   ///< T, rows of a tile
  int64_t tiles = 0;  ///< Tiles measured; the two means are 0 if there are none
  double mean_union = 0.0;    ///< Mean number of different keys of a tile
  double union_over_k = 0.0;  ///< Mean over tiles of keys / mean k; 1 to T
};

struct SelectionStatistics {
  int64_t rows = 0;
  double mean_k = 0.0;
  int64_t min_k = 0;
  int64_t max_k = 0;
  /// Mean over pairs (t, t + 1) of |A and B| / |A or B|; pairs of two empty
  /// rows are left out. 0 if there is no pair.
  double jaccard = 0.0;
  int64_t pairs = 0;
  /// For T = 2, 4, 8, 16, 32, 64. Tiles start at multiples of T; an
  /// incomplete last tile and tiles without any key are left out.
  std::vector<TileUnion> unions;
};

/// Statistics of `indices` [B, Sq, K] with `counts` [B, Sq]. Lists may have any
/// order; a repeated index counts once in unions and intersections and in k.
/// Throws for a negative index or a count outside [0, K].
SelectionStatistics MeasureSelection(const Tensor<int32_t>& indices,
                                     const Tensor<int32_t>& counts);

struct AttentionMassOptions {
  std::optional<double> scale;  ///< Absent: 1 / sqrt(D).
  Mask mask = Mask::kCausal;
  int64_t row_stride = 1;  ///< Every row_stride-th query is measured.
  int num_threads = 1;
};

/// Means over the measured rows, each row being the mean over its heads. Rows
/// without visible keys are left out.
struct AttentionMass {
  int64_t rows = 0;
  double kept_mean = 0.0;           ///< Dense softmax mass on the selected keys
  double kept_min = 0.0;            ///< The smallest of a row
  double first_token_dense = 0.0;   ///< Dense softmax mass on key 0
  double first_token_sparse = 0.0;  ///< Mass on key 0 among selected keys

  /// By key, [Sk]: measured rows that see it, and their mean softmax weight on
  /// it, dense and among the selected keys; then the same times the gates that
  /// the weight meets on its way to the output. Sparse: empty for dense
  /// attention. Gated: empty without gates.
  std::vector<int64_t> rows_seeing;
  std::vector<double> dense_by_key, sparse_by_key;
  std::vector<double> dense_gated_by_key, sparse_gated_by_key;
};

/// R measured queries of each sequence and what they attend to.
struct MassOperands {
  const Tensor<double>& query;       ///< [B, R, H, D], rotated
  const Tensor<double>& key;         ///< [B, Sk, G, D], rotated
  const std::vector<int64_t>& rows;  ///< [R], in [0, queries)
  int64_t queries;                   ///< Sq
  /// Lists [B, R, K] and counts [B, R]; null for dense attention.
  const Tensor<int32_t>* indices = nullptr;
  const Tensor<int32_t>* counts = nullptr;
  /// Means of the gates' activations over the elements of a head: [B, Sk, G]
  /// and [B, R, H]; null without the gate.
  const Tensor<double>* value_gate = nullptr;
  const Tensor<double>* output_gate = nullptr;
};

/// Measures `operands.rows`; `options.row_stride` is not used.
AttentionMass MeasureAttentionMass(const MassOperands& operands,
                                   const AttentionMassOptions& options = {});

/// `query` [B, Sq, H, D] and `key` [B, Sk, G, D], both rotated; the selection
/// as in MeasureSelection. Selected keys that the mask hides are ignored.
AttentionMass MeasureAttentionMass(const Tensor<double>& query,
                                   const Tensor<double>& key,
                                   const Tensor<int32_t>& indices,
                                   const Tensor<int32_t>& counts,
                                   const AttentionMassOptions& options = {});

/// The rows 0, stride, 2 stride, ... of `rows` such that there are about
/// `count` of them.
std::vector<int64_t> SampledRows(int64_t rows, int64_t count);

/// Activations of a gate.
struct GateStatistics {
  int64_t elements = 0;
  double mean = 0.0;
  double share_closed = 0.0;  ///< Share of those below kClosedGate
};
inline constexpr double kClosedGate = 0.1;

/// Statistics of act(logits). NaN counts as not closed, and makes the mean NaN.
GateStatistics MeasureGate(const Tensor<double>& logits,
                           GateActivation activation);

/// Means of act(logits) over the elements of a head: [B, S, H] of logits
/// [B, S, H, D] or [B, S, H].
Tensor<double> GateMeans(const Tensor<double>& logits,
                         GateActivation activation);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_METRICS_H_
