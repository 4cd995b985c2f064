//===- AssignLanes.cpp - which steps run side by side ---------------------===//
//
// gsa-assign-lanes. Steps are submitted in the order in which the longest ways
// to the end begin, as far as their dependences allow: of two kernels that
// could both begin, blocks of the one that is submitted first get the SMs, and
// the other one fills what is left. Estimates of kernels come from the model of
// their op's schedule; without any, the order stays that of the text. The
// iterations of a loop stay one after the other, since each has memory of its
// own that later ones use again.
//
//===----------------------------------------------------------------------===//

#include <algorithm>

#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"
#include "passes/StepGraph.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/cuda/CudaHostPasses.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSAASSIGNLANES
#include "passes/cuda/CudaHostPasses.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

/// Steps of the text; some come of bufferization and are of no loop.
static SmallVector<HostStep> numberSteps(func::FuncOp entry) {
  int64_t number = 0;
  for (Operation& op : entry.getBody().front()) {
    if (!isHostStep(&op)) continue;
    auto old = op.getAttrOfType<StepAttr>(kStepAttr);
    ArrayRef<int64_t> parts = old ? old.getParts() : ArrayRef<int64_t>();
    op.setAttr(kStepAttr,
               StepAttr::get(op.getContext(), number++, 0, {}, parts));
  }
  return collectSteps(entry);
}

namespace {

/// What the pass knows of a step, by its number in the text.
struct Node {
  SmallVector<int64_t> needs, neededBy;
  /// Estimated time from its begin to the end of the run; of a step of an
  /// independent loop the longest of all the loop's.
  double way = 0;
  /// Estimated time from the begin of the run to its end.
  double end = 0;
  Value zone;           ///< Of the mark before it, null without.
  int64_t missing = 0;  ///< Steps that it needs and that have no place yet.
  int64_t place = -1;   ///< In the new order.
  int64_t lane = 0;
};

class LaneAssigner {
 public:
  LaneAssigner(func::FuncOp entry, int64_t lanes)
      : entry(entry), lanes(lanes), steps(numberSteps(entry)) {}

  /// How many lanes are used; 1 leaves the function without steps' attributes.
  int64_t run();

 private:
  void findNeeds();
  void findWays();
  void findZones();
  void orderSteps();
  void chooseLane(int64_t step);
  void moveSteps();
  int64_t writeWaits();

  func::FuncOp entry;
  int64_t lanes;
  SmallVector<HostStep> steps;
  SmallVector<Node> nodes;
  SmallVector<int64_t> order;
  /// Of each lane its last step, or -1.
  SmallVector<int64_t> last;
  SmallVector<func::CallOp> marks;
};

}  // namespace

static double estimateOf(Operation* op) {
  auto number = op->getAttrOfType<FloatAttr>(kEstimateAttr);
  return number ? number.getValueAsDouble() : 0;
}

void LaneAssigner::findNeeds() {
  nodes.resize(steps.size());
  for (size_t b = 0; b < steps.size(); ++b)
    for (size_t a = 0; a < b; ++a)
      if (findConflict(steps[a], steps[b])) {
        nodes[b].needs.push_back(a);
        nodes[a].neededBy.push_back(b);
      }
}

void LaneAssigner::findWays() {
  for (int64_t i = steps.size(); i-- > 0;) {
    double behind = 0;
    for (int64_t next : nodes[i].neededBy)
      behind = std::max(behind, nodes[next].way);
    nodes[i].way = behind + estimateOf(steps[i].op);
  }
  llvm::DenseMap<int64_t, double> ofLoop;
  auto loopOf = [&](size_t i) { return steps[i].order.getParts().front(); };
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].order.getParts().empty()) continue;
    double& longest = ofLoop[loopOf(i)];
    longest = std::max(longest, nodes[i].way);
  }
  for (size_t i = 0; i < steps.size(); ++i)
    if (!steps[i].order.getParts().empty()) nodes[i].way = ofLoop[loopOf(i)];
}

/// A step takes the mark of its zone along.
void LaneAssigner::findZones() {
  Value zone;
  int64_t next = 0;
  for (Operation& op : entry.getBody().front()) {
    auto call = dyn_cast<func::CallOp>(op);
    if (call && call.getCallee() == kCpuZoneSymbol) {
      zone = call.getOperand(0);
      marks.push_back(call);
    } else if (op.hasAttr(kStepAttr)) {
      nodes[next++].zone = zone;
    }
  }
}

/// The lane whose last step is the latest to end that the step needs; else one
/// that has no step, or the one whose last step is the earliest.
void LaneAssigner::chooseLane(int64_t step) {
  int64_t best = -1;
  auto endOf = [&](int64_t lane) {
    const Node& node = nodes[last[lane]];
    return std::pair(node.end, node.place);
  };
  for (int64_t lane = 0; lane < lanes; ++lane) {
    if (last[lane] < 0 || !llvm::is_contained(nodes[step].needs, last[lane]))
      continue;
    if (best < 0 || endOf(best) < endOf(lane)) best = lane;
  }
  if (best < 0) {
    best = 0;
    auto placeOf = [&](int64_t lane) {
      return last[lane] < 0 ? -1 : nodes[last[lane]].place;
    };
    for (int64_t lane = 1; lane < lanes; ++lane)
      if (placeOf(lane) < placeOf(best)) best = lane;
  }
  double begin = last[best] < 0 ? 0 : nodes[last[best]].end;
  for (int64_t need : nodes[step].needs)
    begin = std::max(begin, nodes[need].end);
  nodes[step].end = begin + estimateOf(steps[step].op);
  nodes[step].lane = best;
  last[best] = step;
}

void LaneAssigner::orderSteps() {
  for (Node& node : nodes) node.missing = node.needs.size();
  last.assign(lanes, -1);
  SmallVector<int64_t> ready;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].missing == 0) ready.push_back(i);
  while (!ready.empty()) {
    // Of equally long ways that of the earlier step.
    auto* next =
        std::min_element(ready.begin(), ready.end(), [&](int64_t a, int64_t b) {
          return std::pair(-nodes[a].way, a) < std::pair(-nodes[b].way, b);
        });
    int64_t step = *next;
    ready.erase(next);
    nodes[step].place = order.size();
    order.push_back(step);
    chooseLane(step);
    for (int64_t other : nodes[step].neededBy)
      if (--nodes[other].missing == 0) ready.push_back(other);
  }
}

/// Behind everything that is no step, in the new order.
void LaneAssigner::moveSteps() {
  Operation* end = entry.getBody().front().getTerminator();
  OpBuilder builder(end);
  func::CallOp mark = marks.empty() ? func::CallOp() : marks.front();
  Value zone;
  for (int64_t step : order) {
    if (nodes[step].zone && nodes[step].zone != zone) {
      zone = nodes[step].zone;
      IRMapping map;
      map.map(mark.getOperand(0), zone);
      builder.clone(*mark, map);
    }
    steps[step].op->moveBefore(end);
  }
  if (marks.empty()) return;
  // The last mark ends the last zone.
  marks.back()->moveBefore(end);
  for (func::CallOp other : ArrayRef(marks).drop_back()) other.erase();
}

/// Of what a step needs on other lanes only that which does not follow from
/// its lane or its other waits.
int64_t LaneAssigner::writeWaits() {
  int64_t count = order.size(), numWaits = 0;
  SmallVector<llvm::BitVector> before(count, llvm::BitVector(count));
  SmallVector<int64_t> lastPlace(lanes, -1);
  for (int64_t place = 0; place < count; ++place) {
    Node& node = nodes[order[place]];
    auto follow = [&](int64_t other) {
      before[place] |= before[other];
      before[place].set(other);
    };
    int64_t own = std::exchange(lastPlace[node.lane], place);
    if (own >= 0) follow(own);
    SmallVector<int64_t> needs;
    for (int64_t other : node.needs) needs.push_back(nodes[other].place);
    llvm::sort(needs, std::greater<int64_t>());
    SmallVector<int64_t> waits;
    for (int64_t other : needs) {
      if (before[place].test(other)) continue;
      follow(other);
      waits.push_back(other);
    }
    llvm::sort(waits);
    numWaits += waits.size();
    Operation* op = steps[order[place]].op;
    op->setAttr(kStepAttr,
                StepAttr::get(op->getContext(), place, node.lane, waits,
                              steps[order[place]].order.getParts()));
  }
  remark::passed(entry.getLoc(), remark::RemarkOpts::name("Lanes")
                                     .category("gsa.lanes")
                                     .function(entry.getSymName()))
      << "steps that do not depend on each other run side by side"
      << remark::metric("steps", count) << remark::metric("lanes", lanes)
      << remark::metric("waits", numWaits);
  return numWaits;
}

int64_t LaneAssigner::run() {
  findNeeds();
  findWays();
  findZones();
  orderSteps();
  int64_t used = 1;
  for (const Node& node : nodes) used = std::max(used, node.lane + 1);
  if (used == 1) {
    for (HostStep& step : steps) step.op->removeAttr(kStepAttr);
    return 1;
  }
  lanes = used;
  moveSteps();
  writeWaits();
  return used;
}

namespace {

struct AssignLanes : gsa::impl::GsaAssignLanesBase<AssignLanes> {
  void runOnOperation() override {
    func::FuncOp entry = findEntry(getOperation());
    if (!entry) return signalPassFailure();
    auto lanes = entry->getAttrOfType<IntegerAttr>(kLanesAttr);
    if (!lanes || lanes.getInt() < 2) return;
    int64_t used = LaneAssigner(entry, lanes.getInt()).run();
    entry->setAttr(kLanesAttr, Builder(&getContext()).getI64IntegerAttr(used));
  }
};

}  // namespace
