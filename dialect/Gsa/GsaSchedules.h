//===- GsaSchedules.h - what schedules are asked ---------------*- C++ -*-===//
//
// The sizes that a schedule is chosen for, what the kernels of a scheduled op
// take, and the two interfaces: ScheduledOpInterface (which kinds of schedule
// an op admits) and ScheduleAttrInterface (whether a schedule is legal, what it
// takes and costs, which others are next to it). Verifiers, lowerings,
// gsa-cuda-schedule and tuners ask the same functions.
//
// Nothing here counts bytes or registers of a kernel: an op is lowered, and the
// kernel is read (docs/rationale/schedules.md).
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_GSASCHEDULES_H
#define GSA_DIALECT_GSA_GSASCHEDULES_H

#include <limits>
#include <optional>
#include <string>

#include "dialect/Gsa/ScheduleCost.h"
#include "dialect/Target/CudaTarget.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectInterface.h"
#include "mlir/IR/OpDefinition.h"

namespace mlir::gsa {

//===----------------------------------------------------------------------===//
// Sizes of ops
//===----------------------------------------------------------------------===//

/// Sizes of attention over lists, or over all keys (`isDense`, no slots).
struct AttentionProblem {
  Type element;
  bool isDense = false;
  int64_t batch = 1, queries = 1, keys = 1;
  int64_t heads = 1, groups = 1, depth = 1, valueDepth = 1;
  int64_t slots = 0;

  /// Keys that a query reads at most.
  int64_t listed() const { return isDense ? keys : slots; }
};

/// Sizes of index_scores, or of the scores of select.
struct ScoreProblem {
  Type element;
  int64_t batch = 1, queries = 1, keys = 1, heads = 1, depth = 1;
};

/// Sizes of topk, of the top-k of select, or of row_statistics, which keeps
/// nothing of its rows. `sorts`: by descending score. `element`: of the scores.
struct TopKProblem {
  Type element;
  int64_t batch = 1, queries = 1, keys = 1, slots = 1;
  bool sorts = false;
};

/// What an op computes; select is two of them. Sizes that are not static are
/// ShapedType::kDynamic.
struct ScheduleProblem {
  std::optional<AttentionProblem> attention;
  std::optional<ScoreProblem> scores;
  std::optional<TopKProblem> rows;
};

/// Whether a mask hides later keys from the queries of a scheduled op.
bool isCausal(Operation* op);

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
/// Pairs of heads whose products are under way together, if a score_schedule
/// says nothing else, and what a one_pass_schedule then says.
inline constexpr int64_t kDefaultPairs = 2, kDefaultStaged = 10,
                         kDefaultThreadCandidates = 16,
                         kDefaultCandidateBins = 1024;
/// Slots that are sorted by score in shared memory, 8 bytes each.
inline constexpr int64_t kMaxSortedSlots = 4096;
/// The longest row of keys on a GPU: positions are 32-bit numbers, and 32 warps
/// look up to three steps of 256 cells ahead.
inline constexpr int64_t kMaxRowCells =
    std::numeric_limits<int32_t>::max() - int64_t{3} * 256 * 32;

/// Why the problem has no kernel on any device, whatever the schedule; empty if
/// it has one: "head size 320 > 256".
std::string findLimit(const AttentionProblem& problem);
std::string findLimit(const ScoreProblem& problem);
std::string findLimit(const TopKProblem& problem);

//===----------------------------------------------------------------------===//
// What kernels take
//===----------------------------------------------------------------------===//

/// One kernel of a scheduled op, as it is after gsa-tile-plan-smem.
struct KernelFootprint {
  std::string name;
  /// The schedule, or the part of it, that the kernel follows; null if none.
  Attribute schedule;
  int64_t sharedBytes = 0;  ///< Of a block.
  int64_t registers = 0;    ///< Of a thread of the role that holds most.
  int64_t warps = 0;        ///< Of a block.
  /// Of these, whole warpgroups that hold no fragments: where registers move
  /// between warps, they leave most of theirs to the others.
  int64_t copyWarps = 0;
};

/// The kernels of an op, or why it has none.
struct Footprint {
  std::string failure;
  SmallVector<KernelFootprint, 2> kernels;

  /// The kernel that needs most shared memory of those that follow `schedule`;
  /// null if none does.
  const KernelFootprint* find(Attribute schedule) const;
};

/// Why a block of the kernel does not fit into an SM of the target, or empty:
/// "shared memory 245760 > 232448 bytes on sm_90a".
std::string findOverrun(const KernelFootprint& kernel,
                        const CudaTarget& target);

/// Lowers one op and reads what its kernels take. An interface of the dialect,
/// since lowerings stand above it: passes/gsa_to_tile registers the only one.
class KernelMeasure : public DialectInterface::Base<KernelMeasure> {
 public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(KernelMeasure)
  explicit KernelMeasure(Dialect* dialect) : Base(dialect) {}

  /// The kernels of `op` with `schedule`. The op is not changed, and need not
  /// have the schedule. The answer lives as long as the context.
  virtual const Footprint& measure(Operation* op, Attribute schedule,
                                   const CudaTarget& target) = 0;
};

//===----------------------------------------------------------------------===//
// Limits of time
//===----------------------------------------------------------------------===//

/// What no schedule of the op is faster than: the operations that it asks for,
/// at the rates of data sheets, and its operands and results once through
/// device memory. Of a list all entries count, of lists that overlap each.
StageCost findFloor(Operation* op, const CudaTarget& target);

//===----------------------------------------------------------------------===//
// Kinds and verdicts
//===----------------------------------------------------------------------===//

/// What an op can be scheduled for.
enum class Device { Cpu, Cuda };

/// A class of schedule attributes.
class ScheduleKind {
 public:
  template <typename Schedule>
  static ScheduleKind get(MLIRContext* context) {
    return ScheduleKind(
        AbstractAttribute::lookup(TypeID::get<Schedule>(), context));
  }
  static ScheduleKind of(Attribute schedule) {
    return ScheduleKind(schedule.getAbstractAttribute());
  }

  /// As it is written: "#gsa.attention_schedule".
  std::string getName() const { return "#" + kind->getName().str(); }
  bool contains(Attribute attribute) const {
    return attribute && attribute.getTypeID() == kind->getTypeID();
  }
  /// Why `op`, whose number of keys the device alone knows or whose keys are in
  /// pages, is none for this kind, and which kinds it has; or why its pages are
  /// none for any. Empty if the kind is of another device or takes them.
  std::string findInputMisfit(Operation* op) const;
  /// Schedules of this kind to try on a GPU, best first: what
  /// ScheduleAttrInterface::enumerate says. None for kinds of other devices,
  /// and for lengths or pages that the kind does not take.
  SmallVector<Attribute> enumerate(Operation* op,
                                   const CudaTarget& target) const;
  /// Why there are none: what ScheduleAttrInterface::explainNone says.
  std::string explainNone(Operation* op, const CudaTarget& target) const;

 private:
  explicit ScheduleKind(const AbstractAttribute& kind) : kind(&kind) {}
  const AbstractAttribute* kind;
};

/// "a #gsa.cpu_schedule or #gsa.score_schedule".
std::string describe(ArrayRef<ScheduleKind> kinds);

/// Whether a schedule is legal; if not, why, and which part of it is at fault
/// (the schedule itself, if it has no parts).
struct ScheduleVerdict {
  std::string reason;  ///< A sentence without a full stop; empty if legal.
  Attribute part;

  bool isLegal() const { return reason.empty(); }
};

}  // namespace mlir::gsa

#include "dialect/Gsa/GsaScheduleAttrInterfaces.h.inc"
#include "dialect/Gsa/GsaScheduleOpInterfaces.h.inc"

#endif  // GSA_DIALECT_GSA_GSASCHEDULES_H
