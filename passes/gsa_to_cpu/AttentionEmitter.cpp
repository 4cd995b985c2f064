//===- AttentionEmitter.cpp - vectors for attention kernels ---------------===//

#include "passes/gsa_to_cpu/AttentionEmitter.h"

#include <limits>

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaShapes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::cpu;

/// A register that a shuffle crosses cheaply: within 16 bytes one instruction
/// of latency 1, within 32 bytes one instruction.
static constexpr int64_t kShuffleGroupBytes = 16;
static constexpr int64_t kShuffleBytes = 32;

/// Rows of up to this many vectors are unrolled.
static constexpr int64_t kMostUnrolled = 16;

static constexpr int64_t kCacheLineBytes = 64;
static constexpr double kInfinity = std::numeric_limits<double>::infinity();

static VectorType typeOf(Value vector) {
  return cast<VectorType>(vector.getType());
}

static int64_t elementBytes(VectorType type) {
  return type.getElementTypeBitWidth() / 8;
}

int64_t cpu::floorPowerOf2(int64_t x) {
  return static_cast<int64_t>(llvm::bit_floor(static_cast<uint64_t>(x)));
}

RowVectors cpu::rowVectors(int64_t size, int64_t lanes, int64_t least) {
  auto needed =
      static_cast<int64_t>(llvm::bit_ceil(static_cast<uint64_t>(size)));
  return RowVectors(size, std::max(least, std::min(lanes, needed)));
}

ArrayRef<int64_t> cpu::shapeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getShape();
}

static SmallVector<Value> offsetLast(VectorBuilder& v, const RowRef& row,
                                     Value offset) {
  SmallVector<Value> indices = row.indices;
  indices.back() = v.add(indices.back(), offset);
  return indices;
}

Value VectorBuilder::load(const RowRef& row, Value offset, int64_t lanes,
                          int64_t valid, Type type) {
  Type element =
      ::llvm::cast<MemRefType>(row.memref.getType()).getElementType();
  VectorType memory = vectorType(lanes, element);
  SmallVector<Value> indices = offsetLast(*this, row, offset);
  Value value;
  if (valid == lanes) {
    value = vector::LoadOp::create(builder(), location(), memory, row.memref,
                                   indices);
  } else {
    Value mask = vector::ConstantMaskOp::create(
        builder(), location(), vectorType(lanes, builder().getI1Type()),
        ArrayRef<int64_t>{valid});
    value =
        vector::MaskedLoadOp::create(builder(), location(), memory, row.memref,
                                     indices, mask, constant(memory, 0.0));
  }
  return cast(value, vectorType(lanes, type));
}

void VectorBuilder::store(Value value, const RowRef& row, Value offset,
                          int64_t valid) {
  Type element =
      ::llvm::cast<MemRefType>(row.memref.getType()).getElementType();
  int64_t lanes = typeOf(value).getNumElements();
  value = cast(value, vectorType(lanes, element));
  SmallVector<Value> indices = offsetLast(*this, row, offset);
  if (valid == lanes) {
    vector::StoreOp::create(builder(), location(), value, row.memref, indices);
    return;
  }
  Value mask = vector::ConstantMaskOp::create(
      builder(), location(), vectorType(lanes, builder().getI1Type()),
      ArrayRef<int64_t>{valid});
  vector::MaskedStoreOp::create(builder(), location(), row.memref, indices,
                                mask, value);
}

void VectorBuilder::prefetch(const RowRef& row, int64_t size) {
  auto type = ::llvm::cast<MemRefType>(row.memref.getType());
  int64_t line = kCacheLineBytes / (type.getElementTypeBitWidth() / 8);
  for (int64_t offset = 0; offset < size; offset += line)
    memref::PrefetchOp::create(builder(), location(), row.memref,
                               offsetLast(*this, row, index(offset)),
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
}

Value VectorBuilder::loadScalar(Value memref, ValueRange indices) {
  return memref::LoadOp::create(builder(), location(), memref, indices);
}

void VectorBuilder::storeScalar(Value value, Value memref, ValueRange indices) {
  memref::StoreOp::create(builder(), location(), value, memref, indices);
}

Value VectorBuilder::broadcast(Value scalar, int64_t lanes) {
  return vector::BroadcastOp::create(
      builder(), location(), vectorType(lanes, scalar.getType()), scalar);
}

Value VectorBuilder::fma(Value lhs, Value rhs, Value acc) {
  return vector::FMAOp::create(builder(), location(), lhs, rhs, acc);
}

Value VectorBuilder::maxDropNan(Value lhs, Value rhs) {
  return select(cmpf(arith::CmpFPredicate::OGT, lhs, rhs), lhs, rhs);
}

Value VectorBuilder::lanesBelow(Value base, Value bound, int64_t lanes) {
  // Lane numbers against bound - base: one subtraction for all lanes.
  Type i32 = builder().getI32Type();
  Value step = vector::StepOp::create(
      builder(), location(), vectorType(lanes, builder().getIndexType()));
  step = arith::IndexCastOp::create(builder(), location(),
                                    vectorType(lanes, i32), step);
  return cmpi(arith::CmpIPredicate::slt, step,
              broadcast(toI32(sub(bound, base)), lanes));
}

Value VectorBuilder::expShifted(Value x, Value shift) {
  Value lowest = constant(x.getType(), -kInfinity);
  return select(cmpf(arith::CmpFPredicate::OEQ, x, lowest),
                constant(x.getType(), 0.0), exp(sub(x, shift)));
}

Value VectorBuilder::reduceMax(Value vector) {
  while (typeOf(vector).getNumElements() > 1) {
    auto [low, high] = halves(vector);
    vector = maxDropNan(low, high);
  }
  return vector::ExtractOp::create(builder(), location(), vector, 0);
}

Value VectorBuilder::reduceAdd(Value vector) {
  return vector::ExtractOp::create(builder(), location(), reduceEach({vector}),
                                   0);
}

Value VectorBuilder::plus(Value indexValue, int64_t constant) {
  return constant == 0 ? indexValue : add(indexValue, index(constant));
}

Value VectorBuilder::times(Value indexValue, int64_t constant) {
  return constant == 1 ? indexValue : mul(indexValue, index(constant));
}

Value VectorBuilder::ceilDiv(Value indexValue, int64_t constant) {
  if (constant == 1) return indexValue;
  return arith::DivUIOp::create(
      builder(), location(), plus(indexValue, constant - 1), index(constant));
}

Value VectorBuilder::shuffle(Value lhs, Value rhs, ArrayRef<int64_t> lanes) {
  return vector::ShuffleOp::create(builder(), location(), lhs, rhs, lanes);
}

std::pair<Value, Value> VectorBuilder::halves(Value vector) {
  int64_t half = typeOf(vector).getNumElements() / 2;
  auto low = llvm::to_vector(llvm::seq<int64_t>(0, half));
  auto high = llvm::to_vector(llvm::seq<int64_t>(half, 2 * half));
  return {shuffle(vector, vector, low), shuffle(vector, vector, high)};
}

Value VectorBuilder::addHalves(Value vector) {
  auto [low, high] = halves(vector);
  return add(low, high);
}

/// Both operands hold sums of `keys` vectors: lane p * keys + i is partial sum
/// p of vector i. The result holds those of 2 * keys vectors, half as many
/// partial sums each.
Value VectorBuilder::interleaveAdd(Value lhs, Value rhs, int64_t keys) {
  int64_t lanes = typeOf(lhs).getNumElements();
  int64_t group = kShuffleGroupBytes / elementBytes(typeOf(lhs));
  group = std::min(std::max(group, 2 * keys), lanes);
  SmallVector<int64_t> first, second;
  for (int64_t base = 0; base < lanes; base += group)
    for (int64_t part = 0; part < group / 2; part += keys)
      for (int64_t operand = 0; operand < 2; ++operand)
        for (int64_t key = 0; key < keys; ++key) {
          first.push_back(operand * lanes + base + part + key);
          second.push_back(first.back() + group / 2);
        }
  return add(shuffle(lhs, rhs, first), shuffle(lhs, rhs, second));
}

Value VectorBuilder::reduceEach(SmallVector<Value> vectors) {
  int64_t count = vectors.size();
  assert(llvm::isPowerOf2_64(count) &&
         count <= typeOf(vectors[0]).getNumElements());
  int64_t wide = kShuffleBytes / elementBytes(typeOf(vectors[0]));
  for (Value& vector : vectors)
    while (typeOf(vector).getNumElements() > std::max(wide, count))
      vector = addHalves(vector);
  for (int64_t keys = 1; keys < count; keys *= 2) {
    SmallVector<Value> next;
    for (size_t i = 0; i < vectors.size(); i += 2)
      next.push_back(interleaveAdd(vectors[i], vectors[i + 1], keys));
    vectors = next;
  }
  Value result = vectors[0];
  while (typeOf(result).getNumElements() > count) result = addHalves(result);
  return result;
}

void VectorBuilder::outerProduct(ArrayRef<Value> rows, ArrayRef<Value> columns,
                                 MutableArrayRef<Value> acc) {
  for (auto [i, row] : llvm::enumerate(rows))
    for (auto [j, column] : llvm::enumerate(columns)) {
      Value& cell = acc[i * columns.size() + j];
      cell = fma(row, column, cell);
    }
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void VectorBuilder::forVectors(const RowVectors& row,
                               llvm::function_ref<void(Value, int64_t)> body) {
  int64_t full = row.size / row.lanes;
  if (full <= kMostUnrolled) {
    for (int64_t i = 0; i < full; ++i) body(index(i * row.lanes), row.lanes);
  } else {
    forLoop(index(0), index(full * row.lanes), row.lanes,
            [&](Value offset) { body(offset, row.lanes); });
  }
  if (full < row.count()) body(index(full * row.lanes), row.valid(full));
}

Value VectorBuilder::dotRows(const RowRef& lhs, const RowRef& rhs,
                             const RowVectors& row, Type type) {
  auto step = [&](Value offset, int64_t valid, Value sum) {
    Value x = load(lhs, offset, row.lanes, valid, type);
    Value y = load(rhs, offset, row.lanes, valid, type);
    return fma(x, y, sum);
  };
  Value sum = constant(vectorType(row.lanes, type), 0.0);
  int64_t full = row.size / row.lanes;
  if (full <= kMostUnrolled) {
    for (int64_t i = 0; i < full; ++i)
      sum = step(index(i * row.lanes), row.lanes, sum);
  } else {
    sum = forLoop(
        index(0), index(full * row.lanes), row.lanes, sum,
        [&](Value offset, ValueRange carried) {
          return SmallVector<Value>{step(offset, row.lanes, carried[0])};
        })[0];
  }
  if (full < row.count())
    sum = step(index(full * row.lanes), row.valid(full), sum);
  return reduceAdd(sum);
}

void VectorBuilder::addScaledRow(const RowRef& to, Value factor,
                                 const RowRef& from, const RowVectors& row) {
  Type type = factor.getType();
  Value factors = broadcast(factor, row.lanes);
  forVectors(row, [&](Value offset, int64_t valid) {
    Value x = load(from, offset, row.lanes, valid, type);
    Value sum = load(to, offset, row.lanes, valid, type);
    store(fma(factors, x, sum), to, offset, valid);
  });
}

void VectorBuilder::copyRow(const RowRef& to, const RowRef& from,
                            const RowVectors& row, Type type) {
  forVectors(row, [&](Value offset, int64_t valid) {
    store(load(from, offset, row.lanes, valid, type), to, offset, valid);
  });
}

void VectorBuilder::clearRow(const RowRef& to, const RowVectors& row,
                             Type type) {
  Value zero = constant(vectorType(row.lanes, type), 0.0);
  forVectors(row, [&](Value offset, int64_t valid) {
    store(zero, to, offset, valid);
  });
}

Value cpu::maxOfRow(VectorBuilder& v, const RowRef& row, Value count,
                    int64_t lanes) {
  auto acc = cast<MemRefType>(row.memref.getType()).getElementType();
  Value lowest = v.constant(v.vectorType(lanes, acc), -kInfinity);
  Value end = v.times(v.ceilDiv(count, lanes), lanes);
  // At most one vector holds elements beyond the count.
  Value first = arith::MaxSIOp::create(v.builder(), v.location(),
                                       v.sub(end, v.index(lanes)), v.index(0));
  v.forLoop(first, end, lanes, [&](Value i) {
    Value kept = v.select(v.lanesBelow(i, count, lanes),
                          v.load(row, i, lanes, lanes, acc), lowest);
    v.store(kept, row, i, lanes);
  });
  Value most = v.forLoop(
      v.index(0), end, lanes, lowest,
      [&](Value i, ValueRange carried) -> SmallVector<Value> {
        return {v.maxDropNan(v.load(row, i, lanes, lanes, acc), carried[0])};
      })[0];
  return v.reduceMax(most);
}

Value cpu::finiteShift(VectorBuilder& v, Value maximum) {
  Type acc = maximum.getType();
  Value empty =
      v.cmpf(arith::CmpFPredicate::OEQ, maximum, v.constant(acc, -kInfinity));
  return v.select(empty, v.constant(acc, 0.0), maximum);
}

Value cpu::expOfRow(VectorBuilder& v, const RowRef& row, Value count,
                    int64_t lanes, Value shift) {
  Type acc = shift.getType();
  Value shifts = v.broadcast(shift, lanes);
  Value sums = v.forLoop(
      v.index(0), count, lanes, v.constant(v.vectorType(lanes, acc), 0.0),
      [&](Value i, ValueRange carried) -> SmallVector<Value> {
        Value p = v.expShifted(v.load(row, i, lanes, lanes, acc), shifts);
        v.store(p, row, i, lanes);
        return {v.add(carried[0], p)};
      })[0];
  return v.reduceAdd(sums);
}

bool cpu::needsUnit(Type element) { return !element.isF16(); }

Value cpu::unitOfSum(VectorBuilder& v, Value sum) {
  OpBuilder& b = v.builder();
  Location loc = v.location();
  // Without the two lowest bits of the exponent, so that few blocks of keys
  // change the unit: sums in [1/8, 2) share 2^-2, those below 32 2^-6, ...
  bool isDouble = sum.getType().isF64();
  int fraction = isDouble ? 52 : 23, bias = isDouble ? 1023 : 127;
  uint64_t exponents = isDouble ? 0x7fc : 0xfc;
  Type type = b.getIntegerType(isDouble ? 64 : 32);
  auto constant = [&](uint64_t exponent) {
    return arith::ConstantOp::create(
        b, loc,
        b.getIntegerAttr(type, static_cast<int64_t>(exponent << fraction)));
  };
  Value bits = arith::BitcastOp::create(b, loc, type, sum);
  bits = arith::AndIOp::create(b, loc, bits, constant(exponents));
  bits = arith::SubIOp::create(b, loc, constant(2 * bias - 5), bits);
  return arith::BitcastOp::create(b, loc, sum.getType(), bits);
}

void cpu::scaleRow(VectorBuilder& v, const RowRef& row, Value count,
                   int64_t lanes, Value unit) {
  Type acc = unit.getType();
  Value units = v.broadcast(unit, lanes);
  v.forLoop(v.index(0), count, lanes, [&](Value i) {
    v.store(v.mul(v.load(row, i, lanes, lanes, acc), units), row, i, lanes);
  });
}

SoftmaxEnd cpu::endSoftmax(VectorBuilder& v, Value shift, Value sum,
                           Value unit) {
  Type acc = sum.getType();
  // The sum is at least 1 or NaN unless all logits are -inf.
  Value none = v.constant(acc, 0.0);
  Value empty = v.cmpf(arith::CmpFPredicate::OEQ, sum, none);
  Value inverse = v.select(empty, none, v.div(v.constant(acc, 1.0), sum));
  if (unit) inverse = v.div(inverse, unit);
  Value logSum = math::LogOp::create(v.builder(), v.location(), sum);
  return {inverse,
          v.select(empty, v.constant(acc, -kInfinity), v.add(logSum, shift))};
}

Value cpu::applyOutputGate(VectorBuilder& v, const AttentionForm& form,
                           Value logits, ArrayRef<Value> row, Value offset,
                           int64_t valid, Value output) {
  if (!logits) return output;
  VectorType type = typeOf(output);
  int64_t lanes = type.getNumElements();
  Type acc = type.getElementType();
  Value x;
  if (cast<MemRefType>(logits.getType()).getRank() == 3) {
    x = v.broadcast(v.cast(v.loadScalar(logits, row), acc), lanes);
  } else {
    SmallVector<Value> first(row);
    first.push_back(v.index(0));
    x = v.load({logits, first}, offset, lanes, valid, acc);
  }
  return v.mul(output, detail::applyGate(v, form.gateActivation, x));
}

Value cpu::loadKeyCount(VectorBuilder& v, Value lengths, Value batch,
                        const Size& keys) {
  Value all = toValue(v, keys);
  if (!lengths) return all;
  Value given = v.toIndex(v.loadScalar(lengths, batch));
  return v.min(v.max(given, v.index(0)), all);
}

Value cpu::countVisible(VectorBuilder& v, Mask mask, Value row, Value limit,
                        const Size& queries) {
  if (mask == Mask::None) return limit;
  Value end = v.sub(v.add(v.plus(row, 1), limit), toValue(v, queries));
  return v.min(v.max(end, v.index(0)), limit);
}

void cpu::forTiles(VectorBuilder& v, int64_t count, int64_t tile,
                   llvm::function_ref<void(Value first, int64_t size)> body) {
  int64_t full = count / tile * tile;
  if (full == tile)
    body(v.index(0), tile);
  else if (full > 0)
    v.forLoop(v.index(0), v.index(full), tile,
              [&](Value first) { body(first, tile); });
  if (full < count) body(v.index(full), count - full);
}

void cpu::forTasks(VectorBuilder& v, int64_t tasks,
                   llvm::function_ref<void(Value task)> body) {
  if (tasks == 1) return body(v.index(0));
  OpBuilder& b = v.builder();
  auto loop = scf::ParallelOp::create(
      b, v.location(), v.index(0), v.index(tasks), v.index(1),
      [&](OpBuilder& inner, Location, ValueRange task) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(inner.getInsertionBlock(),
                            inner.getInsertionPoint());
        body(task[0]);
      });
  loop->setAttr(kTasksAttr, b.getUnitAttr());
}

Value cpu::toReadOnlyBuffer(VectorBuilder& v, Value tensor) {
  if (!tensor) return {};
  auto type = cast<RankedTensorType>(tensor.getType());
  return bufferization::ToBufferOp::create(
      v.builder(), v.location(),
      MemRefType::get(type.getShape(), type.getElementType()), tensor,
      /*read_only=*/true);
}

Value cpu::allocate(VectorBuilder& v, ArrayRef<int64_t> shape, Type element) {
  return memref::AllocOp::create(v.builder(), v.location(),
                                 MemRefType::get(shape, element),
                                 v.builder().getI64IntegerAttr(64));
}

Value cpu::allocate(VectorBuilder& v, Operation* op, unsigned i) {
  return allocateResult(v.builder(), op, i, v.builder().getI64IntegerAttr(64));
}

Value cpu::toResult(VectorBuilder& v, Value buffer, Type type) {
  return bufferization::ToTensorOp::create(v.builder(), v.location(), type,
                                           buffer, /*restrict=*/true,
                                           /*writable=*/true);
}

//===----------------------------------------------------------------------===//
// What lowerings share
//===----------------------------------------------------------------------===//

TaskLowering::TaskLowering(Operation* op, Value operand,
                           CpuScheduleAttr schedule, RewriterBase& rewriter)
    : op(op),
      v(rewriter, op->getLoc()),
      acc(getAccumulatorType(getElementTypeOrSelf(operand.getType()))),
      tasks(schedule.getTasks()) {}

int64_t TaskLowering::padded(int64_t size) {
  return static_cast<int64_t>(llvm::alignTo<16>(std::max<int64_t>(size, 1)));
}

void TaskLowering::forItems(const Size& items,
                            llvm::function_ref<void(Value item)> body) {
  forTasks(v, tasks, [&](Value self) {
    task = self;
    v.forLoop(task, toValue(v, items), tasks, body);
  });
}

void TaskLowering::replaceOp(RewriterBase& rewriter, ArrayRef<Value> buffers) {
  SmallVector<Value> results;
  for (auto [buffer, result] : llvm::zip_equal(buffers, op->getResults()))
    results.push_back(toResult(v, buffer, result.getType()));
  rewriter.replaceOp(op, results);
}

AttentionLowering::AttentionLowering(Operation* op, CpuScheduleAttr schedule,
                                     RewriterBase& rewriter)
    : TaskLowering(op, AttentionForm::of(op).query, schedule, rewriter),
      form(AttentionForm::of(op)),
      batch(getSize(rewriter, op->getLoc(), form.query, 0)),
      rowCount(getSize(rewriter, op->getLoc(), form.query, 1)),
      allKeys(getSize(rewriter, op->getLoc(), form.key, 1)),
      heads(shapeOf(form.query)[2]),
      groups(shapeOf(form.key)[2]) {}

void AttentionLowering::lower(RewriterBase& rewriter,
                              llvm::function_ref<void()> body) {
  query = toReadOnlyBuffer(v, form.query);
  key = toReadOnlyBuffer(v, form.key);
  value = toReadOnlyBuffer(v, form.value);
  indices = toReadOnlyBuffer(v, form.indices);
  counts = toReadOnlyBuffer(v, form.counts);
  gate = toReadOnlyBuffer(v, form.gate);
  lengthsOfBatch = toReadOnlyBuffer(v, form.lengths);
  output = allocate(v, op, 0);
  lse = allocate(v, op, 1);
  if (batch.bound * rowCount.bound > 0) body();
  replaceOp(rewriter, {output, lse});
}
