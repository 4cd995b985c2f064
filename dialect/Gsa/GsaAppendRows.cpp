//===- GsaAppendRows.cpp - shapes, constraints, meaning of append_rows ----===//
//
// The dimensions of the cache have other names with a table than without one,
// and with heads another number. So which names there are is decided here, and
// the rest follows from them as for other ops.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaBuilders.h"
#include "dialect/Gsa/GsaShapes.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static StringRef nameRows(bool hasHeads) {
  return hasHeads ? "B T G D" : "B T D";
}

static StringRef nameCache(bool hasHeads, bool headsFirst, bool hasTable) {
  if (!hasHeads) return hasTable ? "P page D" : "B room D";
  if (headsFirst) return hasTable ? "P G page D" : "B G room D";
  return hasTable ? "P page G D" : "B room G D";
}

/// The names of the dimensions of the cache. `heads_first` without heads is
/// refused behind the shapes.
template <typename OpOrAdaptor>
static StringRef nameCacheOf(OpOrAdaptor& op) {
  return nameCache(tensorOf(op.getCache()).getRank() == 4, op.getHeadsFirst(),
                   bool(op.getTable()));
}

template <typename OpOrAdaptor>
static LogicalResult bindSizes(OpOrAdaptor& op, DimBindings& dims,
                               DimBindings::EmitError emitError) {
  int64_t rank = tensorOf(op.getRows()).getRank();
  int64_t expected = tensorOf(op.getCache()).getRank();
  if (rank != expected) {
    if (emitError)
      emitError() << "(C1) expected 'rows' of rank " << expected
                  << ", as 'cache' has, got rank " << rank;
    return failure();
  }
  // The cache first: its sizes are those of the result, and its owner's.
  if (failed(dims.bind(nameCacheOf(op), op.getCache(), "cache", emitError)) ||
      failed(dims.bind(nameRows(rank == 4), op.getRows(), "rows", emitError)))
    return failure();
  if (op.getTable() &&
      failed(dims.bind("B N", op.getTable(), "table", emitError)))
    return failure();
  if (failed(dims.bind("B", op.getLengths(), "lengths", emitError)))
    return failure();
  return op.getCounts() ? dims.bind("B", op.getCounts(), "counts", emitError)
                        : success();
}

LogicalResult AppendRowsOp::inferReturnTypes(MLIRContext* context,
                                             std::optional<Location> location,
                                             Adaptor adaptor,
                                             SmallVectorImpl<Type>& types) {
  auto emitError = [&]() -> InFlightDiagnostic {
    return mlir::emitError(location.value_or(UnknownLoc::get(context)),
                           Twine("'") + getOperationName() + "' op ");
  };
  DimBindings dims;
  if (failed(bindSizes(adaptor, dims, emitError))) return failure();
  types.push_back(
      RankedTensorType::get(dims.getShape(nameCacheOf(adaptor)),
                            tensorOf(adaptor.getCache()).getElementType()));
  return success();
}

bool AppendRowsOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) {
  return areCompatibleTypes(l, r, kResultDims);
}

LogicalResult AppendRowsOp::reifyResultShapes(
    OpBuilder& builder, ReifiedRankedShapedTypeDims& shapes) {
  DimBindings dims;
  if (failed(bindSizes(*this, dims, nullptr))) return failure();
  shapes.push_back(dims.reify(nameCacheOf(*this), builder, getLoc()));
  return success();
}

SmallVector<NamedValue> gsa::detail::nameAppendRows(AppendRowsOp op) {
  auto namesOf = [](StringRef spec) {
    SmallVector<StringRef> names;
    spec.split(names, ' ');
    return names;
  };
  StringRef cache = nameCacheOf(op);
  SmallVector<NamedValue> values = {
      {op.getRows(), namesOf(nameRows(op.getRows().getType().getRank() == 4))},
      {op.getCache(), namesOf(cache)},
      {op.getLengths(), {"B"}},
      {op.getUpdated(), namesOf(cache)}};
  if (op.getTable()) values.push_back({op.getTable(), {"B", "N"}});
  if (op.getCounts()) values.push_back({op.getCounts(), {"B"}});
  return values;
}

Speculation::Speculatability AppendRowsOp::getSpeculatability() {
  return getSpeculatabilityOf(*this);
}

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

LogicalResult AppendRowsOp::verify() {
  RankedTensorType rows = getRows().getType(), cache = getCache().getType();
  if (rows.getElementType() != cache.getElementType())
    return emitOpError() << "(C2) expected 'rows' of " << cache.getElementType()
                         << ", as 'cache' is, got " << rows.getElementType();
  if (getHeadsFirst() && cache.getRank() != 4)
    return emitOpError()
           << "(C3) 'heads_first' needs a cache of rank 4, got rank "
           << cache.getRank();
  if (getTable() && getPage() == 0)
    return emitOpError() << "(C4) expected pages of at least 1 row, got 0";
  int64_t page = getPage(), room = 0;
  int64_t pages = getTable() ? getTable().getType().getDimSize(1) : 1;
  if (!ShapedType::isDynamic(page) && !ShapedType::isDynamic(pages) &&
      llvm::MulOverflow(pages, page, room))
    return emitOpError() << "(C1) expected " << pages << " pages of " << page
                         << " rows to be less than 2^63 rows";
  return success();
}

//===----------------------------------------------------------------------===//
// Meaning
//===----------------------------------------------------------------------===//

namespace {
/// Loops over sequences and those of their rows that have a place, around the
/// insertion of one row.
class AppendLoops {
 public:
  AppendLoops(AppendRowsOp op, OpBuilder& b)
      : op(op),
        s(b, op.getLoc()),
        batches(size(op.getRows(), 0)),
        tokens(size(op.getRows(), 1)),
        page(size(op.getCache(), op.getRowDim())) {
    if (!op.getTable()) return;
    pages = size(op.getCache(), 0);
    room = s.mul(size(op.getTable(), 1), page);
  }

  Value get() {
    return s.forLoop(s.index(0), batches, op.getCache(),
                     [&](Value batch, ValueRange carried) {
                       return appendSequence(batch, carried);
                     })[0];
  }

 private:
  Value size(Value tensor, int64_t dim) {
    return dimValue(s.b, s.loc, tensor, dim);
  }

  /// Of rows [0, T) those that are new, not below row 0, and not behind the
  /// last one.
  SmallVector<Value> appendSequence(Value batch, ValueRange carried) {
    Value zero = s.index(0);
    Value length = s.toIndex(s.extract(op.getLengths(), batch));
    Value shift = s.sub(length, tokens);
    Value first = s.max(zero, s.sub(zero, shift));
    if (op.getCounts()) {
      Value count = s.toIndex(s.extract(op.getCounts(), batch));
      first = s.max(first, s.sub(tokens, count));
    }
    Value end = s.min(tokens, s.sub(room ? room : page, shift));
    return s.forLoop(first, end, carried, [&](Value token, ValueRange cache) {
      Value place = s.add(shift, token);
      if (!op.getTable())
        return SmallVector<Value>{insert(batch, token, batch, place, cache[0])};
      return SmallVector<Value>{insertInPage(batch, token, place, cache[0])};
    });
  }

  /// Unless the table has no page of the pool there.
  Value insertInPage(Value batch, Value token, Value place, Value cache) {
    Value entry =
        s.toIndex(s.extract(op.getTable(), {batch, s.divIndex(place, page)}));
    Value exists = arith::AndIOp::create(
        s.b, s.loc, s.cmpi(arith::CmpIPredicate::sge, entry, s.index(0)),
        s.cmpi(arith::CmpIPredicate::slt, entry, pages));
    return s.lazySelect(
        exists, cache.getType(),
        [&] {
          return insert(batch, token, entry, s.remIndex(place, page), cache);
        },
        [&] { return cache; });
  }

  /// `cache` with row `token` of `batch` as its row (outer, place).
  Value insert(Value batch, Value token, Value outer, Value place,
               Value cache) {
    RankedTensorType type = op.getRows().getType();
    Attribute zero = s.b.getIndexAttr(0), one = s.b.getIndexAttr(1);
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim = 2; dim < type.getRank(); ++dim)
      sizes.push_back(tensor::getMixedSize(s.b, s.loc, op.getRows(), dim));
    size_t rank = sizes.size() + 2;
    SmallVector<OpFoldResult> ones(rank, one);
    SmallVector<OpFoldResult> from = {batch, token}, taken = {one, one};
    from.resize(rank, zero);
    llvm::append_range(taken, sizes);
    Value row = tensor::ExtractSliceOp::create(
        s.b, s.loc,
        RankedTensorType::get(type.getShape().drop_front(2),
                              type.getElementType()),
        op.getRows(), from, taken, ones);
    SmallVector<OpFoldResult> to(rank, zero), filled = {one};
    to[0] = outer;
    to[op.getRowDim()] = place;
    llvm::append_range(filled, sizes);
    filled.insert(filled.begin() + op.getRowDim(), one);
    return tensor::InsertSliceOp::create(s.b, s.loc, row, cache, to, filled,
                                         ones);
  }

  AppendRowsOp op;
  ScalarBuilder s;
  Value batches, tokens;
  Value page;         ///< Rows of a page, or of a sequence.
  Value pages, room;  ///< Of a pool and of a sequence; null without a table.
};
}  // namespace

FailureOr<SmallVector<Value>> AppendRowsOp::decomposeOperation(OpBuilder& b) {
  return SmallVector<Value>{AppendLoops(*this, b).get()};
}
