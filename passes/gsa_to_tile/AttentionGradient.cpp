//===- AttentionGradient.cpp - frame of gradients of attention ------------===//

#include "passes/gsa_to_tile/AttentionGradient.h"

#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using gsa::detail::ScalarBuilder;

//===----------------------------------------------------------------------===//
// Host side
//===----------------------------------------------------------------------===//

static AttentionShape makeShape(GatherAttentionGradOp op,
                                const RowStorage& keys,
                                const RowStorage& values) {
  RankedTensorType query = op.getQuery().getType();
  RankedTensorType value = op.getValue().getType();
  return {query.getElementType(),
          query.getDimSize(2),
          value.getDimSize(2),
          query.getDimSize(3),
          value.getDimSize(3),
          getScaleOrDefault(op.getScale(), query.getDimSize(3)),
          keys.vectorUnit(),
          values.vectorUnit()};
}

GradientOperands::GradientOperands(GatherAttentionGradOp op,
                                   ToTileContext& context)
    : op(op),
      context(context),
      keyRows(getRowStorage(op.getKey(), context)),
      valueRows(getRowStorage(op.getValue(), context)),
      shape(makeShape(op, keyRows, valueRows)),
      batches(op.getQuery().getType().getDimSize(0)),
      queries(op.getQuery().getType().getDimSize(1)),
      keys(op.getKey().getType().getDimSize(1)),
      slots(op.getIndices().getType().getDimSize(2)),
      query(context.toBuffer(op.getQuery())),
      indices(context.toBuffer(op.getIndices())),
      counts(context.toBuffer(op.getCounts())),
      outputGrad(context.toBuffer(op.getOutputGrad())),
      lse(context.toBuffer(op.getLse())),
      rowSums(context.toBuffer(op.getRowSums())),
      queryGrad(context.makeBuffer(op.getQueryGrad().getType())) {
  if (op.getLengths()) lengths = context.toBuffer(op.getLengths());
  Type f32 = context.rewriter().getF32Type();
  keySums = context.makeBuffer(op.getKey().getType().getShape(), f32);
  valueSums = context.makeBuffer(op.getValue().getType().getShape(), f32);
}

static int64_t countElements(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getNumElements();
}

void GradientOperands::clear(Value sums) {
  Value out;
  tile::launchForEach(
      context, "clear_sums", countElements(sums),
      [&](KernelBuilder& kernel) { out = kernel.write(sums, "sums"); },
      [&](ScalarBuilder& s, Value element) {
        StoreOp::create(s.builder(), s.location(), out, element,
                        s.constant(s.builder().getF32Type(), 0.0));
      });
}

void GradientOperands::clearSums() {
  clear(keySums);
  clear(valueSums);
}

void GradientOperands::makeQuerySums(int64_t mostQueries) {
  querySums = context.makeBuffer({mostQueries, shape.heads, shape.depth},
                                 context.rewriter().getF32Type());
  clear(querySums);
}

void GradientOperands::roundQuerySums(const QueryChunk& chunk) {
  IRRewriter& b = context.rewriter();
  Location loc = op.getLoc();
  auto times = [&](Value count, int64_t size) -> Value {
    return arith::MulIOp::create(b, loc, count, context.index(size));
  };
  int64_t ofQuery = shape.heads * shape.depth;
  Value first =
      arith::AddIOp::create(b, loc, times(chunk.batch, queries * ofQuery),
                            times(chunk.begin, ofQuery));
  Value count = times(chunk.count, ofQuery);
  Value in, out, begin, end;
  tile::launchForEach(
      context, "round_query_sums", countElements(querySums),
      [&](KernelBuilder& kernel) {
        in = kernel.read(querySums, "sums");
        out = kernel.write(queryGrad, "query_grad");
        begin = kernel.scalar(first, "first_element");
        end = kernel.scalar(count, "elements");
      },
      [&](ScalarBuilder& s, Value element) {
        OpBuilder& b = s.builder();
        // The last chunk of a batch may be a short one.
        auto exists = scf::IfOp::create(
            b, s.location(),
            s.cmpi(arith::CmpIPredicate::slt, element, s.toI64(end)));
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(exists.thenBlock());
        Value sum =
            named(LoadOp::create(b, s.location(), b.getF32Type(), in, element),
                  "sum");
        StoreOp::create(b, s.location(), out, s.add(s.toI64(begin), element),
                        s.cast(sum, shape.element));
      });
}

Value GradientOperands::round(Value sums, RankedTensorType type, double scale) {
  Value result = context.makeBuffer(type);
  Value in, out;
  tile::launchForEach(
      context, "round_sums", countElements(sums),
      [&](KernelBuilder& kernel) {
        in = kernel.read(sums, "sums");
        out = kernel.write(result, "grad");
      },
      [&](ScalarBuilder& s, Value element) {
        OpBuilder& b = s.builder();
        Value sum =
            named(LoadOp::create(b, s.location(), b.getF32Type(), in, element),
                  "sum");
        if (scale != 1.0) sum = s.mul(sum, s.constant(b.getF32Type(), scale));
        StoreOp::create(b, s.location(), out, element,
                        s.cast(sum, type.getElementType()));
      });
  return result;
}

void GradientOperands::finish() {
  Value keyGrad = round(keySums, op.getKeyGrad().getType(), shape.scale);
  Value valueGrad = round(valueSums, op.getValueGrad().getType(), 1.0);
  context.replace(op, {queryGrad, keyGrad, valueGrad});
}

//===----------------------------------------------------------------------===//
// Kernel side
//===----------------------------------------------------------------------===//

GradientKernel::GradientKernel(GradientOperands& operands, Attribute schedule,
                               int64_t warps, StringRef name)
    : shape(operands.shape),
      kernel(operands.context, operands.op.getLoc(), name, warps) {
  kernel.setSchedule(schedule);
  query = kernel.read(operands.query, "query");
  keyRows = KernelRows(kernel, operands.keyRows, "key");
  valueRows = KernelRows(kernel, operands.valueRows, "value", &keyRows);
  indices = kernel.read(operands.indices, "indices");
  counts = kernel.read(operands.counts, "counts");
  outputGrad = kernel.read(operands.outputGrad, "output_grad");
  lse = kernel.read(operands.lse, "lse");
  rowSums = kernel.read(operands.rowSums, "row_sums");
  if (operands.lengths) lengths = kernel.read(operands.lengths, "lengths");
  queryGrad = kernel.write(operands.queryGrad, "query_grad");
  keySums = kernel.write(operands.keySums, "key_sums");
  valueSums = kernel.write(operands.valueSums, "value_sums");
  queries = kernel.size(operands.queries, "queries");
  keys = kernel.size(operands.keys, "keys");
}

/// Rows of an array of queries and heads, from a column on.
static Value viewColumns(KernelScalars& s, Value array,
                         const AttentionRows& rows, Value queries,
                         int64_t heads, int64_t width, int64_t column) {
  Value base = s.at(array, {rows.batch, rows.query, rows.head, s.index(column)},
                    {queries, s.index(heads), s.index(width)});
  return viewQueryRows(s, base, rows, heads, width);
}

Value GradientKernel::viewQueries(KernelScalars& s, const AttentionRows& rows,
                                  int64_t column) {
  return viewColumns(s, query, rows, queries, shape.heads, shape.depth, column);
}
Value GradientKernel::viewOutputGrads(KernelScalars& s,
                                      const AttentionRows& rows,
                                      int64_t column) {
  return viewColumns(s, outputGrad, rows, queries, shape.heads,
                     shape.valueDepth, column);
}
Value GradientKernel::viewQueryGrads(KernelScalars& s,
                                     const AttentionRows& rows,
                                     int64_t column) {
  return viewColumns(s, queryGrad, rows, queries, shape.heads, shape.depth,
                     column);
}
void GradientKernel::takeQuerySums(const GradientOperands& operands) {
  querySums = kernel.write(operands.querySums, "query_sums");
}
Value GradientKernel::viewQuerySums(KernelScalars& s, const AttentionRows& rows,
                                    Value begin) {
  Value base =
      s.at(querySums, {s.sub(rows.query, begin), rows.head, s.index(0)},
           {s.index(shape.heads), s.index(shape.depth)});
  auto type = RowsType::get(s.b.getContext(), s.b.getF32Type(),
                            RowKind::TwoLevel, RowAccess::Accumulate);
  return TwoLevelRowsOp::create(s.b, s.loc, type, base,
                                s.i64(shape.heads * shape.depth),
                                s.i64(shape.depth), rows.perQuery, rows.count);
}
Value GradientKernel::viewLse(KernelScalars& s, const AttentionRows& rows) {
  return viewRowNumbers(s, lse, rows, shape.heads, queries);
}
Value GradientKernel::viewRowSums(KernelScalars& s, const AttentionRows& rows) {
  return viewRowNumbers(s, rowSums, rows, shape.heads, queries);
}

Value GradientKernel::viewSums(KernelScalars& s, Value sums, int64_t depth,
                               Value batch, Value group, int64_t column,
                               Value list, Value end, Value limit) {
  Value base = s.at(sums, {batch, s.index(0), group, s.index(column)},
                    {keys, s.index(shape.groups), s.index(depth)});
  auto type = RowsType::get(s.b.getContext(), s.b.getF32Type(), RowKind::Listed,
                            RowAccess::Accumulate);
  return ListedRowsOp::create(s.b, s.loc, type, base,
                              s.i64(shape.groups * depth), list, end, limit);
}
Value GradientKernel::viewKeySums(KernelScalars& s, Value batch, Value group,
                                  int64_t column, Value list, Value end,
                                  Value limit) {
  return viewSums(s, keySums, shape.depth, batch, group, column, list, end,
                  limit);
}
Value GradientKernel::viewValueSums(KernelScalars& s, Value batch, Value group,
                                    int64_t column, Value list, Value end,
                                    Value limit) {
  return viewSums(s, valueSums, shape.valueDepth, batch, group, column, list,
                  end, limit);
}

Value GradientKernel::viewEitherSums(KernelScalars& s, Value isOfKeys,
                                     Value batch, Value group, Value list,
                                     Value end, Value limit) {
  Value sums = s.select(isOfKeys, keySums, valueSums);
  return viewSums(s, sums, shape.depth, batch, group, 0, list, end, limit);
}

//===----------------------------------------------------------------------===//
// The lowering
//===----------------------------------------------------------------------===//

LogicalResult tile::lowerGatherAttentionGrad(GatherAttentionGradOp op,
                                             ToTileContext& context) {
  if (isa_and_nonnull<UnionGradScheduleAttr>(op->getAttr(kScheduleAttr)))
    return lowerUnionGradient(op, context);
  return lowerGatherGradient(op, context);
}
