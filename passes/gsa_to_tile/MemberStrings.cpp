//===- MemberStrings.cpp - lists as strings of bits -----------------------===//
//
// A warp marks the keys of a list in its row of a table in shared memory and
// writes the row as strings, one for each block of keys, to where attention
// over the block's tiles finds those of its queries together.
//
//===----------------------------------------------------------------------===//

#include "passes/gsa_to_tile/MemberStrings.h"

#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpIPredicate;

/// Keys of a row of the table: at least the first number, then powers of two,
/// then multiples of the second one. So lengths have few texts between them:
/// what is written for keys that are none is cheaper than a kernel to compile.
static constexpr int64_t kLeastKeys = 2048, kKeyStep = 8192;

static int64_t roundKeys(int64_t keys) {
  if (keys > kKeyStep) return llvm::alignTo(keys, kKeyStep);
  return std::max(static_cast<int64_t>(llvm::PowerOf2Ceil(keys)), kLeastKeys);
}

/// Sizes that a kernel's text depends on.
struct StringSizes {
  int64_t keys;    ///< Of a row of the table, in whole blocks.
  int64_t blockQ;  ///< Strings of a block of keys.
  int64_t words;   ///< Of a string.
  /// Warps of a block, and entries of a list that a warp takes in one step.
  int64_t warps, entries;
};

static void emitStrings(KernelBuilder& kernel, Location loc,
                        const AttentionOperands& operands, Value bitsBuffer,
                        const StringSizes& sizes) {
  Value indices = kernel.read(operands.indices, "indices");
  Value counts = kernel.read(operands.counts, "counts");
  Value bits = kernel.write(bitsBuffer, "bits");
  Value queries = kernel.size(operands.queries(), "queries");
  Value slots = kernel.size(operands.slots(), "slots");
  KernelScalars s(kernel.body(), loc);
  Value warp = named(
      WarpRankOp::create(s.b, loc, s.b.getIndexType(), kernel.team()), "warp");
  Value batch = named(s.blockId(1), "batch");
  Value query = named(s.add(s.mul(s.blockId(0), sizes.warps), warp), "query");
  Value table =
      named(SmemAllocOp::create(
                s.b, loc,
                SmemType::get(s.b.getContext(), {sizes.warps, sizes.keys / 32},
                              s.b.getI32Type(), SmemLayout::Linear),
                IntegerAttr()),
            "table");
  ClearSharedOp::create(s.b, loc, table, kernel.team());
  SyncOp::create(s.b, loc, kernel.team());
  Value zero = s.index(0);
  s.ifThen(s.cmpi(CmpIPredicate::slt, query, queries), [&] {
    Value list = s.at(indices, {batch, query, zero}, {queries, slots});
    Value listed = s.toIndex(
        LoadOp::create(s.b, loc, s.b.getI32Type(),
                       s.at(counts, {batch, query}, {queries}), zero));
    Value count = named(s.min(s.max(listed, zero), slots), "count");
    s.rolledLoop(zero, count, sizes.entries, [&](Value at) {
      MarkKeysOp::create(
          s.b, loc, table, warp, list, at, count, sizes.entries,
          getVectorBytes(s.b.getI32Type(), operands.slots()) / 4);
    });
  });
  SyncOp::create(s.b, loc, kernel.team());
  // Rows of the last block behind the last query see nothing.
  Value blocks = s.ceilDiv(queries, sizes.blockQ);
  Value target = s.at(bits, {batch, s.div(query, sizes.blockQ), zero},
                      {blocks, s.index(sizes.keys / 32 * sizes.blockQ)});
  StoreStringsOp::create(s.b, loc, target, table, warp,
                         s.rem(query, sizes.blockQ), sizes.blockQ, sizes.words);
}

MemberStrings::MemberStrings(const AttentionOperands& operands,
                             DenseScheduleAttr schedule) {
  ToTileContext& context = operands.context;
  int64_t blockQ = schedule.getBlockQ(), blockK = schedule.getBlockK();
  StringSizes sizes{
      static_cast<int64_t>(llvm::alignTo(roundKeys(operands.keys()), blockK)),
      blockQ, blockK / 32, schedule.getStringWarps(),
      schedule.getStringEntries()};
  words = blockQ * sizes.words;
  keyBlocks = sizes.keys / blockK;
  int64_t blocks = llvm::divideCeil(operands.queries(), blockQ);
  bits = context.makeBuffer({operands.batches(), blocks, keyBlocks, words},
                            context.rewriter().getI32Type());
  KernelBuilder kernel(context, context.loc(), "member_strings", sizes.warps);
  kernel.setSchedule(schedule);
  emitStrings(kernel, context.loc(), operands, bits, sizes);
  kernel.launch(
      ArrayRef<int64_t>{blocks * blockQ / sizes.warps, operands.batches()});
  if (!context.emitsRemarks()) return;
  remark::passed(
      context.loc(),
      remark::RemarkOpts::name("MaskedTiles").category("gsa.schedule"))
      << "all visible keys are read, and strings of bits hide those of no list"
      << remark::metric("bytes",
                        4 * cast<MemRefType>(bits.getType()).getNumElements());
}
