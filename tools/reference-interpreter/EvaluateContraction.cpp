//===- EvaluateContraction.cpp - sums of products -------------------------===//
//
// A linalg op whose body multiplies two floats and adds the product to its
// output is, whatever its maps, out[b, m, n] += sum_k left[b, m, k] *
// right[b, n, k] for four groups of loops. Both sides are laid out with k last
// and multiplied row by row.
//
//===----------------------------------------------------------------------===//

#include <algorithm>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "test/reference/Math.h"
#include "test/reference/Parallel.h"
#include "tools/reference-interpreter/Evaluate.h"
#include "tools/reference-interpreter/LoopNest.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// `value` without conversions between float types, which do nothing here.
static Value skipConversions(Value value) {
  while (Operation* op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op)) break;
    value = op->getOperand(0);
  }
  return value;
}

/// Whether the body yields %out + %left * %right, in any order.
static bool multipliesAndAdds(Block& body) {
  if (body.getNumArguments() != 3) return false;
  Value yielded = skipConversions(body.getTerminator()->getOperand(0));
  auto add = yielded.getDefiningOp<arith::AddFOp>();
  if (!add) return false;
  auto isProduct = [&](Value value) {
    auto product = skipConversions(value).getDefiningOp<arith::MulFOp>();
    if (!product) return false;
    Value left = skipConversions(product.getLhs());
    Value right = skipConversions(product.getRhs());
    return (left == body.getArgument(0) && right == body.getArgument(1)) ||
           (left == body.getArgument(1) && right == body.getArgument(0));
  };
  auto isOutput = [&](Value value) {
    return skipConversions(value) == body.getArgument(2);
  };
  return (isProduct(add.getLhs()) && isOutput(add.getRhs())) ||
         (isProduct(add.getRhs()) && isOutput(add.getLhs()));
}

namespace {

/// The loops of a group, counted as one.
struct LoopGroup {
  SmallVector<unsigned> loops;
  int64_t size = 1;

  /// Offset that iteration `i` adds to `access`.
  int64_t offset(const OperandAccess& access, const LoopNest& nest,
                 int64_t i) const {
    int64_t flat = 0;
    for (unsigned d : llvm::reverse(loops)) {
      flat += access.strides[d] * (i % nest.extents[d]);
      i /= nest.extents[d];
    }
    return flat;
  }
  /// The offsets of all iterations.
  std::vector<int64_t> offsets(const OperandAccess& access,
                               const LoopNest& nest) const {
    std::vector<int64_t> result(size);
    for (int64_t i = 0; i < size; ++i) result[i] = offset(access, nest, i);
    return result;
  }
};

struct Contraction {
  LoopNest nest;
  LoopGroup batch, m, n, k;
};

}  // namespace

/// Sorts the loops into the four groups; nullopt if one fits none.
static std::optional<Contraction> classify(LoopNest nest) {
  Contraction result;
  for (unsigned d = 0; d < nest.extents.size(); ++d) {
    bool left = nest.accesses[0].strides[d] != 0;
    bool right = nest.accesses[1].strides[d] != 0;
    bool out = nest.accesses[2].strides[d] != 0;
    // A loop of one iteration may have no stride at all in some operands.
    LoopGroup* group = nullptr;
    if (left && right) group = out ? &result.batch : &result.k;
    if (left && !right && out) group = &result.m;
    if (!left && right && out) group = &result.n;
    if (!group || out != nest.isParallel[d]) return std::nullopt;
    group->loops.push_back(d);
    group->size *= nest.extents[d];
  }
  result.nest = std::move(nest);
  return result;
}

/// The matrix [rows of `group`, k] of the operand at `base`.
static std::vector<double> pack(const double* base,
                                const std::vector<int64_t>& rows,
                                const std::vector<int64_t>& columns,
                                int64_t begin, int64_t end) {
  std::vector<double> matrix;
  matrix.reserve((end - begin) * columns.size());
  for (int64_t i = begin; i < end; ++i)
    for (int64_t column : columns) matrix.push_back(base[rows[i] + column]);
  return matrix;
}

bool mlir::gsa::detail::isContraction(Operation* op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  return linalgOp && linalgOp.getNumDpsInputs() == 2 &&
         linalgOp.getNumDpsInits() == 1 &&
         multipliesAndAdds(*linalgOp.getBlock());
}

std::optional<Results> mlir::gsa::detail::evaluateContraction(
    const OpContext& context) {
  if (!isContraction(context.op)) return std::nullopt;
  auto op = cast<linalg::LinalgOp>(context.op);
  std::optional<Contraction> contraction =
      classify(buildLoopNest(op, context.operands));
  if (!contraction) return std::nullopt;
  auto& [nest, batch, m, n, k] = *contraction;
  const OperandAccess &left = nest.accesses[0], &right = nest.accesses[1],
                      &out = nest.accesses[2];
  const double* leftData = context.operands[0].floats().data();
  const double* rightData = context.operands[1].floats().data();
  reference::Tensor<double> result = context.operands[2].floats();
  std::vector<int64_t> leftRows = m.offsets(left, nest),
                       leftColumns = k.offsets(left, nest),
                       rightRows = n.offsets(right, nest),
                       rightColumns = k.offsets(right, nest),
                       outRows = m.offsets(out, nest),
                       outColumns = n.offsets(out, nest);
  for (int64_t b = 0; b < batch.size; ++b) {
    std::vector<double> rightMatrix =
        pack(rightData + right.offset + batch.offset(right, nest, b), rightRows,
             rightColumns, 0, n.size);
    const double* leftBase =
        leftData + left.offset + batch.offset(left, nest, b);
    double* outBase = result.data() + out.offset + batch.offset(out, nest, b);
    // Pieces of 16 rows: a row of the right matrix serves all of them.
    reference::ParallelFor(
        m.size, context.options.numThreads, [&](int64_t begin, int64_t end) {
          std::vector<double> rows =
              pack(leftBase, leftRows, leftColumns, begin, end);
          for (int64_t j = 0; j < n.size; ++j)
            for (int64_t i = begin; i < end; ++i)
              outBase[outRows[i] + outColumns[j]] +=
                  reference::Dot(rows.data() + (i - begin) * k.size,
                                 rightMatrix.data() + j * k.size, k.size);
        });
  }
  return Results{RuntimeValue(std::move(result))};
}
