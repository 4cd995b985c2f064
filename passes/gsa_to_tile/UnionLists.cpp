//===- UnionLists.cpp - unions of neighbouring queries' lists -------------===//
//
// A block unites the lists of a tile. It goes through the keys by pieces that a
// table in shared memory has words for: warps mark the entries of their lists
// in it, count the words of their segments, and write keys and words behind
// those of the segments before. Lists ascend, so that an entry is read once. In
// the end words become strings of bits by query, which is what attention masks
// by.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/UnionLists.h"

#include "dialect/GsaTile/PipelineAttrs.h"
#include "llvm/Support/MathExtras.h"
#include "passes/gsa_to_tile/UnionAttention.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// Warps of a block: a list for each, and an SM holds several blocks.
static constexpr int64_t kWarps = 16;
/// Entries of a list, and words of the table, that a warp takes in one step.
static constexpr int64_t kStepEntries = 128, kStepWords = 128;

int64_t gsa::countStrings(int64_t ratio, int64_t blockK) {
  constexpr int64_t kRows = 64, kVectorBits = 128;
  int64_t strings = llvm::divideCeil(kRows, ratio);
  while (strings * blockK % kVectorBits != 0) ++strings;
  return strings;
}

UnionLists::UnionLists(const AttentionOperands& operands,
                       UnionScheduleAttr schedule)
    : tiles(llvm::divideCeil(std::min(schedule.getChunk(), operands.queries()),
                             schedule.getQueries())),
      again(operands.context,
            tiles * operands.shape.groups * schedule.getConsumers()),
      operands(operands),
      schedule(schedule) {
  int64_t perTile = schedule.getQueries(), blockK = schedule.getBlockK();
  int64_t most = std::min(perTile * operands.slots(), operands.keys());
  capacity = llvm::alignTo(std::max<int64_t>(most, 1), blockK);
  strings = countStrings(operands.shape.ratio(), blockK);
  words = strings * blockK / 32;
  ToTileContext& context = operands.context;
  Type i32 = context.rewriter().getI32Type();
  keys = context.makeBuffer({tiles, capacity}, i32);
  members = context.makeBuffer({tiles, capacity}, i32);
  bits = context.makeBuffer({tiles, capacity / blockK * words}, i32);
  counts = context.makeBuffer({tiles}, i32);
}

int64_t UnionLists::bytes() const {
  int64_t elements = 0;
  for (Value buffer : {keys, members, bits, counts, again.count, again.list})
    elements += cast<MemRefType>(buffer.getType()).getNumElements();
  return elements * 4;
}

namespace {

/// The body of the kernel.
class UnionKernel {
 public:
  UnionKernel(KernelBuilder& kernel, Location loc, UnionScheduleAttr schedule)
      : kernel(kernel), schedule(schedule), s(kernel.body(), loc) {}

  // Arguments.
  Value indices, listCounts, keysOut, membersOut, bitsOut, countsOut, again;
  Value queries, slots, keys, batch, begin, capacity;
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
  Value lanes(StringRef name) {
    return named(LanesAllocOp::create(
                     s.b, s.loc,
                     LanesType::get(s.b.getContext(), {1}, s.b.getI32Type())),
                 name);
  }
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
  Value sumOf(Value tile, Value end) {
    return SumRowsOp::create(s.b, s.loc, s.b.getI32Type(), tile, end,
                             s.index(0));
  }
  /// A loop that stays one: its steps have their loads in flight.
  void rolled(Value lower, Value upper, int64_t step,
              llvm::function_ref<void(Value)> body) {
    s.forLoop(lower, upper, step, body)
        ->setAttr(kRolledAttr, s.b.getUnitAttr());
  }
  /// body(number, list, count) for the lists of this warp.
  void forLists(llvm::function_ref<void(Value, Value, Value)> body);
  void emitCheck();
  Value emitEnd();
  void emitPiece(Value first);

  KernelBuilder& kernel;
  UnionScheduleAttr schedule;
  KernelScalars s;
  Value warp, tile, firstQuery, lists, table, united, counted;
  Value tileKeys, tileMembers, irregular, ends, begins;
};

}  // namespace

void UnionKernel::forLists(llvm::function_ref<void(Value, Value, Value)> body) {
  rolled(warp, lists, kWarps, [&](Value number) {
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
    rolled(s.index(0), count, kStepEntries, [&](Value at) {
      CheckListOp::create(s.b, s.loc, wrong, list, at, count, kStepEntries,
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
      s.cmpi(CmpIPredicate::sgt, sumOf(counted, s.index(kWarps)), s.i32(0)),
      "irregular");
}

/// Behind the last key of the lists; 0 where they cannot be united.
Value UnionKernel::emitEnd() {
  Value end = s.i32(0);
  for (int64_t i = 0; i < schedule.getQueries(); ++i)
    end = s.max(end, loadShared(ends, s.index(i)));
  return named(s.toIndex(s.select(irregular, s.i32(0), end)), "end_key");
}

/// Keys [first, first + words of the table).
void UnionKernel::emitPiece(Value first) {
  int64_t size = schedule.getTable(), segment = size / kWarps;
  clear(table);
  sync();
  Value behind = named(s.add(first, s.index(size)), "piece_end");
  forLists([&](Value number, Value list, Value count) {
    auto bound = [&](Value key) {
      return LowerBoundOp::create(s.b, s.loc, s.b.getIndexType(), list, count,
                                  key);
    };
    // Where the piece before ended: lists ascend, and where one does not there
    // are no pieces.
    Value from = named(s.toIndex(loadShared(begins, number)), "from");
    Value to = named(bound(behind), "to");
    rolled(from, to, kStepEntries, [&](Value at) {
      MarkMembersOp::create(s.b, s.loc, table, list, at, to, kStepEntries,
                            first, number);
    });
    storeShared(begins, number, s.toI32(to));
  });
  sync();
  Value begin = named(s.mul(warp, segment), "segment_begin");
  Value end = named(s.add(begin, s.index(segment)), "segment_end");
  Value found = lanes("found");
  rolled(begin, end, kStepWords, [&](Value at) {
    CountMembersOp::create(s.b, s.loc, found, table, at, end, kStepWords);
  });
  StoreTotalsOp::create(s.b, s.loc, counted, warp, found);
  sync();
  Value before = named(loadShared(united, s.index(0)), "before");
  Value cursor = lanes("cursor");
  SetLanesOp::create(s.b, s.loc, cursor, 0,
                     s.add(before, sumOf(counted, warp)));
  rolled(begin, end, kStepWords, [&](Value at) {
    EmitMembersOp::create(s.b, s.loc, tileKeys, tileMembers, cursor, table, at,
                          end, kStepWords, first);
  });
  Value all = s.add(before, sumOf(counted, s.index(kWarps)));
  sync();
  s.ifThen(s.cmpi(CmpIPredicate::eq, warp, s.index(0)),
           [&] { storeShared(united, s.index(0), all); });
}

void UnionKernel::emit() {
  int64_t blockK = schedule.getBlockK();
  tile = named(s.blockId(0), "tile");
  warp =
      named(WarpRankOp::create(s.b, s.loc, s.b.getIndexType(), kernel.team()),
            "warp");
  firstQuery =
      named(s.add(begin, s.mul(tile, schedule.getQueries())), "first_query");
  lists =
      named(s.min(s.sub(queries, firstQuery), s.index(schedule.getQueries())),
            "lists");
  tileKeys = named(s.at(keysOut, {tile, s.index(0)}, {capacity}), "tile_keys");
  tileMembers =
      named(s.at(membersOut, {tile, s.index(0)}, {capacity}), "tile_members");
  table = smem("table", 1, schedule.getTable());
  united = smem("united", 1, 1);
  counted = smem("counted", kWarps, 1);
  ends = smem("ends", schedule.getQueries(), 1);
  begins = smem("begins", schedule.getQueries(), 1);
  clear(united);
  clear(ends);
  clear(begins);
  sync();
  emitCheck();
  Value end = emitEnd();
  sync();  // `counted` was read.
  rolled(s.index(0), end, schedule.getTable(),
         [&](Value first) { emitPiece(first); });
  sync();
  Value count = named(s.toIndex(loadShared(united, s.index(0))), "union_size");
  Value padded = named(s.mul(s.ceilDiv(count, blockK), blockK), "padded_size");
  FillSpanOp::create(s.b, s.loc, tileKeys, count, padded, s.i32(-1),
                     kernel.team());
  FillSpanOp::create(s.b, s.loc, tileMembers, count, padded, s.i32(0),
                     kernel.team());
  sync();
  Value tileBits = named(s.at(bitsOut, {tile, s.index(0)},
                              {s.mul(s.div(capacity, blockK), words)}),
                         "tile_bits");
  rolled(warp, s.div(padded, 32), kWarps, [&](Value group) {
    TransposeMembersOp::create(s.b, s.loc, tileBits, tileMembers, group,
                               strings, blockK);
  });
  s.ifThen(s.cmpi(CmpIPredicate::eq, warp, s.index(0)), [&] {
    StoreOp::create(s.b, s.loc, countsOut, tile,
                    s.select(irregular, s.i32(-1), s.toI32(count)));
    s.ifThen(s.cmpi(CmpIPredicate::eq, tile, s.index(0)),
             [&] { StoreOp::create(s.b, s.loc, again, s.index(0), s.i32(0)); });
  });
}

void UnionLists::launch(const QueryChunk& chunk, Value numTiles) {
  ToTileContext& context = operands.context;
  KernelBuilder kernel(context, context.loc(), "union_lists", kWarps);
  kernel.setSchedule(schedule);
  kernel.kernel().setMinBlocks(2);
  UnionKernel body(kernel, context.loc(), schedule);
  body.indices = kernel.read(operands.indices, "indices");
  body.listCounts = kernel.read(operands.counts, "counts");
  body.keysOut = kernel.write(keys, "union_keys");
  body.membersOut = kernel.write(members, "union_members");
  body.bitsOut = kernel.write(bits, "union_bits");
  body.countsOut = kernel.write(counts, "union_counts");
  body.again = kernel.write(again.count, "again_count");
  body.queries = kernel.size(operands.queries(), "queries");
  body.slots = kernel.size(operands.slots(), "slots");
  body.keys = kernel.size(operands.keys(), "keys");
  body.batch = kernel.scalar(chunk.batch, "batch");
  body.begin = kernel.scalar(chunk.begin, "begin");
  body.capacity = kernel.size(capacity, "capacity");
  body.strings = strings;
  body.words = words;
  body.emit();
  kernel.launch(ArrayRef<OpFoldResult>{numTiles});
}
