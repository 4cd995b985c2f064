//===- SizeClasses.cpp - which sizes of a function are one ----------------===//

#include "passes/SizeClasses.h"

#include "dialect/Gsa/GsaOps.h"
#include "dialect/Gsa/GsaShapes.h"
#include "llvm/ADT/StringMap.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::gsa;

namespace {

/// Union-find over the dimensions of all tensors of a function.
class Finder {
 public:
  explicit Finder(func::FuncOp entry) : entry(entry) {}
  FailureOr<SizeClasses> run();

 private:
  int node(Value value, int64_t dim) {
    auto [it, inserted] = nodes.insert(
        {{value, static_cast<unsigned>(dim)}, static_cast<int>(parent.size())});
    if (inserted) parent.push_back(it->second);
    return it->second;
  }
  int root(int i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  }
  void tie(int a, int b) { parent[root(a)] = root(b); }
  void tieShapes(Value a, Value b);
  void tieSizes(Value tensor, ValueRange sizes);
  void tieNames(ArrayRef<gsa::detail::NamedValue> values);
  void tieGroups(Value flat, Value split,
                 ArrayRef<ReassociationIndices> groups);
  void tieLoops(linalg::LinalgOp op);
  LogicalResult tieSlice(tensor::ExtractSliceOp op);
  LogicalResult tiePages();
  LogicalResult visit(Operation* op);
  LogicalResult note(Value value, SizeClasses& found, std::vector<int>& dims);
  LogicalResult bind(SizeClasses& found);
  /// The class of each dimension of an argument or a returned value.
  llvm::DenseMap<int, int> classOfRoot;

  func::FuncOp entry;
  llvm::DenseMap<std::pair<Value, unsigned>, int> nodes;
  std::vector<int> parent;
  /// Whose numbers of rows are made of other sizes.
  SmallVector<PagedRowsOp> pagedRows;
};

}  // namespace

static RankedTensorType tensorOf(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

void Finder::tieShapes(Value a, Value b) {
  RankedTensorType left = tensorOf(a), right = tensorOf(b);
  if (!left || !right || left.getRank() != right.getRank()) return;
  for (int64_t d = 0; d < left.getRank(); ++d) tie(node(a, d), node(b, d));
}

/// `sizes` are the dynamic sizes of `tensor`.
void Finder::tieSizes(Value tensor, ValueRange sizes) {
  RankedTensorType type = tensorOf(tensor);
  size_t next = 0;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    if (!type.isDynamicDim(d)) continue;
    auto dim = sizes[next++].getDefiningOp<tensor::DimOp>();
    if (!dim || !dim.getConstantIndex()) continue;
    tie(node(tensor, d), node(dim.getSource(), *dim.getConstantIndex()));
  }
}

void Finder::tieNames(ArrayRef<gsa::detail::NamedValue> values) {
  llvm::StringMap<int> first;
  for (const gsa::detail::NamedValue& named : values)
    for (auto [d, name] : llvm::enumerate(named.names)) {
      int own = node(named.value, d);
      auto [it, inserted] = first.insert({name, own});
      if (!inserted) tie(own, it->second);
    }
}

/// Dimensions of a reshape that stay what they are.
void Finder::tieGroups(Value flat, Value split,
                       ArrayRef<ReassociationIndices> groups) {
  for (auto [i, group] : llvm::enumerate(groups))
    if (group.size() == 1) tie(node(flat, i), node(split, group.front()));
}

/// Dimensions that one loop runs through.
void Finder::tieLoops(linalg::LinalgOp op) {
  SmallVector<int> first(op.getNumLoops(), -1);
  for (OpOperand& operand : op->getOpOperands()) {
    if (!tensorOf(operand.get())) continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [d, expr] : llvm::enumerate(map.getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop) continue;
      int own = node(operand.get(), d);
      int& seen = first[loop.getPosition()];
      if (seen < 0)
        seen = own;
      else
        tie(own, seen);
    }
  }
  for (OpResult result : op->getResults())
    tieShapes(result, op.getDpsInits()[result.getResultNumber()]);
}

/// Dimensions of which a slice takes all.
LogicalResult Finder::tieSlice(tensor::ExtractSliceOp op) {
  llvm::SmallBitVector dropped = op.getDroppedDims();
  int64_t own = 0;
  for (auto [d, size] : llvm::enumerate(op.getMixedSizes())) {
    if (dropped.test(d)) continue;
    int64_t to = own++;
    if (getConstantIntValue(size)) continue;
    auto dim = cast<Value>(size).getDefiningOp<tensor::DimOp>();
    if (!dim || dim.getSource() != op.getSource() ||
        dim.getConstantIndex() != static_cast<int64_t>(d))
      return op.emitOpError()
             << "takes a part of dimension " << d
             << " that only a run knows, in a plan for bounds: expected all "
                "of it, or a static size";
    tie(node(op.getSource(), d), node(op.getResult(), to));
  }
  return success();
}

/// Tables of which a run says how many pages they have: rows of one number come
/// from as many pages of one size. Nothing else says a number of rows, since a
/// run compares sizes and not what is made of them.
LogicalResult Finder::tiePages() {
  llvm::DenseMap<int, PagedRowsOp> first;
  for (PagedRowsOp op : pagedRows) {
    int rows = root(node(op.getRows(), 1));
    auto [it, inserted] = first.insert({rows, op});
    PagedRowsOp other = it->second;
    if (other.getPage() != op.getPage() || ShapedType::isDynamic(op.getPage()))
      return op.emitOpError()
             << "has a number of pages that only a run knows, in a plan for "
                "bounds: expected pages of one size, got "
             << op.getPool().getType() << " and " << other.getPool().getType();
    if (!inserted) tie(node(op.getTable(), 1), node(other.getTable(), 1));
    for (auto& [key, own] : nodes) {
      if (root(own) != rows) continue;
      if (isa<BlockArgument>(key.first) ||
          !tensorOf(key.first).isDynamicDim(key.second))
        return op.emitOpError()
               << "has a number of pages that only a run knows, in a plan for "
                  "bounds: expected all keys in pages";
    }
  }
  return success();
}

/// Which page is read is a branch where there may be none, of whose results
/// LLVM makes floats: as such, small ones of bf16 do not survive.
static LogicalResult checkPool(PagedRowsOp op) {
  RankedTensorType pool = op.getPool().getType();
  if (!pool.isDynamicDim(0) || !pool.getElementType().isBF16())
    return success();
  return op.emitOpError()
         << "has a pool of bf16 whose number of pages only a run knows, in a "
            "plan for bounds: expected a static number of pages, or elements "
            "of f16, f32 or f64, got "
         << pool;
}

LogicalResult Finder::visit(Operation* op) {
  if (auto rows = dyn_cast<PagedRowsOp>(op)) {
    if (failed(checkPool(rows))) return failure();
    if (rows.getRows().getType().isDynamicDim(1)) pagedRows.push_back(rows);
  }
  if (auto values = gsa::detail::getNamedValues(op); !values.empty()) {
    tieNames(values);
    return success();
  }
  if (auto linalg = dyn_cast<linalg::LinalgOp>(op)) {
    tieLoops(linalg);
    return success();
  }
  if (auto cast = dyn_cast<tensor::CastOp>(op)) {
    tieShapes(cast.getSource(), cast.getResult());
    return success();
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    tieGroups(expand.getSrc(), expand.getResult(),
              expand.getReassociationIndices());
    return success();
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    tieGroups(collapse.getResult(), collapse.getSrc(),
              collapse.getReassociationIndices());
    return success();
  }
  if (OpTrait::hasElementwiseMappableTraits(op)) {
    SmallVector<Value> tensors;
    for (Value value : op->getOperands())
      if (tensorOf(value)) tensors.push_back(value);
    llvm::append_range(tensors, op->getResults());
    for (Value value : llvm::drop_begin(tensors))
      tieShapes(value, tensors.front());
    return success();
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) return tieSlice(slice);
  if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    tieSizes(empty, empty.getDynamicSizes());
    return success();
  }
  if (auto splat = dyn_cast<tensor::SplatOp>(op)) {
    tieSizes(splat, splat.getDynamicSizes());
    return success();
  }
  if (isa<tensor::DimOp, func::ReturnOp>(op)) return success();
  auto isDynamic = [](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped && !shaped.hasStaticShape();
  };
  if (llvm::none_of(op->getOperandTypes(), isDynamic) &&
      llvm::none_of(op->getResultTypes(), isDynamic))
    return success();
  return op->emitOpError()
         << "has sizes that only a run knows, in a plan for bounds: expected "
            "ops of gsa and linalg, and arithmetic on tensors, or static sizes";
}

/// Notes the classes of a boundary value's dimensions.
LogicalResult Finder::note(Value value, SizeClasses& found,
                           std::vector<int>& dims) {
  RankedTensorType type = tensorOf(value);
  if (!type)
    return entry.emitOpError()
           << "expected ranked tensors at its boundary, got "
           << value.getType();
  for (int64_t d = 0; d < type.getRank(); ++d) {
    auto [it, inserted] = classOfRoot.insert(
        {root(node(value, d)), static_cast<int>(found.classes.size())});
    if (inserted) found.classes.push_back({-1, false});
    dims.push_back(it->second);
  }
  return success();
}

/// Sizes and bounds of the classes.
LogicalResult Finder::bind(SizeClasses& found) {
  for (auto& [key, own] : nodes) {
    auto it = classOfRoot.find(root(own));
    if (it == classOfRoot.end()) continue;
    RankedTensorType type = tensorOf(key.first);
    if (type.isDynamicDim(key.second)) continue;
    SizeClass& size = found.classes[it->second];
    int64_t known = type.getDimSize(key.second);
    if (size.isStatic && size.bound != known)
      return entry.emitOpError() << "expected one size of dimensions that "
                                    "agree, got "
                                 << size.bound << " and " << known;
    size = {known, true};
  }
  auto all = entry->getAttrOfType<ArrayAttr>(kBoundsAttr);
  for (auto [i, argument] : llvm::enumerate(entry.getArguments())) {
    RankedTensorType type = tensorOf(argument);
    auto bounds = all && i < all.size() ? dyn_cast<DenseI64ArrayAttr>(all[i])
                                        : DenseI64ArrayAttr();
    for (int64_t d = 0; d < type.getRank(); ++d) {
      if (!type.isDynamicDim(d)) continue;
      if (!bounds || bounds.size() != type.getRank())
        return entry.emitOpError() << "argument #" << i << " of type " << type
                                   << " has a size without a bound";
      SizeClass& size = found.classes[found.inputs[i][d]];
      if (size.bound < 0) size.bound = bounds[d];
      if (size.bound == bounds[d]) continue;
      return entry.emitOpError()
             << "argument #" << i << ": expected "
             << (size.isStatic ? "the size " : "the bound ") << size.bound
             << " in dimension " << d
             << ", which agrees with that of another argument, got "
             << bounds[d];
    }
  }
  return success();
}

FailureOr<SizeClasses> Finder::run() {
  for (Operation& op : entry.getBody().front())
    if (failed(visit(&op))) return failure();
  if (failed(tiePages())) return failure();
  SizeClasses found;
  for (BlockArgument argument : entry.getArguments())
    if (failed(note(argument, found, found.inputs.emplace_back())))
      return failure();
  Operation* end = entry.getBody().front().getTerminator();
  for (Value value : end->getOperands())
    if (failed(note(value, found, found.outputs.emplace_back())))
      return failure();
  if (failed(bind(found))) return failure();
  for (auto [i, dims] : llvm::enumerate(found.outputs))
    for (auto [d, number] : llvm::enumerate(dims))
      if (found.classes[number].bound < 0)
        return entry.emitOpError()
               << "result #" << i << ": the size of dimension " << d
               << " does not follow from the argument shapes";
  return found;
}

FailureOr<SizeClasses> gsa::findSizeClasses(func::FuncOp entry) {
  return Finder(entry).run();
}
