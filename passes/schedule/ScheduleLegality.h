//===- ScheduleLegality.h - which schedules fit an architecture -*- C++ -*-===//
//
// The one place that says whether a schedule is legal for a problem on an
// architecture, and which schedules are worth trying, best first. Pure
// functions: gsa-cuda-schedule, tests and tuning use the same ones.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_SCHEDULE_SCHEDULELEGALITY_H
#define GSA_PASSES_SCHEDULE_SCHEDULELEGALITY_H

#include <limits>
#include <string>

#include "dialect/Gsa/GsaOps.h"
#include "passes/target/CudaTarget.h"

namespace mlir::gsa {

/// Sizes of gather_attention, or of dense_attention (`isDense`, no slots).
struct AttentionProblem {
  Type element;
  bool isDense = false;
  int64_t batch = 1, queries = 1, keys = 1;
  int64_t heads = 1, groups = 1, depth = 1, valueDepth = 1;
  int64_t slots = 0;
};

/// Sizes of index_scores.
struct ScoreProblem {
  Type element;
  int64_t batch = 1, queries = 1, keys = 1, heads = 1, depth = 1;
};

/// Sizes of topk, or of the top-k of select. `sorts`: by descending score.
struct TopKProblem {
  int64_t queries = 1, keys = 1, slots = 1;
  bool sorts = false;
};

/// Sizes of select, for a #gsa.one_pass_schedule.
struct OnePassProblem {
  ScoreProblem scores;
  TopKProblem top;
  /// Whether budgets depend on no more of a row's scores than their variance.
  bool hasMoments = true;
  int64_t forced = 0;  ///< The most cells of a row that are forced.
};

/// The sizes of an op of static shape.
AttentionProblem getAttentionProblem(Operation* op);
ScoreProblem getScoreProblem(Operation* op);
/// Also of row_statistics, which keeps nothing of its rows.
TopKProblem getTopKProblem(Operation* op);
OnePassProblem getOnePassProblem(SelectOp op);

/// Rows of a fragment, which a warp holds, and what depths and columns of tiles
/// are padded to.
inline constexpr int64_t kTileUnit = 16;
/// 16-bit columns of a panel of 128 bytes, the unit of wgmma's operands.
inline constexpr int64_t kPanelColumns = 64;
/// Entries of an index list that are in shared memory at a time.
inline constexpr int64_t kListEntries = 8192;
/// Largest head size and indexer depth that have kernels.
inline constexpr int64_t kMaxHeadSize = 256;
/// Bytes that the scores of a chunk of `select` may take.
inline constexpr int64_t kChunkBytes = int64_t{512} << 20;
/// Bytes that the candidates of a chunk take, if `select` keeps candidates.
inline constexpr int64_t kListBytes = int64_t{256} << 20;

/// An upper bound of the shared memory of a block, in bytes.
int64_t getSharedBytes(const AttentionProblem& problem,
                       AttentionScheduleAttr schedule);
int64_t getSharedBytes(const ScoreProblem& problem, ScoreScheduleAttr schedule);
int64_t getSharedBytes(const TopKProblem& problem, TopKScheduleAttr schedule);
/// That of the kernel that selects candidates.
int64_t getSharedBytes(const OnePassProblem& problem,
                       OnePassScheduleAttr schedule);

/// Why the problem has no kernel at all, whatever the schedule; empty if it
/// has one: "head size 320 > 256".
std::string findLimit(const AttentionProblem& problem);
std::string findLimit(const ScoreProblem& problem);
std::string findLimit(const TopKProblem& problem, const CudaTarget& target);

/// The longest row of keys on a GPU: positions are 32-bit numbers, and 32 warps
/// look up to three steps of 256 cells ahead.
inline constexpr int64_t kMaxRowCells =
    std::numeric_limits<int32_t>::max() - int64_t{3} * 256 * 32;

/// Why the schedule cannot run the problem on the target, as a sentence
/// without a full stop ("shared memory 245760 > 232448 bytes on sm_90a"), or
/// empty if it can.
std::string findIllegality(const AttentionProblem& problem,
                           AttentionScheduleAttr schedule,
                           const CudaTarget& target);
std::string findIllegality(const ScoreProblem& problem,
                           ScoreScheduleAttr schedule,
                           const CudaTarget& target);
/// What wgmma asks of a schedule of scores beside the above.
std::string findWgmmaIllegality(ScoreScheduleAttr schedule,
                                const CudaTarget& target);
std::string findIllegality(const TopKProblem& problem,
                           TopKScheduleAttr schedule, const CudaTarget& target);
std::string findIllegality(const OnePassProblem& problem,
                           OnePassScheduleAttr schedule,
                           const CudaTarget& target);

/// Why scores in memory are better for the problem than one pass, as above.
std::string findOnePassLimit(const OnePassProblem& problem,
                             const CudaTarget& target);

/// Schedules to try, best first; the last ones are small enough for every
/// problem without a limit.
SmallVector<AttentionScheduleAttr> enumerate(MLIRContext* context,
                                             const AttentionProblem& problem,
                                             const CudaTarget& target);
SmallVector<ScoreScheduleAttr> enumerate(MLIRContext* context,
                                         const ScoreProblem& problem,
                                         const CudaTarget& target);
SmallVector<TopKScheduleAttr> enumerate(MLIRContext* context,
                                        const TopKProblem& problem,
                                        const CudaTarget& target);
/// The same around a schedule for the rows whose candidates do not suffice;
/// only for problems without a limit of one pass.
SmallVector<OnePassScheduleAttr> enumerate(MLIRContext* context,
                                           const OnePassProblem& problem,
                                           SelectScheduleAttr exact,
                                           const CudaTarget& target);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_SCHEDULE_SCHEDULELEGALITY_H
