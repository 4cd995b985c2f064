//===- GsaScheduleSupport.h - what kinds of schedule share -----*- C++ -*-===//
//
// For the files that implement ScheduleAttrInterface.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_GSASCHEDULESUPPORT_H
#define GSA_DIALECT_GSA_GSASCHEDULESUPPORT_H

#include "dialect/Gsa/GsaOps.h"
#include "mlir/IR/Diagnostics.h"

namespace mlir::gsa::detail {

/// The sizes of a scheduled op.
inline ScheduleProblem problemOf(Operation* op) {
  return cast<ScheduledOpInterface>(op).getScheduleProblem();
}

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

/// Why an op whose `lengths` is not null is none for `what`, and the kind of
/// schedule that is for it.
inline std::string findLengthsMisfit(StringRef what, Value lengths,
                                     StringRef other) {
  if (!lengths) return "";
  return (what +
          " no kernel for a number of keys that the device alone knows; " +
          "use " + other)
      .str();
}

/// Why an engine is none for these elements, on any device: it is fma for f32,
/// mma_sync for f16 and bf16, and wgmma beside that if `knowsWgmma`.
std::string findEngineMisfit(Engine engine, Type element, bool knowsWgmma);

/// Every so many-th key is a sample of a row, where scores at or above a bound
/// from the sample go to a list of candidates.
inline constexpr int64_t kSampleStep = 16;
/// Rows of fewer times their candidates' room are faster with scores in memory
/// (docs/performance.md).
inline constexpr int64_t kLongRow = 8;
/// The most candidates that a schedule can have room for.
inline constexpr int64_t kMaxListCapacity = 16384;
/// The rank in the sample that the bound of a row has, and the room for its
/// candidates: a row has more of them, or fewer than its slots, 3 times of
/// 100000 and less.
int64_t getListRank(int64_t slots);
int64_t getListCapacity(int64_t rank);

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

}  // namespace mlir::gsa::detail

#endif  // GSA_DIALECT_GSA_GSASCHEDULESUPPORT_H
