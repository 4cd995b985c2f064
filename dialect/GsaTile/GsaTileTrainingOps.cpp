//===- GsaTileTrainingOps.cpp - constraints of what trains the indexer ----===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

static bool isSum(FragType frag) {
  return frag.getElementType().isF32() && frag.getLayout() == FragLayout::Acc;
}

LogicalResult LogSumColumnsOp::verify() {
  FragType products = getProducts().getType();
  if (!isSum(products) || products.getRows() != 16 ||
      products.getColumns() % 32 != 0)  // log_sum_columns_c1
    return emitOpError() << "products: expected 16 rows and a multiple of 32 "
                            "columns of f32 of layout acc, got "
                         << products;
  LanesType sums = getSums().getType();
  int64_t numbers = products.getColumns() / 32;
  if (!sums.getElementType().isF32() ||
      sums.getShape()[0] != numbers)  // log_sum_columns_c2
    return emitOpError() << "sums: expected " << numbers
                         << " numbers of f32 a lane for "
                         << products.getColumns() << " columns, got " << sums;
  auto heads = static_cast<int64_t>(getHeads());
  if (heads < 1 || heads > 16)  // log_sum_columns_c3
    return emitOpError() << "expected from 1 to 16 heads, got " << heads;
  SmemType lse = getLse().getType();
  if (lse.getElementType().isF32() && !lse.isStaged() &&
      lse.getColumns() >= heads)
    return success();
  return emitOpError() << "lse: expected " << heads
                       << " or more columns of f32, got " << lse;
}

LogicalResult SlopeOp::verify() {
  Activation activation = getActivation();
  if (activation != Activation::Sigmoid && activation != Activation::Relu &&
      activation != Activation::Identity)  // slope_c1
    return emitOpError()
           << "expected activation sigmoid, relu or identity, got "
           << stringifyActivation(activation);
  if (isSum(getSource().getType())) return success();  // slope_c2
  return emitOpError() << "expected fragments of f32 of layout acc, got "
                       << getSource().getType();
}

LogicalResult WeighColumnsOp::verify() {
  if (isSum(getFrag().getType()) &&
      getCells().getType().getElementType().isF32())
    return success();  // weigh_columns_c1
  return emitOpError()
         << "expected a fragment of f32 of layout acc and cells of f32, got "
         << getFrag().getType() << " and " << getCells().getType();
}
