//===- UnionLists.cpp - unions of neighbouring queries' lists -------------===//
//
// A block unites the lists of a tile. It goes through the keys by pieces that a
// table in shared memory has words for: warps mark the entries of their lists
// in it, count the words of their segments, and write keys and words behind
// those of the segments before. Lists ascend, so that an entry is read once. In
// the end words become strings of bits by query, which is what attention masks
// by.
//
// A split union has three kinds of keys: what only the first half of the
// queries wants, what only the other half does, and what both want. Each kind
// has blocks of its own, which are mixed evenly, so that both halves have work
// all the time.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/UnionLists.h"

#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"
#include "passes/gsa_to_tile/UnionAttention.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// Blocks of an SM: warps wait for lists, for each other and for what they
/// wrote themselves, so that registers are shared among as many as the schedule
/// says and the tables let in.
static int64_t countBlocks(const CudaTarget& target, const UnionForm& form) {
  constexpr int64_t kBytesBesides = 2048;
  int64_t bytes = 4 * form.table + kBytesBesides;
  return std::clamp<int64_t>(target.sharedBytesPerSm / bytes, 1,
                             form.listSmBlocks);
}

int64_t gsa::countStrings(int64_t groups, int64_t ratio, int64_t blockK) {
  constexpr int64_t kRows = 64, kVectorBits = 128;
  int64_t strings = llvm::divideCeil(groups * kRows, ratio);
  while (strings * blockK % kVectorBits != 0) ++strings;
  return strings;
}

UnionLists::UnionLists(const UnionSource& source, const UnionForm& form)
    : tiles(
          llvm::divideCeil(std::min(form.chunk, source.queries), form.queries)),
      numPieces(llvm::divideCeil(source.keys, form.table)),
      source(source),
      form(form) {
  int64_t perTile = form.queries, blockK = form.blockK;
  auto roomFor = [&](int64_t lists) {
    int64_t most = std::min(lists * source.slots, source.keys);
    return static_cast<int64_t>(
        llvm::alignTo(std::max<int64_t>(most, 1), blockK));
  };
  capacity = roomFor(perTile);
  if (form.isSplit) {
    // Two kinds have a last block that is not full.
    apart = capacity + blockK;
    capacity = apart + roomFor(perTile / 2);
  }
  strings = countStrings(form.groups, source.ratio, blockK);
  words = strings * blockK / 32;
}

void UnionLists::makeBuffers() {
  int64_t blockK = form.blockK;
  ToTileContext& context = source.context;
  again = AgainList(context, mostAgain());
  Type i32 = context.rewriter().getI32Type();
  keys = context.makeBuffer({tiles, capacity}, i32);
  members = context.makeBuffer({tiles, capacity}, i32);
  bits = context.makeBuffer({tiles, capacity / blockK * words}, i32);
  if (form.isSplit)
    order = context.makeBuffer({tiles, capacity / blockK + 1}, i32);
  if (form.keyChunks > 1) pieces = context.makeBuffer({tiles, numPieces}, i32);
  counts = context.makeBuffer({tiles}, i32);
}

int64_t UnionLists::bytes() const {
  int64_t blocks = capacity / form.blockK;
  int64_t perTile = 2 * capacity + blocks * words + 1;
  if (form.isSplit) perTile += blocks + 1;
  if (form.keyChunks > 1) perTile += numPieces;
  return (tiles * perTile + 1 + mostAgain()) * 4;
}

namespace {

/// The body of the kernel.
class UnionKernel {
 public:
  UnionKernel(KernelBuilder& kernel, Location loc, const UnionForm& form)
      : kernel(kernel), form(form), s(kernel.body(), loc) {}

  // Arguments.
  Value indices, listCounts, keysOut, membersOut, bitsOut, countsOut, again;
  Value queries, slots, keys, batch, begin, capacity;
  Value orderOut, apart;       ///< Of a split union.
  Value piecesOut, numPieces;  ///< Where ranges of keys are read.
  int64_t strings, words;

  void emit();

 private:
  Value smem(StringRef name, int64_t rows, int64_t columns) {
    return named(
        SmemAllocOp::create(s.b, s.loc,
                            SmemType::get(s.b.getContext(), {rows, columns},
                                          s.b.getI32Type(), SmemLayout::Linear),
                            IntegerAttr()),
        name);
  }
  Value lanes(StringRef name, int64_t count = 1) {
    return named(LanesAllocOp::create(s.b, s.loc,
                                      LanesType::get(s.b.getContext(), {count},
                                                     s.b.getI32Type())),
                 name);
  }
  /// Warps of a block, a list for each in turn; entries of a list, which are
  /// asked for together, and words of the table that a warp takes in one step.
  int64_t warps() const { return form.listWarps; }
  int64_t stepEntries() const { return form.listEntries; }
  int64_t stepWords() const { return form.listWords; }
  void sync() { SyncOp::create(s.b, s.loc, kernel.team()); }
  void clear(Value tile) {
    ClearSharedOp::create(s.b, s.loc, tile, kernel.team());
  }
  Value loadShared(Value tile, Value row) {
    return LoadSharedOp::create(s.b, s.loc, s.b.getI32Type(), tile, row,
                                s.index(0));
  }
  void storeShared(Value tile, Value row, Value value) {
    StoreSharedOp::create(s.b, s.loc, tile, row, s.index(0), value);
  }
  Value load(Value base, Value position) {
    return LoadOp::create(s.b, s.loc, s.b.getI32Type(), base, position);
  }
  Value sumOf(Value tile, Value end, int64_t column = 0) {
    return SumRowsOp::create(s.b, s.loc, s.b.getI32Type(), tile, end,
                             s.index(column));
  }
  /// body(number, list, count) for the lists of this warp.
  void forLists(llvm::function_ref<void(Value, Value, Value)> body);
  void emitCheck();
  Value emitEnd();
  void emitPiece(Value first);
  void emitMembers(Value first);
  Value emitStrings();
  Value emitOrder();

  /// Kinds of keys, each in blocks of its own.
  int64_t kinds() const { return form.isSplit ? kUnionKinds : 1; }
  int64_t half() const { return form.queries / 2; }
  /// Keys of kind `kind`, and blocks of them.
  Value countOf(Value kind) {
    return named(s.toIndex(loadShared(united, kind)), "keys_of_kind");
  }
  Value blocksOf(Value kind) {
    return named(s.ceilDiv(countOf(kind), form.blockK), "blocks_of_kind");
  }
  /// Of the padded keys of a kind, where they begin.
  Value beginOf(Value kind, Value padded);

  KernelBuilder& kernel;
  const UnionForm& form;
  KernelScalars s;
  Value warp, tile, firstQuery, lists, table, united, counted;
  Value tileKeys, tileMembers, tilePieces, irregular, ends, begins;
};

}  // namespace

void UnionKernel::forLists(llvm::function_ref<void(Value, Value, Value)> body) {
  s.rolledLoop(warp, lists, warps(), [&](Value number) {
    Value query = named(s.add(firstQuery, number), "query");
    Value list = s.at(indices, {batch, query, s.index(0)}, {queries, slots});
    Value listed = s.toIndex(
        load(s.at(listCounts, {batch, query}, {queries}), s.index(0)));
    Value count = named(s.min(s.max(listed, s.index(0)), slots), "count");
    body(number, list, count);
  });
}

/// Counts entries that do not ascend, and the key behind each list's last one.
void UnionKernel::emitCheck() {
  Value wrong = lanes("wrong");
  forLists([&](Value number, Value list, Value count) {
    s.rolledLoop(s.index(0), count, stepEntries(), [&](Value at) {
      CheckListOp::create(s.b, s.loc, wrong, list, at, count, stepEntries(),
                          keys);
    });
    s.ifThen(s.cmpi(CmpIPredicate::sgt, count, s.index(0)), [&] {
      Value last = load(list, s.sub(count, s.index(1)));
      storeShared(ends, number, s.add(last, s.i32(1)));
    });
  });
  StoreTotalsOp::create(s.b, s.loc, counted, warp, wrong);
  sync();
  irregular = named(
      s.cmpi(CmpIPredicate::sgt, sumOf(counted, s.index(warps())), s.i32(0)),
      "irregular");
}

/// Behind the last key of the lists; 0 where they cannot be united.
Value UnionKernel::emitEnd() {
  Value end = s.i32(0);
  for (int64_t i = 0; i < form.queries; ++i)
    end = s.max(end, loadShared(ends, s.index(i)));
  return named(s.toIndex(s.select(irregular, s.i32(0), end)), "end_key");
}

/// Keys [first, first + words of the table).
void UnionKernel::emitPiece(Value first) {
  clear(table);
  sync();
  forLists([&](Value number, Value list, Value count) {
    // Where the piece before ended: lists ascend, and where one does not there
    // are no pieces.
    Value from = named(s.toIndex(loadShared(begins, number)), "from");
    Value to =
        named(MarkMembersOp::create(s.b, s.loc, s.b.getIndexType(), table, list,
                                    from, count, stepEntries(), first, number),
              "to");
    storeShared(begins, number, s.toI32(to));
  });
  sync();
  emitMembers(first);
}

/// The words of the table, behind those of the pieces before.
void UnionKernel::emitMembers(Value first) {
  int64_t segment = form.table / warps();
  Value begin = named(s.mul(warp, segment), "segment_begin");
  Value end = named(s.add(begin, s.index(segment)), "segment_end");
  Value found = lanes("found", kinds());
  s.rolledLoop(begin, end, stepWords(), [&](Value at) {
    if (form.isSplit)
      CountKindsOp::create(s.b, s.loc, found, table, at, end, stepWords(),
                           half());
    else
      CountMembersOp::create(s.b, s.loc, found, table, at, end, stepWords());
  });
  StoreTotalsOp::create(s.b, s.loc, counted, warp, found);
  sync();
  Value cursor = lanes("cursor", kinds());
  SmallVector<Value> all;
  for (int64_t kind = 0; kind < kinds(); ++kind) {
    Value before = named(loadShared(united, s.index(kind)), "before");
    Value place = s.add(before, sumOf(counted, warp, kind));
    // The second kind ends where the first two do.
    if (kind == 1) place = s.sub(s.toI32(apart), place);
    if (kind == 2) place = s.add(s.toI32(apart), place);
    SetLanesOp::create(s.b, s.loc, cursor, kind, place);
    all.push_back(s.add(before, sumOf(counted, s.index(warps()), kind)));
  }
  s.rolledLoop(begin, end, stepWords(), [&](Value at) {
    if (form.isSplit)
      EmitKindsOp::create(s.b, s.loc, tileKeys, tileMembers, cursor, table, at,
                          end, stepWords(), half(), first);
    else
      EmitMembersOp::create(s.b, s.loc, tileKeys, tileMembers, cursor, table,
                            at, end, stepWords(), first);
  });
  sync();
  s.ifThen(s.cmpi(CmpIPredicate::eq, warp, s.index(0)), [&] {
    for (auto [kind, count] : llvm::enumerate(all))
      storeShared(united, s.index(static_cast<int64_t>(kind)), count);
    if (piecesOut)
      StoreOp::create(s.b, s.loc, tilePieces, s.div(first, form.table), all[0]);
  });
}

Value UnionKernel::beginOf(Value kind, Value padded) {
  if (!form.isSplit) return s.index(0);
  auto is = [&](int64_t number) {
    return s.cmpi(CmpIPredicate::eq, kind, s.index(number));
  };
  Value behind = s.select(is(1), s.sub(apart, padded), apart);
  return named(s.select(is(0), s.index(0), behind), "begin_of_kind");
}

/// Fills the last block of each kind with keys that nobody wants, and makes
/// strings of words.
Value UnionKernel::emitStrings() {
  auto forKinds = [&](llvm::function_ref<void(Value, Value, Value)> body) {
    auto ofKind = [&](Value kind) {
      Value padded = named(s.mul(blocksOf(kind), form.blockK), "padded_size");
      body(kind, beginOf(kind, padded), padded);
    };
    if (form.isSplit)
      s.rolledLoop(s.index(0), s.index(kUnionKinds), 1, ofKind);
    else
      ofKind(s.index(0));
  };
  forKinds([&](Value kind, Value begin, Value padded) {
    Value count = countOf(kind);
    Value from = s.add(begin, count), to = s.add(begin, padded);
    if (form.isSplit) {
      // Of the second kind, which was written backwards, the first keys are
      // missing.
      Value backwards = s.cmpi(CmpIPredicate::eq, kind, s.index(1));
      from = named(s.select(backwards, begin, from), "fill_begin");
      to = named(s.add(from, s.sub(padded, count)), "fill_end");
    }
    FillSpanOp::create(s.b, s.loc, tileKeys, from, to, s.i32(-1),
                       kernel.team());
    FillSpanOp::create(s.b, s.loc, tileMembers, from, to, s.i32(0),
                       kernel.team());
  });
  sync();
  Value tileBits = named(s.at(bitsOut, {tile, s.index(0)},
                              {s.mul(s.div(capacity, form.blockK), words)}),
                         "tile_bits");
  forKinds([&](Value, Value begin, Value padded) {
    Value first = s.add(s.div(begin, 32), warp);
    s.rolledLoop(first, s.div(s.add(begin, padded), 32), warps(),
                 [&](Value group) {
                   TransposeMembersOp::create(s.b, s.loc, tileBits, tileMembers,
                                              group, strings, form.blockK);
                 });
  });
  return s.toI32(countOf(s.index(0)));
}

/// Blocks in the order in which attention does them. Block i of the n of a kind
/// has the time (2 i + 1) / 2n, and comes behind those of other kinds with an
/// earlier one, or with the same if their kind comes first. Returns how many
/// there are.
Value UnionKernel::emitOrder() {
  Value tileOrder =
      named(s.at(orderOut, {tile, s.index(0)},
                 {s.add(s.div(capacity, form.blockK), s.index(1))}),
            "tile_order");
  SmallVector<Value> sizes;
  Value all = s.index(0);
  for (int64_t kind = 0; kind < kUnionKinds; ++kind) {
    sizes.push_back(blocksOf(s.index(kind)));
    all = s.add(all, sizes.back());
  }
  named(all, "blocks");
  for (int64_t kind = 0; kind < kUnionKinds; ++kind) {
    Value size = sizes[kind];
    Value begin =
        s.div(beginOf(s.index(kind), s.mul(size, form.blockK)), form.blockK);
    s.rolledLoop(warp, size, warps(), [&](Value number) {
      Value odd = s.add(s.mul(number, 2), s.index(1));
      Value place = number;
      for (int64_t other = 0; other < kUnionKinds; ++other) {
        if (other == kind) continue;
        // Odd numbers m with m * size < odd * sizes[other], or <=.
        Value limit = s.mul(odd, sizes[other]);
        if (other > kind) limit = s.max(s.sub(limit, s.index(1)), s.index(0));
        Value most = s.divIndex(limit, size);
        place = s.add(place, s.div(s.add(most, s.index(1)), 2));
      }
      Value entry = s.add(s.mul(s.add(begin, number), 4), s.index(kind + 1));
      StoreOp::create(s.b, s.loc, tileOrder, named(place, "place"),
                      s.toI32(entry));
    });
  }
  s.ifThen(s.cmpi(CmpIPredicate::eq, warp, s.index(0)),
           [&] { StoreOp::create(s.b, s.loc, tileOrder, all, s.i32(0)); });
  return s.toI32(all);
}

void UnionKernel::emit() {
  tile = named(s.blockId(0), "tile");
  warp =
      named(WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), kernel.team()),
            "warp");
  firstQuery = named(s.add(begin, s.mul(tile, form.queries)), "first_query");
  lists =
      named(s.min(s.sub(queries, firstQuery), s.index(form.queries)), "lists");
  tileKeys = named(s.at(keysOut, {tile, s.index(0)}, {capacity}), "tile_keys");
  tileMembers =
      named(s.at(membersOut, {tile, s.index(0)}, {capacity}), "tile_members");
  if (piecesOut)
    tilePieces =
        named(s.at(piecesOut, {tile, s.index(0)}, {numPieces}), "tile_pieces");
  table = smem("table", 1, form.table);
  united = smem("united", kinds(), 1);
  counted = smem("counted", warps(), kinds());
  ends = smem("ends", form.queries, 1);
  begins = smem("begins", form.queries, 1);
  clear(united);
  clear(ends);
  clear(begins);
  sync();
  emitCheck();
  Value end = emitEnd();
  sync();  // `counted` was read.
  s.rolledLoop(s.index(0), end, form.table,
               [&](Value first) { emitPiece(first); });
  sync();
  Value count = emitStrings();
  if (form.isSplit) count = emitOrder();
  if (piecesOut)
    FillSpanOp::create(s.b, s.loc, tilePieces, s.ceilDiv(end, form.table),
                       numPieces, count, kernel.team());
  s.ifThen(s.cmpi(CmpIPredicate::eq, warp, s.index(0)), [&] {
    StoreOp::create(s.b, s.loc, countsOut, tile,
                    s.select(irregular, s.i32(-1), count));
    s.ifThen(s.cmpi(CmpIPredicate::eq, tile, s.index(0)),
             [&] { StoreOp::create(s.b, s.loc, again, s.index(0), s.i32(0)); });
  });
}

void UnionLists::launch(const QueryChunk& chunk, Value numTiles) {
  ToTileContext& context = source.context;
  KernelBuilder kernel(context, context.loc(), "union_lists", form.listWarps);
  kernel.setSchedule(form.schedule);
  kernel.kernel().setMinBlocks(countBlocks(context.target(), form));
  UnionKernel body(kernel, context.loc(), form);
  body.indices = kernel.read(source.indices, "indices");
  body.listCounts = kernel.read(source.counts, "counts");
  body.keysOut = kernel.write(keys, "union_keys");
  body.membersOut = kernel.write(members, "union_members");
  body.bitsOut = kernel.write(bits, "union_bits");
  if (order) body.orderOut = kernel.write(order, "union_order");
  if (pieces) body.piecesOut = kernel.write(pieces, "union_pieces");
  body.countsOut = kernel.write(counts, "union_counts");
  body.again = kernel.write(again.count, "again_count");
  body.queries = kernel.size(source.queries, "queries");
  body.slots = kernel.size(source.slots, "slots");
  body.keys = kernel.size(source.keys, "keys");
  body.batch = kernel.scalar(chunk.batch, "batch");
  body.begin = kernel.scalar(chunk.begin, "begin");
  body.capacity = kernel.size(capacity, "capacity");
  if (order) body.apart = kernel.size(apart, "apart");
  if (pieces) body.numPieces = kernel.size(numPieces, "pieces");
  body.strings = strings;
  body.words = words;
  body.emit();
  kernel.launch(ArrayRef<OpFoldResult>{numTiles});
}

void UnionLists::remarkWorkspace(Operation* op) const {
  remark::passed(
      op->getLoc(),
      remark::RemarkOpts::name("UnionWorkspace").category("gsa.schedule"))
      << "unions of a chunk of queries"
      << remark::metric("queries", tiles * form.queries)
      << remark::metric("capacity", capacity)
      << remark::metric("bytes", bytes());
}

//===----------------------------------------------------------------------===//
// What reads them
//===----------------------------------------------------------------------===//

UnionArguments::UnionArguments(KernelBuilder& kernel, const UnionLists& lists,
                               const QueryChunk& chunk)
    : keys(kernel.read(lists.keys, "union_keys")),
      bits(kernel.read(lists.bits, "union_bits")),
      counts(kernel.read(lists.counts, "union_counts")),
      order(lists.order ? kernel.read(lists.order, "union_order") : Value()),
      pieces(lists.pieces ? kernel.read(lists.pieces, "union_pieces")
                          : Value()),
      again(kernel, lists.again, /*writes=*/true),
      batch(kernel.scalar(chunk.batch, "batch")),
      begin(kernel.scalar(chunk.begin, "begin")),
      capacity(kernel.size(lists.capacity, "capacity")),
      words(lists.words) {
  if (pieces) numPieces = kernel.size(lists.numPieces, "pieces");
}

AttentionRows UnionArguments::rowsOf(KernelScalars& s,
                                     const AttentionShape& shape, Value queries,
                                     int64_t ofTile, Value tile,
                                     Value group) const {
  AttentionRows rows;
  rows.batch = batch;
  rows.query = named(s.add(begin, s.mul(tile, ofTile)), "first_query");
  rows.head = named(s.mul(group, shape.ratio()), "first_head");
  Value some = s.min(s.sub(queries, rows.query), s.index(ofTile));
  rows.count = named(s.mul(some, shape.ratio()), "rows");
  rows.perQuery = shape.ratio();
  return rows;
}

Value UnionArguments::keysOf(KernelScalars& s, Value tile) const {
  return named(s.at(keys, {tile, s.index(0)}, {capacity}), "tile_keys");
}

Value UnionArguments::bitsOf(KernelScalars& s, Value tile, Value blocks) const {
  return named(s.at(bits, {tile, s.index(0)}, {s.mul(blocks, words)}),
               "tile_bits");
}

Value UnionArguments::countOf(KernelScalars& s, Value tile) const {
  return named(LoadOp::create(s.b, s.loc, s.b.getI32Type(), counts, tile),
               "united");
}

Value UnionArguments::countBefore(KernelScalars& s, Value tile,
                                  Value before) const {
  Value ofTile = s.at(pieces, {tile, s.index(0)}, {numPieces});
  Value last = s.max(s.sub(before, s.index(1)), s.index(0));
  Value count =
      s.toIndex(LoadOp::create(s.b, s.loc, s.b.getI32Type(), ofTile, last));
  return s.select(s.cmpi(CmpIPredicate::eq, before, s.index(0)), s.index(0),
                  count);
}
