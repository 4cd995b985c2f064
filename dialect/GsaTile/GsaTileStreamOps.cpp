//===- GsaTileStreamOps.cpp - the loop over tiles -------------------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "llvm/ADT/STLExtras.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

/// Warps of a warpgroup.
static constexpr int64_t kGroupWarps = 4;
/// The last hardware barrier.
static constexpr int64_t kLastBarrier = 15;

//===----------------------------------------------------------------------===//
// tile_ring
//===----------------------------------------------------------------------===//

LogicalResult TileRingOp::verify() {
  if (!isa<KernelOp>((*this)->getParentOp()))  // tile_ring_op_c1
    return emitOpError()
           << "expected to stand at the top of a kernel: a ring is made once";
  return success();
}

static LogicalResult failToEmit(Operation* op) {
  return op->emitOpError()
         << "has no CUDA C++ emission: gsa-tile-pipeline lowers it";
}

LogicalResult TileRingOp::emitCuda(CudaEmitter&) { return failToEmit(*this); }
LogicalResult StreamOp::emitCuda(CudaEmitter&) { return failToEmit(*this); }
LogicalResult LaggedOp::emitCuda(CudaEmitter&) { return failToEmit(*this); }
LogicalResult AwaitOp::emitCuda(CudaEmitter&) { return failToEmit(*this); }
LogicalResult ReleaseOp::emitCuda(CudaEmitter&) { return failToEmit(*this); }

//===----------------------------------------------------------------------===//
// lagged
//===----------------------------------------------------------------------===//

void LaggedOp::build(OpBuilder& builder, OperationState& state) {
  Region* region = state.addRegion();
  region->emplaceBlock().addArgument(builder.getIndexType(), state.location);
  ensureTerminator(*region, builder, state.location);
}

LogicalResult LaggedOp::verify() {
  TypeRange arguments = getBody().getArgumentTypes();
  if (arguments.size() == 1 && arguments[0].isIndex())  // lagged_c3
    return success();
  return emitOpError() << "expected one argument, an index, got (" << arguments
                       << ")";
}

/// The region of a stream that `op` stands in, at its top or at that of a
/// lagged op; null if it stands elsewhere.
static Region* getStreamRegion(StreamOp stream, Operation* op) {
  Operation* parent = op->getParentOp();
  if (isa<LaggedOp>(parent)) {
    op = parent;
    parent = op->getParentOp();
  }
  return parent == stream ? op->getParentRegion() : nullptr;
}

static bool isInLagged(Operation* op) {
  return op->getParentOfType<LaggedOp>() != nullptr;
}

/// Whether `a` comes before `b` in the text of a region of a stream.
static bool isBefore(Block& region, Operation* a, Operation* b) {
  Operation *first = region.findAncestorOpInBlock(*a),
            *second = region.findAncestorOpInBlock(*b);
  if (first != second) return first->isBeforeInBlock(second);
  if (first == a || second == b) return false;
  Block& inner = first->getRegion(0).front();
  first = inner.findAncestorOpInBlock(*a);
  second = inner.findAncestorOpInBlock(*b);
  return first != second && first->isBeforeInBlock(second);
}

bool StreamOp::isLagged() {
  auto has = [](Region& region) {
    return !region.front().getOps<LaggedOp>().empty();
  };
  return has(getLoad()) || has(getCompute());
}

bool StreamOp::isLagged(unsigned ring) {
  for (Region* region : {&getLoad(), &getCompute()})
    for (Value tile : getTiles(*region, ring))
      for (Operation* user : tile.getUsers())
        if (isInLagged(user)) return true;
  return false;
}

//===----------------------------------------------------------------------===//
// stream
//===----------------------------------------------------------------------===//

void StreamOp::build(OpBuilder& builder, OperationState& state, Value count,
                     ValueRange rings, PipelineAttr pipeline) {
  state.addOperands(count);
  state.addOperands(rings);
  state.addAttribute(getPipelineAttrName(state.name), pipeline);
  for (int i = 0; i < 2; ++i) {
    Region* region = state.addRegion();
    Block& block = region->emplaceBlock();
    block.addArgument(builder.getIndexType(), state.location);
    for (Value ring : rings)
      for (Type tile : cast<TileRingType>(ring.getType()).getTiles())
        block.addArgument(tile, state.location);
    ensureTerminator(*region, builder, state.location);
  }
}

ValueRange StreamOp::getTiles(Region& region, unsigned ring) {
  return getTiles(region.front(), ring);
}

ValueRange StreamOp::getTiles(Block& region, unsigned ring) {
  unsigned first = 1;
  for (unsigned i = 0; i < ring; ++i)
    first += cast<TileRingType>(getRings()[i].getType()).getTiles().size();
  return region.getArguments().slice(
      first, cast<TileRingType>(getRings()[ring].getType()).getTiles().size());
}

TeamAttr StreamOp::getLoaders() {
  int64_t warps = (*this)->getParentOfType<KernelOp>().getWarps();
  int64_t loaders = getPipeline().getLoaders();
  return TeamAttr::get(getContext(), 0, loaders > 0 ? loaders : warps);
}

TeamAttr StreamOp::getConsumers() {
  int64_t warps = (*this)->getParentOfType<KernelOp>().getWarps();
  int64_t loaders = getPipeline().getLoaders();
  return TeamAttr::get(getContext(), loaders, warps - loaders);
}

static LogicalResult verifyArguments(StreamOp op, Region& region,
                                     StringRef name) {
  SmallVector<Type> expected = {IndexType::get(op.getContext())};
  for (Value ring : op.getRings())
    llvm::append_range(expected, cast<TileRingType>(ring.getType()).getTiles());
  if (llvm::equal(region.getArgumentTypes(), expected)) return success();
  return op.emitOpError() << "expected the arguments (" << expected << ") in "
                          << name << ", got (" << region.getArgumentTypes()
                          << ")";
}

static LogicalResult verifyWarps(StreamOp op) {
  auto kernel = op->getParentOfType<KernelOp>();
  if (!kernel) return op.emitOpError() << "expected to be in a kernel";
  PipelineAttr pipeline = op.getPipeline();
  int64_t consumers = kernel.getWarps() - pipeline.getLoaders();
  if (consumers < 1 || consumers % pipeline.getGroups() != 0)
    return op.emitOpError()
           << "expected loaders that leave " << pipeline.getGroups()
           << " equal groups of the kernel's " << kernel.getWarps()
           << " warps, got " << pipeline.getLoaders() << " loaders";
  int64_t groupWarps = consumers / pipeline.getGroups();
  if (pipeline.getOrder() == StreamOrder::PingPong &&
      groupWarps % kGroupWarps != 0)
    return op.emitOpError()
           << "expected groups of whole warpgroups of " << kGroupWarps
           << " warps that take turns, got " << groupWarps << " warps";
  return success();
}

/// What the rings say of who fills them is what fills them.
static LogicalResult verifyFills(StreamOp op) {
  llvm::SmallDenseMap<Value, TileRingType> open;
  for (auto [i, ring] : llvm::enumerate(op.getRings()))
    for (Value tile : op.getTiles(op.getLoad(), i))
      open[tile] = cast<TileRingType>(ring.getType());
  llvm::SmallPtrSet<Value, 8> filled;
  auto check = [&](FillOpInterface fill) -> LogicalResult {
    auto found = open.find(fill.getTarget());
    if (found == open.end())
      return fill->emitOpError()
             << "fills a tile that is none of the stream's rings'";
    if (!getStreamRegion(op, fill))  // stream_c2
      return fill->emitOpError() << "fills a tile of a stream within another "
                                    "op: expected it at the top of load";
    if (fill.getEngine() != found->second.getEngine())
      return fill->emitOpError()
             << "fills by " << stringifyCopyEngine(fill.getEngine())
             << " a tile of a ring that is filled by "
             << stringifyCopyEngine(found->second.getEngine());
    filled.insert(fill.getTarget());
    auto team = dyn_cast<TeamOpInterface>(fill.getOperation());
    if (team && team.getTeam() != op.getLoaders())
      return fill->emitOpError()
             << "is run by warps of " << team.getTeam()
             << ": expected those that fill, " << op.getLoaders();
    return success();
  };
  WalkResult walk = op.getLoad().walk(
      [&](FillOpInterface fill) { return WalkResult(check(fill)); });
  if (walk.wasInterrupted()) return failure();
  for (auto [i, ring] : llvm::enumerate(op.getRings()))
    for (auto [j, tile] : llvm::enumerate(op.getTiles(op.getLoad(), i)))
      if (!filled.contains(tile))
        return op.emitOpError() << "fills no tile " << j << " of ring " << i;
  return success();
}

static bool isRegister(Type type) {
  return isa<FragType, RowVecType, LanesType>(type);
}

/// `load` fills and does nothing else.
static LogicalResult verifyLoad(StreamOp op) {
  auto check = [&](Operation* inner) -> WalkResult {
    if (isa<BarrierOpInterface, RingOpInterface, AwaitOp, ReleaseOp, StreamOp>(
            inner) ||
        llvm::any_of(inner->getOperandTypes(), isRegister) ||
        llvm::any_of(inner->getResultTypes(), isRegister))
      return inner->emitOpError()
             << "stands in the load region of a stream, which has neither "
                "fragments nor barriers nor steps";  // stream_c3
    return WalkResult::advance();
  };
  return failure(
      op.getLoad().walk<WalkOrder::PreOrder>(check).wasInterrupted());
}

static LogicalResult verifyCompute(StreamOp op) {
  bool turns = op.getPipeline().getOrder() == StreamOrder::PingPong;
  auto check = [&](Operation* inner) -> WalkResult {
    if (isa<StreamOp>(inner))
      return inner->emitOpError() << "is nested in another stream";
    if (isa<FillOpInterface>(inner))
      return inner->emitOpError()
             << "fills a tile in the compute region of a stream";  // stream_c3
    if (isa<AwaitOp, ReleaseOp>(inner) &&
        !llvm::is_contained(op.getCompute().getArguments(),
                            inner->getOperand(0)))
      return inner->emitOpError() << "names a tile that is none of the "
                                     "stream's rings'";  // stream_c7
    if (isa<TurnStartOp, TurnEndOp>(inner))
      return inner->emitOpError() << "is for gsa-tile-pipeline to add";
    if (isa<TurnWaitOp, TurnPassOp>(inner) &&
        (!turns || inner->getParentOp() != op ||
         cast<TeamOpInterface>(inner).getTeam() != op.getConsumers()))
      return inner->emitOpError()
             << "expected at the top of the compute region of a stream of "
                "order ping_pong, by "
             << op.getConsumers();  // stream_c6
    return WalkResult::advance();
  };
  return failure(
      op.getCompute().walk<WalkOrder::PreOrder>(check).wasInterrupted());
}

/// Groups and barrier of an op that waits for a turn or passes it.
static std::optional<std::pair<uint64_t, uint64_t>> getTurn(Operation* op) {
  if (auto wait = dyn_cast<TurnWaitOp>(op))
    return std::pair(wait.getGroups(), wait.getBarrier());
  if (auto pass = dyn_cast<TurnPassOp>(op))
    return std::pair(pass.getGroups(), pass.getBarrier());
  return std::nullopt;
}

uint64_t StreamOp::getTurnBarrier() {
  for (Operation& op : getCompute().front())
    if (auto turn = getTurn(&op)) return turn->second;
  return 0;
}

/// Every turn that is waited for is passed, before the next one.
static LogicalResult verifyTurns(StreamOp op) {
  std::pair expected(static_cast<uint64_t>(op.getPipeline().getGroups()),
                     op.getTurnBarrier());
  bool has = false, any = false;
  for (Operation& inner : op.getCompute().front()) {
    auto turn = getTurn(&inner);
    if (!turn) continue;
    if (*turn != expected)
      return inner.emitOpError()
             << "expected the stream's " << expected.first
             << " groups and barrier " << expected.second << ", got "
             << turn->first << " and " << turn->second;  // stream_c6
    if (isa<TurnWaitOp>(inner) == has)
      return inner.emitOpError()
             << (has ? "waits for a turn before it passed the last"
                     : "passes a turn that it did not wait for");  // stream_c6
    has = !has;
    any = true;
  }
  bool turns = op.getPipeline().getOrder() == StreamOrder::PingPong;
  if (has || any != turns)
    return op.emitOpError()
           << (has ? "waits for a turn that it does not pass"
                   : "is of order ping_pong, but waits for no turn");
  return success();
}

/// The steps of the ring that `tiles` are of, once each at the top of the
/// region, in this order.
static LogicalResult findSteps(StreamOp op, ValueRange tiles, Operation*& await,
                               Operation*& release) {
  auto check = [&](Operation* inner) -> WalkResult {
    if (!isa<AwaitOp, ReleaseOp>(inner) ||
        !llvm::is_contained(tiles, inner->getOperand(0)))
      return WalkResult::advance();
    Operation*& step = isa<AwaitOp>(inner) ? await : release;
    if (step || !getStreamRegion(op, inner))
      return inner->emitOpError()
             << "expected once for a ring, at the top of the compute region";
    step = inner;
    return WalkResult::advance();
  };
  if (op.getCompute().walk<WalkOrder::PreOrder>(check).wasInterrupted())
    return failure();
  if (await && release && isBefore(op.getCompute().front(), release, await))
    return release->emitOpError() << "releases a ring before its await";
  return success();
}

/// await and release, around the uses of a ring's tiles.
static LogicalResult verifySteps(StreamOp op) {
  Block& block = op.getCompute().front();
  for (unsigned i = 0; i < op.getRings().size(); ++i) {
    Operation *await = nullptr, *release = nullptr;
    ValueRange tiles = op.getTiles(op.getCompute(), i);
    if (failed(findSteps(op, tiles, await, release)))  // stream_c7
      return failure();
    for (Value tile : tiles)
      for (Operation* user : tile.getUsers()) {
        bool early = await && isBefore(block, user, await);
        bool late = release && isBefore(block, release, user);
        if (user != await && user != release && (early || late))  // stream_c7
          return user->emitOpError()
                 << "uses a tile "
                 << (early ? "before its await" : "behind its release");
      }
  }
  return success();
}

bool StreamOp::isOfTile(Value value) {
  SmallVector<Value> open = {value};
  llvm::SmallPtrSet<Value, 8> seen;
  while (!open.empty()) {
    Value next = open.pop_back_val();
    if (!seen.insert(next).second) continue;
    if (next.getParentBlock() == &getLoad().front() ||
        next.getParentBlock() == &getCompute().front()) {
      Operation* source = next.getDefiningOp();
      if (!source || source->getNumRegions() > 0 || !isMemoryEffectFree(source))
        return true;
      llvm::append_range(open, source->getOperands());
    }
  }
  return false;
}

/// What is one tile behind is so on both sides, and knows that tile alone.
static LogicalResult verifyLag(StreamOp op) {
  if (!op.isLagged()) return success();
  if (op.getPipeline().getLoaders() == 0)
    return op.emitOpError() << "has lagged ops: expected loaders";
  for (unsigned i = 0; i < op.getRings().size(); ++i) {
    bool lags = op.isLagged(i);
    for (Region* region : {&op.getLoad(), &op.getCompute()})
      for (Value tile : op.getTiles(*region, i))
        for (Operation* user : tile.getUsers())
          if (isInLagged(user) != lags)
            return user->emitOpError()
                   << "uses a tile of a ring that lagged ops use, too: "
                      "expected all of its uses in lagged ops";
  }
  auto check = [&](Operation* inner) -> WalkResult {
    auto lagged = inner->getParentOfType<LaggedOp>();
    if (!lagged) return WalkResult::advance();
    if (isa<LaggedOp>(inner))
      return inner->emitOpError() << "is nested in another";  // lagged_c2
    for (Value operand : inner->getOperands())
      if (!isa<SmemType>(operand.getType()) && op.isOfTile(operand))
        return inner->emitOpError()
               << "in a lagged op uses what its region has for the tile after: "
                  "expected what is made of the lagged op's own argument";
    return WalkResult::advance();
  };
  return failure(op->walk<WalkOrder::PreOrder>(check).wasInterrupted());
}

LogicalResult StreamOp::verify() {
  if (failed(verifyArguments(*this, getLoad(), "load")) ||
      failed(verifyArguments(*this, getCompute(), "compute")) ||
      failed(verifyWarps(*this)))
    return failure();
  if (getRings().empty())  // stream_c2
    return emitOpError() << "expected at least one ring";
  llvm::SmallPtrSet<Value, 4> rings;
  for (Value ring : getRings()) {
    if (!rings.insert(ring).second)
      return emitOpError() << "names a ring twice";
    if (!ring.getDefiningOp<TileRingOp>())
      return emitOpError() << "expected rings of tile_ring";
    auto type = cast<TileRingType>(ring.getType());
    if (getPipeline().getLoaders() == 0 &&
        (type.getStages() != 1 || type.getEngine() == CopyEngine::Bulk))
      return emitOpError() << "without loaders expected rings of one stage, "
                              "filled by stores or cp_async, got "
                           << type;  // stream_c5
  }
  if (failed(verifyFills(*this)) || failed(verifyLoad(*this)) ||
      failed(verifyCompute(*this)) || failed(verifyTurns(*this)) ||
      failed(verifyLag(*this)))  // stream_c8
    return failure();
  return verifySteps(*this);
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

static LogicalResult verifyTurn(Operation* op, TeamAttr team, int64_t groups,
                                int64_t barrier) {
  if (team.getFirst() % kGroupWarps != 0 ||
      team.getCount() % (groups * kGroupWarps) != 0)
    return op->emitOpError() << "expected a team of " << groups
                             << " groups of whole warpgroups, got " << team;
  if (barrier + groups - 1 > kLastBarrier)
    return op->emitOpError() << "expected barriers up to " << kLastBarrier
                             << ", got " << barrier + groups - 1;
  return success();
}

LogicalResult TurnStartOp::verify() {
  return verifyTurn(*this, getTeam(), getGroups(), getBarrier());
}
LogicalResult TurnWaitOp::verify() {
  return verifyTurn(*this, getTeam(), getGroups(), getBarrier());
}
LogicalResult TurnPassOp::verify() {
  return verifyTurn(*this, getTeam(), getGroups(), getBarrier());
}
LogicalResult TurnEndOp::verify() {
  return verifyTurn(*this, getTeam(), getGroups(), getBarrier());
}
