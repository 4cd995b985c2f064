//===- RowLists.cpp - lists of candidates of rows -------------------------===//
//
// What the schedules of gsa.select with lists of candidates share: the bound of
// a row from a sample of its scores, and the selection from a list that has all
// that the row may select.
//
//===----------------------------------------------------------------------===//

#include <algorithm>

#include "dialect/Gsa/GsaBuilders.h"
#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/SelectLowering.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

void SelectLowering::makeLists(RowLists& lists, int64_t rows) {
  Type f32 = context.rewriter().getF32Type();
  Type i32 = context.rewriter().getI32Type();
  lists.bounds = context.makeBuffer({rows}, f32);
  lists.counts = context.makeBuffer({rows}, i32);
  lists.pairs = context.makeBuffer({rows, lists.capacity, 2}, i32);
}

TopKScheduleAttr SelectLowering::boundSchedule(const RowLists& lists) const {
  int64_t kept = std::min<int64_t>(
      rowSchedule.getCapacity(),
      std::max<int64_t>(llvm::PowerOf2Ceil(4 * lists.rank), 32));
  // It waits for memory, and a thread needs 40 registers: more warps on an SM
  // than other kernels of rows have.
  return rowSchedule.withBins(lists.bins)
      .withCapacity(kept)
      .withSmWarps(lists.boundWarps);
}

void SelectLowering::launchBounds(const Chunk& chunk, const RowLists& lists,
                                  StringRef name) {
  KernelBuilder kernel(context, op.getLoc(), name, rowSchedule.getWarps());
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value scores = kernel.read(slab, "scores");
  Value boundOf = kernel.write(lists.bounds, "bounds");
  Value countOf = kernel.write(lists.counts, "counts");
  Value pitch = kernel.size(llvm::divideCeil(source.keys(), lists.sample),
                            "sampled_keys");
  Row row = emitPosition(kernel, chunk);
  KernelScalars s(b, loc);
  // Rows that fit into their lists need no bound.
  Value fits =
      named(s.cmpi(CmpIPredicate::sle, row.limit, kernel.index(lists.capacity)),
            "fits");
  Value sampled =
      s.select(fits, kernel.index(0), s.ceilDiv(row.limit, lists.sample));
  named(sampled, "sampled");
  Value first = at(kernel, scores, {row.inChunk, kernel.index(0)}, {pitch});
  RowEmitter e(kernel, loc, boundSchedule(lists), first, sampled);
  RowScanResult scan = e.scan();
  Value bound = e.rankBound(scan, lists.rank);
  e.byFirstWarp([&] {
    StoreOp::create(b, loc, boundOf, row.inChunk, bound);
    StoreOp::create(b, loc, countOf, row.inChunk, s.i32(0));
  });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}

Value SelectLowering::isComplete(KernelBuilder& kernel, const Row& row,
                                 const RowLists& lists, Value slots,
                                 Value count) {
  KernelScalars s(kernel.body(), op.getLoc());
  Value room = s.i32(static_cast<int32_t>(lists.capacity));
  Value fits = s.cmpi(CmpIPredicate::sle, count, room);
  Value wanted = s.toI32(s.min(row.limit, slots));
  Value suffices = s.cmpi(CmpIPredicate::sge, count, wanted);
  return arith::AndIOp::create(kernel.body(), op.getLoc(), fits, suffices);
}

TopKScheduleAttr SelectLowering::candidateSchedule(
    const RowLists& lists) const {
  int64_t warps = std::max<int64_t>(
      rowSchedule.getWarps(),
      llvm::divideCeil(lists.capacity, 32 * lists.threadCandidates));
  return rowSchedule.withWarps(warps);
}

CandidateList SelectLowering::openList(KernelBuilder& kernel, const Row& row,
                                       const RowLists& lists, Value pairs,
                                       Value count) {
  CandidateList list;
  list.pairs =
      at(kernel, pairs, {row.inChunk, kernel.index(0), kernel.index(0)},
         {kernel.index(lists.capacity), kernel.index(2)});
  list.count = KernelScalars(kernel.body(), op.getLoc()).toIndex(count);
  list.capacity = lists.capacity;
  list.bins = lists.bins;
  list.keys = source.keys();
  return list;
}

Value SelectLowering::emitBudget(KernelBuilder& kernel, RowEmitter& e,
                                 const Row& row, Value statistic,
                                 Value divisor) {
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value scale;
  if (divisor)
    scale = LoadOp::create(b, loc, b.getF32Type(), divisor, kernel.index(0));
  Value limit = KernelScalars(b, loc).toI32(row.limit);
  return named(gsa::detail::computeBudget(e, policy, limit, statistic, scale),
               "budget");
}

void SelectLowering::storeTaken(KernelBuilder& kernel, RowEmitter& e,
                                const Row& row, Value taken, ValueRange outputs,
                                llvm::function_ref<void()> further) {
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  Value zero = kernel.index(0);
  SmallVector<Value> cell = {row.batch, row.query};
  e.byFirstWarp([&] {
    StoreOp::create(b, loc, at(kernel, outputs[0], cell, {row.queries}), zero,
                    taken);
    StoreOp::create(b, loc, at(kernel, outputs[1], cell, {row.queries}), zero,
                    KernelScalars(b, loc).i32(0));
    if (further) further();
  });
}

/// A row with a NaN is not complete.
void SelectLowering::emitFromList(KernelBuilder& kernel, RowEmitter& e,
                                  const Row& row, const CandidateList& list,
                                  Value budget, const SelectionTarget& target,
                                  ValueRange outputs,
                                  llvm::function_ref<void()> further) {
  Value taken = e.selectCandidates(list, budget, target);
  storeTaken(kernel, e, row, taken, outputs, further);
}
