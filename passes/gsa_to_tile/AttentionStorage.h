//===- AttentionStorage.h - storage of attention kernels -------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_ATTENTIONSTORAGE_H
#define GSA_PASSES_GSATOTILE_ATTENTIONSTORAGE_H

#include <optional>

#include "dialect/Gsa/GsaOps.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "passes/gsa_to_tile/KernelScalars.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa {

/// What is static about an attention kernel.
struct AttentionShape {
  Type element;           ///< T: f16, bf16 or f32.
  int64_t heads, groups;  ///< H and G.
  int64_t depth;          ///< D.
  int64_t valueDepth;     ///< Dv.
  double scale;           ///< Logits are scale * <q, k>.
  /// What rows of keys and of values begin at multiples of, in elements.
  int64_t keyUnit, valueUnit;
  int64_t ratio() const { return heads / groups; }
};

/// The output gate in the epilogue.
struct GateSource {
  Value rows;
  gsa_tile::Activation activation;
  bool perRow;  ///< One logit for a whole row.
  bool pairs;   ///< Rows are whole pairs of logits, on multiples of theirs.
};

/// Where the rows of the block go: views.
struct AttentionTarget {
  Value output, lse;
  Value count;  ///< Rows of the block.
  std::optional<GateSource> gate;
};

/// By which 16 rows of a warp go to memory: its fragment, through its rows of a
/// tile of f32, gated by those of a tile of logits, or null.
struct OutputRows {
  Value staged, logits, output, warpRow;
  int64_t held = kTileUnit;  ///< Rows that exist: 8 of them at most, or 16.
};

/// Makes the tiles, rings and registers of a kernel's body, by their names.
class AttentionStorage {
 public:
  AttentionStorage(OpBuilder& builder, Location loc,
                   const AttentionShape& shape)
      : s(builder, loc), shape(shape) {}

  KernelScalars s;

 protected:
  Value smem(StringRef name, gsa_tile::SmemType type) {
    return gsa_tile::named(
        gsa_tile::SmemAllocOp::create(s.b, s.loc, type, IntegerAttr()), name);
  }
  Value smem(StringRef name, ArrayRef<int64_t> sizes, Type element,
             gsa_tile::SmemLayout layout) {
    return smem(name, gsa_tile::SmemType::get(s.b.getContext(), sizes, element,
                                              layout));
  }
  Value ring(StringRef name, int64_t stages, gsa_tile::CopyEngine engine,
             ArrayRef<Type> tiles) {
    auto type =
        gsa_tile::TileRingType::get(s.b.getContext(), stages, engine, tiles);
    return gsa_tile::named(gsa_tile::TileRingOp::create(s.b, s.loc, type),
                           name);
  }
  /// 16 rows of a warp.
  Value fragment(StringRef name, int64_t columns, Type element,
                 gsa_tile::FragLayout layout) {
    auto type = gsa_tile::FragType::get(s.b.getContext(), {kTileUnit, columns},
                                        element, layout);
    return gsa_tile::named(gsa_tile::FragAllocOp::create(s.b, s.loc, type),
                           name);
  }
  Value rowVector(StringRef name) {
    auto type = gsa_tile::RowVecType::get(s.b.getContext(), {kTileUnit},
                                          s.b.getF32Type());
    return gsa_tile::named(gsa_tile::RowVecAllocOp::create(s.b, s.loc, type),
                           name);
  }

  /// Starts the copy of the logits of a gate, by a team, to a tile of `rows`
  /// rows; null if there is no gate with a logit for each column.
  Value copyLogits(const AttentionTarget& target, int64_t rows, int64_t columns,
                   gsa_tile::SmemLayout layout, gsa_tile::TeamAttr team);
  /// Gates rows of a warp, if there is a gate, where they are: in registers.
  void gateRegisters(Value output, Value warpRow,
                     const AttentionTarget& target);
  /// Gates, rounds and stores rows of a warp in loops over vectors, which
  /// registers have no index for: a sixth of the instructions that it takes
  /// from registers, and what is stored lies side by side. Rows that a block
  /// does not have, as where 4 heads share keys, are passed over.
  void storeThroughTile(const OutputRows& rows, const AttentionTarget& target);

  const AttentionShape shape;
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_ATTENTIONSTORAGE_H
