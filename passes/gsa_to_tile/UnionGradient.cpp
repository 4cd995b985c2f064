//===- UnionGradient.cpp - gather_attention_grad over shared keys ---------===//
//
// As UnionAttention.cpp: a block handles a tile of neighbouring queries, all
// heads of a group, over the union of their lists, and strings of bits say
// which row sees which key. For each tile of 64 keys:
//
//   scores, weight grads = queries, output grads x keys, values
//   weights, score grads   in registers; rounded to a tile each, and the latter
//                          as left operand of what is added to query grads
//   grads of 64 values   = weights, transposed, x output grads
//   grads of 64 keys     = score grads, transposed, x queries
//
// The last two go through shared memory to sums in f32, a row at a time by the
// bulk engine, which takes until those of the next tile are made. With two
// warpgroups one makes those of values, the other one those of keys, each over
// all rows of the block: the tiles of either are two parts of one buffer.
//
// A key of one query meets all rows, with a weight of 0 where it is none of
// theirs: right as long as rows are finite. Tiles whose rows are not, or whose
// lists cannot be united, are entered in a list and done again by query; so are
// the gradients of queries that are not finite in the end, since a key may have
// been infinite. Entry 2 * (tile * groups + group) + 1 is of the latter kind,
// of which keys and values already have what is theirs.
//
// Where keys come in ranges, a launch does one range of all unions: tiles of 64
// keys that begin in it. What it adds to the gradients of queries goes to sums
// in f32, as that of keys does, which are rounded behind the last range.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/AttentionGradient.h"
#include "passes/gsa_to_tile/UnionLists.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

static KernelTeams teamsOf(UnionGradScheduleAttr schedule) {
  return KernelTeams(schedule, schedule.getGroups());
}

namespace {

/// Pieces of the keys that a launch does, arguments of the kernel; null where
/// it does all keys.
struct PieceRange {
  Value begin, end;
  explicit operator bool() const { return begin != nullptr; }
};

class UnionGradient : public AttentionStorage {
 public:
  UnionGradient(GradientKernel& kernel, UnionGradScheduleAttr schedule,
                const UnionArguments& unions, const PieceRange& range,
                Location loc)
      : AttentionStorage(kernel.bodyBuilder(), loc, kernel.shape),
        kernel(kernel),
        schedule(schedule),
        unions(unions),
        range(range),
        teams(teamsOf(schedule)),
        blockRows(kGroupRows * schedule.getGroups()) {}

  void emit();

 private:
  static constexpr int64_t kGroupRows = 64, kGroupWarps = 4;
  static constexpr int64_t kBlockK = UnionGradScheduleAttr::kBlockK;

  /// Two tiles: what values take, and keys.
  struct Pair {
    Value values, keys;
    Value both;  ///< The buffer whose parts they are; null if none is.
  };
  enum Of { kValues, kKeys };

  Type f32() { return s.b.getF32Type(); }
  static int64_t pad(int64_t columns) {
    return llvm::alignTo(columns, kPanelColumns);
  }
  SmemType tileOf(int64_t rows, int64_t columns) {
    return SmemType::get(s.b.getContext(), {rows, pad(columns)}, shape.element,
                         SmemLayout::Swizzle128B);
  }
  Value firstOf(Value number) {
    return named(s.mul(number, kBlockK), "first_key");
  }
  void emitPosition();
  void emitRange();
  void emitRows();
  void emitRings();
  void emitRegisters();
  void emitFound();
  Value viewRows(const KernelRows& from);
  void emitLoad(StreamOp stream);
  void emitCompute(StreamOp stream);
  void emitWeights(Value keys, Value values, Value strings);
  void emitQueryGrad(Value keys);
  void emitProduct(Of which);
  void emitReduce(Of which, Value numbers);
  Value partOf(Value both, Value number) {
    return PartOfOp::create(s.b, s.loc, getStageType(both.getType()), both,
                            number);
  }
  Pair makePair(StringRef name, SmemType values, SmemType keys);
  /// The tile of a pair that a group takes: its own of two, or either.
  Value take(const Pair& pair, Of which) {
    if (schedule.getGroups() > 1) return partOf(pair.both, ownPart);
    return which == kKeys ? pair.keys : pair.values;
  }
  bool sharesShape() const { return pad(shape.depth) == pad(shape.valueDepth); }
  /// A view of sums of the keys that `numbers` names.
  Value viewSums(Of which, Value numbers);
  void syncCompute() {
    SyncOp::create(s.b, s.loc, teams.compute, teams.computeBarrier());
  }
  void emitEnd();
  void emitEnter();
  void emitQuerySums();
  void enter(int64_t kind);

  GradientKernel& kernel;
  UnionGradScheduleAttr schedule;
  const UnionArguments& unions;
  const PieceRange range;
  const KernelTeams teams;
  const int64_t blockRows;
  AttentionRows rows;
  Value tile, group, irregular, size, tiles, tileKeys, tileBits;
  Value firstTile, tilesOfRange, isFirstRange;  ///< Null without a range.
  Value keyRing, valueRing, stringRing;
  Value found;       ///< Null where rows are not looked up ahead.
  Pair blockRowsOf;  ///< Output gradients, and queries.
  Pair factors;      ///< Weights, and gradients of scores.
  Pair staged, sums;
  Value rank, warpRow, groupRow, ownPart, rowOfKeys, scale;
  Value scores, grads, gradsLhs, queryGrad, lse, rowSums;
};

}  // namespace

void UnionGradient::emitPosition() {
  tile = named(s.blockId(0), "tile");
  group = named(s.blockId(1), "group");
  rows = unions.rowsOf(s, shape, kernel.queries, schedule.getQueries(), tile,
                       group);
  tileKeys = unions.keysOf(s, tile);
  tileBits = unions.bitsOf(s, tile, s.div(unions.capacity, kBlockK));
  if (range) emitRange();
}

/// The tiles of the union that begin in the range. Rows that meet none of them
/// are not read, but in the first range, which tells whether they are finite.
void UnionGradient::emitRange() {
  auto keysBefore = [&](Value pieces) {
    return unions.countBefore(s, tile, pieces);
  };
  firstTile = named(s.div(keysBefore(range.begin), kBlockK), "first_tile");
  Value keys = keysBefore(range.end);
  // The last tile of all may be a short one.
  Value isLast = s.cmpi(CmpIPredicate::eq, range.end, unions.numPieces);
  Value endTile =
      s.select(isLast, s.ceilDiv(keys, kBlockK), s.div(keys, kBlockK));
  tilesOfRange = named(s.sub(endTile, firstTile), "tiles_of_range");
  isFirstRange = named(s.cmpi(CmpIPredicate::eq, range.begin, s.index(0)),
                       "is_first_range");
  Value reads = arith::OrIOp::create(
      s.b, s.loc, isFirstRange,
      s.cmpi(CmpIPredicate::sgt, tilesOfRange, s.index(0)));
  rows.count = named(s.select(reads, rows.count, s.index(0)), "rows_read");
}

/// The rows of the block, and how many keys they meet: none if they are not
/// finite.
void UnionGradient::emitRows() {
  Value united = unions.countOf(s, tile);
  CopyWaitOp::create(s.b, s.loc, teams.block);
  auto anyNotFinite = [&](Value tile) {
    return AnyNotFiniteOp::create(s.b, s.loc, s.b.getI1Type(), tile,
                                  teams.block);
  };
  irregular = arith::OrIOp::create(s.b, s.loc, anyNotFinite(blockRowsOf.keys),
                                   anyNotFinite(blockRowsOf.values));
  irregular =
      named(arith::OrIOp::create(s.b, s.loc, irregular,
                                 s.cmpi(CmpIPredicate::slt, united, s.i32(0))),
            "irregular");
  size =
      named(s.select(irregular, s.index(0), s.toIndex(united)), "union_size");
  tiles = named(range ? s.select(irregular, s.index(0), tilesOfRange)
                      : s.ceilDiv(size, kBlockK),
                "tiles");
}

void UnionGradient::emitRings() {
  blockRowsOf = makePair("rows_of_block", tileOf(blockRows, shape.valueDepth),
                         tileOf(blockRows, shape.depth));
  CopyRowsOp::create(s.b, s.loc, blockRowsOf.keys, kernel.viewQueries(s, rows),
                     s.index(0), s.index(shape.depth), 16, teams.block);
  CopyRowsOp::create(s.b, s.loc, blockRowsOf.values,
                     kernel.viewOutputGrads(s, rows), s.index(0),
                     s.index(shape.valueDepth), 16, teams.block);
  keyRing = ring("key_ring", schedule.getKeyStages(), CopyEngine::CpAsync,
                 tileOf(kBlockK, shape.depth));
  valueRing = ring("value_ring", schedule.getValueStages(), CopyEngine::CpAsync,
                   tileOf(kBlockK, shape.valueDepth));
  // Strings of a tile and the numbers of its keys, which are little: they are
  // held until the sums are given to the bulk engine.
  auto words = [&](int64_t count) {
    return SmemType::get(s.b.getContext(), {1, count}, s.b.getI32Type(),
                         SmemLayout::Linear);
  };
  stringRing =
      ring("string_ring", schedule.getKeyStages() + 1, CopyEngine::Bulk,
           SmallVector<Type>{words(unions.words), words(kBlockK)});
  SmemType factor = tileOf(blockRows, kBlockK);
  factors = makePair("factors", factor, factor);
  // Rows are apart by 32 bytes more than they have, so that those that half a
  // warp writes lie in different banks.
  constexpr int64_t kApart = 8;
  auto stagedOf = [&](int64_t depth) {
    return SmemType::get(s.b.getContext(), {kBlockK, pad(depth) + kApart},
                         f32(), SmemLayout::Linear);
  };
  // One group makes both sums, one after the other.
  if (schedule.getGroups() == 1 && sharesShape())
    staged.keys = staged.values = smem("staged", stagedOf(shape.depth));
  else
    staged =
        makePair("staged", stagedOf(shape.valueDepth), stagedOf(shape.depth));
}

/// Tiles of one type are parts of a buffer, so that a group takes its own by
/// number.
UnionGradient::Pair UnionGradient::makePair(StringRef name, SmemType values,
                                            SmemType keys) {
  if (values != keys)
    return {smem((name + "_of_values").str(), values),
            smem((name + "_of_keys").str(), keys),
            {}};
  auto type = SmemType::get(s.b.getContext(),
                            {2, values.getRows(), values.getColumns()},
                            values.getElementType(), values.getLayout());
  Value both = smem(name, type);
  auto part = [&](Of which, StringRef suffix) {
    return named(partOf(both, s.index(which)), (name + suffix).str());
  };
  return {part(kValues, "_of_values"), part(kKeys, "_of_keys"), both};
}

void UnionGradient::emitRegisters() {
  rank =
      named(WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), teams.compute),
            "warp");
  warpRow = named(s.mul(rank, kTileUnit), "warp_row");
  bool isShared = schedule.getGroups() > 1;
  ownPart = isShared ? named(s.div(rank, kGroupWarps), "own_part") : Value();
  groupRow =
      isShared ? named(s.mul(ownPart, kGroupRows), "group_row") : s.index(0);
  rowOfKeys =
      isShared ? named(s.sub(warpRow, groupRow), "row_of_keys") : warpRow;
  scale = s.f32(getSoftmaxScale(shape.scale).scale);
  scores = fragment("scores", kBlockK, f32(), FragLayout::Acc);
  grads = fragment("score_grads", kBlockK, f32(), FragLayout::Acc);
  gradsLhs =
      fragment("score_grads_lhs", kBlockK, shape.element, FragLayout::Lhs);
  queryGrad = fragment("query_grad", pad(shape.depth), f32(), FragLayout::Acc);
  sums.values =
      fragment("value_sum", pad(shape.valueDepth), f32(), FragLayout::Acc);
  sums.keys = sharesShape() ? sums.values
                            : fragment("key_sum", pad(shape.depth), f32(),
                                       FragLayout::Acc);
  lse = rowVector("lse_rows");
  rowSums = rowVector("row_sums_of_rows");
  LoadRowVecOp::create(s.b, s.loc, lse, kernel.viewLse(s, rows), warpRow);
  LoadRowVecOp::create(s.b, s.loc, rowSums, kernel.viewRowSums(s, rows),
                       warpRow);
  FillOp::create(s.b, s.loc, queryGrad, s.f32(0.0));
}

void UnionGradient::emitLoad(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getLoad().front().getTerminator());
  Value number = stream.getLoad().getArgument(0);
  if (range) number = s.add(firstTile, named(number, "step"));
  named(number, "tile_number");
  Value first = found ? found : firstOf(number);
  auto copy = [&](unsigned ring, const KernelRows& from, int64_t depth) {
    CopyRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), ring)[0],
                       viewRows(from), first, s.index(depth), 16, teams.load);
  };
  copy(0, kernel.keyRows, shape.depth);
  copy(1, kernel.valueRows, shape.valueDepth);
  auto copyWords = [&](unsigned which, Value array, int64_t count) {
    Value rows =
        s.stridedRows(array, s.i64(count), s.div(unions.capacity, kBlockK));
    BulkRowsOp::create(s.b, s.loc, stream.getTiles(stream.getLoad(), 2)[which],
                       rows, number, s.index(count), Value(), Value(),
                       teams.load);
  };
  copyWords(0, tileBits, unions.words);
  copyWords(1, tileKeys, kBlockK);
  if (!found) return;
  Value next = named(s.add(firstOf(number), s.index(kBlockK)), "first_of_next");
  LookUpOp::create(s.b, s.loc, found, viewRows(kernel.keyRows), next,
                   teams.load);
}

/// Rows that are looked up a tile ahead, or each copy would wait for the list;
/// none where rows of keys and of values are of different sizes, or a thread
/// has too many of them.
void UnionGradient::emitFound() {
  int64_t units = pad(shape.depth) * 2 / 16;
  if (pad(shape.depth) != pad(shape.valueDepth) ||
      !kernel.keyRows.sharesNumbers(kernel.valueRows) ||
      kBlockK * units > kMostFoundRows * 32 * teams.load.getCount())
    return;
  found = named(
      FoundAllocOp::create(
          s.b, s.loc,
          FoundRowsType::get(s.b.getContext(), kBlockK, units, teams.load)),
      "rows_of_tile");
  LookUpOp::create(s.b, s.loc, found, viewRows(kernel.keyRows),
                   range ? firstOf(firstTile) : s.index(0), teams.load);
}

/// The rows that the union lists.
Value UnionGradient::viewRows(const KernelRows& from) {
  Value base = from.base(s, unions.batch, group, 0, kernel.keys);
  return from.listed(s, base, unions.batch, tileKeys, size, kernel.keys);
}

/// Weights and gradients of scores, in registers.
void UnionGradient::emitWeights(Value keys, Value values, Value strings) {
  // All waits come before the products: ptxas lets no product run on across
  // one (C7520).
  for (Value tile : {keys, values, strings}) AwaitOp::create(s.b, s.loc, tile);
  FenceAsyncOp::create(s.b, s.loc);
  WgmmaFenceOp::create(s.b, s.loc, ValueRange{scores, grads});
  WgmmaNtOp::create(s.b, s.loc, scores, blockRowsOf.keys, groupRow, keys,
                    s.index(0), /*accumulate=*/false);
  WgmmaNtOp::create(s.b, s.loc, grads, blockRowsOf.values, groupRow, values,
                    s.index(0), /*accumulate=*/false);
  WgmmaCommitOp::create(s.b, s.loc);
  WgmmaWaitOp::create(s.b, s.loc, 0, ValueRange{scores, grads});
  ReleaseOp::create(s.b, s.loc, values);
  double sign = getSoftmaxScale(shape.scale).factor;
  if (sign != 1.0)
    AffineOp::create(s.b, s.loc, scores, s.f32(sign), s.f32(0.0));
  MaskBitsOp::create(s.b, s.loc, scores, strings, s.index(0), warpRow,
                     shape.ratio());
  SoftmaxGradOp::create(s.b, s.loc, scores, grads, lse, rowSums, scale,
                        s.index(kTileUnit));
  ConvertOp::create(s.b, s.loc, gradsLhs, grads);
}

/// What this tile adds to the gradients of the queries.
void UnionGradient::emitQueryGrad(Value keys) {
  WgmmaNnOp::create(s.b, s.loc, queryGrad, gradsLhs, Value(), keys, s.index(0));
}

/// Sums of 64 keys, or of their values, by one warpgroup.
void UnionGradient::emitProduct(Of which) {
  Value sum = which == kKeys ? sums.keys : sums.values;
  WgmmaNnOp::create(s.b, s.loc, sum, take(factors, which), s.index(0),
                    take(blockRowsOf, which), s.index(0),
                    /*accumulate=*/false, /*transposed_lhs=*/true);
}

Value UnionGradient::viewSums(Of which, Value numbers) {
  Value end = s.index(kBlockK);
  auto view = [&](Of which) {
    return which == kKeys ? kernel.viewKeySums(s, unions.batch, group, 0,
                                               numbers, end, kernel.keys)
                          : kernel.viewValueSums(s, unions.batch, group, 0,
                                                 numbers, end, kernel.keys);
  };
  if (schedule.getGroups() == 1) return view(which);
  Value isOfKeys = s.cmpi(CmpIPredicate::eq, ownPart, s.index(kKeys));
  return kernel.viewEitherSums(s, isOfKeys, unions.batch, group, numbers, end,
                               kernel.keys);
}

/// Each warp gives its 16 keys to the bulk engine, which has read those of the
/// tile before by then, or is waited for.
void UnionGradient::emitReduce(Of which, Value numbers) {
  Value staging = take(staged, which);
  ReduceTileWaitOp::create(s.b, s.loc);
  PutFragOp::create(s.b, s.loc, staging, rowOfKeys,
                    which == kKeys ? sums.keys : sums.values);
  FenceAsyncOp::create(s.b, s.loc);
  ReduceTileOp::create(
      s.b, s.loc, viewSums(which, numbers), rowOfKeys, staging, rowOfKeys,
      s.index(which == kKeys ? shape.depth : shape.valueDepth));
}

void UnionGradient::emitCompute(StreamOp stream) {
  OpBuilder::InsertionGuard guard(s.b);
  s.b.setInsertionPoint(stream.getCompute().front().getTerminator());
  auto tileOfRing = [&](unsigned ring, StringRef name) {
    return named(stream.getTiles(stream.getCompute(), ring)[0], name);
  };
  Value keys = tileOfRing(0, "keys"), values = tileOfRing(1, "values"),
        strings = tileOfRing(2, "strings");
  Value numbers =
      named(stream.getTiles(stream.getCompute(), 2)[1], "key_numbers");
  emitWeights(keys, values, strings);
  // All warps have read the factors of the tile before.
  syncCompute();
  PutFragOp::create(s.b, s.loc, factors.values, warpRow, scores);
  PutFragOp::create(s.b, s.loc, factors.keys, warpRow, grads);
  syncCompute();
  FenceAsyncOp::create(s.b, s.loc);
  // Either group makes what is its own by the same code, and so does one alone
  // with values first.
  WgmmaFenceOp::create(s.b, s.loc,
                       ValueRange{gradsLhs, queryGrad, sums.values});
  emitQueryGrad(keys);
  emitProduct(kValues);
  WgmmaCommitOp::create(s.b, s.loc);
  WgmmaWaitOp::create(s.b, s.loc, 0,
                      ValueRange{gradsLhs, queryGrad, sums.values});
  ReleaseOp::create(s.b, s.loc, keys);
  emitReduce(kValues, numbers);
  if (schedule.getGroups() == 1) {
    WgmmaFenceOp::create(s.b, s.loc, ValueRange{sums.keys});
    emitProduct(kKeys);
    WgmmaCommitOp::create(s.b, s.loc);
    WgmmaWaitOp::create(s.b, s.loc, 0, ValueRange{sums.keys});
    emitReduce(kKeys, numbers);
  }
  ReleaseOp::create(s.b, s.loc, strings);
}

/// Enters the block in the list of what is done again.
void UnionGradient::enter(int64_t kind) {
  Value place = s.add(s.mul(tile, shape.groups), group);
  AppendOp::create(s.b, s.loc, unions.again.list, unions.again.count,
                   s.add(s.mul(place, 2), s.index(kind)));
}

/// What is done again: a block by its first range alone, since that adds to
/// keys and values; gradients of queries by any, which only writes them.
void UnionGradient::emitEnter() {
  Value limit = s.f32(std::numeric_limits<float>::max());
  Value spoilt = AnyOutOfRangeOp::create(s.b, s.loc, s.b.getI1Type(), queryGrad,
                                         lse, limit);
  Value isRegular =
      s.cmpi(CmpIPredicate::eq, irregular,
             arith::ConstantOp::create(s.b, s.loc, s.b.getBoolAttr(false)));
  Value enters = s.cmpi(CmpIPredicate::eq, rank, s.index(0));
  if (range) enters = arith::AndIOp::create(s.b, s.loc, enters, isFirstRange);
  s.ifThen(arith::AndIOp::create(s.b, s.loc, irregular, enters),
           [&] { enter(/*kind=*/0); });
  s.ifThen(arith::AndIOp::create(s.b, s.loc, isRegular, spoilt),
           [&] { enter(/*kind=*/1); });
}

/// Adds the gradients of queries, through the tile of the sums that the group
/// made last.
void UnionGradient::emitQuerySums() {
  Value staging = take(staged, kKeys);
  PutFragOp::create(s.b, s.loc, staging, rowOfKeys, queryGrad);
  FenceAsyncOp::create(s.b, s.loc);
  ReduceTileOp::create(s.b, s.loc, kernel.viewQuerySums(s, rows, unions.begin),
                       warpRow, staging, rowOfKeys, s.index(shape.depth));
  ReduceTileWaitOp::create(s.b, s.loc);
}

void UnionGradient::emitEnd() {
  // The engine reads no shared memory of a block that is gone.
  ReduceTileWaitOp::create(s.b, s.loc);
  emitEnter();
  AffineOp::create(s.b, s.loc, queryGrad, s.f32(shape.scale), s.f32(0.0));
  if (range) return emitQuerySums();
  StoreRowsOp::create(s.b, s.loc, kernel.viewQueryGrads(s, rows), warpRow,
                      queryGrad, s.index(shape.depth));
}

void UnionGradient::emit() {
  emitPosition();
  emitRings();
  emitRows();
  emitRegisters();
  emitFound();
  auto stream = StreamOp::create(s.b, s.loc, tiles,
                                 ValueRange{keyRing, valueRing, stringRing},
                                 teams.pipeline);
  emitLoad(stream);
  emitCompute(stream);
  emitEnd();
}

//===----------------------------------------------------------------------===//
// What is done again
//===----------------------------------------------------------------------===//

static void emitAgain(GradientKernel& kernel, UnionGradScheduleAttr schedule,
                      int64_t slots, Location loc, const AgainArguments& again,
                      Value batch, Value begin) {
  TeamAttr all = TeamAttr::get(schedule.getContext(), 0, 1);
  int64_t ratio = kernel.shape.ratio();
  emitAgainLoop(
      kernel.bodyBuilder(), loc, all, again,
      [&](KernelScalars& s, Value entry) {
        Value place = s.div(entry, 2);
        GradientBlock block;
        block.batch = batch;
        block.group = named(s.rem(place, kernel.shape.groups), "group");
        block.adds = named(
            s.cmpi(CmpIPredicate::eq, s.rem(entry, 2), s.index(0)), "adds");
        Value first =
            named(s.add(begin, s.mul(s.div(place, kernel.shape.groups),
                                     schedule.getQueries())),
                  "first_token");
        Value end = named(
            s.min(s.add(first, s.index(schedule.getQueries())), kernel.queries),
            "end_token");
        s.rolledLoop(first, end, 1, [&](Value token) {
          block.token = named(token, "token");
          s.rolledLoop(s.index(0), s.index(ratio), kTileUnit, [&](Value row) {
            block.firstRow = named(row, "first_row");
            emitGatherGradient(kernel, slots, schedule.getPerQuery(), loc,
                               block);
            // The next rows have the same storage.
            SyncOp::create(s.b, loc, all);
          });
        });
      });
}

//===----------------------------------------------------------------------===//
// The lowering
//===----------------------------------------------------------------------===//

namespace {

class UnionGradLowering {
 public:
  UnionGradLowering(GatherAttentionGradOp op, UnionGradScheduleAttr schedule,
                    ToTileContext& context)
      : op(op),
        schedule(schedule),
        context(context),
        operands(op, context),
        lists({context, operands.indices, operands.counts, operands.queries,
               operands.keys, operands.slots, operands.shape.groups,
               operands.shape.ratio()},
              UnionForm(schedule)) {}

  LogicalResult emit();

 private:
  void launch(const QueryChunk& chunk);
  void launchRange(const QueryChunk& chunk, Value tiles, int64_t number);

  GatherAttentionGradOp op;
  UnionGradScheduleAttr schedule;
  ToTileContext& context;
  GradientOperands operands;
  UnionLists lists;
};

}  // namespace

void UnionGradLowering::launchRange(const QueryChunk& chunk, Value tiles,
                                    int64_t number) {
  GradientKernel kernel(operands, schedule, teamsOf(schedule).warps(),
                        "union_gradient");
  KernelBuilder& builder = kernel.builder();
  UnionArguments unions(builder, lists, chunk);
  PieceRange range;
  if (int64_t ranges = schedule.getKeyChunks(); ranges > 1) {
    kernel.takeQuerySums(operands);
    auto piece = [&](int64_t range, StringRef name) {
      return builder.scalar(context.index(range * lists.numPieces / ranges),
                            name);
    };
    range.begin = piece(number, "first_piece");
    range.end = piece(number + 1, "end_piece");
  }
  UnionGradient(kernel, schedule, unions, range, op.getLoc()).emit();
  builder.launch(ArrayRef<OpFoldResult>{
      tiles, context.rewriter().getIndexAttr(operands.shape.groups)});
}

void UnionGradLowering::launch(const QueryChunk& chunk) {
  IRRewriter& b = context.rewriter();
  Location loc = op.getLoc();
  Value tiles = arith::CeilDivSIOp::create(
      b, loc, chunk.count, context.index(schedule.getQueries()));
  lists.makeBuffers();
  lists.launch(chunk, tiles);
  bool hasRanges = schedule.getKeyChunks() > 1;
  if (hasRanges) operands.makeQuerySums(lists.tiles * schedule.getQueries());
  for (int64_t number = 0; number < schedule.getKeyChunks(); ++number)
    launchRange(chunk, tiles, number);
  if (hasRanges) operands.roundQuerySums(chunk);
  GradientKernel kernel(operands, schedule.getPerQuery(), /*warps=*/1,
                        "gradient_again");
  KernelBuilder& builder = kernel.builder();
  AgainArguments again(builder, lists.again, /*writes=*/false);
  Value batch = builder.scalar(chunk.batch, "batch");
  Value begin = builder.scalar(chunk.begin, "begin");
  emitAgain(kernel, schedule, operands.slots, loc, again, batch, begin);
  builder.launch(
      ArrayRef<int64_t>{lists.againBlocks(schedule.getAgainSmBlocks())});
}

LogicalResult UnionGradLowering::emit() {
  operands.clearSums();
  if (operands.batches * operands.queries > 0) {
    if (context.emitsRemarks()) lists.remarkWorkspace(op);
    // One after the other: they add to the same rows.
    context.forQueryChunks(
        operands.batches, operands.queries, lists.tiles * schedule.getQueries(),
        [&](const QueryChunk& chunk) { launch(chunk); }, /*first=*/0,
        /*areIndependent=*/false);
  }
  operands.finish();
  return success();
}

LogicalResult gsa::lowerUnionGradient(GatherAttentionGradOp op,
                                      ToTileContext& context) {
  FailureOr<UnionGradScheduleAttr> schedule =
      getSchedule<UnionGradScheduleAttr>(op, context.target());
  if (failed(schedule)) return failure();
  return UnionGradLowering(op, *schedule, context).emit();
}
