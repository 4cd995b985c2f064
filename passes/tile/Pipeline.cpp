//===- Pipeline.cpp - gsa-tile-pipeline -----------------------------------===//
//
// Makes loops of streams, and buffers of several stages with their barriers of
// tile rings. An op says who fills what and who reads it; here it only becomes
// loops, slots and phases.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/EmptyGroups.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "passes/tile/Passes.h"
#include "passes/tile/Transforms.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSATILEPIPELINE
#include "passes/tile/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

/// What a tile_ring becomes. Without loaders there is no ring: buffers of one
/// stage, between barriers of all warps.
struct Ring {
  TileRingType type;
  SmallVector<Value> buffers;
  Value ring;
  Value cursor;  ///< Null if the ring is gone through once.
};

/// One step of the loop of a stream: the numbers of its tiles, and for each
/// ring its iteration, null if the step has nothing to do with it.
struct Step {
  Value own, lag;
  SmallVector<Value> iterations;
};

class StreamLowering {
 public:
  StreamLowering(KernelOp kernel, Remarks remarks)
      : kernel(kernel), remarks(remarks) {}
  LogicalResult run();

 private:
  LogicalResult makeRing(TileRingOp op, ArrayRef<StreamOp> streams);
  void lower(StreamOp stream);
  void lowerWithLoaders(StreamOp stream);
  void emitStep(OpBuilder& b, StreamOp stream, ArrayRef<Value> bases, Value own,
                Value lag);
  void fill(StreamOp stream, Block& to, const Step& step);
  void read(StreamOp stream, Block& to, const Step& step);
  void lowerWithoutLoaders(StreamOp stream);

  KernelOp kernel;
  Remarks remarks;
  llvm::DenseMap<Value, Ring> rings;
};

}  // namespace

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

LogicalResult StreamLowering::makeRing(TileRingOp op,
                                       ArrayRef<StreamOp> streams) {
  for (Operation* user : op->getUsers())
    if (!isa<StreamOp>(user))
      return user->emitOpError() << "uses a tile_ring: expected streams alone";
  // In the order of the text: the names of tiles are those of the first one.
  auto users = llvm::filter_to_vector(streams, [&](StreamOp stream) {
    return llvm::is_contained(stream.getRings(), op.getResult());
  });
  if (users.empty()) return success();
  StreamOp first = users.front();
  int64_t loaders = first.getPipeline().getLoaders();
  for (StreamOp stream : users)
    if (stream.getPipeline().getLoaders() != loaders) {
      InFlightDiagnostic error = stream.emitOpError()
                                 << "has " << stream.getPipeline().getLoaders()
                                 << " loaders, but another stream of its ring "
                                 << loaders;
      error.attachNote(first.getLoc()) << "the other stream";
      return error;
    }
  OpBuilder b(op);
  Ring ring;
  ring.type = op.getType();
  int64_t stages = ring.type.getStages(), bytes = 0;
  unsigned number =
      llvm::find(first.getRings(), op.getResult()) - first.getRings().begin();
  for (Value tile : first.getTiles(first.getCompute(), number)) {
    auto type = cast<SmemType>(tile.getType());
    if (loaders > 0)
      type = SmemType::get(b.getContext(),
                           {stages, type.getRows(), type.getColumns()},
                           type.getElementType(), type.getLayout());
    ring.buffers.push_back(
        SmemAllocOp::create(b, tile.getLoc(), type, IntegerAttr()));
    bytes += type.getBytes();
  }
  if (loaders > 0) {
    ring.ring = RingAllocOp::create(
        b, op.getLoc(), RingType::get(b.getContext(), stages), loaders,
        first.getConsumers().getCount(), IntegerAttr());
    // In a loop, in several places, or gone through by several streams:
    // iterations go on counting.
    if (users.size() > 1 || first->getParentOp() != kernel || first.isLagged())
      ring.cursor = CursorAllocOp::create(b, op.getLoc(),
                                          CursorType::get(b.getContext()));
  }
  rings[op.getResult()] = ring;
  if (remarks == Remarks::Omit) return success();
  remark::passed(op.getLoc(),
                 remark::RemarkOpts::name("TileRing").category("gsa.tile"))
      << kernel.getSymName() << remark::metric("stages", stages)
      << remark::metric("engine", stringifyCopyEngine(ring.type.getEngine()))
      << remark::metric("bytes", bytes);
  return success();
}

//===----------------------------------------------------------------------===//
// Streams with loaders
//===----------------------------------------------------------------------===//

/// Ops of `block`, but its terminator, to the end of `to`, with values for the
/// arguments.
static void moveBody(Block& block, Block& to, ValueRange values) {
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), values))
    if (value) argument.replaceAllUsesWith(value);
  to.getOperations().splice(to.getTerminator()->getIterator(),
                            block.getOperations(), block.begin(),
                            block.getTerminator()->getIterator());
}

/// A copy of a region's ops for one step of its loop: what is of the tile
/// `own`, and from lagged ops what is of the tile `lag`; null for a step
/// without. Its arguments are those of the region.
static std::unique_ptr<Block> makeStep(StreamOp stream, Region& region,
                                       Value own, Value lag) {
  auto step = std::make_unique<Block>();
  IRMapping values;
  for (BlockArgument argument : region.getArguments())
    values.map(argument,
               step->addArgument(argument.getType(), argument.getLoc()));
  if (own) values.map(region.getArgument(0), own);
  OpBuilder b(stream.getContext());
  b.setInsertionPointToEnd(step.get());
  for (Operation& op : region.front()) {
    if (auto lagged = dyn_cast<LaggedOp>(op)) {
      if (!lag) continue;
      values.map(lagged.getBody().getArgument(0), lag);
      for (Operation& inner : lagged.getBody().front().without_terminator())
        b.clone(inner, values);
    } else if (own || op.hasTrait<OpTrait::IsTerminator>() ||
               (op.getNumResults() == 1 && !stream.isOfTile(op.getResult(0)))) {
      b.clone(op, values);
    }
  }
  return step;
}

/// The ops of `block` that hold the first and the last use of `tiles`.
static std::pair<Operation*, Operation*> findUses(Block& block,
                                                  ValueRange tiles) {
  Operation *first = nullptr, *last = nullptr;
  for (Value tile : tiles)
    for (Operation* user : tile.getUsers()) {
      Operation* at = block.findAncestorOpInBlock(*user);
      if (!first || at->isBeforeInBlock(first)) first = at;
      if (!last || last->isBeforeInBlock(at)) last = at;
    }
  return {first, last};
}

/// The part that fills: acquire before the first op on a ring's tiles, commit
/// behind the last.
void StreamLowering::fill(StreamOp stream, Block& to, const Step& step) {
  auto block = makeStep(stream, stream.getLoad(), step.own, step.lag);
  SmallVector<Value> values = {Value()};
  for (auto [i, name] : llvm::enumerate(stream.getRings())) {
    Ring& ring = rings[name];
    Value iteration = step.iterations[i];
    if (!iteration) {
      values.append(ring.buffers.size(), Value());
      continue;
    }
    ValueRange tiles = stream.getTiles(*block, i);
    auto [first, last] = findUses(*block, tiles);
    for (Value tile : tiles)
      for (Operation* user : tile.getUsers())
        if (auto fill = dyn_cast<FillOpInterface>(user))
          fill.setArrival(ring.ring, iteration);
    OpBuilder b(first);
    Value slot = RingAcquireOp::create(b, stream.getLoc(), b.getIndexType(),
                                       ring.ring, iteration);
    for (Value buffer : ring.buffers)
      values.push_back(StageOp::create(
          b, stream.getLoc(), getStageType(buffer.getType()), buffer, slot));
    b.setInsertionPointAfter(last);
    RingCommitOp::create(b, stream.getLoc(), ring.ring, iteration,
                         ring.type.getEngine() == CopyEngine::CpAsync);
  }
  moveBody(*block, to, values);
}

/// The part that reads: waits and releases where the region says so, or around
/// it.
void StreamLowering::read(StreamOp stream, Block& to, const Step& step) {
  auto block = makeStep(stream, stream.getCompute(), step.own, step.lag);
  Operation* begin = &block->front();
  SmallVector<Value> values = {Value()};
  SmallVector<Operation*> steps;
  for (auto [i, name] : llvm::enumerate(stream.getRings())) {
    Ring& ring = rings[name];
    Value iteration = step.iterations[i];
    if (!iteration) {
      values.append(ring.buffers.size(), Value());
      continue;
    }
    Operation *wait = begin, *release = block->getTerminator();
    for (Value tile : stream.getTiles(*block, i))
      for (Operation* user : tile.getUsers()) {
        if (isa<AwaitOp>(user)) steps.push_back(wait = user);
        if (isa<ReleaseOp>(user)) steps.push_back(release = user);
      }
    OpBuilder b(wait);
    Value slot = RingWaitOp::create(b, stream.getLoc(), b.getIndexType(),
                                    ring.ring, iteration);
    for (Value buffer : ring.buffers)
      values.push_back(StageOp::create(
          b, stream.getLoc(), getStageType(buffer.getType()), buffer, slot));
    b.setInsertionPoint(release);
    RingReleaseOp::create(b, stream.getLoc(), ring.ring, iteration);
  }
  for (Operation* step : steps) step->erase();
  moveBody(*block, to, values);
}

/// `roles { load { } compute { } }` of the warps of a stream.
static RolesOp makeRoles(OpBuilder& b, StreamOp stream) {
  MLIRContext* context = b.getContext();
  auto role = [&](StringRef name, TeamAttr team) {
    return RoleAttr::get(context, name, team, /*registers=*/0);
  };
  auto roles =
      RolesOp::create(b, stream.getLoc(),
                      b.getArrayAttr({role("load", stream.getLoaders()),
                                      role("compute", stream.getConsumers())}),
                      2);
  OpBuilder::InsertionGuard guard(b);
  for (Region& region : roles.getBodies()) {
    b.createBlock(&region);
    YieldOp::create(b, stream.getLoc());
  }
  return roles;
}

/// What both roles do of the tile `own` and, one behind, of the tile `lag`.
void StreamLowering::emitStep(OpBuilder& b, StreamOp stream,
                              ArrayRef<Value> bases, Value own, Value lag) {
  Step step{own, lag, {}};
  for (unsigned i = 0; i < stream.getRings().size(); ++i) {
    Value tile = stream.isLagged(i) ? lag : own;
    if (tile && bases[i])
      tile = arith::AddIOp::create(b, stream.getLoc(), bases[i], tile);
    step.iterations.push_back(tile);
  }
  RolesOp roles = makeRoles(b, stream);
  fill(stream, roles.getBodies()[0].front(), step);
  read(stream, roles.getBodies()[1].front(), step);
}

void StreamLowering::lowerWithLoaders(StreamOp stream) {
  OpBuilder b(stream);
  Location loc = stream.getLoc();
  PipelineAttr pipeline = stream.getPipeline();
  bool turns = pipeline.getOrder() == StreamOrder::PingPong;
  uint64_t turnBarrier = stream.getTurnBarrier();
  TeamAttr consumers = stream.getConsumers();
  SmallVector<Value> bases;
  for (Value name : stream.getRings()) {
    Value cursor = rings[name].cursor;
    bases.push_back(cursor
                        ? CursorGetOp::create(b, loc, b.getIndexType(), cursor)
                        : Value());
  }
  if (turns)
    TurnStartOp::create(b, loc, consumers, pipeline.getGroups(), turnBarrier);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  bool lags = stream.isLagged();
  // Of a lagged stream the first tile comes before the loop, without what is
  // one behind, and that of the last tile comes after it.
  Value any;
  auto ifAny = [&](llvm::function_ref<void(OpBuilder&)> body) {
    auto branch = scf::IfOp::create(b, loc, any, /*withElseRegion=*/false);
    OpBuilder inner(branch.thenBlock()->getTerminator());
    body(inner);
  };
  if (lags) {
    any = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt,
                                stream.getCount(), zero);
    ifAny([&](OpBuilder& inner) {
      emitStep(inner, stream, bases, zero, Value());
    });
  }
  auto loop =
      scf::ForOp::create(b, loc, lags ? one : zero, stream.getCount(), one);
  Value iteration = loop.getInductionVar();
  iteration.setLoc(stream.getCompute().getArgument(0).getLoc());
  {
    OpBuilder inner(loop.getBody()->getTerminator());
    Value before =
        lags ? arith::SubIOp::create(inner, loc, iteration, one).getResult()
             : Value();
    emitStep(inner, stream, bases, iteration, before);
  }
  if (lags) {
    Value last = arith::SubIOp::create(b, loc, stream.getCount(), one);
    ifAny([&](OpBuilder& inner) {
      emitStep(inner, stream, bases, Value(), last);
    });
  }
  if (turns)
    TurnEndOp::create(b, loc, consumers, pipeline.getGroups(), turnBarrier);
  if (llvm::none_of(bases, [](Value base) { return base; })) return;
  RolesOp both = makeRoles(b, stream);
  for (Region& region : both.getBodies()) {
    b.setInsertionPoint(region.front().getTerminator());
    for (Value name : stream.getRings())
      if (Value cursor = rings[name].cursor)
        CursorAdvanceOp::create(b, loc, cursor, stream.getCount());
  }
}

//===----------------------------------------------------------------------===//
// Streams without loaders
//===----------------------------------------------------------------------===//

/// All warps fill, meet, read and meet.
void StreamLowering::lowerWithoutLoaders(StreamOp stream) {
  OpBuilder b(stream);
  Location loc = stream.getLoc();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop = scf::ForOp::create(b, loc, zero, stream.getCount(), one);
  loop.getInductionVar().setLoc(stream.getCompute().getArgument(0).getLoc());
  SmallVector<Value> values = {loop.getInductionVar()};
  for (Value name : stream.getRings())
    llvm::append_range(values, rings[name].buffers);
  Block& compute = stream.getCompute().front();
  for (Operation& op : llvm::make_early_inc_range(compute))
    if (isa<AwaitOp, ReleaseOp>(op)) op.erase();
  moveBody(stream.getLoad().front(), *loop.getBody(), values);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  CopyWaitOp::create(b, loc, stream.getConsumers());
  moveBody(compute, *loop.getBody(), values);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  SyncOp::create(b, loc, stream.getConsumers());
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void StreamLowering::lower(StreamOp stream) {
  PipelineAttr pipeline = stream.getPipeline();
  if (pipeline.getLoaders() > 0)
    lowerWithLoaders(stream);
  else
    lowerWithoutLoaders(stream);
  if (remarks == Remarks::Emit)
    remark::passed(stream.getLoc(),
                   remark::RemarkOpts::name("Pipelined").category("gsa.tile"))
        << kernel.getSymName()
        << remark::metric("loaders", pipeline.getLoaders())
        << remark::metric("groups", pipeline.getGroups())
        << remark::metric("rings", stream.getRings().size());
  stream.erase();
}

LogicalResult StreamLowering::run() {
  SmallVector<TileRingOp> allocs;
  SmallVector<StreamOp> streams;
  kernel.walk([&](TileRingOp op) { allocs.push_back(op); });
  kernel.walk([&](StreamOp op) { streams.push_back(op); });
  for (TileRingOp op : allocs)
    if (failed(makeRing(op, streams))) return failure();
  for (StreamOp op : streams) lower(op);
  for (TileRingOp op : allocs) op.erase();
  dropEmptyGroups(kernel);
  return success();
}

LogicalResult gsa::lowerStreams(KernelOp kernel, Remarks remarks) {
  return StreamLowering(kernel, remarks).run();
}

namespace {

struct Pipeline : gsa::impl::GsaTilePipelineBase<Pipeline> {
  void runOnOperation() override {
    if (failed(lowerStreams(getOperation()))) signalPassFailure();
  }
};

}  // namespace
