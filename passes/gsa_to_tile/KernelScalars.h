//===- KernelScalars.h - scalars of kernels --------------------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_KERNELSCALARS_H
#define GSA_PASSES_GSATOTILE_KERNELSCALARS_H

#include "dialect/Gsa/GsaBuilders.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/GsaTile/PipelineAttrs.h"

namespace mlir::gsa {

/// Builds scalars, addresses and loops of a kernel at one location. Indices
/// are small and not negative unless said otherwise.
class KernelScalars : public detail::ScalarBuilder {
 public:
  KernelScalars(OpBuilder& builder, Location loc)
      : ScalarBuilder(builder, loc, /*folds=*/true) {}

  using ScalarBuilder::div;
  using ScalarBuilder::mul;

  Value f32(double value) { return constant(b.getF32Type(), value); }
  Value mul(Value lhs, int64_t rhs) { return mul(lhs, index(rhs)); }
  /// Rounds down.
  Value div(Value lhs, int64_t rhs) { return divIndex(lhs, index(rhs)); }
  /// Rounds up.
  Value ceilDiv(Value lhs, int64_t rhs) {
    return div(add(lhs, index(rhs - 1)), rhs);
  }
  Value rem(Value lhs, int64_t rhs) { return remIndex(lhs, index(rhs)); }

  /// A loop that stays one: nothing unrolls it.
  void rolledLoop(Value lower, Value upper, int64_t step,
                  llvm::function_ref<void(Value)> body) {
    forLoop(lower, upper, step, body)
        ->setAttr(gsa_tile::kRolledAttr, b.getUnitAttr());
  }

  /// Position of the block along dimension `i` of the grid.
  Value blockId(int64_t i) {
    return gsa_tile::BlockIdOp::create(b, loc, b.getIndexType(), i);
  }

  /// `count` rows of an array, `pitch` (i64) elements apart. Those of a pointer
  /// that may be written are written.
  Value stridedRows(Value base, Value pitch, Value count) {
    auto array = cast<gsa_tile::GlobalType>(base.getType());
    auto access = array.getAccess() == gsa_tile::Access::Read
                      ? gsa_tile::RowAccess::Read
                      : gsa_tile::RowAccess::Write;
    return gsa_tile::StridedRowsOp::create(
        b, loc,
        gsa_tile::RowsType::get(b.getContext(), array.getElementType(),
                                gsa_tile::RowKind::Strided, access),
        base, pitch, count);
  }

  /// `count` rows that are pairs, as of queries and their heads: row p is
  /// `p / per * outer + p % per * inner` elements from `base`; pitches are i64.
  Value twoLevelRows(Value base, Value outer, Value inner, int64_t per,
                     Value count) {
    auto array = cast<gsa_tile::GlobalType>(base.getType());
    auto access = array.getAccess() == gsa_tile::Access::Read
                      ? gsa_tile::RowAccess::Read
                      : gsa_tile::RowAccess::Write;
    return gsa_tile::TwoLevelRowsOp::create(
        b, loc,
        gsa_tile::RowsType::get(b.getContext(), array.getElementType(),
                                gsa_tile::RowKind::TwoLevel, access),
        base, outer, inner, per, count);
  }

  /// Rows of two kinds, `apart` elements from each other, 8 of each in turn;
  /// there are `count` of each, `pitch` elements apart.
  Value interleavedRows(Value base, Value pitch, Value apart, Value count) {
    auto array = cast<gsa_tile::GlobalType>(base.getType());
    auto access = array.getAccess() == gsa_tile::Access::Read
                      ? gsa_tile::RowAccess::Read
                      : gsa_tile::RowAccess::Write;
    return gsa_tile::InterleavedRowsOp::create(
        b, loc,
        gsa_tile::RowsType::get(b.getContext(), array.getElementType(),
                                gsa_tile::RowKind::Interleaved, access),
        base, pitch, apart, count);
  }

  /// Address of an element; `sizes` are those of all dimensions but the first.
  Value at(Value base, ValueRange indices, ValueRange sizes) {
    return gsa_tile::AtOp::create(b, loc, base.getType(), base, indices, sizes);
  }
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_KERNELSCALARS_H
