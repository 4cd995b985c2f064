//===- CheckAsync.cpp - what is in flight beside the program --------------===//
//
// Part of gsa-tile-check-sync. Products of a warpgroup use registers and shared
// memory until they are waited for, through a proxy of their own, and so does
// the bulk engine where it reads shared memory. Walks the ops of each role in
// their order, twice through loops, with what is in flight and what no fence
// has ordered yet.
//
//===----------------------------------------------------------------------===//

#include "llvm/ADT/SetVector.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "passes/tile/SyncCheck.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

/// An op that was issued, and the group it belongs to; no group before commit.
struct Flight {
  Operation* op;
  int64_t group = -1;
};

struct State {
  SmallVector<Flight> flights;
  int64_t groups = 0;  ///< Committed and not waited for.
  /// Fragments that ordinary instructions used behind the last fence, whatever
  /// it names.
  llvm::SetVector<Value> used;
  /// Fragments that they wrote behind the last fence that names them.
  llvm::SetVector<Value> stored;
  /// Tiles that ordinary instructions or cp.async wrote, as far as this warp
  /// may know of it, behind the last fence of shared memory.
  llvm::SetVector<Value> written;

  void join(const State& other) {
    used.insert_range(other.used);
    stored.insert_range(other.stored);
    written.insert_range(other.written);
  }
};

class AsyncChecker {
 public:
  explicit AsyncChecker(KernelOp kernel) : kernel(kernel) {}
  LogicalResult check();

 private:
  LogicalResult checkBlock(Block& block, State& state);
  LogicalResult checkRegions(Operation* op, State& state);
  LogicalResult checkOp(Operation* op, State& state);
  LogicalResult checkNamed(Operation* op, State& state);
  LogicalResult checkUse(Operation* op, State& state);
  LogicalResult checkIssue(Operation* op, State& state);
  LogicalResult checkRelease(RingOpInterface release, State& state);
  void wait(AsyncWaitOpInterface op, State& state);

  KernelOp kernel;
  /// Tiles that are written through the ordinary proxy, by whomever; and those
  /// of them that are written not only before the roles, so that behind a wait
  /// for a slot there may be something new.
  llvm::SetVector<Value> ordinary, repeated;
};

}  // namespace

static AsyncKind getAsyncKind(Operation* op) {
  auto async = dyn_cast<AsyncOpInterface>(op);
  return async ? async.getAsyncKind() : AsyncKind::None;
}

/// Reads shared memory through the asynchronous proxy.
static bool readsAsynchronously(Operation* op) {
  AsyncKind kind = getAsyncKind(op);
  return kind == AsyncKind::Product || kind == AsyncKind::Reduce;
}

static bool isFragment(Value value) { return isa<FragType>(value.getType()); }
static bool isTile(Value value) { return isa<SmemType>(value.getType()); }

/// In flight, an op uses what it was issued with.
static Flight* findFlight(State& state, Value value, bool writes) {
  for (Flight& flight : state.flights)
    if (llvm::is_contained(flight.op->getOperands(), value) &&
        (writes || writesTo(flight.op, value)))
      return &flight;
  return nullptr;
}

/// A fence or a wait names fragments that the compiler may touch there.
LogicalResult AsyncChecker::checkNamed(Operation* op, State& state) {
  for (Value operand : op->getOperands())
    if (Flight* flight = findFlight(state, operand, /*writes=*/true)) {
      InFlightDiagnostic error =
          op->emitOpError()
          << "names a fragment of a product that is in flight";
      error.attachNote(flight->op->getLoc()) << "the product";
      return error;
    }
  return success();
}

/// An ordinary op on fragments and tiles.
LogicalResult AsyncChecker::checkUse(Operation* op, State& state) {
  for (Value operand : op->getOperands()) {
    bool writes = writesTo(op, operand);
    if (isFragment(operand)) {
      if (Flight* flight = findFlight(state, operand, writes)) {
        InFlightDiagnostic error =
            op->emitOpError()
            << "uses a fragment of a product that is in flight: expected a "
               "wgmma_wait in between";
        error.attachNote(flight->op->getLoc()) << "the product";
        return error;
      }
      state.used.insert(operand);
      if (writes) state.stored.insert(operand);
    }
    if (!isTile(operand) || !writes) continue;
    if (Flight* flight = findFlight(state, operand, /*writes=*/true)) {
      InFlightDiagnostic error =
          op->emitOpError()
          << "writes a tile that is read until the wait for what was issued";
      error.attachNote(flight->op->getLoc()) << "issued here";
      return error;
    }
    if (getAsyncKind(op) != AsyncKind::Bulk)
      state.written.insert(getTileStorage(operand));
  }
  return success();
}

/// Others may overwrite the slot: nothing in flight reads its stages.
LogicalResult AsyncChecker::checkRelease(RingOpInterface release,
                                         State& state) {
  for (Flight& flight : state.flights)
    for (Value operand : flight.op->getOperands()) {
      auto stage = operand.getDefiningOp<StageOp>();
      if (!stage) continue;
      auto wait = stage.getSlot().getDefiningOp<RingOpInterface>();
      if (!wait || wait.getRing() != release.getRing() ||
          wait.getIteration() != release.getIteration())
        continue;
      InFlightDiagnostic error =
          release->emitOpError()
          << "gives up a slot that what was issued still reads: expected the "
             "wait for it before";
      error.attachNote(flight.op->getLoc()) << "issued here";
      return error;
    }
  return success();
}

LogicalResult AsyncChecker::checkIssue(Operation* op, State& state) {
  for (Value operand : op->getOperands()) {
    bool isStored = state.stored.contains(operand) && readsFrom(op, operand);
    if (isFragment(operand) && (isStored || state.used.contains(operand)))
      return op->emitOpError()
             << "uses a fragment that ordinary instructions used before, "
                "without a wgmma_fence of it in between";
    if (!isTile(operand)) continue;
    Value storage = getTileStorage(operand);
    if (state.written.contains(storage)) {
      InFlightDiagnostic error =
          op->emitOpError()
          << "reads, through the asynchronous proxy, a tile that ordinary "
             "stores or cp.async wrote: expected a fence_async in between";
      error.attachNote(storage.getLoc()) << "the tile";
      return error;
    }
  }
  state.flights.push_back({op});
  return success();
}

/// Ends the groups before the last `pending`.
void AsyncChecker::wait(AsyncWaitOpInterface op, State& state) {
  AsyncKind kind = op.getAsyncKind();
  if (kind != AsyncKind::Product) {
    // Waits of other kinds wait for all that was issued.
    llvm::erase_if(state.flights, [&](const Flight& flight) {
      return getAsyncKind(flight.op) == kind;
    });
    return;
  }
  int64_t ended = state.groups - static_cast<int64_t>(op.getPending());
  if (ended <= 0) return;
  llvm::erase_if(state.flights, [&](const Flight& flight) {
    return flight.group >= 0 && flight.group < ended;
  });
  for (Flight& flight : state.flights)
    if (flight.group >= 0) flight.group -= ended;
  state.groups -= ended;
}

LogicalResult AsyncChecker::checkOp(Operation* op, State& state) {
  if (op->getNumRegions() > 0) return checkRegions(op, state);
  if (auto fence = dyn_cast<FenceOpInterface>(op)) {
    if (!fence.isOfRegisters()) {
      state.written.clear();
      return success();
    }
    state.used.clear();
    for (Value fenced : op->getOperands()) state.stored.remove(fenced);
    return checkNamed(op, state);
  }
  if (isa<RegisterAllocOpInterface>(op)) {
    // Has contents that ordinary instructions wrote.
    if (isFragment(op->getResult(0))) state.stored.insert(op->getResult(0));
    return success();
  }
  if (auto commit = dyn_cast<AsyncCommitOpInterface>(op)) {
    for (Flight& flight : state.flights)
      if (flight.group < 0 && getAsyncKind(flight.op) == commit.getAsyncKind())
        flight.group = state.groups;
    ++state.groups;
    return success();
  }
  // Behind a barrier, and behind the wait for a slot, there may be what others
  // wrote.
  auto step = dyn_cast<RingOpInterface>(op);
  if (isa<BarrierOpInterface>(op)) state.written.insert_range(ordinary);
  if (step && step.getStep() == RingStep::Wait)
    state.written.insert_range(repeated);
  if (step && step.getStep() == RingStep::Release)
    return checkRelease(step, state);
  if (auto waited = dyn_cast<AsyncWaitOpInterface>(op)) {
    wait(waited, state);
    return checkNamed(op, state);
  }
  if (readsAsynchronously(op)) return checkIssue(op, state);
  return checkUse(op, state);
}

/// The ops in flight, but for those that may be when an iteration ends: the
/// bulk engine reads its tiles until a wait in the next one, or behind the
/// loop. No product may, which ptxas would end there.
static SmallVector<Operation*> collectFlights(const State& state, bool isLoop) {
  SmallVector<Operation*> ops;
  for (const Flight& flight : state.flights)
    if (!isLoop || getAsyncKind(flight.op) != AsyncKind::Reduce)
      ops.push_back(flight.op);
  return ops;
}

LogicalResult AsyncChecker::checkRegions(Operation* op, State& state) {
  State start = state, joined = state;
  bool isLoop = isa<LoopLikeOpInterface>(op);
  for (Region& region : op->getRegions()) {
    if (region.empty()) continue;
    State inner = start;
    // Once more with what an iteration leaves behind.
    for (int round = 0; round < (isLoop ? 2 : 1); ++round) {
      for (Block& block : region)
        if (failed(checkBlock(block, inner))) return failure();
      if (collectFlights(inner, isLoop) != collectFlights(start, isLoop)) {
        InFlightDiagnostic error =
            op->emitOpError()
            << "ends " << (isLoop ? "an iteration" : "a branch")
            << " with other products in flight than it began with";
        if (SmallVector<Operation*> ops = collectFlights(inner, isLoop);
            !ops.empty())
          error.attachNote(ops.back()->getLoc()) << "in flight";
        return error;
      }
    }
    joined.join(inner);
    for (const Flight& flight : inner.flights)
      if (!llvm::is_contained(collectFlights(joined, /*isLoop=*/false),
                              flight.op))
        joined.flights.push_back(flight);
  }
  state = joined;
  return success();
}

LogicalResult AsyncChecker::checkBlock(Block& block, State& state) {
  for (Operation& op : block)
    if (failed(checkOp(&op, state))) return failure();
  return success();
}

LogicalResult AsyncChecker::check() {
  bool any = false;
  kernel.walk([&](Operation* op) {
    any |= readsAsynchronously(op);
    if (getAsyncKind(op) == AsyncKind::Bulk) return;
    for (Value operand : op->getOperands())
      if (isTile(operand) && writesTo(op, operand)) {
        ordinary.insert(getTileStorage(operand));
        if (op->getParentOp() != kernel)
          repeated.insert(getTileStorage(operand));
      }
  });
  if (!any) return success();
  State state;
  if (failed(checkBlock(kernel.getBody().front(), state))) return failure();
  if (state.flights.empty()) return success();
  return state.flights.front().op->emitOpError()
         << "is in flight at the end of the kernel: expected a wait";
}

LogicalResult gsa::checkAsync(KernelOp kernel) {
  return AsyncChecker(kernel).check();
}
