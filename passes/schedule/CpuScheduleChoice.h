//===- CpuScheduleChoice.h - which CPU schedule an op gets -----*- C++ -*-===//
//
// What gsa-cpu-schedule does to one op, as ScheduleChoice.h says it of a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_SCHEDULE_CPUSCHEDULECHOICE_H
#define GSA_PASSES_SCHEDULE_CPUSCHEDULECHOICE_H

#include <utility>

#include "dialect/Gsa/CpuSchedules.h"
#include "passes/schedule/ScheduleChoice.h"

namespace mlir::gsa {

struct CpuScheduleChoice : ScheduleOrigin {
  /// Null if the op is computed by its definition: `rejected` says why.
  CpuScheduleAttr schedule;
};

/// The schedule of an op that has kinds for a CPU: what it has, else a record
/// of a database for its class of shapes, with as many tasks as there are, else
/// the usual one, unless the model says of another one that it takes less than
/// 1 / kClearly of its time. Of ops whose sizes are not static there are no
/// records and no estimates (`us` is 0).
CpuScheduleChoice chooseCpuSchedule(ScheduledOpInterface op,
                                    const CpuTarget& target,
                                    const ScheduleDatabases& databases);

/// Every schedule that is worth measuring for the op, with its estimate: all
/// candidates, and those one step away from `chosen`; the cheapest first, each
/// once. Sizes are static.
SmallVector<std::pair<CpuScheduleAttr, double>> listCpuSchedules(
    ScheduledOpInterface op, const CpuTarget& target, CpuScheduleAttr chosen);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_SCHEDULE_CPUSCHEDULECHOICE_H
