//===- GsaInfer.cpp - type inference and shape reification ----------------===//
//
// One line per op: the element types of its results. Shapes come from the
// dimension names of the op record (GsaShapes.h).
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaShapes.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

using DimConstants = SmallVector<std::pair<StringRef, int64_t>>;

//===----------------------------------------------------------------------===//
// Dimensions that attributes fix
//===----------------------------------------------------------------------===//

template <typename T>
static DimConstants getDimConstants(T&) {
  return {};
}
template <typename T>
  requires requires(T op) { op.getSlots(); }
static DimConstants getDimConstants(T& op) {
  return {{"K", static_cast<int64_t>(op.getSlots())}};
}
template <typename T>
  requires(std::is_base_of_v<SelectOp, T> ||
           std::is_base_of_v<AttentionOp, T> ||
           std::is_base_of_v<SelectOp::Adaptor, T> ||
           std::is_base_of_v<AttentionOp::Adaptor, T>)
static DimConstants getDimConstants(T& op) {
  return {{"K", op.getPolicy().getSlots()}};
}

//===----------------------------------------------------------------------===//
// Element types of results
//===----------------------------------------------------------------------===//

namespace {
struct ResultElements {
  Type data;   ///< T of the first operand.
  Type acc;    ///< A(T).
  Type index;  ///< i32.
  /// Of the gradients of the indexer's weights and bias.
  Type weights, bias;
};
}  // namespace

static ResultElements getResultElements(Value first) {
  Type data = cast<RankedTensorType>(first.getType()).getElementType();
  MLIRContext* context = data.getContext();
  Type acc = isa<FloatType>(data) ? Type(getAccumulatorType(data)) : data;
  return {data, acc, IntegerType::get(context, 32), acc, acc};
}

static SmallVector<Type> elementsOf(IndexScoresOp*, ResultElements e) {
  return {e.acc};
}
static SmallVector<Type> elementsOf(RowStatisticsOp*, ResultElements e) {
  return {e.acc, e.index};
}
static SmallVector<Type> elementsOf(StatMeanOp*, ResultElements e) {
  return {e.acc};
}
static SmallVector<Type> elementsOf(AdaptiveKOp*, ResultElements e) {
  return {e.index};
}
static SmallVector<Type> elementsOf(TopKOp*, ResultElements e) {
  return {e.index, e.index, e.index};
}
static SmallVector<Type> elementsOf(SelectOp*, ResultElements e) {
  return {e.index, e.index, e.index};
}
static SmallVector<Type> elementsOf(GatherAttentionOp*, ResultElements e) {
  return {e.data, e.acc};
}
static SmallVector<Type> elementsOf(DenseAttentionOp*, ResultElements e) {
  return {e.data, e.acc};
}
static SmallVector<Type> elementsOf(PartialAttentionOp*, ResultElements e) {
  return {e.acc, e.acc};
}
static SmallVector<Type> elementsOf(MergeAttentionOp*, ResultElements e) {
  return {e.data, e.acc};
}
static SmallVector<Type> elementsOf(GateOp*, ResultElements e) {
  return {e.data};
}
static SmallVector<Type> elementsOf(RopeOp*, ResultElements e) {
  return {e.data};
}
static SmallVector<Type> elementsOf(AttentionOp*, ResultElements e) {
  return {e.data, e.acc, e.index, e.index, e.index};
}
static SmallVector<Type> elementsOf(AttentionRowSumsOp*, ResultElements e) {
  return {e.acc};
}
static SmallVector<Type> elementsOf(GatherAttentionGradOp*, ResultElements e) {
  return {e.data, e.data, e.data};
}
static SmallVector<Type> elementsOf(DenseAttentionGradOp*, ResultElements e) {
  return {e.data, e.data, e.data};
}
static SmallVector<Type> elementsOf(IndexScoresGradOp*, ResultElements e) {
  return {e.data, e.data, e.weights, e.bias};
}
static SmallVector<Type> elementsOf(IndexKlOp*, ResultElements e) {
  return {e.acc};
}
static SmallVector<Type> elementsOf(IndexKlGradOp*, ResultElements e) {
  return {e.data, e.data, e.weights, e.bias};
}

/// T where an attribute states it, and the types of weights and of a bias that
/// are gradients' operands.
template <typename OpTy>
static void stateElements(typename OpTy::Adaptor&, ResultElements&) {}
template <>
void stateElements<MergeAttentionOp>(MergeAttentionOp::Adaptor& adaptor,
                                     ResultElements& elements) {
  // What is no float type the verifier refuses.
  TypeAttr type = adaptor.getElementTypeAttr();
  if (type && isa<FloatType>(type.getValue())) elements.data = type.getValue();
}
static void stateIndexer(Value weights, Value bias, ResultElements& elements) {
  auto elementOf = [](Value value) {
    return cast<RankedTensorType>(value.getType()).getElementType();
  };
  if (weights) elements.weights = elementOf(weights);
  if (bias) elements.bias = elementOf(bias);
}
template <>
void stateElements<IndexScoresGradOp>(IndexScoresGradOp::Adaptor& adaptor,
                                      ResultElements& elements) {
  stateIndexer(adaptor.getWeights(), adaptor.getBias(), elements);
}
template <>
void stateElements<IndexKlGradOp>(IndexKlGradOp::Adaptor& adaptor,
                                  ResultElements& elements) {
  stateIndexer(adaptor.getIndexWeights(), adaptor.getIndexBias(), elements);
}

template <typename OpTy>
static LogicalResult inferTypes(MLIRContext* context,
                                std::optional<Location> location,
                                typename OpTy::Adaptor adaptor,
                                SmallVectorImpl<Type>& types) {
  DimBindings dims;
  DimConstants constants = getDimConstants(adaptor);
  auto first = adaptor.getODSOperands(0);
  if (first.empty()) return failure();  // The verifier says which.
  if (failed(bindAdaptor<OpTy>(context, location, adaptor, dims, constants)))
    return failure();
  ResultElements elements = getResultElements(*first.begin());
  stateElements<OpTy>(adaptor, elements);
  appendResultTypes<OpTy>(
      dims, elementsOf(static_cast<OpTy*>(nullptr), elements), types);
  return success();
}

template <typename OpTy>
static LogicalResult reifyShapes(OpTy op, OpBuilder& builder,
                                 ReifiedRankedShapedTypeDims& shapes) {
  DimBindings dims;
  DimConstants constants = getDimConstants(op);
  if (failed(bindOperands<OpTy>(op, dims, constants, nullptr)))
    return failure();
  for (StringRef spec : OpTy::kResultDims)
    shapes.push_back(dims.reify(spec, builder, op.getLoc()));
  return success();
}

Speculation::Speculatability gsa::detail::getSpeculatabilityOf(Operation* op) {
  auto isStatic = [](Value value) {
    return cast<RankedTensorType>(value.getType()).hasStaticShape();
  };
  return llvm::all_of(op->getOperands(), isStatic)
             ? Speculation::Speculatable
             : Speculation::NotSpeculatable;
}

#define GSA_SHAPE_METHODS(OP)                                                  \
  LogicalResult OP::inferReturnTypes(                                          \
      MLIRContext* context, std::optional<Location> location, Adaptor adaptor, \
      SmallVectorImpl<Type>& types) {                                          \
    return inferTypes<OP>(context, location, adaptor, types);                  \
  }                                                                            \
  bool OP::isCompatibleReturnTypes(TypeRange l, TypeRange r) {                 \
    return areCompatibleTypes(l, r, OP::kResultDims);                          \
  }                                                                            \
  LogicalResult OP::reifyResultShapes(OpBuilder& builder,                      \
                                      ReifiedRankedShapedTypeDims& shapes) {   \
    return reifyShapes(*this, builder, shapes);                                \
  }                                                                            \
  Speculation::Speculatability OP::getSpeculatability() {                      \
    return getSpeculatabilityOf(*this);                                        \
  }

//===----------------------------------------------------------------------===//
// Names of dimensions
//===----------------------------------------------------------------------===//

static SmallVector<StringRef> namesOf(StringRef spec) {
  SmallVector<StringRef> names;
  spec.split(names, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  return names;
}

template <typename OpTy>
static SmallVector<NamedValue> nameValues(OpTy op) {
  SmallVector<NamedValue> values;
  auto add = [&](Value value, StringRef spec) {
    SmallVector<StringRef> names = namesOf(spec);
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    if (names.empty()) names = namesOf(OpTy::kResultDims[0]);
    if (static_cast<int64_t>(names.size()) > rank) names.resize(rank);
    values.push_back({value, names});
  };
  for (unsigned i = 0; i < std::size(OpTy::kOperandDims); ++i)
    for (Value value : op.getODSOperands(i)) add(value, OpTy::kOperandDims[i]);
  for (auto [result, spec] :
       llvm::zip_equal(op->getResults(), OpTy::kResultDims))
    add(result, spec);
  return values;
}

/// The cells of a row are slots, or keys where there are no lists.
static SmallVector<NamedValue> nameScoresGrad(IndexScoresGradOp op) {
  SmallVector<NamedValue> values = nameValues(op);
  for (NamedValue& named : values)
    if (named.value == op.getScoresGrad())
      named.names = namesOf(op.getIndices() ? "B Sq K" : "B Sq Sk");
  return values;
}

/// The rows of a sequence, N * page, are a size of their own.
static SmallVector<NamedValue> namePagedRows(PagedRowsOp op) {
  bool hasHeads = op.getPool().getType().getRank() == 4;
  StringRef pool = !hasHeads            ? "P page D"
                   : op.getHeadsFirst() ? "P G page D"
                                        : "P page G D";
  return {{op.getPool(), namesOf(pool)},
          {op.getTable(), namesOf("B N")},
          {op.getRows(), namesOf(hasHeads ? "B Sk G D" : "B Sk D")}};
}

SmallVector<NamedValue> gsa::detail::getNamedValues(Operation* op) {
  return llvm::TypeSwitch<Operation*, SmallVector<NamedValue>>(op)
      .Case<IndexScoresOp, RowStatisticsOp, StatMeanOp, AdaptiveKOp, TopKOp,
            SelectOp, GatherAttentionOp, DenseAttentionOp, PartialAttentionOp,
            MergeAttentionOp, GateOp, RopeOp, AttentionOp, AttentionRowSumsOp,
            GatherAttentionGradOp, DenseAttentionGradOp, GateGradOp, IndexKlOp,
            IndexKlGradOp>([](auto typed) { return nameValues(typed); })
      .Case([](IndexScoresGradOp op) { return nameScoresGrad(op); })
      .Case([](PagedRowsOp rows) { return namePagedRows(rows); })
      .Case([](AppendRowsOp append) { return nameAppendRows(append); })
      .Default(SmallVector<NamedValue>());
}

GSA_SHAPE_METHODS(IndexScoresOp)
GSA_SHAPE_METHODS(RowStatisticsOp)
GSA_SHAPE_METHODS(StatMeanOp)
GSA_SHAPE_METHODS(AdaptiveKOp)
GSA_SHAPE_METHODS(TopKOp)
GSA_SHAPE_METHODS(SelectOp)
GSA_SHAPE_METHODS(GatherAttentionOp)
GSA_SHAPE_METHODS(DenseAttentionOp)
GSA_SHAPE_METHODS(PartialAttentionOp)
GSA_SHAPE_METHODS(MergeAttentionOp)
GSA_SHAPE_METHODS(GateOp)
GSA_SHAPE_METHODS(RopeOp)
GSA_SHAPE_METHODS(AttentionOp)
GSA_SHAPE_METHODS(AttentionRowSumsOp)
GSA_SHAPE_METHODS(GatherAttentionGradOp)
GSA_SHAPE_METHODS(DenseAttentionGradOp)
GSA_SHAPE_METHODS(IndexScoresGradOp)
GSA_SHAPE_METHODS(IndexKlOp)
GSA_SHAPE_METHODS(IndexKlGradOp)
