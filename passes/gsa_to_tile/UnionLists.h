//===- UnionLists.h - unions of neighbouring queries' lists ----*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_UNIONLISTS_H
#define GSA_PASSES_GSATOTILE_UNIONLISTS_H

#include "passes/gsa_to_tile/GroupAttention.h"

namespace mlir::gsa {

/// Whose lists are united: host buffers, and sizes.
struct UnionSource {
  ToTileContext& context;
  Value indices, counts;
  int64_t queries, keys, slots;
  int64_t groups, ratio;  ///< Of heads.

  explicit UnionSource(const AttentionOperands& operands)
      : UnionSource{operands.context,      operands.indices,
                    operands.counts,       operands.queries(),
                    operands.keys(),       operands.slots(),
                    operands.shape.groups, operands.shape.ratio()} {}
  UnionSource(ToTileContext& context, Value indices, Value counts,
              int64_t queries, int64_t keys, int64_t slots, int64_t groups,
              int64_t ratio)
      : context(context),
        indices(indices),
        counts(counts),
        queries(queries),
        keys(keys),
        slots(slots),
        groups(groups),
        ratio(ratio) {}
};

/// What unions are told by the schedule of whoever reads them.
struct UnionForm {
  Attribute schedule;
  int64_t queries, groups, blockK, table, chunk, consumers;
  int64_t listWarps, listEntries, listWords, listSmBlocks, keyChunks;
  bool isSplit;

  template <typename Schedule>
  explicit UnionForm(Schedule from)
      : schedule(from),
        queries(from.getQueries()),
        groups(from.getGroups()),
        blockK(from.getBlockK()),
        table(from.getTable()),
        chunk(from.getChunk()),
        consumers(from.getConsumers()),
        listWarps(from.getListWarps()),
        listEntries(from.getListEntries()),
        listWords(from.getListWords()),
        listSmBlocks(from.getListSmBlocks()),
        keyChunks(from.getKeyChunks()),
        isSplit(from.isSplit()) {}
};

/// Unions of the lists of a chunk's queries, one for `queries` of them each: a
/// tile. Buffers, made for each chunk.
class UnionLists {
 public:
  UnionLists(const UnionSource& source, const UnionForm& form);

  /// The buffers of a chunk.
  void makeBuffers();

  /// Tiles of a whole chunk, and keys that a union has room for: a multiple of
  /// block_k, as many as all lists of a tile can have.
  int64_t tiles, capacity;
  /// Of a split union, how much of it is for keys that one half of the queries
  /// wants alone: those of the first half from the start on, those of the other
  /// one back from here. Behind it are those that both want.
  int64_t apart = 0;
  /// Strings of bits of a block of keys, and their words.
  int64_t strings, words;
  /// Pieces of `table` keys that the keys are, by which a union is made.
  int64_t numPieces;

  Value keys;     ///< i32 [tiles, capacity]; -1 behind the union.
  Value members;  ///< i32 [tiles, capacity]: the words of the keys.
  Value bits;     ///< i32 [tiles, capacity / block_k * words]
  /// i32 [tiles, capacity / block_k + 1], of a split union: the blocks in the
  /// order in which they are done, as block number * 4 + who wants it, bit 0
  /// for the first half of the queries and bit 1 for the other one. Behind them
  /// is a 0.
  Value order;
  /// i32 [tiles, numPieces]: keys of the union in pieces up to this one; null
  /// unless the union is read by ranges of keys.
  Value pieces;
  /// i32 [tiles]: keys of the union, of a split one its blocks; -1 if a list
  /// does not ascend strictly within the keys.
  Value counts;
  /// What is to be done again, see UnionAttention.cpp; none at first.
  AgainList again;

  /// Bytes of all buffers of a chunk.
  int64_t bytes() const;

  /// Says what the buffers are for and take, as a remark at `op`.
  void remarkWorkspace(Operation* op) const;
  /// Blocks of the kernel that does entries of `again`, `perSm` for each SM.
  int64_t againBlocks(int64_t perSm) const {
    return countAgainBlocks(source.context.target(), perSm, mostAgain());
  }

  /// Launches the kernel that makes the unions of a chunk, of `numTiles` (host
  /// index) tiles.
  void launch(const QueryChunk& chunk, Value numTiles);

 private:
  /// Entries of `again` at most.
  int64_t mostAgain() const {
    return tiles * source.groups * form.consumers * form.keyChunks;
  }

  UnionSource source;
  UnionForm form;
};

/// The unions of a chunk as arguments of the kernel that reads them; what a
/// union cannot do it enters in `again`.
struct UnionArguments {
  UnionArguments(KernelBuilder& kernel, const UnionLists& lists,
                 const QueryChunk& chunk);

  /// The rows of a block: all heads of `group` of the queries of `tile`, of
  /// which there are `ofTile`, fewer behind the last of `queries`.
  AttentionRows rowsOf(KernelScalars& s, const AttentionShape& shape,
                       Value queries, int64_t ofTile, Value tile,
                       Value group) const;
  /// The first key of the union of `tile`, and its first string of bits.
  Value keysOf(KernelScalars& s, Value tile) const;
  /// Keys of the union in the first `pieces` pieces, an index.
  Value countBefore(KernelScalars& s, Value tile, Value pieces) const;
  Value bitsOf(KernelScalars& s, Value tile, Value blocks) const;
  /// Keys of the union, i32, as `counts` says.
  Value countOf(KernelScalars& s, Value tile) const;

  Value keys, bits, counts;
  Value order;              ///< Null unless the union is split.
  Value pieces, numPieces;  ///< Null unless ranges of keys are read.
  AgainArguments again;
  Value batch, begin;
  Value capacity;  ///< Keys that a union has room for; lengths share a text.
  int64_t words;   ///< Of the strings of a block of keys.
};

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_UNIONLISTS_H
