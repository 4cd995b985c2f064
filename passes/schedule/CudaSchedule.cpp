//===- CudaSchedule.cpp - gsa-cuda-schedule -------------------------------===//
//
// Takes the first legal candidate of each kind of schedule that an op admits,
// and of these the cheapest. The choice depends on the sizes of the op and on
// the architecture alone. What a kind is, and what is legal, its attribute
// knows: nothing here names one.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaOps.h"
#include "llvm/Support/FormatVariadic.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"
#include "passes/StaticShapes.h"
#include "passes/TargetOption.h"
#include "passes/gsa_to_tile/MeasureKernels.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSACUDASCHEDULE
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

static std::string toText(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return text;
}

static void reject(Operation* op, const ScheduleVerdict& verdict) {
  remark::missed(
      op->getLoc(),
      remark::RemarkOpts::name("TileRejected").category("gsa.schedule"))
      << toText(verdict.part) + ": " + verdict.reason;
}

static void accept(Operation* op, Attribute schedule, StringRef source) {
  op->setAttr(kScheduleAttr, schedule);
  remark::passed(op->getLoc(),
                 remark::RemarkOpts::name("Scheduled").category("gsa.schedule"))
      << (op->getName().getStringRef() + " " + source + " " + toText(schedule))
             .str();
}

/// The first legal schedule of a kind, or null and why the last one tried is
/// not. Candidates with a part that was at fault before are passed over.
static ScheduleAttrInterface findFirstLegal(Operation* op,
                                            const ScheduleKind& kind,
                                            const CudaTarget& target,
                                            std::string& reason) {
  llvm::SmallPtrSet<Attribute, 8> faulty;
  SmallVector<Attribute> candidates = kind.enumerate(op, target);
  if (candidates.empty())
    remark::missed(
        op->getLoc(),
        remark::RemarkOpts::name("NoCandidate").category("gsa.schedule"))
        << kind.getName() + ": " + kind.explainNone(op, target);
  for (Attribute candidate : candidates) {
    auto schedule = cast<ScheduleAttrInterface>(candidate);
    if (llvm::any_of(schedule.getParts(),
                     [&](Attribute part) { return faulty.contains(part); }))
      continue;
    ScheduleVerdict verdict = schedule.findIllegality(op, target);
    if (verdict.isLegal()) return schedule;
    reject(op, verdict);
    faulty.insert(verdict.part);
    reason = verdict.reason;
  }
  return {};
}

/// A legal schedule and what it is estimated to cost.
struct Offer {
  ScheduleAttrInterface schedule;
  double cost;
};

static void passOver(Operation* op, const Offer& offer, const Offer& best) {
  auto format = [](double cost) { return llvm::formatv("{0:f1}", cost).str(); };
  remark::missed(op->getLoc(),
                 remark::RemarkOpts::name("Costlier").category("gsa.schedule"))
      << toText(offer.schedule) << remark::metric("cost_us", format(offer.cost))
      << remark::metric("best_us", format(best.cost));
}

/// Within a kind the order of candidates is measured; kinds, which are
/// different algorithms, are compared by their cost.
static LogicalResult choose(Operation* op, ArrayRef<ScheduleKind> kinds,
                            const CudaTarget& target) {
  std::string reason = "no candidate";
  SmallVector<Offer> offers;
  for (const ScheduleKind& kind : kinds)
    if (auto schedule = findFirstLegal(op, kind, target, reason))
      offers.push_back(
          {schedule, kinds.size() > 1 ? schedule.estimateCost(op, target) : 0});
  if (offers.empty())
    return op->emitOpError()
           << "has no legal schedule on " << target.arch << ": " << reason;
  // Of equally cheap ones the first.
  const Offer* best = llvm::min_element(
      offers, [](const Offer& a, const Offer& b) { return a.cost < b.cost; });
  for (const Offer& offer : offers)
    if (&offer != best) passOver(op, offer, *best);
  accept(op, best->schedule, "heuristic");
  return success();
}

/// Why a schedule that is written by hand is illegal, and which part of it is
/// at fault.
static std::string explain(Operation* op, ScheduleAttrInterface given,
                           const ScheduleVerdict& verdict,
                           const CudaTarget& target) {
  if (std::string refusal = given.findRefusal(op, target); !refusal.empty())
    return refusal;
  if (verdict.part == given) return verdict.reason;
  return verdict.reason + ", in " + toText(verdict.part);
}

static LogicalResult schedule(ScheduledOpInterface op,
                              const CudaTarget& target) {
  SmallVector<ScheduleKind> kinds = op.getScheduleKinds(Device::Cuda);
  if (kinds.empty()) return success();
  if (failed(checkStatic(op, "be scheduled"))) return failure();
  Attribute given = op->getAttr(kScheduleAttr);
  if (!given) return choose(op, kinds, target);
  if (llvm::none_of(kinds, [&](const ScheduleKind& kind) {
        return kind.contains(given);
      }))
    return op->emitOpError() << "expected " << describe(kinds) << " as '"
                             << kScheduleAttr << "', got " << given;
  auto schedule = cast<ScheduleAttrInterface>(given);
  ScheduleVerdict verdict = schedule.findIllegality(op, target);
  if (!verdict.isLegal())
    return op->emitOpError() << "has an illegal schedule: "
                             << explain(op, schedule, verdict, target);
  accept(op, given, "given");
  return success();
}

namespace {

struct CudaSchedule : gsa::impl::GsaCudaScheduleBase<CudaSchedule> {
  using GsaCudaScheduleBase::GsaCudaScheduleBase;

  void getDependentDialects(DialectRegistry& registry) const override {
    GsaCudaScheduleBase::getDependentDialects(registry);
    registerKernelMeasure(registry);
  }

  void runOnOperation() override {
    std::optional<CudaTarget> target =
        findTargetOption(getOperation(), getArgument(), arch);
    if (!target) return signalPassFailure();
    WalkResult walk = getOperation()->walk([&](ScheduledOpInterface op) {
      return failed(schedule(op, *target)) ? WalkResult::interrupt()
                                           : WalkResult::advance();
    });
    if (walk.wasInterrupted()) signalPassFailure();
  }
};

}  // namespace
