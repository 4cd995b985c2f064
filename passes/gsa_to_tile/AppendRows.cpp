//===- AppendRows.cpp - gsa.append_rows -----------------------------------===//
//
// One kernel, an element of the new rows at a time: whether its row has a place
// is asked where it is written, by the table and the lengths that the device
// reads. Rows are few in a step, and neighbours in memory go to neighbours, so
// there is nothing to stage.
//
// The cache is the buffer of the tensor; bufferization copies it where the
// old value is still read, or is not the function's to overwrite. Of a cache
// that is a slice the whole tensor is: its rows are a pitch apart.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaBuilders.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/Lowerings.h"
#include "passes/gsa_to_tile/TensorAccess.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;
using gsa::detail::ScalarBuilder;

namespace {

class AppendLowering {
 public:
  AppendLowering(AppendRowsOp op, ToTileContext& context)
      : op(op),
        context(context),
        loc(op.getLoc()),
        rows(op.getRows().getType()),
        slice(op.getCache().getDefiningOp<tensor::ExtractSliceOp>()) {
    if (slice && slice.getSourceType().hasStaticShape())
      access = getTensorAccess(op.getCache());
    // A slice of a slice, or without static strides, is a tensor of its own.
    if (!slice || access.base != slice.getSource()) {
      slice = {};
      access = {op.getCache(), 0,
                getDenseStrides(op.getCache().getType().getShape())};
    }
  }

  LogicalResult lower();

 private:
  FailureOr<Value> getTarget();
  void append(Value target);
  void appendElement(ScalarBuilder& s, Value element);
  void storeInPage(ScalarBuilder& s, Value batch, Value place, Value column,
                   Value element);
  void store(ScalarBuilder& s, Value outer, Value place, Value column,
             Value element);

  Value number(ScalarBuilder& s, int64_t value) { return s.i64(value); }
  Value div(ScalarBuilder& s, Value a, int64_t by) {
    return by == 1 ? a : arith::DivUIOp::create(s.b, loc, a, number(s, by));
  }
  Value rem(ScalarBuilder& s, Value a, int64_t by) {
    return arith::RemUIOp::create(s.b, loc, a, number(s, by));
  }
  Value mul(ScalarBuilder& s, Value a, int64_t by) {
    return by == 1 ? a : s.mul(a, number(s, by));
  }
  /// An i32 of memory as i64.
  Value load(ScalarBuilder& s, Value base, Value position, StringRef name) {
    Value value = LoadOp::create(s.b, loc, s.b.getI32Type(), base, position);
    return named(arith::ExtSIOp::create(s.b, loc, s.b.getI64Type(), value),
                 name);
  }
  Value isBoth(ScalarBuilder& s, Value a, Value b) {
    return arith::AndIOp::create(s.b, loc, a, b);
  }
  /// `value` is in [0, end).
  Value isWithin(ScalarBuilder& s, Value value, int64_t end) {
    return isBoth(s, s.cmpi(CmpIPredicate::sge, value, number(s, 0)),
                  s.cmpi(CmpIPredicate::slt, value, number(s, end)));
  }

  int64_t tokens() const { return rows.getDimSize(1); }
  int64_t groups() const {
    return rows.getRank() == 4 ? rows.getDimSize(2) : 1;
  }
  int64_t depth() const { return rows.getShape().back(); }

  AppendRowsOp op;
  ToTileContext& context;
  Location loc;
  RankedTensorType rows;
  tensor::ExtractSliceOp slice;  ///< Of which the cache is all; or null.
  TensorAccess access;           ///< The cache in the tensor that is written.
  /// Arguments of the kernel.
  Value in, out, table, lengths, counts;
};

}  // namespace

void AppendLowering::store(ScalarBuilder& s, Value outer, Value place,
                           Value column, Value element) {
  ArrayRef<int64_t> strides = access.strides;
  Value position =
      s.add(mul(s, outer, strides[0]), mul(s, place, strides[op.getRowDim()]));
  if (groups() > 1)
    position = s.add(position, mul(s, div(s, column, depth()),
                                   strides[op.getHeadsFirst() ? 1 : 2]));
  Value cell = groups() > 1 ? rem(s, column, depth()) : column;
  position = s.add(position, mul(s, cell, strides.back()));
  if (access.offset != 0) position = s.add(position, number(s, access.offset));
  Value value = LoadOp::create(s.b, loc, rows.getElementType(), in, element);
  StoreOp::create(s.b, loc, out, named(position, "position"),
                  named(value, "value"));
}

void AppendLowering::storeInPage(ScalarBuilder& s, Value batch, Value place,
                                 Value column, Value element) {
  RankedTensorType cache = op.getCache().getType();
  int64_t page = op.getPage();
  Value entry = load(s, table,
                     s.add(mul(s, batch, op.getTable().getType().getDimSize(1)),
                           div(s, place, page)),
                     "page");
  s.ifThen(named(isWithin(s, entry, cache.getDimSize(0)), "exists"),
           [&] { store(s, entry, rem(s, place, page), column, element); });
}

void AppendLowering::appendElement(ScalarBuilder& s, Value element) {
  int64_t width = groups() * depth();
  Value row = named(div(s, element, width), "row");
  Value column = named(rem(s, element, width), "column");
  Value batch = named(div(s, row, tokens()), "batch");
  Value token = named(rem(s, row, tokens()), "token");
  Value place =
      named(s.add(s.sub(load(s, lengths, batch, "length"), number(s, tokens())),
                  token),
            "place");
  int64_t room = op.getPage();
  if (op.getTable()) room *= op.getTable().getType().getDimSize(1);
  Value hasPlace = isWithin(s, place, room);
  if (counts)
    hasPlace = isBoth(s, hasPlace,
                      s.cmpi(CmpIPredicate::sge,
                             s.add(token, load(s, counts, batch, "count")),
                             number(s, tokens())));
  s.ifThen(named(hasPlace, "has_place"), [&] {
    if (op.getTable())
      storeInPage(s, batch, place, column, element);
    else
      store(s, batch, place, column, element);
  });
}

void AppendLowering::append(Value target) {
  Value source = context.toBuffer(op.getRows());
  Value ends = context.toBuffer(op.getLengths());
  Value pages = op.getTable() ? context.toBuffer(op.getTable()) : Value();
  Value news = op.getCounts() ? context.toBuffer(op.getCounts()) : Value();
  tile::launchForEach(
      context, "append_rows", rows.getNumElements(),
      [&](KernelBuilder& kernel) {
        in = kernel.read(source, "rows");
        if (pages) table = kernel.read(pages, "table");
        lengths = kernel.read(ends, "lengths");
        if (news) counts = kernel.read(news, "counts");
        out = kernel.write(target, "cache");
      },
      [&](ScalarBuilder& s, Value element) { appendElement(s, element); });
}

/// Whether `insert` puts a slice of `slice`'s shape where that was taken from.
static bool putsBack(tensor::InsertSliceOp insert,
                     tensor::ExtractSliceOp slice) {
  return insert.getDest() == slice.getSource() &&
         insert.getMixedOffsets() == slice.getMixedOffsets() &&
         insert.getMixedSizes() == slice.getMixedSizes() &&
         insert.getMixedStrides() == slice.getMixedStrides();
}

FailureOr<Value> AppendLowering::getTarget() {
  if (tile::hasGaps(access.base))
    return tile::copyToDense(access.base, context);
  return context.toWritableBuffer(access.base);
}

LogicalResult AppendLowering::lower() {
  IRRewriter& rewriter = context.rewriter();
  if (rows.getNumElements() == 0 ||
      op.getCache().getType().getNumElements() == 0) {
    rewriter.replaceOp(op, op.getCache());
    return success();
  }
  FailureOr<Value> target = getTarget();
  if (failed(target)) return failure();
  append(*target);
  if (!slice) {
    context.replace(op, {*target});
    return success();
  }
  Value whole = context.toTensor(*target);
  for (Operation* user : llvm::make_early_inc_range(op->getUsers()))
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(user);
        insert && insert.getSource() == op.getUpdated() &&
        putsBack(insert, slice))
      rewriter.replaceOp(insert, whole);
  rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
      op, op.getUpdated().getType(), whole, slice.getMixedOffsets(),
      slice.getMixedSizes(), slice.getMixedStrides());
  return success();
}

LogicalResult tile::lowerAppendRows(AppendRowsOp op, ToTileContext& context) {
  return AppendLowering(op, context).lower();
}
