//===- Rope.cpp - gsa.rope ------------------------------------------------===//
//
// Two kernels: sines and cosines of each token and pair, in f64 as the op
// demands, into a table that all heads share; then the rotation, which reads
// and writes each element once.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaBuilders.h"
#include "dialect/Gsa/GsaShapes.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using gsa::detail::ScalarBuilder;

namespace {

/// Unsigned arithmetic on i64 element numbers.
struct Position {
  ScalarBuilder& s;

  Value constant(int64_t value) {
    return arith::ConstantOp::create(s.builder(), s.location(),
                                     s.builder().getI64IntegerAttr(value));
  }
  Value div(Value a, int64_t b) {
    if (b == 1) return a;
    return arith::DivUIOp::create(s.builder(), s.location(), a, constant(b));
  }
  Value rem(Value a, int64_t b) {
    return arith::RemUIOp::create(s.builder(), s.location(), a, constant(b));
  }
  Value mulAdd(Value a, int64_t b, Value c) {
    return s.add(b == 1 ? a : s.mul(a, constant(b)), c);
  }
};

class RopeLowering {
 public:
  RopeLowering(RopeOp op, ToTileContext& context)
      : op(op),
        context(context),
        loc(op.getLoc()),
        type(cast<RankedTensorType>(op.getInput().getType())),
        pairs(op.getRotatedSize() / 2),
        tokens(type.getDimSize(0) * type.getDimSize(1)) {}

  LogicalResult lower();

 private:
  void makeTables();
  void rotate();
  void rotatePair(ScalarBuilder& s, Value element);

  RopeOp op;
  ToTileContext& context;
  Location loc;
  RankedTensorType type;
  int64_t pairs, tokens;
  Value cosines, sines, result;  ///< Buffers.
  /// Kernel arguments of the kernel under construction.
  Value positions, frequencies, in, out, cosine, sine;
};

}  // namespace

/// cosines[t, i], sines[t, i] of positions[t] * frequencies[i].
void RopeLowering::makeTables() {
  SmallVector<double> values = op.getFrequencies();
  Type f32 = getAccumulatorType(type.getElementType());
  auto tableType =
      RankedTensorType::get({pairs}, Float64Type::get(op.getContext()));
  Value table = context.constant(
      DenseElementsAttr::get(tableType, ArrayRef<double>(values)));
  cosines = context.makeBuffer({tokens, pairs}, f32);
  sines = context.makeBuffer({tokens, pairs}, f32);
  Value positionsBuffer = context.toBuffer(op.getPositions());
  Type positionType =
      cast<RankedTensorType>(op.getPositions().getType()).getElementType();
  tile::launchForEach(
      context, "rope_angles", tokens * pairs,
      [&](KernelBuilder& kernel) {
        positions = kernel.read(positionsBuffer, "positions");
        frequencies = kernel.read(context.toBuffer(table), "frequencies");
        cosine = kernel.write(cosines, "cosines");
        sine = kernel.write(sines, "sines");
      },
      [&](ScalarBuilder& s, Value element) {
        OpBuilder& b = s.builder();
        Position p{s};
        Value position = LoadOp::create(b, loc, positionType, positions,
                                        p.div(element, pairs));
        Value frequency = LoadOp::create(b, loc, b.getF64Type(), frequencies,
                                         p.rem(element, pairs));
        Value angle =
            named(s.mul(s.toFloat(named(position, "position"), b.getF64Type()),
                        named(frequency, "frequency")),
                  "angle");
        Value x = named(math::CosOp::create(b, loc, angle), "cosine");
        Value y = named(math::SinOp::create(b, loc, angle), "sine");
        StoreOp::create(b, loc, cosine, element, s.cast(x, f32));
        StoreOp::create(b, loc, sine, element, s.cast(y, f32));
      });
}

/// One pair (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin).
void RopeLowering::rotatePair(ScalarBuilder& s, Value element) {
  OpBuilder& b = s.builder();
  Position p{s};
  Type data = type.getElementType(), f32 = getAccumulatorType(data);
  int64_t heads = type.getDimSize(2), size = type.getDimSize(3);
  Value pair = named(p.rem(element, pairs), "pair");
  Value row = named(p.div(element, pairs), "row");  // (token, head)
  Value angle = named(p.mulAdd(p.div(row, heads), pairs, pair), "angle");
  int64_t step = op.getInterleaved() ? 2 : 1;
  Value first =
      named(p.mulAdd(row, size, step == 1 ? pair : s.mul(pair, p.constant(2))),
            "first");
  Value second =
      named(s.add(first, p.constant(step == 1 ? pairs : 1)), "second");
  auto load = [&](Value base, Value position, Type element, StringRef name) {
    Value loaded = LoadOp::create(b, loc, element, base, position);
    return s.cast(named(loaded, name), f32);
  };
  Value x1 = load(in, first, data, "x1"), x2 = load(in, second, data, "x2");
  Value c = load(cosine, angle, f32, "cosine");
  Value d = load(sine, angle, f32, "sine");
  Value y1 = named(s.sub(s.mul(x1, c), s.mul(x2, d)), "y1");
  Value y2 = named(s.add(s.mul(x2, c), s.mul(x1, d)), "y2");
  StoreOp::create(b, loc, out, first, s.cast(y1, data));
  StoreOp::create(b, loc, out, second, s.cast(y2, data));
}

void RopeLowering::rotate() {
  Value input = context.toBuffer(op.getInput());
  int64_t heads = type.getDimSize(2), size = type.getDimSize(3);
  result = context.makeBuffer(type);
  // Elements behind the rotated ones stay as they are.
  if (2 * pairs != size)
    memref::CopyOp::create(context.rewriter(), loc, input, result);
  tile::launchForEach(
      context, "rope", tokens * heads * pairs,
      [&](KernelBuilder& kernel) {
        in = kernel.read(input, "in");
        cosine = kernel.read(cosines, "cosines");
        sine = kernel.read(sines, "sines");
        out = kernel.write(result, "out");
      },
      [&](ScalarBuilder& s, Value element) { rotatePair(s, element); });
}

LogicalResult RopeLowering::lower() {
  if (type.getElementType().isF64())
    return op.emitOpError() << "has no lowering to kernels: expected f16, bf16 "
                               "or f32, got "
                            << type;
  if (type.getNumElements() == 0) {
    result = context.makeBuffer(type);
  } else {
    makeTables();
    rotate();
  }
  context.replace(op, {result});
  return success();
}

LogicalResult tile::lowerRope(RopeOp op, ToTileContext& context) {
  return RopeLowering(op, context).lower();
}
