//===- GsaScheduleSupport.h - what kinds of schedule share -----*- C++ -*-===//
//
// For the files that implement ScheduleAttrInterface.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_GSASCHEDULESUPPORT_H
#define GSA_DIALECT_GSA_GSASCHEDULESUPPORT_H

#include "dialect/Gsa/GsaOps.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Diagnostics.h"

namespace mlir::gsa::detail {

/// The sizes of a scheduled op.
inline ScheduleProblem problemOf(Operation* op) {
  return cast<ScheduledOpInterface>(op).getScheduleProblem();
}

/// The sizes of attention over all keys, and those of an indexer's scores, from
/// tensors of the shapes of gsa.attention.
AttentionProblem attentionProblemOf(Value query, Value key, Value value);
ScoreProblem scoreProblemOf(Value query, Value key);

/// Of the pairs of queries and keys of an op the share that its mask shows.
double visibleShare(Operation* op, int64_t queries, int64_t keys);

/// Of the entries of lists the share that is assumed to be there: of as many
/// queries as keys each lists no later one, so the first ones have fewer.
double listedShare(const AttentionProblem& problem);

/// Keys of the union of the lists of `queries` neighbouring queries over those
/// of one list, as cost estimates assume it: nothing shared by fewer than 4; of
/// 16 queries that keep a 64th of the keys 3, where it is 1.3 to 5 in workloads
/// like trained layers and 11 if lists have nothing in common; less where lists
/// have more of the keys (docs/performance.md).
double usualUnion(double queries, const AttentionProblem& problem);

inline double toDouble(int64_t number) { return static_cast<double>(number); }
inline int64_t bytesOf(Type element) {
  return element.getIntOrFloatBitWidth() / 8;
}

/// Rows or columns in whole units of a product.
inline int64_t pad(int64_t size) {
  return static_cast<int64_t>(llvm::alignTo(size, kTileUnit));
}

/// Pairs of queries and keys that attention, or an indexer, computes, over all
/// heads.
double countPairs(Operation* op, const AttentionProblem& problem);
double countPairs(Operation* op, const ScoreProblem& problem);

/// Bytes of the operands and results of an op, each once.
double boundaryBytes(Operation* op);

/// Why something is too large: "head size 320 > 256", and the unit if it has
/// one.
inline std::string over(StringRef what, int64_t got, int64_t limit,
                        StringRef unit = "") {
  std::string text =
      what.str() + " " + std::to_string(got) + " > " + std::to_string(limit);
  return unit.empty() ? text : text + " " + unit.str();
}

/// The same, if `reason` is one, with the parameter that holds the part at
/// fault.
inline std::string inPart(StringRef parameter, const std::string& reason) {
  return reason.empty() ? reason : parameter.str() + ": " + reason;
}

/// Constraints (C2) and (C3) of schedules with one ring, in their verifiers.
LogicalResult verifyRing(llvm::function_ref<InFlightDiagnostic()> emitError,
                         int64_t stages, int64_t producers, int64_t consumers);

/// Why a target without wgmma rules the engine out.
inline std::string needsWgmma(const CudaTarget& target) {
  return ("engine wgmma needs sm_90a, not " + target.arch).str();
}

/// Why `element` is neither f16 nor bf16, which `what` is for, and the kind of
/// schedule that is for it; empty if it is one of them.
inline std::string findHalfMisfit(StringRef what, Type element,
                                  StringRef other) {
  if (element.isF16() || element.isBF16()) return "";
  std::string text;
  llvm::raw_string_ostream(text)
      << what << " f16 and bf16, got " << element << "; use " << other;
  return text;
}

/// Why an engine is none for these elements, on any device: it is fma for f32,
/// mma_sync for f16 and bf16, and wgmma beside that if `knowsWgmma`.
std::string findEngineMisfit(Engine engine, Type element, bool knowsWgmma);

/// Every so many-th key is a sample of a row, where scores at or above a bound
/// from the sample go to a list of candidates.
inline constexpr int64_t kSampleStep = 16;
/// Few rows of fewer times their candidates' room are faster with scores in
/// memory.
inline constexpr int64_t kLongSplitRow = 8;
/// The most candidates that a schedule can have room for.
inline constexpr int64_t kMaxListCapacity = 16384;
/// The rank in a sample of every `step`-th key that the bound of a row has, and
/// the room for its candidates: a row has more of them, or fewer than its
/// slots, 3 times of 100000 and less.
int64_t getListRank(int64_t slots, int64_t step = kSampleStep);
int64_t getListCapacity(int64_t rank, int64_t step = kSampleStep);

/// The first legal schedule of a kind, as part of a schedule of another kind;
/// null, and in `reason` what is wrong with the last one, if there is none.
template <typename Schedule>
Schedule findFirstLegal(Operation* op, const CudaTarget& target,
                        std::string& reason) {
  for (Attribute candidate : Schedule::enumerate(op, target)) {
    ScheduleVerdict verdict =
        cast<ScheduleAttrInterface>(candidate).findIllegality(op, target);
    if (verdict.isLegal()) return cast<Schedule>(candidate);
    reason = verdict.reason;
  }
  return {};
}

/// Adds the schedule of these numbers, unless it breaks a constraint or is
/// `from`.
template <typename Schedule, typename... Numbers>
void addStep(SmallVector<Attribute>& steps, Schedule from, Numbers... numbers) {
  MLIRContext* context = from.getContext();
  ScopedDiagnosticHandler silent(context,
                                 [](Diagnostic&) { return success(); });
  auto schedule = Schedule::getChecked(
      [&] { return emitError(UnknownLoc::get(context)); }, context, numbers...);
  if (schedule && schedule != from) steps.push_back(schedule);
}

/// Schedules one step from one of `own` numbers: `add` of the numbers with one
/// of them changed.
template <typename Numbers>
class StepBuilder {
 public:
  using Number = int64_t Numbers::*;

  StepBuilder(const Numbers& own, llvm::function_ref<void(const Numbers&)> add)
      : own(own), add(add) {}

  void change(llvm::function_ref<void(Numbers&)> body) {
    Numbers changed = own;
    body(changed);
    add(changed);
  }
  /// Twice the number, and half of it.
  void scale(Number number) {
    change([&](Numbers& n) { n.*number *= 2; });
    change([&](Numbers& n) { n.*number /= 2; });
  }
  /// `step` more, and less.
  void shift(Number number, int64_t step) {
    change([&](Numbers& n) { n.*number += step; });
    change([&](Numbers& n) { n.*number -= step; });
  }

 private:
  const Numbers& own;
  llvm::function_ref<void(const Numbers&)> add;
};

}  // namespace mlir::gsa::detail

#endif  // GSA_DIALECT_GSA_GSASCHEDULESUPPORT_H
