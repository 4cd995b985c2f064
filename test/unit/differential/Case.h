//===- Case.h - a random module, described ----------------------*- C++ -*-===//
//
// A Spec says everything about one generated module: which op or combination
// of ops, its sizes, element types and attributes, and how it is compiled. It
// is a function of a seed alone, with the same bits on every machine.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_CASE_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_CASE_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "runtime/core/dtype.h"
#include "runtime/core/random.h"
#include "test/reference/Rope.h"
#include "test/reference/RowStatistics.h"
#include "test/reference/Select.h"
#include "test/reference/TopK.h"
#include "test/reference/Types.h"

namespace gsa::differential {

/// A sequence of random choices.
class Rng {
 public:
  explicit Rng(uint64_t seed, const char* name = "case")
      : stream_(seed, name) {}

  /// Uniform in [low, high].
  int64_t Int(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(stream_.Bits(next_++) %
                                      static_cast<uint64_t>(high - low + 1));
  }
  double Uniform(double low, double high) {
    return low + (high - low) * stream_.Uniform(next_++);
  }
  bool Chance(double probability) {
    return stream_.Uniform(next_++) < probability;
  }
  template <typename T>
  T Pick(std::initializer_list<T> choices) {
    return choices.begin()[Int(0, static_cast<int64_t>(choices.size()) - 1)];
  }

 private:
  RandomStream stream_;
  uint64_t next_ = 0;
};

/// Numbers of the GPU schedules that a module's ops carry. A member that is
/// empty leaves the choice to the compiler.
struct AttentionTiles {
  std::string engine;
  int64_t block_q = 16, block_k = 32, stages = 1, producers = 0, consumers = 1;
};
/// Keys shared among queries, and what does the rest by query.
struct UnionTiles {
  int64_t queries = 2, groups = 1, block_k = 32;
  int64_t key_stages = 1, value_stages = 1;
  int64_t producers = 4, table = 1024, chunk = 2;
  AttentionTiles per_query;
};
/// Dense attention by warpgroups, and what does the rest by rows.
struct DenseTiles {
  int64_t block_q = 64, block_k = 16, key_stages = 1, value_stages = 1;
  std::string order = "free";
  AttentionTiles per_row;
};
struct ScoreTiles {
  std::string engine;
  int64_t consumers = 1, block_k = 32, span = 1, stages = 1, producers = 0;
  int64_t warp_queries = 16;
  bool boxes = false;
  int64_t head_tile = 0;
  int64_t block_q() const { return warp_queries * consumers; }
};
struct TopKTiles {
  int64_t warps = 1, bins = 256, capacity = 32, chunk = 8;
};
/// Needs `scores` and `topk`, which are then for rows that take all scores.
struct OnePassTiles {
  ScoreTiles scores;
  int64_t sample = 4, rank = 8, capacity = 64, chunk = 64;
  int64_t sm_blocks = 0, staged = 10;
};
/// Keys of few queries shared by blocks, and how a row is then selected.
/// Without lists sample, rank and capacity are 0.
struct SplitSelectTiles {
  std::string engine;
  int64_t block_k = 32, span = 1, stages = 1, producers = 0, consumers = 1;
  int64_t sample = 0, rank = 0, capacity = 0;
  TopKTiles rows;
  bool deferred = false;
};
/// Lists of few queries shared by blocks.
struct SplitAttentionTiles {
  int64_t entries = 32, per_block = 1;
  AttentionTiles part;
};
/// Rows that take all of their keys. Needs `scores` and `topk`, which are then
/// for rows that have a choice.
struct ShortRowsTiles {
  int64_t rows = 16, cells = 0;
};
struct Schedules {
  std::optional<AttentionTiles> attention;
  /// In place of `attention`, for GPUs that multiply by warpgroups.
  std::optional<UnionTiles> shared;
  std::optional<DenseTiles> dense;
  std::optional<ScoreTiles> scores;
  std::optional<TopKTiles> topk;
  std::optional<OnePassTiles> one_pass;
  std::optional<ShortRowsTiles> short_rows;
  /// In place of `scores` and `topk`, and of `attention`.
  std::optional<SplitSelectTiles> split_select;
  std::optional<SplitAttentionTiles> split_attention;
};

/// What a module computes.
enum class Family {
  kSelect,        ///< gsa.select
  kSelectGather,  ///< gsa.select, then gsa.gather_attention on its lists
  kBlock,         ///< gsa.attention
  kGather,        ///< gsa.gather_attention on hostile lists
  kDense,         ///< gsa.dense_attention
  kFusable,       ///< the four selection ops, which become a gsa.select
  kUnfused,       ///< the same with all their results returned
  kIndexScores,
  kRowStatistics,
  kStatMean,
  kAdaptiveK,
  kTopK,
  kGate,
  kRope,
};
const char* FamilyName(Family family);
inline constexpr int kNumFamilies = static_cast<int>(Family::kRope) + 1;

struct Spec {
  uint64_t seed = 0;
  Family family = Family::kSelect;
  DType dtype = DType::kF32;
  int64_t b = 1, sq = 1, sk = 1, h = 1, g = 1, d = 2, dv = 2, hi = 1, di = 4;
  /// Batch and both lengths are dynamic in the module's text.
  bool dynamic = false;

  // The indexer and the budget.
  bool weights = true, bias = true;
  DType weights_dtype = DType::kF32, bias_dtype = DType::kF32;
  reference::SelectOptions select;  ///< `normaliser` is not used
  bool normaliser = false;          ///< The module has this operand.
  bool assume_finite = false;
  reference::RowStatisticsOptions statistics;  ///< kRowStatistics
  reference::TopKOptions topk;                 ///< kTopK

  // Attention, gates, rotary embedding.
  std::optional<double> softmax_scale;
  bool value_gate = false, output_gate = false;
  bool gate_per_head = false;  ///< kGate
  DType gate_dtype = DType::kF32;
  reference::GateActivation gate_activation =
      reference::GateActivation::kSigmoid;
  reference::RopeOptions rope;

  // What attention and selection may have beside.
  bool fused_gate = false;  ///< Attention has the operand `gate`.
  bool lengths = false;     ///< What sees keys has the operand `lengths`.
  /// kGather, kDense: attention is merged from so many parts; 0: it is whole.
  int64_t parts = 0;

  // Compilation.
  int threads = 1;
  int vector_bits = 0;
  int opt_level = 1;
  bool reference = false;

  // Compilation for a GPU, "cuda:0", or for its emulation, "emu".
  std::string target = "cpu";
  std::string arch;  ///< Of the emulated GPU.
  Schedules schedules;

  bool on_device() const { return target != "cpu"; }

  /// The type of scores, statistics and log-sum-exp.
  DType acc() const { return dtype == DType::kF64 ? DType::kF64 : DType::kF32; }
  /// Whether attention is an op of its own.
  bool has_plain_attention() const {
    return has_attention() && family != Family::kBlock;
  }
  bool has_indexer() const {
    return family == Family::kSelect || family == Family::kSelectGather ||
           family == Family::kBlock || family == Family::kFusable ||
           family == Family::kUnfused || family == Family::kIndexScores;
  }
  bool has_attention() const {
    return family == Family::kSelectGather || family == Family::kBlock ||
           family == Family::kGather || family == Family::kDense;
  }
  std::string ToString() const;
};

/// The module of a seed.
Spec RandomSpec(uint64_t seed);

/// Everything that is neither a size nor compilation, for keys of about `keys`
/// tokens: indexer, budget, rotary embedding, gates, scales. Reads family,
/// dtype and `d`.
void RandomOptions(Rng& rng, Spec& spec, int64_t keys);

/// Operands and ranges that few modules have. Reads family.
void RandomExtras(Rng& rng, Spec& spec);

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_CASE_H_
