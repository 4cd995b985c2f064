//===- EvaluateLinalg.cpp - linalg ops over their iteration space ---------===//
//
// A structured op is its loops, its indexing maps and its body. The body is
// compiled to a ScalarProgram; strips of one parallel loop are the elements of
// a run, the other loops are counted in order, so a reduction adds its terms in
// the order of the loops. Contractions take a faster way.
//
//===----------------------------------------------------------------------===//

#include <algorithm>

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineExpr.h"
#include "test/reference/Parallel.h"
#include "tools/reference-interpreter/Evaluate.h"
#include "tools/reference-interpreter/LoopNest.h"
#include "tools/reference-interpreter/ScalarProgram.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

namespace {
/// constant + sum_d coefficients[d] * loop[d].
struct LinearExpr {
  SmallVector<int64_t> coefficients;
  int64_t constant = 0;
};
}  // namespace

static LinearExpr linearize(AffineExpr expr, unsigned loops) {
  LinearExpr result;
  result.coefficients.assign(loops, 0);
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    result.coefficients[dim.getPosition()] = 1;
    return result;
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    result.constant = constant.getValue();
    // Offsets are sums of products of these and sizes.
    reference::Require(std::abs(result.constant) < int64_t{1} << 31,
                       "has an indexing map with the constant " +
                           std::to_string(result.constant));
    return result;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  bool isSum = binary && binary.getKind() == AffineExprKind::Add;
  bool isProduct = binary && binary.getKind() == AffineExprKind::Mul &&
                   isa<AffineConstantExpr>(binary.getRHS());
  reference::Require(isSum || isProduct,
                     "has an indexing map that is not linear, which is not "
                     "supported by the reference interpreter");
  result = linearize(binary.getLHS(), loops);
  LinearExpr right = linearize(binary.getRHS(), loops);
  for (unsigned d = 0; d < loops; ++d) {
    int64_t& coefficient = result.coefficients[d];
    coefficient = isSum ? coefficient + right.coefficients[d]
                        : coefficient * right.constant;
  }
  result.constant = isSum ? result.constant + right.constant
                          : result.constant * right.constant;
  return result;
}

static std::string describe(size_t operand, const reference::Shape& shape) {
  return "operand #" + std::to_string(operand) + " of shape " +
         reference::ShapeToString(shape);
}

/// The extent of each loop: the size of a dimension that it alone indexes.
static reference::Shape findExtents(ArrayRef<AffineMap> maps,
                                    ArrayRef<RuntimeValue> operands,
                                    unsigned loops) {
  reference::Shape extents(loops, -1);
  for (auto [i, map] : llvm::enumerate(maps)) {
    const reference::Shape& shape = operands[i].shape();
    reference::Require(map.getNumResults() == shape.size(),
                       describe(i, shape) + " has another rank than its map");
    for (auto [axis, expr] : llvm::enumerate(map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim) continue;
      int64_t& extent = extents[dim.getPosition()];
      reference::Require(extent == -1 || extent == shape[axis],
                         "loop " + std::to_string(dim.getPosition()) + " has " +
                             std::to_string(extent) + " iterations, but " +
                             describe(i, shape) + " has another size in axis " +
                             std::to_string(axis));
      extent = shape[axis];
    }
  }
  for (unsigned d = 0; d < loops; ++d)
    reference::Require(extents[d] >= 0, "no operand gives the extent of loop " +
                                            std::to_string(d));
  return extents;
}

/// Flat offsets of an operand; throws if the loops leave its shape.
static OperandAccess findAccess(AffineMap map, const reference::Shape& shape,
                                const reference::Shape& extents,
                                size_t operand) {
  OperandAccess access;
  access.strides.assign(extents.size(), 0);
  int64_t stride = 1;
  bool hasIterations = llvm::all_of(extents, [](int64_t e) { return e > 0; });
  for (size_t axis = shape.size(); axis-- > 0; stride *= shape[axis]) {
    LinearExpr expr = linearize(map.getResult(axis), extents.size());
    int64_t low = expr.constant, high = expr.constant;
    for (size_t d = 0; d < extents.size(); ++d) {
      int64_t reach = expr.coefficients[d] * (extents[d] - 1);
      low += std::min<int64_t>(reach, 0);
      high += std::max<int64_t>(reach, 0);
      access.strides[d] += expr.coefficients[d] * stride;
    }
    access.offset += expr.constant * stride;
    reference::Require(!hasIterations || (low >= 0 && high < shape[axis]),
                       "the loops reach index " +
                           std::to_string(low < 0 ? low : high) + " in axis " +
                           std::to_string(axis) + " of " +
                           describe(operand, shape));
  }
  return access;
}

LoopNest mlir::gsa::detail::buildLoopNest(linalg::LinalgOp op,
                                          ArrayRef<RuntimeValue> operands) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  LoopNest nest;
  nest.extents = findExtents(maps, operands, op.getNumLoops());
  for (utils::IteratorType type : op.getIteratorTypesArray())
    nest.isParallel.push_back(type == utils::IteratorType::parallel);
  for (auto [i, map] : llvm::enumerate(maps))
    nest.accesses.push_back(
        findAccess(map, operands[i].shape(), nest.extents, i));
  return nest;
}

//===----------------------------------------------------------------------===//
// Generic evaluation
//===----------------------------------------------------------------------===//

namespace {

/// Evaluates one op; `run` may be called from several threads.
class GenericEvaluator {
 public:
  GenericEvaluator(linalg::LinalgOp op, const OpContext& context)
      : nest(buildLoopNest(op, context.operands)),
        program(ScalarProgram::compile(*op.getBlock(), context.lookup,
                                       context.rounds)),
        inputs(context.operands.take_front(op.getNumDpsInputs())) {
    for (const RuntimeValue& init : context.operands.drop_front(inputs.size()))
      outputs.emplace_back(init);
    stripLoop = findStripLoop();
    threadLoop = findThreadLoop();
  }

  Results evaluate(int numThreads) {
    if (reference::ElementCount(nest.extents) > 0) {
      if (threadLoop < 0) {
        runRange(0, 1);
      } else {
        // Pieces are handed out 16 at a time.
        int64_t extent = nest.extents[threadLoop];
        reference::ParallelFor(
            extent, numThreads,
            [&](int64_t begin, int64_t end) { runRange(begin, end); });
      }
    }
    Results results;
    for (TensorBuilder& output : outputs) results.push_back(output.finish());
    return results;
  }

 private:
  /// Whether different iterations of loop `d` write different elements.
  bool writesApart(size_t d) const {
    return nest.isParallel[d] &&
           llvm::all_of(ArrayRef(nest.accesses).drop_front(inputs.size()),
                        [&](const OperandAccess& access) {
                          return access.strides[d] != 0;
                        });
  }

  /// The loop whose iterations are elements of a run: the last that fills one,
  /// or the longest. -1: the elements of a run are single.
  int findStripLoop() const {
    int best = -1;
    for (int d = nest.extents.size(); d-- > 0;) {
      if (!writesApart(d)) continue;
      if (nest.extents[d] >= 32) return d;
      if (best < 0 || nest.extents[d] > nest.extents[best]) best = d;
    }
    return best;
  }

  /// The longest other loop that may be split among threads, or -1.
  int findThreadLoop() const {
    int best = -1;
    for (size_t d = 0; d < nest.extents.size(); ++d) {
      if (!writesApart(d) || static_cast<int>(d) == stripLoop) continue;
      if (best < 0 || nest.extents[d] > nest.extents[best]) best = d;
    }
    return best;
  }

  /// All iterations whose thread loop is in [begin, end).
  void runRange(int64_t begin, int64_t end) {
    ScalarProgram::Registers registers(program);
    SmallVector<int64_t> loop(nest.extents.size(), 0), first = loop,
                                                       last(loop.size());
    for (size_t d = 0; d < loop.size(); ++d) last[d] = nest.extents[d];
    if (threadLoop >= 0) {
      first[threadLoop] = begin;
      last[threadLoop] = end;
    }
    if (stripLoop >= 0) last[stripLoop] = 1;
    loop = first;
    for (;;) {
      int64_t extent = stripLoop >= 0 ? nest.extents[stripLoop] : 1;
      for (int64_t i = 0; i < extent; i += ScalarProgram::kLanes) {
        if (stripLoop >= 0) loop[stripLoop] = i;
        runStrip(registers, loop, std::min(extent - i, ScalarProgram::kLanes));
      }
      if (stripLoop >= 0) loop[stripLoop] = 0;
      // Count like an odometer.
      int d = static_cast<int>(loop.size()) - 1;
      while (d >= 0 && ++loop[d] == last[d]) {
        loop[d] = first[d];
        --d;
      }
      if (d < 0) return;
    }
  }

  void runStrip(ScalarProgram::Registers& registers, ArrayRef<int64_t> loop,
                int64_t count) {
    auto strideOf = [&](const OperandAccess& access) {
      return stripLoop >= 0 ? access.strides[stripLoop] : 0;
    };
    // Some named ops have no argument for their init operand.
    size_t numArguments = program.arguments().size();
    for (size_t i = 0; i < numArguments; ++i) {
      const OperandAccess& access = nest.accesses[i];
      Cell* cells = registers[program.arguments()[i]];
      int64_t offset = access.at(loop), stride = strideOf(access);
      if (i < inputs.size())
        loadCells(inputs[i], offset, stride, cells, count);
      else
        outputs[i - inputs.size()].loadCells(offset, stride, cells, count);
    }
    for (auto [d, index] : program.indices()) {
      int64_t step = static_cast<int>(d) == stripLoop ? 1 : 0;
      for (int64_t i = 0; i < count; ++i)
        registers[index][i].i = loop[d] + i * step;
    }
    program.run(registers, count);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const OperandAccess& access = nest.accesses[inputs.size() + i];
      outputs[i].storeCells(registers[program.results()[i]], access.at(loop),
                            strideOf(access), count);
    }
  }

  LoopNest nest;
  ScalarProgram program;
  ArrayRef<RuntimeValue> inputs;
  SmallVector<TensorBuilder> outputs;
  int stripLoop = -1, threadLoop = -1;
};

}  // namespace

std::optional<Results> mlir::gsa::detail::evaluateLinalgOp(
    const OpContext& context) {
  auto op = dyn_cast<linalg::LinalgOp>(context.op);
  if (!op || !op.hasPureTensorSemantics()) return std::nullopt;
  if (std::optional<Results> results = evaluateContraction(context))
    return results;
  return GenericEvaluator(op, context).evaluate(context.options.numThreads);
}
