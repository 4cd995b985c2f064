//===- RowEmitter.cpp - scan and statistic of a row -----------------------===//

#include "passes/gsa_to_tile/RowEmitter.h"

#include <algorithm>
#include <limits>

#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

RowEmitter::RowEmitter(KernelBuilder& kernel, Location loc,
                       TopKScheduleAttr schedule, Value scores, Value end)
    : KernelScalars(kernel.body(), loc),
      kernel(kernel),
      schedule(schedule),
      scores(scores),
      limit(end),
      warp(WarpRankOp::create(kernel.body(), loc, kernel.body().getIndexType(),
                              kernel.team())) {
  kernel.kernel().setMinBlocks(schedule.getSmBlocks());
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

Value RowEmitter::smem(int64_t rows, int64_t columns, Type elementType) {
  return SmemAllocOp::create(
      builder(), location(),
      SmemType::get(builder().getContext(), {rows, columns}, elementType,
                    SmemLayout::Linear),
      IntegerAttr());
}

Value RowEmitter::lanes(int64_t size, Type elementType) {
  return LanesAllocOp::create(
      builder(), location(),
      LanesType::get(builder().getContext(), {size}, elementType));
}

void RowEmitter::sync() {
  SyncOp::create(builder(), location(), kernel.team());
}

void RowEmitter::step(Value begin, Value end, Value stride,
                      llvm::function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(builder(), location(), begin, end, stride);
  loop->setAttr(kRolledAttr, builder().getUnitAttr());
  OpBuilder::InsertionGuard guard(builder());
  builder().setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void RowEmitter::byFirstWarp(llvm::function_ref<void()> body) {
  ifThen(named(cmpi(CmpIPredicate::eq, warp, kernel.index(0)), "is_first_warp"),
         body);
}

Value RowEmitter::loadShared(Value tile, int64_t column) {
  return LoadSharedOp::create(builder(), location(),
                              cast<SmemType>(tile.getType()).getElementType(),
                              tile, kernel.index(0), kernel.index(column));
}

void RowEmitter::storeShared(Value tile, int64_t column, Value value) {
  StoreSharedOp::create(builder(), location(), tile, kernel.index(0),
                        kernel.index(column), value);
}

void RowEmitter::forCells(llvm::function_ref<void(Value)> body) {
  Value begin = named(mul(warp, kernel.index(stepCells())), "first_cell");
  step(begin, limit, kernel.index(stepCells() * schedule.getWarps()), body);
}

void RowEmitter::forSegment(Value limit, int64_t columns,
                            llvm::function_ref<void(Value, Value)> body) {
  // Segments are whole steps; `limit` is not negative.
  int64_t round = columns * schedule.getWarps();
  Value rounds = arith::DivUIOp::create(builder(), location(),
                                        add(limit, kernel.index(round - 1)),
                                        kernel.index(round));
  Value length = named(mul(rounds, kernel.index(columns)), "segment");
  Value begin = named(mul(warp, length), "segment_begin");
  Value end = named(
      arith::MinSIOp::create(builder(), location(), add(begin, length), limit),
      "segment_end");
  step(begin, end, kernel.index(columns),
       [&](Value first) { body(first, end); });
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

RowScanResult RowEmitter::scan() {
  OpBuilder& b = builder();
  Type i32Type = b.getI32Type();
  Value shared = named(smem(1, 8, i32Type), "scan");
  Value state = named(lanes(5, i32Type), "scan_state");
  ClearSharedOp::create(b, location(), shared, kernel.team());
  sync();
  forCells([&](Value begin) {
    ScanRowOp::create(b, location(), state, scores, begin, limit, stepCells());
  });
  PublishScanOp::create(b, location(), shared, state);
  sync();
  RowScanResult result;
  result.visible = named(loadShared(shared, 0), "visible");
  result.nans = named(loadShared(shared, 1), "nans");
  result.end = toIndex(named(loadShared(shared, 2), "end"));
  Value complement =
      arith::XOrIOp::create(b, location(), loadShared(shared, 3), i32(-1));
  result.low = named(
      KeyValueOp::create(b, location(), b.getF32Type(), complement), "low");
  result.high = named(
      KeyValueOp::create(b, location(), b.getF32Type(), loadShared(shared, 4)),
      "high");
  return result;
}

//===----------------------------------------------------------------------===//
// Statistics
//===----------------------------------------------------------------------===//

/// Lanes, then the lanes of a warp, then warps: a fixed order.
Value RowEmitter::total(llvm::function_ref<void(Value, Value)> body) {
  Type f64 = builder().getF64Type();
  Value sums = named(lanes(1, f64), "sums");
  Value shared = named(smem(schedule.getWarps(), 1, f64), "warp_sums");
  forCells([&](Value begin) { body(sums, begin); });
  StoreTotalsOp::create(builder(), location(), shared, warp, sums);
  sync();
  return SumRowsOp::create(builder(), location(), f64, shared,
                           kernel.index(schedule.getWarps()), kernel.index(0));
}

/// Mean first, then centred squares, all in f64: see gsa.row_statistics.
Value RowEmitter::variance(const RowScanResult& scan, Population population,
                           int64_t correction, Value keys) {
  OpBuilder& b = builder();
  Type f64 = b.getF64Type();
  Value visible = toFloat(scan.visible, f64);
  bool zeroFilled = population == Population::ZeroFilled;
  Value count = zeroFilled ? toFloat(keys, f64) : visible;
  Value sum = total([&](Value sums, Value begin) {
    SumRowOp::create(b, location(), sums, scores, begin, limit, stepCells());
  });
  Value mean = named(div(sum, count), "mean");
  Value squares = total([&](Value sums, Value begin) {
    SquaresRowOp::create(b, location(), sums, scores, begin, limit, stepCells(),
                         mean);
  });
  if (zeroFilled)  // Each cell that counts as 0 adds mean^2.
    squares = add(squares, mul(sub(count, visible), mul(mean, mean)));
  return finishVariance(squares, count, correction);
}

/// The f32 of `squares / (count - correction)`, both f64.
Value RowEmitter::finishVariance(Value squares, Value count,
                                 int64_t correction) {
  OpBuilder& b = builder();
  Type f64 = b.getF64Type();
  named(squares, "squares");
  Value divisor = named(
      sub(count, constant(f64, static_cast<double>(correction))), "divisor");
  Value enough = cmpf(CmpFPredicate::OGE, divisor, constant(f64, 1.0));
  Value value = named(select(enough, div(squares, divisor), constant(f64, 0.0)),
                      "variance");
  return cast(value, b.getF32Type());
}

Value RowEmitter::entropy(const RowScanResult& scan) {
  OpBuilder& b = builder();
  Value sum = total([&](Value sums, Value begin) {
    ExpRowOp::create(b, location(), sums, scores, begin, limit, stepCells(),
                     scan.high);
  });
  Value inverse = cast(div(constant(b.getF64Type(), 1.0), sum), b.getF32Type());
  Value value = total([&](Value sums, Value begin) {
    EntropyRowOp::create(b, location(), sums, scores, begin, limit, stepCells(),
                         scan.high, inverse);
  });
  return cast(value, b.getF32Type());
}

/// NaN instead of `value` where `isNan` holds.
Value RowEmitter::orNan(Value isNan, Value value) {
  return select(isNan, f32(std::numeric_limits<double>::quiet_NaN()), value);
}

Value RowEmitter::logSumExp(const RowScanResult& scan) {
  OpBuilder& b = builder();
  Value sum = cast(total([&](Value sums, Value begin) {
                     ExpRowOp::create(b, location(), sums, scores, begin, limit,
                                      stepCells(), scan.high);
                   }),
                   b.getF32Type());
  Value infinity = f32(std::numeric_limits<double>::infinity());
  // No other term is above 1. Without finite scores the sum is NaN.
  Value overflows = cmpf(CmpFPredicate::UGE, sum, infinity);
  Value value =
      add(scan.high, math::LogOp::create(b, location(), named(sum, "sum")));
  value = orNan(overflows, value);
  Value isEmpty = cmpi(CmpIPredicate::eq, scan.visible, i32(0));
  value = select(isEmpty, neg(infinity), value);
  return named(orNan(hasNan(scan), value), "log_sum_exp");
}

Value RowEmitter::hasNan(const RowScanResult& scan) {
  return cmpi(CmpIPredicate::sgt, scan.nans, i32(0));
}

/// Steps pass over NaN and -inf, which the scan counts.
Value RowEmitter::sum(const RowScanResult& scan, Value count) {
  OpBuilder& b = builder();
  Value value = cast(total([&](Value sums, Value begin) {
                       SumRowOp::create(b, location(), sums, scores, begin,
                                        limit, stepCells());
                     }),
                     b.getF32Type());
  Value seen = add(scan.visible, scan.nans);
  Value hidden = cmpi(CmpIPredicate::slt, seen, toI32(count));
  Value lowest = f32(-std::numeric_limits<double>::infinity());
  value = select(hidden, add(value, lowest), value);
  return named(orNan(hasNan(scan), value), "sum_of_row");
}

Value RowEmitter::statistic(const RowScanResult& scan, KPolicyAttr policy,
                            Value keys) {
  if (policy.getStatistic() == Statistic::Entropy) return entropy(scan);
  return variance(scan, policy.getPopulation(), policy.getCorrection(), keys);
}
