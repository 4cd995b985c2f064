//===- EmitScf.cpp - scf as CUDA C++ --------------------------------------===//
//
// A value that a loop carries, or that a branch gives, is a variable. The
// terminators print the assignments.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/EmitModels.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gsa_tile;

namespace {

/// Prints `T name;` or `T name = init;` and returns the name.
FailureOr<std::string> declareVariable(CudaEmitter& emitter, Operation* op,
                                       Value value, Value init,
                                       StringRef hint) {
  auto type = emitter.getType(op, value.getType());
  if (failed(type)) return failure();
  std::string start;
  if (init) {
    auto text = emitter.getExpression(init, Precedence::Assignment);
    if (failed(text)) return failure();
    start = " = " + *text;
  }
  std::string name = emitter.declareName(value, hint);
  emitter.emitLine(op, Twine(*type) + " " + name + start + ";");
  return name;
}

/// Assigns all values to variables at once: what one assignment changes may be
/// read by the next one, so that several go through names of their own.
LogicalResult assign(CudaEmitter& emitter, Operation* op, ValueRange variables,
                     ValueRange values) {
  SmallVector<std::pair<std::string, std::string>> assignments;
  for (auto [variable, value] : llvm::zip_equal(variables, values)) {
    auto target = emitter.getExpression(variable, Precedence::Primary);
    auto text = emitter.getExpression(value, Precedence::Assignment);
    if (failed(target) || failed(text)) return failure();
    if (*target != *text) assignments.emplace_back(*target, *text);
  }
  if (assignments.size() == 1) {
    emitter.emitLine(
        op, Twine(assignments[0].first) + " = " + assignments[0].second + ";");
    return success();
  }
  // In braces, so that the names need not be unique in the kernel.
  if (!assignments.empty()) emitter.emitLine(op, "{");
  for (auto& [target, text] : assignments)
    emitter.emitLine(op,
                     "  const auto next_" + Twine(target) + " = " + text + ";");
  for (auto& [target, text] : assignments)
    emitter.emitLine(op, "  " + Twine(target) + " = next_" + target + ";");
  if (!assignments.empty()) emitter.emitLine(op, "}");
  return success();
}

LogicalResult emitFor(scf::ForOp op, CudaEmitter& emitter) {
  if (op.getUnsignedCmp())
    return op.emitOpError()
           << "has no CUDA C++ emission for unsigned comparison";
  for (auto [argument, init] :
       llvm::zip_equal(op.getRegionIterArgs(), op.getInitArgs())) {
    auto name = declareVariable(emitter, op, argument, init, "state");
    if (failed(name)) return failure();
    emitter.bindValue(op.getTiedLoopResult(argument), *name);
  }
  Value variable = op.getInductionVar();
  auto type = emitter.getType(op, variable.getType());
  auto begin =
      emitter.getExpression(op.getLowerBound(), Precedence::Assignment);
  auto end = emitter.getExpression(op.getUpperBound(), Precedence::Shift);
  auto step = emitter.getExpression(op.getStep(), Precedence::Assignment);
  if (failed(type) || failed(begin) || failed(end) || failed(step))
    return failure();
  if (op->hasAttr(kRolledAttr)) emitter.emitLine(op, "#pragma unroll 1");
  std::string i = emitter.declareName(variable, "i");
  std::string next = *step == "1" ? "++" + i : i + " += " + *step;
  return emitter.emitBlock(op,
                           "for (" + Twine(*type) + " " + i + " = " + *begin +
                               "; " + i + " < " + *end + "; " + next + ")",
                           *op.getBody());
}

LogicalResult emitIf(scf::IfOp op, CudaEmitter& emitter) {
  for (Value result : op.getResults())
    if (failed(declareVariable(emitter, op, result, Value(), "chosen")))
      return failure();
  auto condition = emitter.getExpression(op.getCondition(), Precedence::Comma);
  if (failed(condition)) return failure();
  if (failed(emitter.emitBlock(op, "if (" + Twine(*condition) + ")",
                               *op.thenBlock())))
    return failure();
  if (!op.elseBlock() ||
      (op.elseBlock()->without_terminator().empty() && op.getNumResults() == 0))
    return success();
  return emitter.emitBlock(op, "else", *op.elseBlock());
}

/// `while (true) { before; results = ...; if (!condition) break; after; }`
LogicalResult emitWhile(scf::WhileOp op, CudaEmitter& emitter) {
  for (auto [argument, init] :
       llvm::zip_equal(op.getBeforeArguments(), op.getInits()))
    if (failed(declareVariable(emitter, op, argument, init, "state")))
      return failure();
  for (auto [result, argument] :
       llvm::zip_equal(op.getResults(), op.getAfterArguments())) {
    auto name = declareVariable(emitter, op, result, Value(), "result");
    if (failed(name)) return failure();
    emitter.bindValue(argument, *name);
  }
  // The second region stays a block of its own: after the first one's test.
  if (failed(emitter.emitBlock(op, "while (true)", *op.getBeforeBody())))
    return failure();
  return success();
}

LogicalResult emitCondition(scf::ConditionOp op, CudaEmitter& emitter) {
  auto loop = cast<scf::WhileOp>(op->getParentOp());
  auto condition = emitter.getExpression(op.getCondition(), Precedence::Unary);
  if (failed(condition)) return failure();
  // Named before the assignments could change what it reads.
  std::string test = "!" + *condition;
  if (failed(assign(emitter, op, loop.getResults(), op.getArgs())))
    return failure();
  emitter.emitLine(op, "if (" + Twine(test) + ") break;");
  return emitter.emitBlock(op, "", *loop.getAfterBody());
}

LogicalResult emitYield(scf::YieldOp op, CudaEmitter& emitter) {
  Operation* parent = op->getParentOp();
  if (auto loop = dyn_cast<scf::WhileOp>(parent))
    return assign(emitter, op, loop.getBeforeArguments(), op.getResults());
  if (auto loop = dyn_cast<scf::ForOp>(parent))
    return assign(emitter, op, loop.getRegionIterArgs(), op.getResults());
  return assign(emitter, op, parent->getResults(), op.getResults());
}

}  // namespace

void gsa_tile::registerScfEmitModels(DialectRegistry& registry) {
  registry.addExtension(+[](MLIRContext* context, scf::SCFDialect*) {
    attach<scf::ForOp, emitFor>(context);
    attach<scf::IfOp, emitIf>(context);
    attach<scf::WhileOp, emitWhile>(context);
    attach<scf::ConditionOp, emitCondition>(context);
    attach<scf::YieldOp, emitYield>(context);
  });
}
