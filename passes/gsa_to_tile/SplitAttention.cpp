//===- SplitAttention.cpp - attention of few queries ----------------------===//
//
// Blocks share the list of a query: each handles some parts of its entries, one
// after another, by the emission of attention over whole lists, and writes
// output and lse of each part. Parts are then merged in the order of the list:
// by the block if it has all of them, by the blocks of a cluster, some rows
// each, or by another kernel; and by the same op, so that a row's bits do not
// depend on who does it.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/SplitAttention.h"

#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"
#include "passes/gsa_to_tile/GatherAttention.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

namespace {

class SplitLowering {
 public:
  SplitLowering(GatherAttentionOp op, SplitAttentionScheduleAttr schedule,
                ToTileContext& context)
      : context(context),
        op(op),
        schedule(schedule),
        operands(op, context),
        parts(std::max<int64_t>(
            llvm::divideCeil(operands.slots(), schedule.getEntries()), 1)),
        perBlock(std::min(schedule.getPerBlock(), parts)),
        rowBlocks(countRowBlocks(operands.shape, schedule.getPart())) {}

  LogicalResult emit();

 private:
  bool mergesInBlock() const { return perBlock == parts; }
  bool mergesInCluster() const { return schedule.getCluster() > 0; }
  /// Whether there is no kernel that merges.
  bool mergesAtOnce() const { return mergesInBlock() || mergesInCluster(); }
  /// Blocks of a list that are neighbours along dimension 0 of the grid.
  int64_t neighbours() const {
    return std::max<int64_t>(schedule.getCluster(), 1);
  }
  /// The grid of blocks with one token, and some heads of one group, each.
  SmallVector<int64_t> gridOf(int64_t neighbours, int64_t others) const {
    return {operands.queries() * neighbours, operands.shape.groups * rowBlocks,
            operands.batches() * others};
  }
  void emitPosition(KernelScalars& s, GatherBlock& block, Value token);
  void setPrefetch(KernelScalars& s, GatherBlock& block);
  AttentionRows rowsOfBlock(KernelScalars& s, AttentionRows rows, Value rank);
  LogicalResult launchParts();
  void emitMerge(KernelScalars& s, KernelBuilder& kernel, TeamAttr team,
                 const AttentionResults& from, const AttentionResults& to,
                 const AttentionRows& rows);
  void launchMerge();
  void remark();

  ToTileContext& context;
  GatherAttentionOp op;
  SplitAttentionScheduleAttr schedule;
  AttentionOperands operands;
  int64_t parts, perBlock, rowBlocks;
  /// Buffers: results of parts, in A(T) and not gated.
  Value outputs, logSums;
};

}  // namespace

/// The heads of a block.
void SplitLowering::emitPosition(KernelScalars& s, GatherBlock& block,
                                 Value token) {
  block.token = named(token, "token");
  Value y = s.blockId(1);
  block.group = named(s.div(y, rowBlocks), "group");
  block.firstRow = named(
      s.mul(s.rem(y, rowBlocks), schedule.getPart().getBlockQ()), "first_row");
}

/// Each block of a list asks for as many keys as the others.
void SplitLowering::setPrefetch(KernelScalars& s, GatherBlock& block) {
  if (!schedule.getPrefetch() || operands.keys() == 0) return;
  auto blocks = static_cast<int64_t>(llvm::divideCeil(parts, perBlock));
  block.prefetchedKeys =
      static_cast<int64_t>(llvm::divideCeil(operands.keys(), blocks));
  Value number = s.div(block.firstEntry, perBlock * schedule.getEntries());
  block.prefetched =
      named(s.mul(number, block.prefetchedKeys), "first_prefetched");
}

LogicalResult SplitLowering::launchParts() {
  AttentionScheduleAttr part = schedule.getPart();
  AttentionOperands own = operands;
  if (!mergesAtOnce()) {
    own.gate = Value();
    own.output = outputs;
    own.lse = logSums;
  }
  AttentionKernel kernel(own, schedule, KernelTeams(part).warps(),
                         "split_gather_attention");
  kernel.boundRegisters(part);
  GatherBlock block;
  AttentionResults results = kernel.results();
  if (mergesAtOnce()) {
    results.output = kernel.builder().write(outputs, "part_outputs");
    results.lse = kernel.builder().write(logSums, "part_lses");
    results.gate = Value();
  }
  block.results.emplace(results);
  Value batchSize = kernel.builder().size(operands.batches(), "batches");
  KernelScalars s(kernel.bodyBuilder(), op.getLoc());
  Value x = s.blockId(0), rank;
  if (mergesInCluster()) {
    block.cluster = schedule.getCluster();
    kernel.builder().kernel().setCluster(block.cluster);
    rank = named(s.rem(x, block.cluster), "block_of_list");
    x = s.div(x, block.cluster);
  }
  emitPosition(s, block, x);
  int64_t entries = schedule.getEntries();
  block.partEntries = entries;
  block.entries =
      std::min(perBlock * entries, std::max<int64_t>(operands.slots(), 1));
  Value z = s.blockId(2), firstPart = s.index(0);
  if (mergesAtOnce()) {
    block.batch = named(z, "batch");
    if (rank) firstPart = named(s.mul(rank, perBlock), "first_part");
  } else {
    firstPart =
        s.mul(named(s.divIndex(z, batchSize), "block_of_list"), perBlock);
    named(firstPart, "first_part");
    block.batch = named(s.remIndex(z, batchSize), "batch");
  }
  block.firstEntry = named(s.mul(firstPart, entries), "first_entry");
  setPrefetch(s, block);
  if (perBlock > 1)
    block.parts =
        named(s.min(s.sub(s.index(parts), firstPart), s.index(perBlock)),
              "parts_of_block");
  block.resultBatch = [=](KernelScalars& at, Value i) {
    Value number = i ? at.add(firstPart, i) : firstPart;
    return named(at.add(at.mul(number, batchSize), block.batch),
                 "part_of_batch");
  };
  if (mergesAtOnce())
    block.atEnd = [&](KernelScalars& at, const KernelTeams& teams,
                      const AttentionRows& rows) {
      emitMerge(at, kernel.builder(), teams.compute, results, kernel.results(),
                rank ? rowsOfBlock(at, rows, rank) : rows);
    };
  emitGather(operands.slots(), part, op.getLoc(), kernel, block);
  auto blocks = static_cast<int64_t>(llvm::divideCeil(parts, perBlock));
  return kernel.launch(gridOf(neighbours(), blocks / neighbours()));
}

/// Of the rows of a list those that block `rank` of a cluster merges: all
/// blocks have the same number of them, the last ones perhaps fewer or none.
AttentionRows SplitLowering::rowsOfBlock(KernelScalars& s, AttentionRows rows,
                                         Value rank) {
  int64_t most =
      std::min(operands.shape.ratio(), schedule.getPart().getBlockQ());
  auto each =
      static_cast<int64_t>(llvm::divideCeil(most, schedule.getCluster()));
  Value first = named(s.mul(rank, each), "first_merged");
  rows.head = named(s.add(rows.head, first), "first_head_merged");
  Value left = s.max(s.sub(rows.count, first), s.index(0));
  rows.count = named(s.min(left, s.index(each)), "rows_merged");
  return rows;
}

/// Rows of all parts of `from` to those of `to`.
void SplitLowering::emitMerge(KernelScalars& s, KernelBuilder& kernel,
                              TeamAttr team, const AttentionResults& from,
                              const AttentionResults& to,
                              const AttentionRows& rows) {
  Builder b(op.getContext());
  auto step = [&](Value buffer, StringRef name) {
    int64_t elements = cast<MemRefType>(buffer.getType()).getNumElements();
    return kernel.number(b.getI64IntegerAttr(elements / parts), name);
  };
  Value outputStep = step(outputs, "output_step");
  Value lseStep = step(logSums, "lse_step");
  AttentionTarget source = from.viewRows(s, rows);
  AttentionTarget target = to.viewRows(s, rows);
  MergePartsOp::create(
      s.b, s.loc, target.output, target.lse, source.output, outputStep,
      source.lse, lseStep, s.index(parts), s.index(operands.shape.valueDepth),
      target.gate ? target.gate->rows : Value(), team,
      target.gate ? target.gate->activation : Activation::Identity,
      target.gate && target.gate->perRow);
}

void SplitLowering::launchMerge() {
  KernelBuilder kernel(context, op.getLoc(), "split_merge",
                       schedule.getMergeWarps());
  kernel.setSchedule(schedule);
  AttentionResults from{operands.shape, kernel.read(outputs, "part_outputs"),
                        kernel.read(logSums, "part_lses"), Value(), Value()};
  AttentionResults to = from;
  if (operands.gate) to.gate = kernel.read(operands.gate, "gate");
  to.activation = operands.gateActivation;
  to.gatePerRow = operands.gatePerRow;
  to.output = kernel.write(operands.output, "output");
  to.lse = kernel.write(operands.lse, "lse");
  from.queries = to.queries = kernel.size(operands.queries(), "queries");
  KernelScalars s(kernel.body(), op.getLoc());
  GatherBlock block;
  emitPosition(s, block, s.blockId(0));
  const AttentionShape& shape = operands.shape;
  AttentionRows rows;
  rows.batch = named(s.blockId(2), "batch");
  rows.query = block.token;
  rows.head = named(s.add(s.mul(block.group, shape.ratio()), block.firstRow),
                    "first_head");
  rows.count = named(s.min(s.sub(s.index(shape.ratio()), block.firstRow),
                           s.index(schedule.getPart().getBlockQ())),
                     "rows");
  rows.lsePitch = s.toI64(to.queries);
  emitMerge(s, kernel, kernel.team(), from, to, rows);
  kernel.launch(gridOf(1, 1));
}

void SplitLowering::remark() {
  if (!context.emitsRemarks()) return;
  remark::passed(op.getLoc(),
                 remark::RemarkOpts::name("SplitList").category("gsa.schedule"))
      << (mergesInBlock()     ? "a block merges the parts of its list"
          : mergesInCluster() ? "a cluster merges the parts of its list"
                              : "another kernel merges the parts of a list")
      << remark::metric("parts", parts) << remark::metric("per_block", perBlock)
      << remark::metric("cluster", schedule.getCluster());
}

LogicalResult SplitLowering::emit() {
  const AttentionShape& shape = operands.shape;
  Type f32 = context.rewriter().getF32Type();
  outputs = context.makeBuffer({parts, operands.batches(), operands.queries(),
                                shape.heads, shape.valueDepth},
                               f32);
  logSums = context.makeBuffer(
      {parts, operands.batches(), shape.heads, operands.queries()}, f32);
  remark();
  if (failed(launchParts())) return failure();
  if (!mergesAtOnce() && operands.batches() * operands.queries() > 0)
    launchMerge();
  operands.replace();
  return success();
}

LogicalResult gsa::lowerSplitAttention(GatherAttentionOp op,
                                       ToTileContext& context) {
  FailureOr<SplitAttentionScheduleAttr> schedule =
      getSchedule<SplitAttentionScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  return SplitLowering(op, *schedule, context).emit();
}
