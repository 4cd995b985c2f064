//===- ScheduleChoice.cpp - which schedule an op gets ---------------------===//
//
// What a kind of schedule is, and what is legal, its attribute knows: nothing
// here names one.
//
//===----------------------------------------------------------------------===//

#include "passes/schedule/ScheduleChoice.h"

#include "dialect/Gsa/GsaOps.h"
#include "llvm/ADT/SetVector.h"
#include "passes/Passes.h"

using namespace mlir;
using namespace mlir::gsa;

std::string gsa::toText(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return text;
}

void ScheduleOrigin::take(const ScheduleDatabase& database,
                          const ScheduleDatabase::Record& record,
                          ScheduleSource from) {
  source = from;
  where = database.where(record);
  measuredUs = record.us;
  measuredDefaultUs = record.defaultUs;
}

std::string ScheduleOrigin::describeSource() const {
  switch (source) {
    case ScheduleSource::Given:
      return "given";
    case ScheduleSource::UserDatabase:
      return "user database " + where;
    case ScheduleSource::ShippedDatabase:
      return "shipped database " + where;
    case ScheduleSource::Model:
      return "heuristic";
  }
  llvm_unreachable("every source has a name");
}

SmallVector<std::pair<const ScheduleDatabase*, ScheduleSource>, 2>
ScheduleDatabases::inOrder() const {
  SmallVector<std::pair<const ScheduleDatabase*, ScheduleSource>, 2> order;
  if (user) order.emplace_back(&*user, ScheduleSource::UserDatabase);
  if (shipped) order.emplace_back(&*shipped, ScheduleSource::ShippedDatabase);
  return order;
}

FailureOr<ScheduleDatabases> ScheduleDatabases::load(StringRef userPath,
                                                     bool useShipped,
                                                     StringRef arch,
                                                     MLIRContext* context,
                                                     std::string& error) {
  ScheduleDatabases databases;
  if (!userPath.empty()) {
    FailureOr<ScheduleDatabase> user =
        ScheduleDatabase::load(userPath, context, error);
    if (failed(user)) return failure();
    databases.user = std::move(*user);
  }
  auto file = useShipped ? findShippedDatabase(arch) : std::nullopt;
  if (file) {
    FailureOr<ScheduleDatabase> shipped =
        ScheduleDatabase::parse(file->text, file->name, context, error);
    if (failed(shipped)) return failure();
    databases.shipped = std::move(*shipped);
  }
  return databases;
}

namespace {

/// The choice for one op.
class Chooser {
 public:
  Chooser(ScheduledOpInterface op, const CudaTarget& target)
      : op(op), target(target), kinds(op.getScheduleKinds(Device::Cuda)) {}

  FailureOr<ScheduleChoice> takeGiven(Attribute given);
  /// Whether the database has a legal schedule; then it is the choice.
  FailureOr<bool> takeFrom(const ScheduleDatabase& database,
                           ScheduleSource source);
  FailureOr<ScheduleChoice> takeCheapest();

  ScheduleChoice choice;

 private:
  /// A legal schedule and what it is estimated to cost.
  struct Offer {
    ScheduleAttrInterface schedule;
    double us;
  };

  bool isOfAKind(Attribute schedule) const {
    return llvm::any_of(kinds, [&](const ScheduleKind& kind) {
      return kind.contains(schedule);
    });
  }
  double costOf(Attribute schedule) const {
    return cast<ScheduleAttrInterface>(schedule).estimateCost(op, target);
  }
  void reject(RejectedSchedule::Why why, std::string what, std::string reason) {
    choice.rejected.push_back({why, std::move(what), std::move(reason), 0});
  }
  void passOver(const Offer& offer) {
    choice.rejected.push_back(
        {RejectedSchedule::Costlier, toText(offer.schedule), "", offer.us});
  }
  bool isLegal(Attribute candidate);
  std::optional<Offer> findBest(const ScheduleKind& kind);
  std::string explain(ScheduleAttrInterface given,
                      const ScheduleVerdict& verdict) const;

  ScheduledOpInterface op;
  const CudaTarget& target;
  const SmallVector<ScheduleKind> kinds;
  /// Parts of schedules that were at fault.
  llvm::SmallPtrSet<Attribute, 8> faulty;
  std::string lastReason = "no candidate";
};

}  // namespace

/// Why a schedule that somebody wrote is illegal, and which part of it is at
/// fault.
std::string Chooser::explain(ScheduleAttrInterface given,
                             const ScheduleVerdict& verdict) const {
  if (std::string refusal = given.findRefusal(op, target); !refusal.empty())
    return refusal;
  if (verdict.part == given) return verdict.reason;
  return verdict.reason + ", in " + toText(verdict.part);
}

FailureOr<ScheduleChoice> Chooser::takeGiven(Attribute given) {
  if (!isOfAKind(given))
    return op->emitOpError() << "expected " << describe(kinds) << " as '"
                             << kScheduleAttr << "', got " << given;
  auto schedule = cast<ScheduleAttrInterface>(given);
  ScheduleVerdict verdict = schedule.findIllegality(op, target);
  if (!verdict.isLegal())
    return op->emitOpError()
           << "has an illegal schedule: " << explain(schedule, verdict);
  choice.schedule = schedule;
  choice.source = ScheduleSource::Given;
  choice.us = costOf(schedule);
  return choice;
}

FailureOr<bool> Chooser::takeFrom(const ScheduleDatabase& database,
                                  ScheduleSource source) {
  const ScheduleDatabase::Record* record = database.find(op, target.arch);
  if (!record) return false;
  std::string where = database.where(*record);
  if (!isOfAKind(record->schedule)) {
    op->emitOpError() << "has a record in a database of schedules that is "
                         "wrong: "
                      << where << ": expected " << describe(kinds) << ", got "
                      << record->schedule;
    return failure();
  }
  // One record is for a class of shapes, and not legal for all of them.
  auto schedule = cast<ScheduleAttrInterface>(record->schedule);
  ScheduleVerdict verdict = schedule.findIllegality(op, target);
  if (!verdict.isLegal()) {
    reject(RejectedSchedule::Unfit, where, explain(schedule, verdict));
    return false;
  }
  choice.schedule = schedule;
  choice.take(database, *record, source);
  choice.us = costOf(schedule);
  return true;
}

/// Candidates with a part that was at fault before are passed over.
bool Chooser::isLegal(Attribute candidate) {
  auto schedule = cast<ScheduleAttrInterface>(candidate);
  if (llvm::any_of(schedule.getParts(),
                   [&](Attribute part) { return faulty.contains(part); }) ||
      faulty.contains(candidate))
    return false;
  ScheduleVerdict verdict = schedule.findIllegality(op, target);
  if (verdict.isLegal()) return true;
  reject(RejectedSchedule::Illegal, toText(verdict.part), verdict.reason);
  faulty.insert(verdict.part);
  lastReason = verdict.reason;
  return false;
}

std::optional<Chooser::Offer> Chooser::findBest(const ScheduleKind& kind) {
  SmallVector<Attribute> candidates = kind.enumerate(op, target);
  if (candidates.empty())
    reject(RejectedSchedule::NoCandidate, kind.getName(),
           kind.explainNone(op, target));
  faulty.clear();
  auto* first = llvm::find_if(
      candidates, [&](Attribute candidate) { return isLegal(candidate); });
  if (first == candidates.end()) return std::nullopt;
  Offer best = {cast<ScheduleAttrInterface>(*first), costOf(*first)};
  // Whatever comes before it is illegal.
  SmallVector<Offer> others;
  for (Attribute candidate :
       llvm::make_range(std::next(first), candidates.end()))
    if (double us = costOf(candidate); us * kClearly < best.us)
      others.push_back({cast<ScheduleAttrInterface>(candidate), us});
  llvm::stable_sort(others,
                    [](const Offer& a, const Offer& b) { return a.us < b.us; });
  for (const Offer& other : others) {
    if (!isLegal(other.schedule)) continue;
    passOver(best);
    return other;
  }
  return best;
}

FailureOr<ScheduleChoice> Chooser::takeCheapest() {
  SmallVector<Offer> offers;
  for (const ScheduleKind& kind : kinds)
    if (std::optional<Offer> offer = findBest(kind)) offers.push_back(*offer);
  if (offers.empty())
    return op->emitOpError()
           << "has no legal schedule on " << target.arch << ": " << lastReason;
  // Of equally cheap ones the first.
  const Offer* best = llvm::min_element(
      offers, [](const Offer& a, const Offer& b) { return a.us < b.us; });
  for (const Offer& offer : offers)
    if (&offer != best) passOver(offer);
  choice.schedule = best->schedule;
  choice.source = ScheduleSource::Model;
  choice.us = best->us;
  return choice;
}

FailureOr<ScheduleChoice> gsa::chooseSchedule(
    ScheduledOpInterface op, const CudaTarget& target,
    const ScheduleDatabases& databases) {
  Chooser chooser(op, target);
  if (Attribute given = op->getAttr(kScheduleAttr))
    return chooser.takeGiven(given);
  for (auto [database, source] : databases.inOrder()) {
    FailureOr<bool> taken = chooser.takeFrom(*database, source);
    if (failed(taken)) return failure();
    if (*taken) return chooser.choice;
  }
  return chooser.takeCheapest();
}

SmallVector<ScheduleAttrInterface> gsa::listLegalSchedules(
    ScheduledOpInterface op, const CudaTarget& target,
    ScheduleAttrInterface chosen) {
  llvm::SetVector<Attribute> found;
  found.insert(chosen);
  for (const ScheduleKind& kind : op.getScheduleKinds(Device::Cuda))
    for (Attribute candidate : kind.enumerate(op, target))
      if (cast<ScheduleAttrInterface>(candidate)
              .findIllegality(op, target)
              .isLegal())
        found.insert(candidate);
  for (Attribute neighbour : chosen.getNeighbours(op, target))
    found.insert(neighbour);
  SmallVector<ScheduleAttrInterface> schedules;
  for (Attribute schedule : found)
    schedules.push_back(cast<ScheduleAttrInterface>(schedule));
  llvm::stable_sort(
      schedules, [&](ScheduleAttrInterface a, ScheduleAttrInterface b) {
        return a.estimateCost(op, target) < b.estimateCost(op, target);
      });
  return schedules;
}
