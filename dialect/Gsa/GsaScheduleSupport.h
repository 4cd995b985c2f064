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

/// The first legal schedule of a kind, as part of a schedule of another kind;
/// null if there is none.
template <typename Schedule>
Schedule findFirstLegal(Operation* op, const CudaTarget& target) {
  for (Attribute candidate : Schedule::enumerate(op, target))
    if (cast<ScheduleAttrInterface>(candidate)
            .findIllegality(op, target)
            .isLegal())
      return cast<Schedule>(candidate);
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
