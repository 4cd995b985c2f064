//===- ScheduleChoice.h - which schedule an op gets ------------*- C++ -*-===//
//
// What gsa-cuda-schedule does to one op, with everything that it looked at, for
// the pass, which writes the schedule and remarks, and for tools that explain.
// A choice depends on the op, the architecture and the databases alone.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_SCHEDULE_SCHEDULECHOICE_H
#define GSA_PASSES_SCHEDULE_SCHEDULECHOICE_H

#include <optional>
#include <string>
#include <utility>

#include "passes/schedule/ScheduleDatabase.h"

namespace mlir::gsa {

/// As it is printed.
std::string toText(Attribute attribute);

/// Where a schedule comes from; the first that has a legal one is taken.
enum class ScheduleSource { Given, UserDatabase, ShippedDatabase, Model };

/// Something that was not taken.
struct RejectedSchedule {
  enum Why {
    NoCandidate,  ///< A kind lists nothing for the op.
    Illegal,
    Costlier,
    Unfit,  ///< A record of a database that is not legal for the op.
  };
  Why why;
  /// The schedule, or the name of the kind that has none.
  std::string what;
  /// Empty if `Costlier`.
  std::string reason;
  double us = 0;  ///< Estimated, if `Costlier`.
};

/// Where the schedule of an op comes from, and what was not taken.
struct ScheduleOrigin {
  ScheduleSource source = ScheduleSource::Model;
  /// Of a database: its name, the line, and the times that were measured.
  std::string where;
  double measuredUs = 0, measuredDefaultUs = 0;
  double us = 0;  ///< Estimated.
  SmallVector<RejectedSchedule> rejected;

  /// Notes that the schedule is that of a record.
  void take(const ScheduleDatabase& database,
            const ScheduleDatabase::Record& record, ScheduleSource from);
  /// As remarks name the source: "given", "heuristic", "user database
  /// tuned.jsonl:3".
  std::string describeSource() const;
};

/// On a GPU.
struct ScheduleChoice : ScheduleOrigin {
  ScheduleAttrInterface schedule;
};

/// The databases that are asked, in this order.
struct ScheduleDatabases {
  std::optional<ScheduleDatabase> user, shipped;

  /// Those that there are.
  SmallVector<std::pair<const ScheduleDatabase*, ScheduleSource>, 2> inOrder()
      const;

  /// Reads the file `userPath`, if it is not empty, and what the program brings
  /// along for the architecture `arch`, if `useShipped`. Fails with what is
  /// wrong in `error`.
  static FailureOr<ScheduleDatabases> load(StringRef userPath, bool useShipped,
                                           StringRef arch, MLIRContext* context,
                                           std::string& error);
};

/// The schedule of an op whose shapes are static and that has kinds for a GPU.
/// Of each kind the first legal candidate is taken, unless the model says of
/// another one that it takes less than 1 / kClearly of its time; of the kinds
/// the cheapest. Fails, at the op, if what is given is illegal or if nothing is
/// legal.
FailureOr<ScheduleChoice> chooseSchedule(ScheduledOpInterface op,
                                         const CudaTarget& target,
                                         const ScheduleDatabases& databases);

/// Every legal schedule that is worth measuring for the op: all candidates of
/// all its kinds, and those one step away from `chosen`; the cheapest by its
/// estimate first, each once. Lowers the op for each.
SmallVector<ScheduleAttrInterface> listLegalSchedules(
    ScheduledOpInterface op, const CudaTarget& target,
    ScheduleAttrInterface chosen);

/// Within a kind the order of candidates was measured, and the model must be
/// that sure to overrule it: where both are known they differ by up to 1.7, and
/// what overrules has not been measured.
inline constexpr double kClearly = 4.0;

}  // namespace mlir::gsa

#endif  // GSA_PASSES_SCHEDULE_SCHEDULECHOICE_H
