//===- SelectLowering.h - what schedules of gsa.select share ---*- C++ -*-===//
//
// gsa.select has three schedules. Two go through the queries in chunks, the
// third has few queries (SplitSelect.cpp). All have a kernel whose block
// selects a row of scores: of all rows, or of those whose candidates do not
// suffice.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_SELECTLOWERING_H
#define GSA_PASSES_GSATOTILE_SELECTLOWERING_H

#include "passes/gsa_to_tile/IndexScores.h"
#include "passes/gsa_to_tile/RowEmitter.h"

namespace mlir::gsa {

/// How lists of candidates are made, and their buffers, for the rows of a
/// chunk.
struct RowLists {
  /// As a schedule with lists says.
  template <typename Schedule>
  explicit RowLists(Schedule schedule)
      : sample(schedule.getSample()),
        rank(schedule.getRank()),
        capacity(schedule.getCapacity()),
        threadCandidates(schedule.getThreadCandidates()),
        bins(schedule.getCandidateBins()),
        boundWarps(schedule.getBoundWarps()) {}

  int64_t sample, rank, capacity;
  /// What a thread holds of them at most, and bins of their histogram.
  int64_t threadCandidates, bins;
  int64_t boundWarps;  ///< Of the kernel of bounds, on an SM.
  Value bounds, counts, pairs;
};

class SelectLowering {
 public:
  /// `scores` is null if a derived class has kernels of its own for them.
  SelectLowering(SelectOp op, ScoreScheduleAttr scores, TopKScheduleAttr topk,
                 ToTileContext& context, int64_t flaggedSpans = 1)
      : op(op),
        policy(op.getPolicy()),
        scoreSchedule(scores),
        rowSchedule(topk),
        context(context),
        source(makeIndexerSource(op, context)),
        chunkSize(clampChunk(topk.getChunk())),
        flaggedSpans(flaggedSpans) {}
  SelectLowering(SelectOp op, SelectScheduleAttr schedule,
                 ToTileContext& context)
      : SelectLowering(op, schedule.getScores(), schedule.getTopk(), context,
                       schedule.getFlaggedSpans()) {}

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
    /// Host index: 1, or 0 for all rows; null: 1. Where a schedule selects all
    /// rows of one part and flagged ones of another, both have one kernel, or
    /// two would have to be compiled.
    Value only = {};
  };

  int64_t clampChunk(int64_t chunk) {
    return std::max<int64_t>(std::min(chunk, source.queries()), 1);
  }
  void makeResults();
  /// The slab of scores of a chunk of rows, made for each chunk.
  void makeSlab();
  void remarkScores();
  /// `body` for all queries, `size` at a time.
  void forChunks(int64_t size, llvm::function_ref<void(const Chunk&)> body);
  /// Keys that some query of the chunk sees are before it, a host index.
  Value endOfKeys(const Chunk& chunk);
  /// The queries of a chunk, and the keys that some of them see.
  ScoreRows rowsOf(const Chunk& chunk);
  void launchScores(const Chunk& chunk);
  /// Scores of the rows of a chunk with a flag into the slab; flags are of
  /// `rows` rows.
  void launchFlaggedScores(const Chunk& chunk, const Flags& flags,
                           int64_t rows);
  /// The same, or of all rows, by one kernel: `flags` says which.
  void launchScoresOf(const Chunk& chunk, const Flags& flags, bool all);
  ScoreRows flaggedRows(const Chunk& chunk, const Flags& flags, int64_t rows);
  void launchStatistic(const Chunk& chunk, const Flags* only = nullptr);
  void launchSelection(const Chunk& chunk, const Flags* only = nullptr);
  /// `body` in all blocks, or in those whose row has a flag.
  void forRows(KernelBuilder& kernel, const Row& row, const Flags* only,
               Value flags, Value first, llvm::function_ref<void()> body);
  /// The row of block x of the grid; without scores. A chunk without a batch is
  /// that of all rows.
  Row emitPosition(KernelBuilder& kernel, const Chunk& chunk);
  /// The same with its scores in the slab.
  Row emitRow(KernelBuilder& kernel, const Chunk& chunk, const Flags* only);
  void emitSelection(KernelBuilder& kernel, const Row& row, Value statistics,
                     Value divisor, ValueRange outputs, Value slots);
  SelectionTarget makeTarget(KernelBuilder& kernel, const Row& row,
                             Value indices, Value slots);
  Value at(KernelBuilder& kernel, Value base, ValueRange indices,
           ValueRange sizes);

  // Lists of candidates (RowLists.cpp).
  void makeLists(RowLists& lists, int64_t rows);
  /// A block for each row: its bound, from the slab, and an empty list.
  void launchBounds(const Chunk& chunk, const RowLists& lists, StringRef name);
  /// An i1: whether a list of `count` (i32) candidates has all that `row` may
  /// select.
  Value isComplete(KernelBuilder& kernel, const Row& row, const RowLists& lists,
                   Value slots, Value count);
  /// Of the kernel of bounds. A sample has few cells at or above its rank: bins
  /// as of candidates, and little memory, so that an SM has many blocks.
  TopKScheduleAttr boundSchedule(const RowLists& lists) const;
  /// Warps that hold the candidates of a row in registers, a few in each
  /// thread.
  TopKScheduleAttr candidateSchedule(const RowLists& lists) const;
  CandidateList openList(KernelBuilder& kernel, const Row& row,
                         const RowLists& lists, Value pairs, Value count);
  /// Keys that a row with `statistic` takes, an i32; `divisor` is the
  /// normaliser's address or null.
  Value emitBudget(KernelBuilder& kernel, RowEmitter& e, const Row& row,
                   Value statistic, Value divisor);
  /// Writes what a row took, and that none of its scores is a NaN; outputs are
  /// counts and status. The first warp does, and `further`.
  void storeTaken(KernelBuilder& kernel, RowEmitter& e, const Row& row,
                  Value taken, ValueRange outputs,
                  llvm::function_ref<void()> further);
  /// Selects from a complete list, and stores so.
  void emitFromList(KernelBuilder& kernel, RowEmitter& e, const Row& row,
                    const CandidateList& list, Value budget,
                    const SelectionTarget& target, ValueRange outputs,
                    llvm::function_ref<void()> further = nullptr);
  LogicalResult emitMean();
  void remarkWorkspace(StringRef what, int64_t rows, int64_t bytes);

  SelectOp op;
  KPolicyAttr policy;
  ScoreScheduleAttr scoreSchedule;
  TopKScheduleAttr rowSchedule;
  ToTileContext& context;
  IndexerSource source;
  int64_t chunkSize;
  /// Spans of scores in memory for one of those of flagged rows: most blocks
  /// have nothing to do but to find that out, so few of them.
  int64_t flaggedSpans;
  /// Buffers: [chunk, Sk] or as large; [B, Sq] or null; rank 0 or null.
  Value slab, variances, normaliser;
  SmallVector<Value> results;
};

/// Lower `op` as its #gsa.one_pass_schedule, #gsa.split_select_schedule or
/// #gsa.short_rows_schedule says.
LogicalResult lowerShortRows(SelectOp op, ToTileContext& context);
LogicalResult lowerOnePassSelect(SelectOp op, ToTileContext& context);
LogicalResult lowerSplitSelect(SelectOp op, ToTileContext& context);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_SELECTLOWERING_H
