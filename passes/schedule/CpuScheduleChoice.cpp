//===- CpuScheduleChoice.cpp - which CPU schedule an op gets --------------===//

#include "passes/schedule/CpuScheduleChoice.h"

#include "dialect/Gsa/GsaAttrNames.h"
#include "llvm/ADT/SetVector.h"
#include "passes/StaticShapes.h"

using namespace mlir;
using namespace mlir::gsa;

/// The schedule for another number of tasks.
static CpuScheduleAttr withTasks(CpuScheduleAttr schedule, int64_t tasks) {
  return CpuScheduleAttr::get(
      schedule.getContext(), tasks, schedule.getLanes(), schedule.getRows(),
      schedule.getVectors(), schedule.getBlockRows(), schedule.getBlockKeys(),
      schedule.getValueVectors(), schedule.getPrefetch());
}

/// Whether the database has a schedule that fits; then it is the choice.
static bool takeFrom(const ScheduleDatabase& database, ScheduleSource source,
                     ScheduledOpInterface op, const CpuTarget& target,
                     CpuScheduleChoice& choice) {
  const ScheduleDatabase::Record* record = database.find(op, target.arch());
  if (!record) return false;
  auto schedule =
      withTasks(cast<CpuScheduleAttr>(record->schedule), target.tasks);
  if (std::string reason = findCpuRefusal(op, schedule, target);
      !reason.empty()) {
    choice.rejected.push_back(
        {RejectedSchedule::Unfit, database.where(*record), reason, 0});
    return false;
  }
  choice.schedule = schedule;
  choice.take(database, *record, source);
  choice.us = getCpuCost(op, schedule, target).microseconds();
  return true;
}

/// The usual one, or what is clearly cheaper.
static void takeCheapest(ScheduledOpInterface op, const CpuTarget& target,
                         CpuScheduleChoice& choice) {
  choice.source = ScheduleSource::Model;
  choice.schedule = getUsualCpuSchedule(op, target);
  if (!hasStaticShapes(op)) return;
  auto costOf = [&](CpuScheduleAttr schedule) {
    return getCpuCost(op, schedule, target).microseconds();
  };
  choice.us = costOf(choice.schedule);
  CpuScheduleAttr best = choice.schedule;
  double least = choice.us;
  for (CpuScheduleAttr candidate : enumerateCpuSchedules(op, target))
    if (double us = costOf(candidate); us < least) {
      best = candidate;
      least = us;
    }
  if (best == choice.schedule) return;
  if (least * kClearly >= choice.us) return;
  choice.rejected.push_back(
      {RejectedSchedule::Costlier, toText(choice.schedule), "", choice.us});
  choice.schedule = best;
  choice.us = least;
}

CpuScheduleChoice gsa::chooseCpuSchedule(ScheduledOpInterface op,
                                         const CpuTarget& target,
                                         const ScheduleDatabases& databases) {
  CpuScheduleChoice choice;
  if (Attribute given = op->getAttr(kScheduleAttr)) {
    // Whether a lowering takes it is the lowering's to say.
    choice.schedule = dyn_cast<CpuScheduleAttr>(given);
    choice.source = ScheduleSource::Given;
    if (choice.schedule && hasStaticShapes(op))
      choice.us = getCpuCost(op, choice.schedule, target).microseconds();
    return choice;
  }
  if (std::string reason = explainNoCpuSchedule(op); !reason.empty()) {
    choice.rejected.push_back({RejectedSchedule::NoCandidate,
                               "#" + CpuScheduleAttr::name.str(), reason, 0});
    return choice;
  }
  if (hasStaticShapes(op))
    for (auto [database, source] : databases.inOrder())
      if (takeFrom(*database, source, op, target, choice)) return choice;
  takeCheapest(op, target, choice);
  return choice;
}

SmallVector<std::pair<CpuScheduleAttr, double>> gsa::listCpuSchedules(
    ScheduledOpInterface op, const CpuTarget& target, CpuScheduleAttr chosen) {
  llvm::SetVector<CpuScheduleAttr> found;
  found.insert(chosen);
  found.insert_range(enumerateCpuSchedules(op, target));
  found.insert_range(getCpuSteps(op, chosen, target));
  SmallVector<std::pair<CpuScheduleAttr, double>> schedules;
  for (CpuScheduleAttr schedule : found)
    schedules.emplace_back(schedule,
                           getCpuCost(op, schedule, target).microseconds());
  llvm::stable_sort(schedules, [](const auto& a, const auto& b) {
    return a.second < b.second;
  });
  return schedules;
}
