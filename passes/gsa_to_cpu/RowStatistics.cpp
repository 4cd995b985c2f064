//===- RowStatistics.cpp - scan, statistic and budget of one row ----------===//

#include <limits>

#include "passes/gsa_to_cpu/RowSelection.h"

using namespace mlir;
using namespace mlir::gsa;
using arith::CmpFPredicate;
using arith::CmpIPredicate;
using vector::CombiningKind;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

RowSelection::RowSelection(LoopEmitter& emitter, SelectOp op,
                           const Size& numKeys, int64_t stripSize)
    : e(emitter),
      policy(op.getPolicy()),
      numKeys(numKeys),
      stripSize(stripSize),
      slots(policy.getSlots()),
      sink(std::min<int64_t>(op.getSink(), numKeys.bound)),
      local(std::min<int64_t>(op.getLocal(), numKeys.bound)) {
  unsigned width = e.acc().getIntOrFloatBitWidth();
  keyType = e.builder().getIntegerType(width);
  keyNone = llvm::minIntN(width);
  keyForced = llvm::maxIntN(width);
}

void RowSelection::allocate() {
  keyRow = e.scratch({stripSize}, keyType);
  indexRow = e.scratch({slots + e.lanes()}, e.builder().getI32Type());
}

/// Floats compare like their bits, except that the magnitude of negative ones
/// grows the wrong way. Adding 0 turns -0 into +0.
Value RowSelection::orderedKey(Value score, Value visible) {
  OpBuilder& b = e.builder();
  Location loc = e.location();
  Value sum = e.add(score, e.splatConstant(e.acc(), 0.0));
  Value bits = arith::BitcastOp::create(b, loc, e.vectorOf(keyType), sum);
  Value sign = arith::ShRSIOp::create(
      b, loc, bits, e.splatInt(keyType, keyType.getWidth() - 1));
  Value flip = e.andMask(sign, e.splatInt(keyType, keyForced));
  Value key = arith::XOrIOp::create(b, loc, bits, flip);
  return e.select(visible, key, e.splatInt(keyType, keyNone));
}

namespace {
/// A value that is carried through a loop over vectors and reduced after it.
struct Reduction {
  Value* result;
  CombiningKind kind;
  Value init;
};
}  // namespace

RowScan RowSelection::scan(Value strip, Value r, Value limit, bool keys) {
  Type i32 = e.builder().getI32Type();
  bool wantsSum =
      policy.usesStatistic() && policy.getStatistic() == Statistic::Variance;
  bool wantsMaximum = policy.usesStatistic() && !wantsSum;
  Type f64 = e.builder().getF64Type();
  RowScan result;
  result.limit = limit;
  SmallVector<Reduction> reductions = {
      {&result.visible, CombiningKind::ADD, e.splatInt(i32, 0)},
      {&result.nans, CombiningKind::ADD, e.splatInt(i32, 0)}};
  if (wantsSum)
    reductions.push_back(
        {&result.sum, CombiningKind::ADD, e.splatConstant(f64, 0.0)});
  if (wantsMaximum)
    reductions.push_back({&result.maximum, CombiningKind::MAXNUMF,
                          e.splatConstant(e.acc(), -kInfinity)});
  if (keys) {
    reductions.push_back(
        {&result.low, CombiningKind::MINSI, e.splatInt(keyType, keyForced)});
    reductions.push_back(
        {&result.high, CombiningKind::MAXSI, e.splatInt(keyType, keyNone)});
  }
  if (keys && local > 0)
    reductions.push_back(
        {&result.lastSeen, CombiningKind::MAXSI, e.splatInt(i32, -1)});

  SmallVector<Value> init;
  for (const Reduction& reduction : reductions) init.push_back(reduction.init);
  Value end = e.splat(e.toI32(limit));
  Value hidden = e.splatConstant(e.acc(), -kInfinity);
  Value one = e.splatInt(i32, 1), none = e.splatInt(i32, 0);
  auto body = [&](Value s, ValueRange carried) -> SmallVector<Value> {
    Value position = e.add(e.iota(), e.splat(e.toI32(s)));
    Value inRange = e.cmpi(CmpIPredicate::slt, position, end);
    Value x = e.loadVector(strip, {r, s});
    Value visible = e.andMask(inRange, e.cmpf(CmpFPredicate::OGT, x, hidden));
    Value isNan = e.andMask(inRange, e.cmpf(CmpFPredicate::UNO, x, x));
    x = e.select(visible, x, hidden);
    if (policy.usesStatistic()) e.storeVector(x, strip, {r, s});
    SmallVector<Value> next = {e.add(carried[0], e.select(visible, one, none)),
                               e.add(carried[1], e.select(isNan, one, none))};
    if (wantsSum) {
      Value seen = e.select(visible, x, e.splatConstant(e.acc(), 0.0));
      next.push_back(
          e.add(carried[next.size()], e.cast(seen, e.vectorOf(f64))));
    }
    if (wantsMaximum)
      next.push_back(arith::MaxNumFOp::create(e.builder(), e.location(),
                                              carried[next.size()], x));
    if (!keys) return next;
    Value key = orderedKey(x, visible);
    e.storeVector(key, keyRow, {s});
    Value seen = e.select(visible, key, e.splatInt(keyType, keyForced));
    next.push_back(e.min(carried[next.size()], seen));
    next.push_back(e.max(carried[next.size()], key));
    if (local > 0) {
      Value last = e.select(visible, position, e.splatInt(i32, -1));
      next.push_back(e.max(carried[next.size()], last));
    }
    return next;
  };
  SmallVector<Value> totals =
      e.forLoop(e.index(0), limit, e.lanes(), init, body);
  for (auto [reduction, total] : llvm::zip_equal(reductions, totals))
    *reduction.result = e.reduce(reduction.kind, total);
  return result;
}

//===----------------------------------------------------------------------===//
// Statistic
//===----------------------------------------------------------------------===//

/// Sum in `type` over the row of what `accumulate(x, sum)` adds, where x is
/// visible.
Value RowSelection::sumVisible(
    Value strip, Value r, Value limit, Type type,
    llvm::function_ref<Value(Value, Value)> accumulate) {
  Value total =
      e.forLoop(e.index(0), limit, e.lanes(), {e.splatConstant(type, 0.0)},
                [&](Value s, ValueRange sum) -> SmallVector<Value> {
                  Value x = e.loadVector(strip, {r, s});
                  Value visible = e.cmpf(CmpFPredicate::OGT, x,
                                         e.splatConstant(e.acc(), -kInfinity));
                  return {e.select(visible, accumulate(x, sum[0]), sum[0])};
                })[0];
  return e.reduce(CombiningKind::ADD, total);
}

/// Mean first, then centred squares: the one-pass formula cancels when the
/// variance is small beside the mean. Sums are in f64, as those of the
/// definition, which says why.
Value RowSelection::variance(Value strip, Value r, const RowScan& scan) {
  Type f64 = e.builder().getF64Type();
  bool zeroFilled = policy.getPopulation() == Population::ZeroFilled;
  Value visible = e.toFloat(scan.visible, f64);
  Value count = visible;
  if (zeroFilled && numKeys.isStatic())
    count = e.constant(f64, static_cast<double>(numKeys.bound));
  else if (zeroFilled)
    count = e.toFloat(numKeys.actual, f64);
  Value mean = e.div(scan.sum, count);
  Value centre = e.splat(mean);
  Value squares =
      sumVisible(strip, r, scan.limit, f64, [&](Value x, Value sum) {
        Value distance = e.sub(e.cast(x, e.vectorOf(f64)), centre);
        return e.fma(distance, distance, sum);
      });
  if (zeroFilled)  // Each cell that counts as 0 adds mean^2.
    squares = e.add(squares, e.mul(e.sub(count, visible), e.mul(mean, mean)));
  Value divisor = e.sub(
      count, e.constant(f64, static_cast<double>(policy.getCorrection())));
  Value enough = e.cmpf(CmpFPredicate::OGE, divisor, e.constant(f64, 1.0));
  Value value = e.select(enough, e.div(squares, divisor), e.constant(f64, 0.0));
  return e.cast(value, e.acc());
}

Value RowSelection::entropy(Value strip, Value r, const RowScan& scan) {
  Value maximum = e.splat(scan.maximum);
  Value total = e.splat(
      sumVisible(strip, r, scan.limit, e.acc(), [&](Value x, Value sum) {
        return e.add(sum, e.exp(e.sub(x, maximum)));
      }));
  return sumVisible(strip, r, scan.limit, e.acc(), [&](Value x, Value sum) {
    Value p = e.div(e.exp(e.sub(x, maximum)), total);
    Value logP = math::LogOp::create(e.builder(), e.location(),
                                     e.add(p, e.splatConstant(e.acc(), 1e-10)));
    return e.sub(sum, e.mul(p, logP));
  });
}

Value RowSelection::statistic(Value strip, Value r, const RowScan& scan) {
  if (!policy.usesStatistic()) return {};
  return policy.getStatistic() == Statistic::Entropy ? entropy(strip, r, scan)
                                                     : variance(strip, r, scan);
}

Value RowSelection::budget(const RowScan& scan, Value statistic,
                           Value normaliser) {
  Value k =
      detail::computeBudget(e, policy, scan.visible, statistic, normaliser);
  return e.min(k, e.i32(static_cast<int32_t>(slots)));
}
