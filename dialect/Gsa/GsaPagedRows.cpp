//===- GsaPagedRows.cpp - shapes, constraints and meaning of gsa.paged_rows
//===//
//
// The one op whose sizes are not those of its operands: N pages of `page` rows
// are N * page rows, and the pool has a dimension more with heads. So its rules
// are written here, not as names in the record.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaBuilders.h"
#include "dialect/Gsa/GsaShapes.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// `pages` times `page`, unless one is not known; kDynamic beyond 64 bits,
/// which the verifier refuses.
static int64_t countRows(int64_t pages, int64_t page) {
  int64_t rows = 0;
  if (ShapedType::isDynamic(pages) || ShapedType::isDynamic(page) ||
      llvm::MulOverflow(pages, page, rows))
    return ShapedType::kDynamic;
  return rows;
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult PagedRowsOp::inferReturnTypes(MLIRContext* context,
                                            std::optional<Location> location,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type>& types) {
  DimBindings dims;
  if (failed(bindAdaptor<PagedRowsOp>(context, location, adaptor, dims, {})))
    return failure();
  auto pool = cast<RankedTensorType>(adaptor.getPool().getType());
  auto table = cast<RankedTensorType>(adaptor.getTable().getType());
  bool headsFirst = adaptor.getHeadsFirst() && pool.getRank() == 4;
  SmallVector<int64_t> shape = {
      table.getDimSize(0),
      countRows(table.getDimSize(1), pool.getDimSize(headsFirst ? 2 : 1))};
  if (pool.getRank() == 4) shape.push_back(pool.getDimSize(headsFirst ? 1 : 2));
  shape.push_back(pool.getShape().back());
  types.push_back(RankedTensorType::get(shape, pool.getElementType()));
  return success();
}

bool PagedRowsOp::isCompatibleReturnTypes(TypeRange l, TypeRange r) {
  return areCompatibleTypes(l, r, kResultDims);
}

LogicalResult PagedRowsOp::reifyResultShapes(
    OpBuilder& builder, ReifiedRankedShapedTypeDims& shapes) {
  Location loc = getLoc();
  auto size = [&](Value tensor, int64_t dim) {
    return tensor::getMixedSize(builder, loc, tensor, dim);
  };
  ScalarBuilder s(builder, loc, /*folds=*/true);
  OpFoldResult pages = size(getTable(), 1), page = size(getPool(), getRowDim());
  int64_t rows = countRows(getTable().getType().getDimSize(1), getPage());
  SmallVector<OpFoldResult> shape = {size(getTable(), 0)};
  if (ShapedType::isDynamic(rows))
    shape.push_back(s.mul(getValueOrCreateConstantIndexOp(builder, loc, pages),
                          getValueOrCreateConstantIndexOp(builder, loc, page)));
  else
    shape.push_back(builder.getIndexAttr(rows));
  int64_t rank = getPool().getType().getRank();
  if (rank == 4) shape.push_back(size(getPool(), getHeadsFirst() ? 1 : 2));
  shape.push_back(size(getPool(), rank - 1));
  shapes.push_back(std::move(shape));
  return success();
}

/// Whatever the table holds, nothing outside the pool is read.
Speculation::Speculatability PagedRowsOp::getSpeculatability() {
  return Speculation::Speculatable;
}

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

LogicalResult PagedRowsOp::verify() {
  RankedTensorType pool = getPool().getType();
  if (getHeadsFirst() && pool.getRank() != 4)
    return emitOpError()
           << "(C3) 'heads_first' needs a pool of rank 4, got rank "
           << pool.getRank();
  int64_t page = getPage(), pages = getTable().getType().getDimSize(1);
  if (page == 0)
    return emitOpError() << "(C2) expected pages of at least 1 row, got 0";
  if (!ShapedType::isDynamic(page) && !ShapedType::isDynamic(pages) &&
      ShapedType::isDynamic(countRows(pages, page)))
    return emitOpError() << "(C1) expected " << pages << " pages of " << page
                         << " rows to be less than 2^63 rows";
  return success();
}

//===----------------------------------------------------------------------===//
// Meaning
//===----------------------------------------------------------------------===//

namespace {
/// The cell of a row: moved as bits, since no element is a number on the way.
class RowCell {
 public:
  RowCell(PagedRowsOp op, ScalarBuilder& s, ValueRange cell, Value page)
      : op(op),
        s(s),
        cell(cell),
        element(cast<FloatType>(op.getPool().getType().getElementType())),
        bits(s.b.getIntegerType(element.getWidth())),
        row(s.remIndex(cell[1], page)),
        entry(s.toIndex(
            s.extract(op.getTable(), {cell[0], s.divIndex(cell[1], page)}))) {}

  Value get(Value pages) {
    Value exists = arith::AndIOp::create(
        s.b, s.loc, s.cmpi(arith::CmpIPredicate::sge, entry, s.index(0)),
        s.cmpi(arith::CmpIPredicate::slt, entry, pages));
    // A NaN of every element type.
    Value ones = integer(llvm::APInt::getSignedMaxValue(element.getWidth()));
    int64_t known = op.getPool().getType().getDimSize(0);
    if (known == 0) return toElement(ones);
    if (ShapedType::isDynamic(known))
      return toElement(s.lazySelect(
          exists, bits, [&] { return load(entry); }, [&] { return ones; }));
    // Without a branch: another page is read, and its bits are covered.
    Value zero = integer(llvm::APInt::getZero(element.getWidth()));
    Value value = load(s.select(exists, entry, s.index(0)));
    Value cover = s.select(exists, zero, ones);
    return toElement(arith::OrIOp::create(s.b, s.loc, value, cover));
  }

 private:
  Value integer(const llvm::APInt& value) {
    return arith::ConstantOp::create(s.b, s.loc, IntegerAttr::get(bits, value));
  }
  Value toElement(Value value) {
    return arith::BitcastOp::create(s.b, s.loc, element, value);
  }
  Value load(Value number) {
    SmallVector<Value> place = {number, row};
    if (cell.size() == 4)
      place.insert(place.begin() + (op.getHeadsFirst() ? 1 : 2), cell[2]);
    place.push_back(cell.back());
    return arith::BitcastOp::create(s.b, s.loc, bits,
                                    s.extract(op.getPool(), place));
  }

  PagedRowsOp op;
  ScalarBuilder& s;
  ValueRange cell;
  FloatType element;
  Type bits;
  Value row, entry;
};
}  // namespace

FailureOr<SmallVector<Value>> PagedRowsOp::decomposeOperation(OpBuilder& b) {
  Location loc = getLoc();
  ReifiedRankedShapedTypeDims shapes;
  if (failed(reifyResultShapes(b, shapes))) return failure();
  Type element = getPool().getType().getElementType();
  auto size = [&](int64_t dim) -> Value {
    return tensor::DimOp::create(b, loc, getPool(), dim);
  };
  Value pages = size(0), page = size(getRowDim());
  Value rows = generateTensor(b, loc, shapes[0], element,
                              [&](ScalarBuilder& s, ValueRange cell) {
                                return RowCell(*this, s, cell, page).get(pages);
                              });
  return SmallVector<Value>{rows};
}
