//===- Differentiate.cpp - gsa-differentiate ------------------------------===//
//
// Works on a copy of the function in which aggregates are open and elementwise
// ops are generics, walks it backwards, and lets each op add to the gradients
// of its operands.
//
//===----------------------------------------------------------------------===//

#include "dialect/Common/Choices.h"
#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaOps.h"
#include "llvm/ADT/StringSet.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/FunctionOption.h"
#include "passes/gsa/BackwardBuilder.h"

namespace mlir::gsa {
#define GEN_PASS_DEF_GSADIFFERENTIATE
#include "passes/gsa/GradientPasses.h.inc"
}  // namespace mlir::gsa

using namespace mlir;
using namespace mlir::gsa;

static bool isFloatTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<FloatType>(tensor.getElementType());
}

/// The name of an argument or a result outside of the module.
static std::string nameOf(func::FuncOp function, unsigned i, bool isResult) {
  auto name = isResult ? function.getResultAttrOfType<StringAttr>(i, kNameAttr)
                       : function.getArgAttrOfType<StringAttr>(i, kNameAttr);
  if (name) return name.str();
  return (isResult ? "result" : "arg") + std::to_string(i);
}

static SmallVector<std::string> namesOf(func::FuncOp function, bool isResult) {
  SmallVector<std::string> names;
  unsigned count =
      isResult ? function.getNumResults() : function.getNumArguments();
  for (unsigned i = 0; i < count; ++i)
    names.push_back(nameOf(function, i, isResult));
  return names;
}

/// Which of `names` are chosen: all if none is. Fails for a name that is none
/// of them, or that is no tensor of floats.
static FailureOr<SmallVector<bool>> choose(func::FuncOp function,
                                           ArrayRef<std::string> chosen,
                                           bool isResult) {
  SmallVector<std::string> names = namesOf(function, isResult);
  StringRef kind = isResult ? "result" : "argument";
  StringRef option = isResult ? "outputs" : "inputs";
  auto typeOf = [&](size_t i) {
    return isResult ? function.getResultTypes()[i]
                    : function.getArgumentTypes()[i];
  };
  SmallVector<bool> choice(names.size(), chosen.empty());
  for (const std::string& name : chosen) {
    auto it = llvm::find(names, name);
    if (it == names.end())
      return emitError(function.getLoc())
             << "gsa-differentiate: option '" << option << "' names " << kind
             << "s of @" << function.getName() << ": "
             << explainUnknownName(
                    name, SmallVector<StringRef>(names.begin(), names.end()));
    size_t i = it - names.begin();
    if (!isFloatTensor(typeOf(i)))
      return function.emitError("gsa-differentiate: '")
             << name << "' in option '" << option
             << "' has no gradient: expected a ranked tensor of floats, got "
             << typeOf(i);
    choice[i] = true;
  }
  return choice;
}

//===----------------------------------------------------------------------===//
// The copy
//===----------------------------------------------------------------------===//

/// Makes the gate of attention a gsa.gate of its output, which has a gradient.
template <typename OpTy>
static void openGate(OpTy op, IRRewriter& rewriter) {
  if (!op.getGate()) return;
  rewriter.setInsertionPoint(op);
  auto bare = cast<OpTy>(rewriter.clone(*op));
  bare.getGateMutable().clear();
  bare.setGateActivation(GateActivation::Sigmoid);
  auto gate =
      GateOp::create(rewriter, op.getLoc(), op.getOutput().getType(),
                     bare.getOutput(), op.getGate(), op.getGateActivation());
  rewriter.replaceOp(op, {gate.getOutput(), bare.getLse()});
}

/// Opens gsa.attention and gates; makes elementwise ops, and named linalg ops
/// that are neither fills nor contractions with gradients of their kind,
/// generics.
static LogicalResult prepare(func::FuncOp function) {
  SmallVector<AttentionOp> blocks;
  function.walk([&](AttentionOp block) { blocks.push_back(block); });
  IRRewriter rewriter(function.getContext());
  for (AttentionOp block : blocks) {
    rewriter.setInsertionPoint(block);
    FailureOr<SmallVector<Value>> values = block.decomposeOperation(rewriter);
    if (failed(values)) return block.emitOpError("has no decomposition here");
    rewriter.replaceOp(block, *values);
  }
  function.walk([&](GatherAttentionOp op) { openGate(op, rewriter); });
  function.walk([&](DenseAttentionOp op) { openGate(op, rewriter); });
  RewritePatternSet patterns(function.getContext());
  linalg::populateElementwiseToLinalgConversionPatterns(patterns);
  if (failed(applyPatternsGreedily(function, std::move(patterns))))
    return function.emitError(
        "gsa-differentiate: elementwise ops did not become linalg ops");
  SmallVector<linalg::LinalgOp> named;
  function.walk([&](linalg::LinalgOp op) {
    if (!isa<linalg::GenericOp, linalg::FillOp>(op.getOperation()) &&
        !hasContractionGradients(op))
      named.push_back(op);
  });
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    // What cannot be one is refused where a gradient has to pass it.
    (void)linalg::generalizeNamedOp(rewriter, op);
  }
  return success();
}

/// A function that can be differentiated: one block, no calls.
static LogicalResult checkFunction(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitError(
        "gsa-differentiate: expected a function of one block");
  WalkResult walk = function.walk([](CallOpInterface call) {
    call.emitOpError("has no gradient: inline it first (--inline)");
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}

namespace {

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// An argument or a result of the new functions.
struct Boundary {
  std::string name;
  Value value;
};

/// The function, the copy that is differentiated, and what is made of it.
struct Functions {
  func::FuncOp forward, copy, backward;
};

struct Differentiate : gsa::impl::GsaDifferentiateBase<Differentiate> {
  using GsaDifferentiateBase::GsaDifferentiateBase;

  void runOnOperation() override {
    if (failed(run())) signalPassFailure();
  }

  LogicalResult run();
  FailureOr<func::FuncOp> findFunction();
  /// Arguments for the gradients of chosen results.
  LogicalResult addSeeds(Functions functions, ArrayRef<bool> chosen,
                         BackwardBuilder& backward,
                         SmallVectorImpl<Boundary>& arguments);
  /// The gradients of arguments, with remarks about those that have none.
  LogicalResult collect(Functions functions, BackwardBuilder& backward,
                        SmallVectorImpl<Boundary>& results);
  /// Names what is saved of `read`, and keeps the forward function if it is.
  LogicalResult finish(Functions functions, ArrayRef<Value> read,
                       SmallVector<Boundary> arguments,
                       ArrayRef<Boundary> results, SymbolTable& symbols);
  /// Marks what depends on chosen arguments, with remarks about selections.
  void markActive(func::FuncOp copy, ArrayRef<bool> inputs,
                  BackwardBuilder& backward);
  /// Returns the results and removes what they do not need.
  void close(func::FuncOp backward, ArrayRef<Boundary> results);
  /// Gives a closed function its type and names; unused arguments go.
  LogicalResult setBoundary(func::FuncOp backward, ArrayRef<Boundary> arguments,
                            ArrayRef<Boundary> results);
  /// Returns what is saved behind a function's own results.
  LogicalResult addResults(func::FuncOp forward, ArrayRef<Boundary> saved);
};

}  // namespace

void Differentiate::markActive(func::FuncOp copy, ArrayRef<bool> inputs,
                               BackwardBuilder& backward) {
  Block& body = copy.getBody().front();
  for (auto [argument, chosen] : llvm::zip_equal(body.getArguments(), inputs))
    if (chosen && isFloatTensor(argument.getType()))
      backward.setActive(argument);
  for (Operation& op : body.without_terminator()) {
    if (!passesGradients(&op, backward)) continue;
    bool passes = false;
    for (Value result : op.getResults())
      if (!getElementTypeOrSelf(result.getType()).isIntOrIndex()) {
        backward.setActive(result);
        passes = true;
      }
    if (!passes && isa<SelectOp, TopKOp>(op))
      remark::missed(
          op.getLoc(),
          remark::RemarkOpts::name("NoGradient").category("gsa.gradient"))
          << (op.getName().getStringRef() +
              " has no gradient: its lists are constants")
                 .str();
  }
}

void Differentiate::close(func::FuncOp backward, ArrayRef<Boundary> results) {
  OpBuilder b = OpBuilder::atBlockEnd(&backward.getBody().front());
  SmallVector<Value> returned;
  for (const Boundary& result : results) returned.push_back(result.value);
  func::ReturnOp::create(b, backward.getLoc(), returned);
  IRRewriter rewriter(&getContext());
  (void)runRegionDCE(rewriter, backward->getRegions());
}

LogicalResult Differentiate::setBoundary(func::FuncOp backward,
                                         ArrayRef<Boundary> arguments,
                                         ArrayRef<Boundary> results) {
  Block& body = backward.getBody().front();
  Builder b(&getContext());
  SmallVector<Attribute> names;  // In the order of the block's arguments.
  llvm::BitVector unused(body.getNumArguments());
  llvm::StringSet<> seen;
  for (const Boundary& argument : arguments) {
    auto own = cast<BlockArgument>(argument.value);
    if (own.use_empty()) {
      unused.set(own.getArgNumber());
      continue;
    }
    if (!seen.insert(argument.name).second)
      return backward.emitError("gsa-differentiate: @")
             << backward.getName() << " would have two arguments named '"
             << argument.name << "'; rename the argument of @"
             << function.getValue();
    names.push_back(b.getStringAttr(argument.name));
  }
  body.eraseArguments(unused);
  backward.setFunctionType(b.getFunctionType(
      body.getArgumentTypes(), body.getTerminator()->getOperandTypes()));
  for (auto [i, name] : llvm::enumerate(names))
    backward.setArgAttr(i, kNameAttr, name);
  seen.clear();
  for (auto [i, result] : llvm::enumerate(results)) {
    if (!seen.insert(result.name).second)
      return backward.emitError("gsa-differentiate: @")
             << backward.getName() << " would have two results named '"
             << result.name << "'; rename the argument of @"
             << function.getValue();
    backward.setResultAttr(i, kNameAttr, b.getStringAttr(result.name));
  }
  return success();
}

LogicalResult Differentiate::addResults(func::FuncOp forward,
                                        ArrayRef<Boundary> saved) {
  SmallVector<std::string> own = namesOf(forward, true);
  auto returned =
      cast<func::ReturnOp>(forward.getBody().front().getTerminator());
  Builder b(&getContext());
  for (const Boundary& result : saved) {
    if (llvm::is_contained(own, result.name))
      return forward.emitError("gsa-differentiate: @")
             << forward.getName() << " would have two results named '"
             << result.name << "'; rename the result of @"
             << function.getValue();
    returned.getOperandsMutable().append(result.value);
    (void)forward.insertResult(forward.getNumResults(), result.value.getType(),
                               b.getDictionaryAttr(b.getNamedAttr(
                                   kNameAttr, b.getStringAttr(result.name))));
  }
  return success();
}

LogicalResult Differentiate::finish(Functions functions, ArrayRef<Value> read,
                                    SmallVector<Boundary> arguments,
                                    ArrayRef<Boundary> results,
                                    SymbolTable& symbols) {
  // Some of what was read may have been read for nothing.
  func::FuncOp forward = functions.forward, copy = functions.copy;
  Block& block = functions.backward.getBody().front();
  SmallVector<Boundary> saved;
  unsigned next = block.getNumArguments() - read.size();
  for (Value value : read) {
    BlockArgument own = block.getArgument(next++);
    std::string name = "saved" + std::to_string(saved.size());
    arguments.push_back({name, own});
    if (!own.use_empty()) saved.push_back({name, value});
  }
  if (failed(setBoundary(functions.backward, arguments, results)))
    return failure();
  remark::passed(
      forward.getLoc(),
      remark::RemarkOpts::name("Differentiated").category("gsa.gradient"))
      << function << remark::metric("gradients", results.size())
      << remark::metric("saved", saved.size());
  if (!saved.empty()) return addResults(copy, saved);
  symbols.erase(copy);
  return success();
}

FailureOr<func::FuncOp> Differentiate::findFunction() {
  ModuleOp module = getOperation();
  auto forward = module.lookupSymbol<func::FuncOp>(function);
  if (!forward || forward.isExternal())
    return refuseFunction(module, "gsa-differentiate", "function",
                          function.getValue());
  for (StringRef suffix : {"_backward", "_forward"})
    if (module.lookupSymbol(function + suffix.str()))
      return module.emitError("gsa-differentiate: the module has a symbol '")
             << function + suffix.str()
             << "', which the pass wants to make; rename it";
  if (failed(checkFunction(forward))) return failure();
  return forward;
}

LogicalResult Differentiate::addSeeds(Functions functions,
                                      ArrayRef<bool> chosen,
                                      BackwardBuilder& backward,
                                      SmallVectorImpl<Boundary>& arguments) {
  func::FuncOp forward = functions.forward, copy = functions.copy;
  Block& block = functions.backward.getBody().front();
  Operation* returned = copy.getBody().front().getTerminator();
  for (auto [i, value] : llvm::enumerate(returned->getOperands())) {
    if (!chosen[i] || !isFloatTensor(value.getType())) continue;
    std::string name = nameOf(forward, i, true);
    if (!backward.isActive(value)) {
      if (outputs.empty()) continue;
      return forward.emitError("gsa-differentiate: '")
             << name << "' in option 'outputs' depends on no differentiated "
             << "argument, but through a selection or as the target of an "
             << "indexer";
    }
    Value own = block.addArgument(value.getType(), value.getLoc());
    backward.add(value, own);
    arguments.push_back({name + "_grad", own});
  }
  return success();
}

LogicalResult Differentiate::collect(Functions functions,
                                     BackwardBuilder& backward,
                                     SmallVectorImpl<Boundary>& results) {
  func::FuncOp forward = functions.forward, copy = functions.copy;
  for (BlockArgument argument : copy.getArguments()) {
    if (!backward.isActive(argument)) continue;
    std::string name = nameOf(forward, argument.getArgNumber(), false);
    if (Value gradient = backward.gradientOf(argument)) {
      results.push_back({name + "_grad", gradient});
      continue;
    }
    if (!inputs.empty())
      return forward.emitError("gsa-differentiate: '")
             << name << "' in option 'inputs' has no gradient: no "
             << "differentiated result depends on it, but through a selection "
                "or as "
             << "the target of an indexer";
    remark::missed(
        argument.getLoc(),
        remark::RemarkOpts::name("NoGradient").category("gsa.gradient"))
        << "no result depends on '" + name +
               "', but through a selection or as the target of an indexer";
  }
  if (results.empty())
    return forward.emitError(
        "gsa-differentiate: nothing to differentiate: no result of floats "
        "depends on an argument of floats");
  return success();
}

LogicalResult Differentiate::run() {
  FailureOr<func::FuncOp> found = findFunction();
  if (failed(found)) return failure();
  func::FuncOp forward = *found;
  FailureOr<SmallVector<bool>> chosenInputs = choose(forward, inputs, false);
  if (failed(chosenInputs)) return failure();
  FailureOr<SmallVector<bool>> chosenOutputs = choose(forward, outputs, true);
  if (failed(chosenOutputs)) return failure();

  SymbolTable symbols(getOperation());
  Functions functions{
      forward, forward.clone(),
      func::FuncOp::create(forward.getLoc(), function + "_backward",
                           FunctionType::get(&getContext(), {}, {}))};
  functions.copy.setName(function + "_forward");
  functions.copy.setPublic();
  symbols.insert(functions.copy, std::next(Block::iterator(forward)));
  symbols.insert(functions.backward,
                 std::next(Block::iterator(functions.copy)));
  if (failed(prepare(functions.copy))) return failure();
  Block* block = functions.backward.addEntryBlock();
  BackwardBuilder backward(block, save);

  // Arguments: those of the forward function, gradients of results.
  SmallVector<Boundary> arguments, results;
  for (BlockArgument argument : functions.copy.getArguments()) {
    Value own = block->addArgument(argument.getType(), argument.getLoc());
    backward.map(argument, own);
    arguments.push_back({nameOf(forward, argument.getArgNumber(), false), own});
  }
  markActive(functions.copy, *chosenInputs, backward);
  if (failed(addSeeds(functions, *chosenOutputs, backward, arguments)))
    return failure();
  Block& body = functions.copy.getBody().front();
  for (Operation& op : llvm::reverse(body.without_terminator())) {
    bool isReached = llvm::any_of(op.getResults(), [&](Value result) {
      return backward.hasGradient(result);
    });
    if (isReached && failed(addGradients(&op, backward))) return failure();
  }
  if (failed(collect(functions, backward, results))) return failure();
  close(functions.backward, results);
  return finish(functions, backward.saved(), arguments, results, symbols);
}
