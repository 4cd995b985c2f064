//===- SpecializeShapes.cpp - gsa-specialize-shapes -----------------------===//
//
// A plan is compiled for one set of shapes, or for bounds. This pass writes the
// sizes that are known into the types, so that everything after it sees them as
// static, and the bounds of the others beside the function.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaShapes.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/FunctionOption.h"
#include "passes/Passes.h"
#include "passes/SizeClasses.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSASPECIALIZESHAPES
#include "passes/Passes.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

namespace {
/// The shape of an argument as the option gives it.
struct GivenShape {
  SmallVector<int64_t> sizes;   ///< kDynamic where only a bound is given.
  SmallVector<int64_t> bounds;  ///< Of all.
};
}  // namespace

/// Parses "1x?4096x512": a size after '?' is a bound; "" for rank 0.
static FailureOr<GivenShape> parseShape(StringRef text) {
  GivenShape shape;
  SmallVector<StringRef> parts;
  if (!text.empty()) text.split(parts, 'x');
  for (StringRef part : parts) {
    bool isBound = part.consume_front("?");
    int64_t size;
    if (part.getAsInteger(10, size) || size < 0) return failure();
    shape.sizes.push_back(isBound ? ShapedType::kDynamic : size);
    shape.bounds.push_back(size);
  }
  return shape;
}

/// `type` with its dynamic sizes taken from `sizes`.
static FailureOr<RankedTensorType> specialize(RankedTensorType type,
                                              ArrayRef<int64_t> sizes) {
  if (type.getRank() != static_cast<int64_t>(sizes.size())) return failure();
  for (auto [declared, given] : llvm::zip_equal(type.getShape(), sizes))
    if (!ShapedType::isDynamic(declared) && declared != given) return failure();
  return type.clone(sizes);
}

namespace {

/// Refines the result types of ops that can infer them from their operands.
/// Uses keep their old type through a tensor.cast, which folds away where the
/// user accepts the refined type.
struct RefineResultTypes : RewritePattern {
  explicit RefineResultTypes(MLIRContext* context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation* op,
                                PatternRewriter& rewriter) const override {
    auto infer = dyn_cast<InferTypeOpInterface>(op);
    if (!infer || op->getNumResults() == 0) return failure();
    SmallVector<Type> types;
    if (failed(infer.inferReturnTypes(
            op->getContext(), op->getLoc(), op->getOperands(),
            op->getDiscardableAttrDictionary(), op->getPropertiesStorage(),
            op->getRegions(), types)))
      return failure();
    bool changed = false;
    for (auto [type, result] : llvm::zip_equal(types, op->getResults())) {
      auto refined = dyn_cast<RankedTensorType>(type);
      auto old = dyn_cast<RankedTensorType>(result.getType());
      bool better = refined && old &&
                    refined.getNumDynamicDims() < old.getNumDynamicDims();
      if (!better) type = result.getType();
      changed |= better;
    }
    if (!changed) return failure();
    SmallVector<Type> before(op->getResultTypes());
    rewriter.modifyOpInPlace(op, [&] {
      for (auto [type, result] : llvm::zip_equal(types, op->getResults()))
        result.setType(type);
    });
    rewriter.setInsertionPointAfter(op);
    for (auto [type, result] : llvm::zip_equal(before, op->getResults())) {
      if (type == result.getType()) continue;
      auto cast = tensor::CastOp::create(rewriter, op->getLoc(), type, result);
      rewriter.replaceAllUsesExcept(result, cast.getResult(), cast);
    }
    return success();
  }
};

/// The sizes that any of the tensors, all of one rank, knows; fails if two of
/// them contradict each other.
static FailureOr<SmallVector<int64_t>> mergeShapes(ArrayRef<Value> tensors) {
  SmallVector<int64_t> sizes(
      cast<RankedTensorType>(tensors.front().getType()).getRank(),
      ShapedType::kDynamic);
  for (Value tensor : tensors) {
    auto type = cast<RankedTensorType>(tensor.getType());
    for (auto [known, size] : llvm::zip_equal(sizes, type.getShape())) {
      if (ShapedType::isDynamic(size)) continue;
      if (!ShapedType::isDynamic(known) && known != size) return failure();
      known = size;
    }
  }
  return sizes;
}

/// Whether `op` is arithmetic on tensors (arith, math): all of one shape.
static bool isElementwiseOnTensors(Operation* op) {
  return OpTrait::hasElementwiseMappableTraits(op) && op->getNumResults() > 0 &&
         llvm::all_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>);
}

/// The tensors whose sizes such an op has: its results, and its operands with
/// what they were before casts.
static SmallVector<Value> getTensorsOfOneShape(Operation* op) {
  SmallVector<Value> tensors(op->getResults());
  for (Value operand : op->getOperands()) {
    if (!isa<RankedTensorType>(operand.getType())) continue;
    tensors.push_back(operand);
    while (auto cast = tensors.back().getDefiningOp<tensor::CastOp>()) {
      if (!isa<RankedTensorType>(cast.getSource().getType())) break;
      tensors.push_back(cast.getSource());
    }
  }
  return tensors;
}

/// What a value was before casts that only forget its sizes.
static Value lookThroughCasts(Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>()) {
    if (!tensor::canFoldIntoConsumerOp(cast)) break;
    value = cast.getSource();
  }
  return value;
}

/// Gives all tensors of an op of arithmetic on tensors the sizes that one of
/// them knows.
struct RefineElementwise : RewritePattern {
  explicit RefineElementwise(MLIRContext* context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation* op,
                                PatternRewriter& rewriter) const override {
    if (!isElementwiseOnTensors(op)) return failure();
    FailureOr<SmallVector<int64_t>> sizes =
        mergeShapes(getTensorsOfOneShape(op));
    if (failed(sizes)) return failure();  // checkElementwise says so.
    auto hasSizes = [&](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return !tensor || tensor.getShape() == ArrayRef<int64_t>(*sizes);
    };
    if (llvm::all_of(op->getOperandTypes(), hasSizes) &&
        llvm::all_of(op->getResultTypes(), hasSizes))
      return failure();
    refine(op, *sizes, rewriter);
    return success();
  }

 private:
  static void refine(Operation* op, ArrayRef<int64_t> sizes,
                     PatternRewriter& rewriter) {
    SmallVector<Type> before(op->getResultTypes());
    rewriter.setInsertionPoint(op);
    rewriter.modifyOpInPlace(op, [&] {
      for (OpOperand& operand : op->getOpOperands()) {
        auto type = dyn_cast<RankedTensorType>(operand.get().getType());
        if (!type || type.getShape() == sizes) continue;
        operand.set(rewriter.createOrFold<tensor::CastOp>(
            op->getLoc(), type.clone(sizes), lookThroughCasts(operand.get())));
      }
      for (Value result : op->getResults())
        result.setType(cast<RankedTensorType>(result.getType()).clone(sizes));
    });
    rewriter.setInsertionPointAfter(op);
    for (auto [type, result] : llvm::zip_equal(before, op->getResults())) {
      if (type == result.getType()) continue;
      auto cast = tensor::CastOp::create(rewriter, op->getLoc(), type, result);
      rewriter.replaceAllUsesExcept(result, cast.getResult(), cast);
    }
  }
};

/// The sizes of tensor.splat, once they are constants, are its type's.
struct RefineSplat : OpRewritePattern<tensor::SplatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::SplatOp op,
                                PatternRewriter& rewriter) const override {
    RankedTensorType type = op.getType();
    SmallVector<int64_t> sizes(type.getShape());
    SmallVector<Value> unknown;
    auto given = op.getDynamicSizes().begin();
    for (int64_t& size : sizes) {
      if (!ShapedType::isDynamic(size)) continue;
      std::optional<int64_t> known = getConstantIntValue(*given);
      if (known && *known >= 0)
        size = *known;
      else
        unknown.push_back(*given);
      ++given;
    }
    if (unknown.size() == op.getDynamicSizes().size()) return failure();
    auto refined = tensor::SplatOp::create(rewriter, op.getLoc(), op.getInput(),
                                           type.clone(sizes), unknown);
    rewriter.replaceOpWithNewOp<tensor::CastOp>(op, type, refined);
    return success();
  }
};

/// Lets a gsa op, all of which accept any compatible shape, read through a
/// cast that only forgets sizes.
struct AbsorbCasts : RewritePattern {
  explicit AbsorbCasts(MLIRContext* context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation* op,
                                PatternRewriter& rewriter) const override {
    if (op->getName().getDialectNamespace() != "gsa") return failure();
    bool changed = false;
    for (OpOperand& operand : op->getOpOperands()) {
      auto cast = operand.get().getDefiningOp<tensor::CastOp>();
      if (!cast || !tensor::canFoldIntoConsumerOp(cast)) continue;
      rewriter.modifyOpInPlace(op, [&] { operand.set(cast.getSource()); });
      changed = true;
    }
    return success(changed);
  }
};

struct SpecializeShapes : gsa::impl::GsaSpecializeShapesBase<SpecializeShapes> {
  using GsaSpecializeShapesBase::GsaSpecializeShapesBase;

  void runOnOperation() override {
    auto function = getOperation().lookupSymbol<func::FuncOp>(entry);
    if (!function) {
      (void)refuseFunction(getOperation(), "gsa-specialize-shapes", "entry",
                           entry.getValue());
      return signalPassFailure();
    }
    if (failed(checkFunction(function))) return signalPassFailure();
    if (failed(specializeArguments(function)) || failed(propagate(function)) ||
        failed(specializeResults(function)) ||
        (isBounded && failed(addResultBounds(function))))
      signalPassFailure();
  }

  /// Results are arguments later, behind the others.
  LogicalResult addResultBounds(func::FuncOp function) {
    FailureOr<SizeClasses> sizes = findSizeClasses(function);
    if (failed(sizes)) return failure();
    Builder builder(&getContext());
    auto bounds = function->getAttrOfType<ArrayAttr>(kBoundsAttr);
    SmallVector<Attribute> all(bounds.begin(), bounds.end());
    for (const std::vector<int>& classes : sizes->outputs) {
      SmallVector<int64_t> result;
      for (int number : classes) result.push_back(sizes->classes[number].bound);
      all.push_back(builder.getDenseI64ArrayAttr(result));
    }
    function->setAttr(kBoundsAttr, builder.getArrayAttr(all));
    return success();
  }

  /// Only a function with a body of one block, whose type nobody else relies
  /// on, can be given other types.
  LogicalResult checkFunction(func::FuncOp function) {
    if (function.isExternal()) return function.emitOpError("has no body");
    if (!function.getBody().hasOneBlock())
      return function.emitOpError("expected a body of one block, got ")
             << function.getBody().getBlocks().size();
    if (!SymbolTable::symbolKnownUseEmpty(function, getOperation()))
      return function.emitOpError(
          "is referred to within the module, its type cannot change");
    return success();
  }

  LogicalResult specializeArguments(func::FuncOp function) {
    if (!shapes.empty() && shapes.size() != function.getNumArguments())
      return function.emitOpError("expected ")
             << function.getNumArguments() << " shapes, got " << shapes.size();
    Block& body = function.getBody().front();
    OpBuilder builder = OpBuilder::atBlockBegin(&body);
    SmallVector<Attribute> bounds(body.getNumArguments(),
                                  builder.getDenseI64ArrayAttr({}));
    for (auto [i, text] : llvm::enumerate(shapes)) {
      BlockArgument argument = body.getArgument(i);
      auto type = dyn_cast<RankedTensorType>(argument.getType());
      if (text.empty() && !(type && type.getRank() == 0)) continue;
      if (!type)
        return function.emitOpError("argument ")
               << i << " of type " << argument.getType()
               << " has no shape, got shape '" << text << "'";
      FailureOr<GivenShape> shape = parseShape(text);
      if (failed(shape))
        return function.emitOpError("cannot parse shape '")
               << text << "' of argument " << i;
      // As gsa-check-sizes asks of types with known sizes.
      constexpr uint64_t kMaxElements = uint64_t{1} << 48;
      uint64_t elements = 1;
      for (int64_t size : shape->bounds)
        if (size > 0)
          elements = llvm::SaturatingMultiply<uint64_t>(elements, size);
      if (shape->sizes != shape->bounds && elements > kMaxElements)
        return function.emitOpError(
                   "expected tensors of at most 2^48 "
                   "elements, got shape '")
               << text << "' of argument " << i;
      FailureOr<RankedTensorType> refined = specialize(type, shape->sizes);
      if (failed(refined))
        return function.emitOpError("argument ")
               << i << " has type " << type << ", got shape '" << text << "'";
      bounds[i] = builder.getDenseI64ArrayAttr(shape->bounds);
      isBounded |= !refined->hasStaticShape();
      if (*refined == type) continue;
      argument.setType(*refined);
      auto cast =
          tensor::CastOp::create(builder, argument.getLoc(), type, argument);
      argument.replaceAllUsesExcept(cast.getResult(), cast);
    }
    if (isBounded) function->setAttr(kBoundsAttr, builder.getArrayAttr(bounds));
    return success();
  }

  LogicalResult propagate(func::FuncOp function) {
    // Canonicalisation patterns of upstream ops fold the casts into them.
    RewritePatternSet patterns(&getContext());
    for (RegisteredOperationName name : getContext().getRegisteredOperations())
      if (name.getDialectNamespace() == "tensor" ||
          name.getDialectNamespace() == "linalg")
        name.getCanonicalizationPatterns(patterns, &getContext());
    for (StringRef dialect : {"tensor", "linalg"})
      if (Dialect* loaded = getContext().getLoadedDialect(dialect))
        loaded->getCanonicalizationPatterns(patterns);
    patterns
        .add<RefineResultTypes, RefineElementwise, RefineSplat, AbsorbCasts>(
            &getContext());
    // One iteration per op in the worst case: sizes flow along uses.
    GreedyRewriteConfig config;
    config.setMaxIterations(GreedyRewriteConfig::kNoLimit);
    if (failed(applyPatternsGreedily(function, std::move(patterns), config)))
      return failure();
    return checkElementwise(function);
  }

  /// Sizes of the arguments that contradict each other show at the first op of
  /// arithmetic that they meet in; its casts would be undefined.
  LogicalResult checkElementwise(func::FuncOp function) {
    WalkResult walk = function.walk([](Operation* op) {
      if (!isElementwiseOnTensors(op)) return WalkResult::advance();
      SmallVector<Value> tensors = getTensorsOfOneShape(op);
      if (succeeded(mergeShapes(tensors))) return WalkResult::advance();
      SetVector<Type> types;
      for (Value tensor : tensors) types.insert(tensor.getType());
      InFlightDiagnostic error = op->emitOpError()
                                 << "expected tensors of one shape, got ";
      llvm::interleaveComma(types, error);
      return WalkResult::interrupt();
    });
    return failure(walk.wasInterrupted());
  }

  LogicalResult specializeResults(func::FuncOp function) {
    Operation* terminator = function.getBody().front().getTerminator();
    for (OpOperand& operand : terminator->getOpOperands()) {
      auto cast = operand.get().getDefiningOp<tensor::CastOp>();
      if (cast && tensor::canFoldIntoConsumerOp(cast))
        operand.set(cast.getSource());
      auto type = dyn_cast<ShapedType>(operand.get().getType());
      // What dynamic sizes follow from is for gsa::findSizeClasses to say.
      if (type && !type.hasStaticShape() && !isBounded)
        return function.emitOpError("result ")
               << operand.getOperandNumber() << " of type " << type
               << " has sizes that do not follow from the argument shapes";
    }
    function.setType(FunctionType::get(
        &getContext(), function.getBody().front().getArgumentTypes(),
        terminator->getOperandTypes()));
    // Casts that nobody reads any more are dead now.
    RewritePatternSet none(&getContext());
    return applyPatternsGreedily(function, std::move(none));
  }

  bool isBounded = false;  ///< Whether an argument has a bound for a size.
};

}  // namespace
