//===- AttentionStorage.cpp - how rows of attention leave a kernel --------===//

#include "passes/gsa_to_tile/AttentionStorage.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

Value AttentionStorage::copyLogits(const AttentionTarget& target, int64_t rows,
                                   int64_t columns, SmemLayout layout,
                                   TeamAttr team) {
  if (!target.gate || target.gate->perRow) return {};
  Type element = cast<RowsType>(target.gate->rows.getType()).getElementType();
  Value logits = smem("logits", {rows, columns}, element, layout);
  CopyRowsOp::create(s.b, s.loc, logits, target.gate->rows, s.index(0),
                     s.index(shape.valueDepth),
                     getVectorBytes(element, shape.valueDepth), team);
  return logits;
}

void AttentionStorage::gateRegisters(Value output, Value warpRow,
                                     const AttentionTarget& target) {
  if (!target.gate) return;
  GateRowsOp::create(s.b, s.loc, output, target.gate->rows, warpRow,
                     s.index(shape.valueDepth), target.gate->activation,
                     target.gate->perRow, target.gate->pairs);
}

void AttentionStorage::storeThroughTile(const OutputRows& rows,
                                        const AttentionTarget& target) {
  if (!rows.logits) gateRegisters(rows.output, rows.warpRow, target);
  PutFragOp::create(s.b, s.loc, rows.staged, rows.warpRow, rows.output,
                    rows.held);
  Value count = s.sub(target.count, rows.warpRow);
  if (rows.logits)
    GateTileOp::create(s.b, s.loc, rows.staged, rows.logits, rows.warpRow,
                       count, target.gate->activation);
  Type element = cast<RowsType>(target.output.getType()).getElementType();
  StoreTileOp::create(s.b, s.loc, target.output, rows.warpRow, rows.staged,
                      rows.warpRow, count, s.index(shape.valueDepth),
                      getVectorBytes(element, shape.valueDepth));
}
