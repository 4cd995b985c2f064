//===- CpuSchedules.h - which CPU schedules there are ----------*- C++ -*-===//
//
// What #gsa.cpu_schedule is asked, as ScheduleAttrInterface is asked of
// schedules of a GPU: which ones are worth trying for an op, what rules one
// out, what it costs, which ones are one step away. gsa-cpu-schedule, tools
// that explain and tuners ask the same functions.
//
// Every schedule that its attribute's constraints accept computes the right
// thing on every machine; what is ruled out here is slow, not wrong.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_CPUSCHEDULES_H
#define GSA_DIALECT_GSA_CPUSCHEDULES_H

#include <string>

#include "dialect/Gsa/GsaOps.h"
#include "dialect/Target/CpuTarget.h"

namespace mlir::gsa {

/// Largest head of attention that has loops: they are unrolled over its
/// elements, and longer ones would fill any instruction cache.
inline constexpr int64_t kMaxUnrolledHead = 2048;

/// Why the op is computed by its definition; empty if it has schedules. Its
/// sizes need not be static, as for all functions that do not say so.
std::string explainNoCpuSchedule(ScheduledOpInterface op);

/// The schedule that an op gets unless something is known to be faster: by
/// rule, from its sizes, tasks and the width of vectors.
CpuScheduleAttr getUsualCpuSchedule(ScheduledOpInterface op,
                                    const CpuTarget& target);

/// Why a schedule is not worth its time for the op: lanes that are not those of
/// a register, a tile that has no room in the registers. Empty if it is.
std::string findCpuRefusal(ScheduledOpInterface op, CpuScheduleAttr schedule,
                           const CpuTarget& target);

/// Schedules that are worth measuring for the op, the usual one first: other
/// numbers for what the loops of the op read, and none for what they do not.
/// None of them is refused.
SmallVector<CpuScheduleAttr> enumerateCpuSchedules(ScheduledOpInterface op,
                                                   const CpuTarget& target);

/// Of these numbers one is the next larger or smaller one. None of them is
/// refused.
SmallVector<CpuScheduleAttr> getCpuSteps(ScheduledOpInterface op,
                                         CpuScheduleAttr schedule,
                                         const CpuTarget& target);

/// Microseconds on all tasks, loop by loop, which follow one another. Sizes are
/// static. To order schedules, never to promise a time.
ScheduleCost getCpuCost(ScheduledOpInterface op, CpuScheduleAttr schedule,
                        const CpuTarget& target);

/// What no schedule of the op is faster than: its multiply-adds and
/// exponentials at the rates of the machine, and its operands and results once
/// through memory. Sizes are static.
StageCost findCpuFloor(ScheduledOpInterface op, const CpuTarget& target);

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_CPUSCHEDULES_H
