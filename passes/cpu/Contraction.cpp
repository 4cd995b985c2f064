//===- Contraction.cpp - matmul-like linalg ops and their blocking --------===//

#include "passes/cpu/Contraction.h"

#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "passes/Sizes.h"

namespace mlir::gsa {

namespace {

/// Multiply-adds below which starting tasks costs more than it saves.
constexpr int64_t kMinParallelWork = 256 * 1024;
/// Bytes of a packed lhs block (half of a typical L2) and rhs block.
constexpr int64_t kLhsBytes = 192 * 1024;
constexpr int64_t kRhsBytes = 512 * 1024;
constexpr int64_t kMaxDepth = 512;

/// The block argument behind optional arith.extf ops, or -1.
int argumentBehindExtensions(Value value, Block* body) {
  while (auto extend = value.getDefiningOp<arith::ExtFOp>())
    value = extend.getIn();
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && argument.getOwner() == body
             ? static_cast<int>(argument.getArgNumber())
             : -1;
}

bool hasUnitStride(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t offset;
  SmallVector<int64_t> strides;
  return type.getRank() > 0 &&
         succeeded(type.getStridesAndOffset(strides, offset)) &&
         strides.back() == 1;
}

bool uses(AffineMap map, unsigned loop) { return map.isFunctionOfDim(loop); }

/// Sorts the loops into roles; false when one has none.
bool assignRoles(Contraction& c) {
  SmallVector<unsigned> laneLoops;
  for (unsigned loop = 0; loop < c.sizes.size(); ++loop) {
    bool inLhs = uses(c.lhsMap, loop), inRhs = uses(c.rhsMap, loop);
    if (!uses(c.outMap, loop)) {
      if (!inLhs || !inRhs) return false;
      c.outerK.push_back(loop);
    } else if (inLhs && inRhs) {
      c.outer.push_back(loop);
    } else if (inRhs) {
      laneLoops.push_back(loop);
    } else if (!inLhs) {
      return false;
    }
  }
  if (c.outerK.empty() || laneLoops.empty()) return false;
  // Row-major order of the rows is that of out.
  for (AffineExpr result : c.outMap.getResults()) {
    unsigned loop = cast<AffineDimExpr>(result).getPosition();
    if (!uses(c.rhsMap, loop)) c.rows.push_back(loop);
  }
  c.lane = cast<AffineDimExpr>(c.outMap.getResults().back()).getPosition();
  for (unsigned loop : laneLoops)
    if (loop != c.lane) c.outer.push_back(loop);
  // The reduction loop that rhs walks contiguously, if any, is blocked.
  c.k = cast<AffineDimExpr>(c.rhsMap.getResults().back()).getPosition();
  if (!llvm::is_contained(c.outerK, c.k)) c.k = c.outerK.back();
  llvm::erase(c.outerK, c.k);
  return true;
}

}  // namespace

bool isMultiplyAccumulate(linalg::LinalgOp op) {
  Block* body = op.getBlock();
  auto sum =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum) return false;
  for (auto [init, product] : {std::pair{sum.getLhs(), sum.getRhs()},
                               std::pair{sum.getRhs(), sum.getLhs()}}) {
    if (init != body->getArgument(2)) continue;
    auto mul = product.getDefiningOp<arith::MulFOp>();
    if (!mul) continue;
    int a = argumentBehindExtensions(mul.getLhs(), body);
    int b = argumentBehindExtensions(mul.getRhs(), body);
    if ((a == 0 && b == 1) || (a == 1 && b == 0)) return true;
  }
  return false;
}

int64_t Contraction::rowCount() const {
  int64_t count = 1;
  for (unsigned loop : rows) count *= sizes[loop];
  return count;
}

int64_t Contraction::outerCount() const {
  int64_t count = 1;
  for (unsigned loop : outer) count *= sizes[loop];
  return count;
}

FailureOr<Contraction> matchContraction(linalg::LinalgOp op,
                                        std::string& reason) {
  reason.clear();
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op.getNumReductionLoops() == 0 || !isMultiplyAccumulate(op))
    return failure();
  auto fail = [&](const char* why) {
    reason = why;
    return failure();
  };
  if (!op.hasPureBufferSemantics()) return fail("its operands are no buffers");
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (AffineMap map : maps)
    if (!map.isProjectedPermutation() || map.getNumResults() == 0)
      return fail("an operand is not indexed by plain loops");
  Contraction c;
  c.op = op;
  c.lhs = op.getDpsInputs()[0];
  c.rhs = op.getDpsInputs()[1];
  c.out = op.getDpsInits()[0];
  c.lhsMap = maps[0];
  c.rhsMap = maps[1];
  c.outMap = maps[2];
  c.sizes = op.getStaticLoopRanges();
  c.dynamic.assign(c.sizes.size(), -1);
  for (auto [loop, size] : llvm::enumerate(c.sizes)) {
    if (!ShapedType::isDynamic(size)) continue;
    auto dim =
        c.outMap.getResultPosition(getAffineDimExpr(loop, op->getContext()));
    FailureOr<int64_t> bound = failure();
    if (dim) bound = findUpperBound(c.out, *dim);
    if (failed(bound)) return fail("a loop has a dynamic size");
    c.dynamic[loop] = *dim;
    size = *bound;
  }
  if (llvm::is_contained(c.sizes, 0)) return fail("it is empty");
  auto element = cast<MemRefType>(c.out.getType()).getElementType();
  if (!element.isF32() && !element.isF64())
    return fail("it does not accumulate in f32 or f64");
  c.acc = element;
  unsigned last =
      cast<AffineDimExpr>(c.outMap.getResults().back()).getPosition();
  if (!uses(c.rhsMap, last)) {  // The lanes come from the other operand.
    std::swap(c.lhs, c.rhs);
    std::swap(c.lhsMap, c.rhsMap);
  }
  if (uses(c.lhsMap, last)) return fail("its last dimension is a batch");
  if (!hasUnitStride(c.out)) return fail("its result is not contiguous");
  if (!assignRoles(c)) return fail("a loop is used by one operand only");
  for (auto [loop, dim] : llvm::enumerate(c.dynamic))
    if (dim >= 0 && !llvm::is_contained(c.rows, loop))
      return fail("a loop has a dynamic size");
  return c;
}

namespace {

/// The block of registers with the least estimated time, padding included.
void chooseKernel(const Contraction& c, int64_t vectorBits, Blocking& b) {
  int64_t elementBits = c.acc.getIntOrFloatBitWidth();
  b.lanes = std::min<int64_t>(vectorBits / elementBits,
                              llvm::PowerOf2Ceil(c.laneCount()));
  int64_t vectors = llvm::divideCeil(c.laneCount(), b.lanes);
  int64_t registers = vectorBits >= 512 ? 32 : 16;
  int64_t rows = c.rowCount();
  int64_t best = std::numeric_limits<int64_t>::max();
  for (int64_t width : {2, 3, 4, 1, 6, 8}) {
    if (width > vectors) continue;
    // One vector per rhs column, and two for broadcasts in flight.
    int64_t maxRows = std::min<int64_t>((registers - width - 2) / width, 14);
    if (maxRows < 1) continue;
    int64_t blocks = llvm::divideCeil(rows, maxRows);
    int64_t height = llvm::divideCeil(rows, blocks);
    int64_t padded = llvm::divideCeil(vectors, width) * width;
    // Twentieths of a cycle. An FMA takes four cycles and one starts per
    // cycle: fewer than four independent sums wait for each other. Broadcasts
    // come from L1, rhs vectors often from L2.
    int64_t cycles =
        20 * std::max<int64_t>(height * width, 4) + 5 * height + 12 * width;
    int64_t cost = cycles * blocks * padded / width;
    if (cost >= best) continue;
    best = cost;
    b.blockVectors = width;
    b.blockRows = height;
  }
}

/// Divides what gives the smallest share to the busiest task.
void chooseSplit(const Contraction& c, int64_t tasks, Blocking& b) {
  int64_t rowBlocks = llvm::divideCeil(c.rowCount(), b.blockRows);
  int64_t panels = llvm::divideCeil(c.laneCount(), b.panel());
  double work = double(c.rowCount()) * double(c.laneCount()) *
                double(c.depth()) * double(c.outerCount());
  for (unsigned loop : c.outerK) work *= double(c.sizes[loop]);
  if (tasks <= 1 || work < kMinParallelWork) return;
  // Multiply-adds of the busiest task and its packing, in units of one
  // vector operation per element.
  auto cost = [&](int64_t outer, int64_t rows, int64_t cols) {
    double kernel = double(rows) * double(cols) / double(b.lanes);
    return double(outer) * (kernel + 0.6 * double(cols) + 0.2 * double(rows));
  };
  auto share = [&](int64_t count) { return llvm::divideCeil(count, tasks); };
  int64_t rows = rowBlocks * b.blockRows, cols = panels * b.panel();
  double best = cost(c.outerCount(), rows, cols);
  for (auto [split, splitCost] :
       {std::pair{Blocking::Split::Outer,
                  cost(share(c.outerCount()), rows, cols)},
        std::pair{Blocking::Split::Panels,
                  cost(c.outerCount(), rows, share(panels) * b.panel())},
        std::pair{
            Blocking::Split::Rows,
            cost(c.outerCount(), share(rowBlocks) * b.blockRows, cols)}}) {
    if (splitCost >= best) continue;
    best = splitCost;
    b.split = split;
  }
}

}  // namespace

Blocking chooseBlocking(const Contraction& c, int64_t vectorBits,
                        int64_t tasks) {
  Blocking b;
  chooseKernel(c, vectorBits, b);
  int64_t blocks = llvm::divideCeil(c.depth(), kMaxDepth);
  // Whole vectors of k, also for an lhs wider than the result's lanes.
  b.depth = llvm::alignTo(llvm::divideCeil(c.depth(), blocks),
                          vectorBits / c.acc.getIntOrFloatBitWidth());
  int64_t bytes = c.acc.getIntOrFloatBitWidth() / 8;
  int64_t rowBlocks = llvm::divideCeil(c.rowCount(), b.blockRows);
  int64_t panels = llvm::divideCeil(c.laneCount(), b.panel());
  b.cachedRows = std::clamp<int64_t>(
      kLhsBytes / (b.depth * b.blockRows * bytes), 1, rowBlocks);
  b.cachedPanels =
      std::clamp<int64_t>(kRhsBytes / (b.depth * b.panel() * bytes), 1, panels);
  chooseSplit(c, tasks, b);
  return b;
}

}  // namespace mlir::gsa
