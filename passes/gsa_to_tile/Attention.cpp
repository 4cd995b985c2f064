//===- Attention.cpp - kernel and launch of an attention op ---------------===//

#include "passes/gsa_to_tile/Attention.h"

#include "passes/gsa_to_tile/Lowerings.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static Activation toActivation(GateActivation activation) {
  switch (activation) {
    case GateActivation::Sigmoid:
      return Activation::Sigmoid;
    case GateActivation::Tanh:
      return Activation::Tanh;
    case GateActivation::Silu:
      return Activation::Silu;
  }
  llvm_unreachable("unknown activation");
}

static AttentionShape makeShape(const AttentionForm& form,
                                const RowStorage& keys,
                                const RowStorage& values) {
  RankedTensorType query = tensorType(form.query);
  RankedTensorType value = tensorType(form.value);
  return {query.getElementType(), query.getDimSize(2), value.getDimSize(2),
          query.getDimSize(3),    value.getDimSize(3), form.scale(),
          keys.vectorUnit(),      values.vectorUnit()};
}

AttentionOperands::AttentionOperands(Operation* op, ToTileContext& context)
    : op(op), form(AttentionForm::of(op)), context(context) {
  auto buffer = [&](Value tensor) {
    return tensor ? context.toBuffer(tensor) : Value();
  };
  query = buffer(form.query);
  keyRows = getRowStorage(form.key, context);
  valueRows = getRowStorage(form.value, context);
  shape = makeShape(form, keyRows, valueRows);
  indices = buffer(form.indices);
  counts = buffer(form.counts);
  gate = buffer(form.gate);
  lengths = buffer(form.lengths);
  if (gate) {
    gatePerRow = tensorType(form.gate).getRank() == 3;
    gateActivation = toActivation(form.gateActivation);
  }
  output = context.makeBuffer(tensorType(op->getResult(0)));
  lse = context.makeBuffer(tensorType(op->getResult(1)));
}

/// The matrix [B * Sk, G * D] of a buffer of keys.
static Value flattenHeads(ToTileContext& context, Value buffer) {
  return memref::CollapseShapeOp::create(
      context.rewriter(), context.loc(), buffer,
      SmallVector<ReassociationIndices>{{0, 1}, {2, 3}});
}

AttentionKernel::AttentionKernel(AttentionOperands& operands,
                                 Attribute schedule, int64_t warps,
                                 StringRef name, const KeyMaps& maps)
    : shape(operands.shape),
      operands(operands),
      kernel(operands.context, operands.op->getLoc(), name, warps) {
  kernel.setSchedule(schedule);
  query = kernel.read(operands.query, "query");
  auto readRows = [&](const RowStorage& storage, TensorMapType map,
                      StringRef name, KernelRows& rows) {
    if (map)
      return kernel.map(flattenHeads(operands.context, storage.buffer), map,
                        name);
    rows = KernelRows(kernel, storage, name, &keyRows);
    return rows.array;
  };
  key = readRows(operands.keyRows, maps.key, "key", keyRows);
  value = readRows(operands.valueRows, maps.value, "value", valueRows);
  // Boxes are of all keys, in order: what makes them waits for no list.
  if (operands.indices && !maps.key) {
    indices = kernel.read(operands.indices, "indices");
    counts = kernel.read(operands.counts, "counts");
  }
  if (operands.gate) gate = kernel.read(operands.gate, "gate");
  if (operands.lengths) lengths = kernel.read(operands.lengths, "lengths");
  output = kernel.write(operands.output, "output");
  lse = kernel.write(operands.lse, "lse");
  queries = kernel.size(operands.queries(), "queries");
  keys = kernel.size(operands.keys(), "keys");
  const AttentionForm& form = operands.form;
  if (!form.isPartial()) return;
  rangeFirst = kernel.size(form.first, "range_first");
  rangeSize = kernel.size(
      form.clip(form.isDense() ? operands.keys() : operands.slots()),
      "range_size");
}

Value gsa::countKeys(KernelScalars& s, Value lengths, Value keys, Value batch) {
  if (!lengths) return keys;
  Value given =
      s.toIndex(LoadOp::create(s.b, s.loc, s.b.getI32Type(), lengths, batch));
  return named(s.min(s.max(given, s.index(0)), keys), "length");
}

Value AttentionKernel::countKeys(KernelScalars& s, Value batch) {
  return gsa::countKeys(s, lengths, keys, batch);
}

Value gsa::viewQueryRows(KernelScalars& s, Value base,
                         const AttentionRows& rows, int64_t heads,
                         int64_t width) {
  if (rows.perQuery == 0)
    return s.stridedRows(base, s.i64(rows.headStep * width), rows.count);
  return s.twoLevelRows(base, s.i64(heads * width), s.i64(width), rows.perQuery,
                        rows.count);
}

Value gsa::viewRowNumbers(KernelScalars& s, Value array,
                          const AttentionRows& rows, int64_t heads,
                          Value queries) {
  Value base = s.at(array, {rows.batch, rows.head, rows.query},
                    {s.index(heads), queries});
  return rows.perQuery == 0 ? s.stridedRows(base, rows.lsePitch, rows.count)
                            : s.twoLevelRows(base, s.i64(1), s.toI64(queries),
                                             rows.perQuery, rows.count);
}

Value AttentionKernel::makeQueries(KernelScalars& s,
                                   const AttentionRows& rows) {
  return viewQueryRows(
      s,
      s.at(query, {rows.batch, rows.query, rows.head, s.index(0)},
           {queries, s.index(shape.heads), s.index(shape.depth)}),
      rows, shape.heads, shape.depth);
}

AttentionTarget AttentionResults::viewRows(KernelScalars& s,
                                           const AttentionRows& rows) const {
  Value zero = s.index(0), heads = s.index(shape.heads);
  Value depth = s.index(shape.valueDepth);
  AttentionTarget target;
  target.count = rows.count;
  target.output =
      viewQueryRows(s,
                    s.at(output, {rows.batch, rows.query, rows.head, zero},
                         {queries, heads, depth}),
                    rows, shape.heads, shape.valueDepth);
  target.lse = viewRowNumbers(s, lse, rows, shape.heads, queries);
  if (!gate) return target;
  SmallVector<Value> indices = {rows.batch, rows.query, rows.head};
  SmallVector<Value> sizes = {queries, heads};
  if (!gatePerRow) {
    indices.push_back(zero);
    sizes.push_back(depth);
  }
  int64_t width = gatePerRow ? 1 : shape.valueDepth;
  target.gate = {
      viewQueryRows(s, s.at(gate, indices, sizes), rows, shape.heads, width),
      activation, gatePerRow, !gatePerRow && width % 2 == 0};
  return target;
}

void AttentionKernel::boundRegisters(AttentionScheduleAttr schedule) {
  kernel.kernel().setMinBlocks(schedule.getSmBlocks());
}

LogicalResult AttentionKernel::launch(ArrayRef<int64_t> grid) {
  for (int64_t size : grid.drop_front())
    if (size > kGridLimit)
      return operands.op->emitOpError()
             << "expected at most " << kGridLimit
             << " blocks along a dimension of the grid, got " << size;
  // Without queries there is nothing to write, and no grid of no blocks.
  if (!llvm::is_contained(grid, 0)) kernel.launch(grid);
  return success();
}

LogicalResult tile::lowerPartialAttention(PartialAttentionOp op,
                                          ToTileContext& context) {
  return op.getIndices() ? lowerAttentionOverLists(op, context)
                         : lowerAttentionOverKeys(op, context);
}
