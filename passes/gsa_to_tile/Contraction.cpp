//===- Contraction.cpp - products of matrices -----------------------------===//
//
// A contraction whose dimensions group into (batch, rows, columns, depth) is
// one product by the vendor's library; everything else is an error.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/Matchers.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/Sums.h"
#include "passes/gsa_to_tile/TensorAccess.h"

using namespace mlir;
using namespace mlir::gsa;

namespace mlir::gsa::tile {

namespace {

using Dims = SmallVector<unsigned>;

/// Loops by the operands that they index, each group in the order of the
/// result (depth: of the left operand). Loops of one iteration are left out.
struct Groups {
  Dims batch, rows, columns, depth;
};

/// One operand as a matrix or a batch of matrices.
struct Matrix {
  OpOperand* operand;
  bool hasBatch = false;
  bool isTransposed = false;
};

struct Product {
  Matrix a, b;
  /// Sizes of the groups, 1 for an empty one.
  int64_t batch, rows, columns, depth;
};

class ContractionMatcher {
 public:
  explicit ContractionMatcher(linalg::LinalgOp op) : op(op) {}
  FailureOr<Product> match();

 private:
  LogicalResult checkBody();
  LogicalResult checkElements();
  LogicalResult group();
  FailureOr<Matrix> asMatrix(unsigned operand, const Dims& outer,
                             const Dims& inner);
  Dims loopsOf(unsigned operand);
  int64_t sizeOf(const Dims& loops);

  linalg::LinalgOp op;
  SmallVector<int64_t> sizes;
  Groups groups;
};

}  // namespace

bool isContraction(linalg::LinalgOp op) {
  if (!linalg::isaContractionOpInterface(op)) return false;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  return llvm::any_of(
      llvm::seq<unsigned>(op.getNumLoops()), [&](unsigned loop) {
        return sizes[loop] != 1 && maps[2].isFunctionOfDim(loop) &&
               maps[0].isFunctionOfDim(loop) != maps[1].isFunctionOfDim(loop);
      });
}

/// One product and one sum, and conversions between float types. That sums are
/// rounded once and not at each step is within what linalg allows.
LogicalResult ContractionMatcher::checkBody() {
  for (Operation& inner : op.getBlock()->without_terminator())
    if (!isa<arith::MulFOp, arith::AddFOp, arith::ExtFOp, arith::TruncFOp>(
            inner))
      return op.emitOpError() << "expected a sum of products of floats, got "
                              << inner.getName() << " in the body";
  return success();
}

LogicalResult ContractionMatcher::checkElements() {
  auto element = [&](unsigned i) {
    return getElementTypeOrSelf(op->getOperand(i).getType());
  };
  Type in = element(0), out = element(2);
  bool isKnown = in.isF16() || in.isBF16() || in.isF32();
  if (isKnown && element(1) == in && (out == in || out.isF32()))
    return success();
  return op.emitOpError()
         << "has no lowering to a product on this target: expected operands of "
            "one element type f16, bf16 or f32 and a result of it or f32, got "
         << in << ", " << element(1) << " and " << out;
}

Dims ContractionMatcher::loopsOf(unsigned operand) {
  Dims loops;
  for (AffineExpr expr :
       op.getMatchingIndexingMap(&op->getOpOperand(operand)).getResults()) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    if (sizes[loop] != 1) loops.push_back(loop);
  }
  return loops;
}

int64_t ContractionMatcher::sizeOf(const Dims& loops) {
  int64_t size = 1;
  for (unsigned loop : loops) size *= sizes[loop];
  return size;
}

LogicalResult ContractionMatcher::group() {
  Dims lhs = loopsOf(0), rhs = loopsOf(1), out = loopsOf(2);
  for (unsigned loop : out) {
    bool inLhs = llvm::is_contained(lhs, loop);
    bool inRhs = llvm::is_contained(rhs, loop);
    if (!inLhs && !inRhs)
      return op.emitOpError()
             << "repeats its result along loop " << loop
             << "; expected each dimension of the result in an operand";
    (inLhs && inRhs ? groups.batch
     : inLhs        ? groups.rows
                    : groups.columns)
        .push_back(loop);
  }
  for (unsigned loop : lhs) {
    if (llvm::is_contained(out, loop)) continue;
    if (!llvm::is_contained(rhs, loop))
      return op.emitOpError()
             << "sums over loop " << loop << ", which indexes only one operand";
    groups.depth.push_back(loop);
  }
  for (unsigned loop : rhs)
    if (!llvm::is_contained(out, loop) && !llvm::is_contained(lhs, loop))
      return op.emitOpError()
             << "sums over loop " << loop << ", which indexes only one operand";
  return success();
}

/// Operand as [batch, outer, inner] or [batch, inner, outer] (transposed).
FailureOr<Matrix> ContractionMatcher::asMatrix(unsigned operand,
                                               const Dims& outer,
                                               const Dims& inner) {
  auto join = [&](const Dims& first, const Dims& second) {
    Dims all = groups.batch;
    llvm::append_range(all, first);
    llvm::append_range(all, second);
    return all;
  };
  Dims loops = loopsOf(operand);
  Matrix matrix{&op->getOpOperand(operand), !groups.batch.empty(), false};
  if (loops == join(outer, inner)) return matrix;
  matrix.isTransposed = true;
  if (loops == join(inner, outer)) return matrix;
  return op.emitOpError()
         << "operand " << operand
         << " is no batch of matrices: expected its dimensions as batch, then "
            "those of the result, then those of the sum, or with the last two "
            "exchanged, each in one order in all operands";
}

FailureOr<Product> ContractionMatcher::match() {
  sizes = op.getStaticLoopRanges();
  if (failed(checkElements()) || failed(checkBody()) || failed(group()))
    return failure();
  Dims out = loopsOf(2), expected = groups.batch;
  llvm::append_range(expected, groups.rows);
  llvm::append_range(expected, groups.columns);
  // [batch, columns, rows]: the product of the transposed operands.
  bool isSwapped = out != expected;
  unsigned left = 0, right = 1;
  if (isSwapped) {
    std::swap(groups.rows, groups.columns);
    std::swap(left, right);
    expected = groups.batch;
    llvm::append_range(expected, groups.rows);
    llvm::append_range(expected, groups.columns);
  }
  if (out != expected)
    return op.emitOpError()
           << "result is no batch of matrices: expected its dimensions as "
              "batch, then those of one operand, then those of the other";
  FailureOr<Matrix> a = asMatrix(left, groups.rows, groups.depth);
  if (failed(a)) return failure();
  FailureOr<Matrix> b = asMatrix(right, groups.depth, groups.columns);
  if (failed(b)) return failure();
  return Product{*a,
                 *b,
                 sizeOf(groups.batch),
                 sizeOf(groups.rows),
                 sizeOf(groups.columns),
                 sizeOf(groups.depth)};
}

bool startsFromZero(Value init) {
  while (Operation* op = init.getDefiningOp()) {
    if (isa<tensor::EmptyOp>(op)) return true;
    if (auto fill = dyn_cast<linalg::FillOp>(op))
      return matchPattern(fill.value(), m_AnyZeroFloat());
    if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      std::optional<Value> value = linalg::isaFillOpInterface(generic);
      return value && matchPattern(*value, m_AnyZeroFloat());
    }
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(
            op))
      return matchPattern(init, m_AnyZeroFloat());
    init = op->getOperand(0);
  }
  return false;
}

void dropZeroInits(ModuleOp module, RewriterBase& rewriter) {
  module.walk([&](linalg::LinalgOp op) {
    if (!isContraction(op) && !isSum(op)) return;
    if (!op.hasPureTensorSemantics()) return;
    OpOperand& init = op.getDpsInitsMutable()[0];
    auto type = cast<RankedTensorType>(init.get().getType());
    Operation* start = init.get().getDefiningOp();
    if (!type.hasStaticShape() || !start || !startsFromZero(init.get())) return;
    rewriter.setInsertionPoint(op);
    init.set(tensor::EmptyOp::create(rewriter, op.getLoc(), type.getShape(),
                                     type.getElementType()));
    if (isOpTriviallyDead(start)) rewriter.eraseOp(start);
  });
}

/// A view of a dense buffer as an array of another shape.
static Value reshape(Value buffer, ArrayRef<int64_t> shape,
                     ToTileContext& context) {
  IRRewriter& rewriter = context.rewriter();
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getShape() == shape) return buffer;
  auto target = MemRefType::get(shape, type.getElementType());
  auto allOf = [](int64_t rank) -> SmallVector<ReassociationIndices> {
    if (rank == 0) return {};
    return {llvm::to_vector<2>(llvm::seq<int64_t>(rank))};
  };
  if (type.getRank() <= 1)
    return memref::ExpandShapeOp::create(
        rewriter, context.loc(), target, buffer,
        allOf(type.getRank() == 0 ? 0 : shape.size()));
  if (type.getRank() > target.getRank())
    if (auto groups = getReassociationIndicesForReshape(type, target))
      return memref::CollapseShapeOp::create(rewriter, context.loc(), buffer,
                                             *groups);
  // Through one dimension, whatever sizes of 1 are in the way.
  Value flat = memref::CollapseShapeOp::create(rewriter, context.loc(), buffer,
                                               allOf(type.getRank()));
  return reshape(flat, shape, context);
}

LogicalResult lowerContraction(linalg::LinalgOp op, ToTileContext& context) {
  if (!op.hasPureTensorSemantics())
    return op.emitOpError() << "expected operands on tensors";
  FailureOr<Product> product = ContractionMatcher(op).match();
  if (failed(product)) return failure();
  if (product->depth == 0)
    return op.emitOpError() << "expected a sum over at least one product";

  Value init = op.getDpsInits().front();
  auto type = cast<RankedTensorType>(init.getType());
  bool accumulates = !startsFromZero(init);
  Value result =
      accumulates ? takeBuffer(init, context) : context.makeBuffer(type);
  if (type.getNumElements() != 0) {
    bool hasBatch = product->a.hasBatch;
    auto view = [&](Value buffer, int64_t outer, int64_t inner,
                    bool transposed) {
      SmallVector<int64_t> shape;
      if (hasBatch) shape.push_back(product->batch);
      shape.push_back(transposed ? inner : outer);
      shape.push_back(transposed ? outer : inner);
      return reshape(buffer, shape, context);
    };
    Value a = view(context.toBuffer(product->a.operand->get()), product->rows,
                   product->depth, product->a.isTransposed);
    Value b = view(context.toBuffer(product->b.operand->get()), product->depth,
                   product->columns, product->b.isTransposed);
    Value c = view(result, product->rows, product->columns, false);
    gsa_tile::GemmOp::create(context.rewriter(), op.getLoc(), a, b, c,
                             product->a.isTransposed, product->b.isTransposed,
                             accumulates);
  }
  context.replace(op, {result});
  return success();
}

}  // namespace mlir::gsa::tile
