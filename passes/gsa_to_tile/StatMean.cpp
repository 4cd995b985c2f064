//===- StatMean.cpp - gsa.stat_mean ---------------------------------------===//
//
// One block: each warp adds a range of the statistics in f64, lane by lane in
// ascending order; the lanes' and then the warps' sums are added in a fixed
// order. So the mean has the same bits on every run and every device.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "dialect/Gsa/GsaBuilders.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using gsa::detail::ScalarBuilder;

namespace {
constexpr int64_t kWarps = 32;
/// Statistics that a warp adds in one step: 8 per lane in flight.
constexpr int64_t kColumns = 256;
}  // namespace

/// Adds statistics [begin, end) of `values`, kColumns at a time, to row `rank`
/// of `sums`.
static void addRange(ScalarBuilder& s, Value values, Value begin, Value end,
                     Value sums, Value rank) {
  OpBuilder& b = s.builder();
  Location loc = s.location();
  Value state =
      named(LanesAllocOp::create(
                b, loc, LanesType::get(b.getContext(), {2}, b.getF64Type())),
            "totals");
  auto loop = scf::ForOp::create(b, loc, begin, end, s.index(kColumns));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    FiniteRowOp::create(b, loc, state, values, loop.getInductionVar(), end,
                        kColumns);
  }
  StoreTotalsOp::create(b, loc, sums, rank, state);
}

LogicalResult tile::lowerStatMean(StatMeanOp op, ToTileContext& context) {
  auto type = cast<RankedTensorType>(op.getValues().getType());
  int64_t count = type.getNumElements();
  if (!type.getElementType().isF32())
    return op.emitOpError()
           << "has no lowering to kernels: expected f32, got " << type;
  if (count > std::numeric_limits<int32_t>::max() - kWarps * kColumns)
    return op.emitOpError() << "has no lowering to kernels: expected fewer "
                               "than 2^31 statistics, got "
                            << type;
  Value mean = context.makeBuffer({}, type.getElementType());
  KernelBuilder kernel(context, op.getLoc(), "stat_mean", kWarps);
  OpBuilder& b = kernel.body();
  Location loc = op.getLoc();
  ScalarBuilder s(b, loc);

  Value values = kernel.read(context.toBuffer(op.getValues()), "values");
  Value out = kernel.write(mean, "mean");
  Value size = kernel.size(count, "count");
  // A warp's share, rounded up to whole steps.
  int64_t share = llvm::divideCeil(count, kWarps * kColumns) * kColumns;
  Value shareSize = kernel.size(share, "share");

  Value sums =
      SmemAllocOp::create(b, loc,
                          SmemType::get(b.getContext(), {kWarps, 2},
                                        b.getF64Type(), SmemLayout::Linear),
                          IntegerAttr());
  Value rank = WarpRankOp::create(b, loc, b.getIndexType(), kernel.team());
  Value begin = named(s.mul(rank, shareSize), "begin");
  Value end = named(
      arith::MinSIOp::create(b, loc, s.add(begin, shareSize), size), "end");
  addRange(s, values, begin, end, sums, rank);
  SyncOp::create(b, loc, kernel.team(), /*barrier=*/0);

  Value isFirst = s.cmpi(arith::CmpIPredicate::eq, rank, s.index(0));
  auto first = scf::IfOp::create(b, loc, isFirst);
  b.setInsertionPoint(first.thenBlock()->getTerminator());
  Value warps = s.index(kWarps);
  Value sum =
      SumRowsOp::create(b, loc, b.getF64Type(), sums, warps, s.index(0));
  Value number =
      SumRowsOp::create(b, loc, b.getF64Type(), sums, warps, s.index(1));
  named(sum, "sum");
  named(number, "number");
  Value zero = s.constant(b.getF64Type(), 0.0);
  Value any = s.cmpf(arith::CmpFPredicate::OGT, number, zero);
  Value value = s.select(any, s.div(sum, number), zero);
  StoreOp::create(b, loc, out, s.index(0),
                  s.cast(value, type.getElementType()));
  kernel.launch(ArrayRef<int64_t>(1));
  context.replace(op, {mean});
  return success();
}
