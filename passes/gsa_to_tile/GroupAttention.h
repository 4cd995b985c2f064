//===- GroupAttention.h - attention by products of warpgroups --*- C++ -*-===//
//
// What union attention and dense attention on sm_90a share: 64 rows to a
// warpgroup, queries in shared memory, keys and values in rings of their own,
// and a softmax beside the products of the tile before.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_GROUPATTENTION_H
#define GSA_PASSES_GSATOTILE_GROUPATTENTION_H

#include "passes/gsa_to_tile/Attention.h"

namespace mlir::gsa {

/// Entries of what a kernel leaves to another one: 16 rows of a warp each.
class AgainList {
 public:
  AgainList() = default;
  /// Host buffers for at most `most` entries.
  AgainList(ToTileContext& context, int64_t most);
  Value list;   ///< i32 entries, in no order.
  Value count;  ///< i32 [1]
};

/// The same as arguments of a kernel.
struct AgainArguments {
  /// `writes`: of the kernel that enters, else of the one that does it again.
  AgainArguments(KernelBuilder& kernel, const AgainList& list, bool writes);
  Value list, count;
};

/// In the kernel that does it again: `body` for each entry, an index, by the
/// blocks of the grid in turn. Storage that it makes is made once.
void emitAgainLoop(OpBuilder& kernelBody, Location loc,
                   gsa_tile::TeamAttr block, const AgainArguments& again,
                   llvm::function_ref<void(KernelScalars&, Value entry)> body);
/// Tiles and rings of what a loop repeats are made once, before `place`.
void hoistStorage(Operation* loop, Operation* place);
/// Blocks of that kernel, `perSm` for each SM, for at most `most` entries: few
/// have anything to do.
int64_t countAgainBlocks(const CudaTarget& target, int64_t perSm, int64_t most);

/// The body of a kernel, made by the schedules of either kind.
class GroupAttention : public AttentionStorage {
 public:
  GroupAttention(AttentionKernel& kernel, const KernelTeams& teams,
                 int64_t blockK, Location loc)
      : AttentionStorage(kernel.bodyBuilder(), loc, kernel.shape),
        kernel(kernel),
        teams(teams),
        blockK(blockK) {}

 protected:
  /// Rows of a warpgroup, and its warps.
  static constexpr int64_t kGroupRows = 64, kGroupWarps = 4;

  /// How keys come, and what a kind adds to the loop.
  struct Loop {
    /// Whether copies of threads fill the tiles, not the bulk copy engine.
    bool byThreads;
    /// The first barrier of turns that the groups take; 0 if they take none.
    int64_t turnBarrier = 0;
    /// Hides scores of the tile `number`.
    llvm::function_ref<void(Value number)> mask;
  };
  /// The same where a group passes over tiles that are not its own.
  struct OwnLoop {
    /// Whether the tile is the warp's, the same in all warps of its group.
    llvm::function_ref<Value(Value number)> isOwn;
    /// The third ring, which is read to hide scores.
    llvm::function_ref<void(Value tile)> mask;
  };

  Type f32() { return s.b.getF32Type(); }
  /// Columns of a tile: whole panels of what wgmma reads.
  static int64_t pad(int64_t columns);
  gsa_tile::SmemType tileOf(int64_t rows, int64_t columns);
  /// Starts the copy of the query rows to a tile of `groups` groups.
  void emitQueries(const AttentionRows& rows, int64_t groups);
  /// Waits for the queries, and makes the registers of a warp. Rings come
  /// before.
  void emitRegisters(int64_t groups);
  /// Position of the first key of a tile.
  Value firstOf(Value number) {
    return gsa_tile::named(s.mul(number, blockK), "first_key");
  }
  /// What is one tile behind, in a region of the stream.
  void inLagged(llvm::function_ref<void(Value before)> body);
  /// The compute region of a stream whose first rings are those of keys and of
  /// values.
  void emitCompute(gsa_tile::StreamOp stream, const Loop& loop);
  /// The same, nothing of which is lagged: groups are not at the same tile, so
  /// that one multiplies while the other one weighs. Threads copied the tiles.
  void emitComputeOwn(gsa_tile::StreamOp stream, const OwnLoop& loop);
  /// Ends the softmax. An i1: whether a result of the warp's rows is out of
  /// range, so that they are to be done again.
  Value emitFinish();
  /// Gates and stores the rows.
  void emitStore(const AttentionRows& rows);

  AttentionKernel& kernel;
  const KernelTeams teams;
  const int64_t blockK;
  Value rank, warpRow, groupRow, queries;
  Value scores, weights, output, maximum, sum, factor, scale, lse;

 private:
  void emitTurn(const Loop& loop, bool waits);
  void emitScale();
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_GROUPATTENTION_H
