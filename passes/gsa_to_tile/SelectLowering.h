//===- SelectLowering.h - what schedules of gsa.select share ---*- C++ -*-===//
//
// gsa.select has two schedules. Both go through the queries in chunks and have
// a kernel whose block selects a row of scores: of all rows, or of those that
// have a flag, since their candidates do not suffice (OnePassSelect.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_SELECTLOWERING_H
#define GSA_PASSES_GSATOTILE_SELECTLOWERING_H

#include "passes/gsa_to_tile/IndexScores.h"
#include "passes/gsa_to_tile/RowEmitter.h"

namespace mlir::gsa {

class SelectLowering {
 public:
  SelectLowering(SelectOp op, SelectScheduleAttr schedule,
                 ToTileContext& context)
      : op(op),
        policy(op.getPolicy()),
        schedule(schedule),
        context(context),
        source(makeIndexerSource(op, context)),
        chunkSize(clampChunk(schedule.getTopk().getChunk())) {}

  /// Scores of a chunk of queries in memory, then a kernel that selects rows.
  LogicalResult emit();

 protected:
  using Chunk = QueryChunk;
  /// The kernel's view of the row that its block handles.
  struct Row {
    Value batch, query, queries, keys;
    Value inChunk;
    Value scores, limit;
  };
  /// Only rows with a flag, flag `first` + i being that of row i.
  struct Flags {
    Value flags;  ///< Buffer of i32.
    Value first;  ///< Host index.
    Value pitch;  ///< Of a row of scores in the slab, a host index.
  };

  int64_t clampChunk(int64_t chunk) {
    return std::max<int64_t>(std::min(chunk, source.queries()), 1);
  }
  void makeResults();
  /// `body` for all queries, `size` at a time.
  void forChunks(int64_t size, llvm::function_ref<void(const Chunk&)> body);
  /// Keys that some query of the chunk sees are before it, a host index.
  Value endOfKeys(const Chunk& chunk);
  void launchScores(const Chunk& chunk);
  void launchStatistic(const Chunk& chunk, const Flags* only = nullptr);
  void launchSelection(const Chunk& chunk, const Flags* only = nullptr);
  /// `body` in all blocks, or in those whose row has a flag.
  void forRows(KernelBuilder& kernel, const Row& row, const Flags* only,
               Value flags, Value first, llvm::function_ref<void()> body);
  /// The row of block x of the grid; without scores.
  Row emitPosition(KernelBuilder& kernel, const Chunk& chunk);
  /// The same with its scores in the slab.
  Row emitRow(KernelBuilder& kernel, const Chunk& chunk, const Flags* only);
  void emitSelection(KernelBuilder& kernel, const Row& row, Value statistics,
                     Value divisor, ValueRange outputs, Value slots);
  SelectionTarget makeTarget(KernelBuilder& kernel, const Row& row,
                             Value indices, Value slots);
  Value at(KernelBuilder& kernel, Value base, ValueRange indices,
           ValueRange sizes);
  LogicalResult emitMean();
  void remarkWorkspace(StringRef what, int64_t rows, int64_t bytes);

  SelectOp op;
  KPolicyAttr policy;
  SelectScheduleAttr schedule;
  ToTileContext& context;
  IndexerSource source;
  int64_t chunkSize;
  /// Buffers: [chunk, Sk] or as large; [B, Sq] or null; rank 0 or null.
  Value slab, variances, normaliser;
  SmallVector<Value> results;
};

/// Lowers `op` as its #gsa.short_rows_schedule says.
LogicalResult lowerShortRows(SelectOp op, ToTileContext& context);
/// Lowers `op` as its #gsa.one_pass_schedule says.
LogicalResult lowerOnePassSelect(SelectOp op, ToTileContext& context);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_SELECTLOWERING_H
