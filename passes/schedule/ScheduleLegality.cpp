//===- ScheduleLegality.cpp - which schedules fit an architecture ---------===//

#include "passes/schedule/ScheduleLegality.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;

/// Registers of a thread.
static constexpr int64_t kThreadRegisters = 255;
/// Registers for addresses, loops and row vectors beside fragments.
static constexpr int64_t kOtherRegisters = 40;
/// Small tiles of a top-k kernel beside its histogram and the kept cells.
static constexpr int64_t kTopKOtherBytes = 1024;
/// Rows of a warpgroup, and bits of the vectors that the bulk engine copies.
static constexpr int64_t kGroupRows = 64, kVectorBits = 128;
/// The most cells that a schedule can have kept.
static constexpr int64_t kMaxCapacity = 16384;

/// Lists that a word of bits has room for.
static constexpr int64_t kMostListsOfUnion = 32;
/// Bytes that the unions of a chunk may take, and of a key: its number, its
/// word and its bits, of which there are as many as in a word.
static constexpr int64_t kUnionBytes = int64_t{512} << 20;
static constexpr int64_t kUnionBytesPerKey = 12;

static int64_t bytesOf(Type element) {
  return element.getIntOrFloatBitWidth() / 8;
}
static int64_t pad(int64_t size) { return llvm::alignTo(size, kTileUnit); }

//===----------------------------------------------------------------------===//
// Sizes of ops
//===----------------------------------------------------------------------===//

static RankedTensorType typeOf(Operation* op, unsigned operand) {
  return cast<RankedTensorType>(op->getOperand(operand).getType());
}

AttentionProblem gsa::getAttentionProblem(Operation* op) {
  RankedTensorType query = typeOf(op, 0), key = typeOf(op, 1),
                   value = typeOf(op, 2);
  AttentionProblem problem;
  problem.element = query.getElementType();
  problem.isDense = isa<DenseAttentionOp>(op);
  problem.batch = query.getDimSize(0);
  problem.queries = query.getDimSize(1);
  problem.keys = key.getDimSize(1);
  problem.heads = query.getDimSize(2);
  problem.groups = key.getDimSize(2);
  problem.depth = query.getDimSize(3);
  problem.valueDepth = value.getDimSize(3);
  if (!problem.isDense) problem.slots = typeOf(op, 3).getDimSize(2);
  return problem;
}

ScoreProblem gsa::getScoreProblem(Operation* op) {
  RankedTensorType query = typeOf(op, 0), key = typeOf(op, 1);
  return {query.getElementType(), query.getDimSize(0), query.getDimSize(1),
          key.getDimSize(1),      query.getDimSize(2), query.getDimSize(3)};
}

TopKProblem gsa::getTopKProblem(Operation* op) {
  if (auto select = dyn_cast<SelectOp>(op))
    return {typeOf(op, 0).getDimSize(1), typeOf(op, 1).getDimSize(1),
            select.getPolicy().getSlots(), false};
  TopKProblem problem;
  problem.queries = typeOf(op, 0).getDimSize(1);
  problem.keys = typeOf(op, 0).getDimSize(2);
  if (auto top = dyn_cast<TopKOp>(op)) {
    problem.slots = static_cast<int64_t>(top.getSlots());
    problem.sorts = top.getOrder() == IndexOrder::Score;
  }
  return problem;
}

//===----------------------------------------------------------------------===//
// Shared memory and registers
//===----------------------------------------------------------------------===//

int64_t gsa::getSharedBytes(const AttentionProblem& problem,
                            AttentionScheduleAttr schedule) {
  int64_t element = bytesOf(problem.element);
  int64_t depth = pad(problem.depth), valueDepth = pad(problem.valueDepth);
  int64_t bytes = schedule.getBlockQ() * depth * element;
  bytes += schedule.getStages() * schedule.getBlockK() * (depth + valueDepth) *
           element;
  if (schedule.getProducers() > 0) bytes += 16 * schedule.getStages();
  if (!problem.isDense)
    bytes += 4 * llvm::alignTo(std::min(problem.slots, kListEntries), 4);
  // States that the parts of the keys hand over.
  if (schedule.getKeySplit() > 1)
    bytes += schedule.getBlockQ() * (valueDepth + 2) * 4;
  return bytes;
}

int64_t gsa::getSharedBytes(const AttentionProblem& problem,
                            UnionScheduleAttr schedule) {
  constexpr int64_t kBarriers = 16;  // of a stage
  auto columns = [](int64_t depth) {
    return static_cast<int64_t>(llvm::alignTo(depth, kPanelColumns));
  };
  int64_t element = bytesOf(problem.element), blockK = schedule.getBlockK();
  int64_t ratio = problem.heads / problem.groups;
  int64_t strings = llvm::alignTo(
      llvm::divideCeil(kGroupRows, ratio) * blockK, kVectorBits);
  int64_t key = blockK * columns(problem.depth) * element + strings / 8 +
                2 * kBarriers;
  int64_t value = blockK * columns(problem.valueDepth) * element + kBarriers;
  return kGroupRows * columns(problem.depth) * element +
         schedule.getKeyStages() * key + schedule.getValueStages() * value;
}

int64_t gsa::getSharedBytes(const ScoreProblem& problem,
                            ScoreScheduleAttr schedule) {
  int64_t row = pad(problem.depth) * bytesOf(problem.element);
  int64_t bytes = problem.heads * schedule.getBlockQ() * row +
                  schedule.getStages() * schedule.getBlockK() * row;
  if (schedule.getProducers() > 0) bytes += 16 * schedule.getStages();
  return bytes;
}

int64_t gsa::getSharedBytes(const TopKProblem& problem,
                            TopKScheduleAttr schedule) {
  int64_t bytes =
      4 * schedule.getBins() + 8 * schedule.getCapacity() + kTopKOtherBytes;
  if (problem.sorts)
    bytes += 8 * llvm::PowerOf2Ceil(std::max<int64_t>(problem.slots, 2));
  return bytes;
}

/// Registers of 16 rows of `columns` elements, per thread of a warp.
static int64_t fragmentRegisters(int64_t columns, int64_t element) {
  return columns * element / 8;
}

static int64_t getRegisters(const AttentionProblem& problem,
                            AttentionScheduleAttr schedule) {
  int64_t element = bytesOf(problem.element);
  int64_t keys = schedule.getBlockK() / schedule.getKeySplit();
  int64_t depth = std::min<int64_t>(pad(problem.depth), 256 / element);
  int64_t output = fragmentRegisters(pad(problem.valueDepth), 4);
  // The loop: queries, logits, weights. The end: another warp's output.
  int64_t loop = fragmentRegisters(depth, element) +
                 fragmentRegisters(keys, 4) + fragmentRegisters(keys, element);
  int64_t merge = schedule.getKeySplit() > 1 ? output : 0;
  return output + std::max(loop, merge) + kOtherRegisters;
}

static int64_t getRegisters(const AttentionProblem& problem,
                            UnionScheduleAttr schedule) {
  int64_t element = bytesOf(problem.element);
  return fragmentRegisters(llvm::alignTo(problem.valueDepth, kPanelColumns),
                           4) +
         fragmentRegisters(schedule.getBlockK(), 4) +
         fragmentRegisters(schedule.getBlockK(), element) + kOtherRegisters;
}

static int64_t getRegisters(const ScoreProblem& problem,
                            ScoreScheduleAttr schedule) {
  int64_t element = bytesOf(problem.element);
  int64_t depth = std::min<int64_t>(pad(problem.depth), 256 / element);
  return fragmentRegisters(depth, element) +
         2 * fragmentRegisters(schedule.getBlockK(), 4) + kOtherRegisters;
}

//===----------------------------------------------------------------------===//
// Legality
//===----------------------------------------------------------------------===//

static std::string over(StringRef what, int64_t got, int64_t limit,
                        StringRef unit = "") {
  std::string text =
      what.str() + " " + std::to_string(got) + " > " + std::to_string(limit);
  return unit.empty() ? text : text + " " + unit.str();
}

static std::string findElementLimit(Type element) {
  if (element.isF16() || element.isBF16() || element.isF32()) return "";
  std::string name;
  llvm::raw_string_ostream(name) << element;
  return "no kernel for elements of " + name;
}

std::string gsa::findLimit(const AttentionProblem& problem) {
  if (std::string reason = findElementLimit(problem.element); !reason.empty())
    return reason;
  int64_t depth = std::max(problem.depth, problem.valueDepth);
  if (depth > kMaxHeadSize) return over("head size", depth, kMaxHeadSize);
  if (problem.keys > kMaxRowCells)
    return over("keys", problem.keys, kMaxRowCells);
  if (problem.slots > kMaxRowCells)
    return over("slots of a list of keys", problem.slots, kMaxRowCells);
  if (problem.batch > kGridLimit)
    return over("batch", problem.batch, kGridLimit);
  // Either the blocks of a group's rows or the heads are one dimension.
  if (problem.heads > kGridLimit)
    return over("heads", problem.heads, kGridLimit);
  return "";
}

/// The queries of all heads stay in shared memory, 16 rows of each at least,
/// beside as many keys. One limit for all architectures: that of the smallest.
static std::string findIndexerLimit(const ScoreProblem& problem) {
  int64_t element = bytesOf(problem.element);
  int64_t limit = getCudaTargets().front().sharedBytesPerBlock;
  for (const CudaTarget& target : getCudaTargets())
    limit = std::min(limit, target.sharedBytesPerBlock);
  int64_t tiles = problem.heads + 1;
  int64_t tile = kTileUnit * pad(problem.depth) * element;
  if (tiles * tile <= limit) return "";
  std::string text = std::to_string(problem.heads) + " indexer heads of " +
                     std::to_string(problem.depth) + " need " +
                     std::to_string(tiles * tile) +
                     " bytes of shared memory for their queries, more than " +
                     std::to_string(limit) + "; legal are up to " +
                     std::to_string(limit / tile - 1) + " heads of " +
                     std::to_string(problem.depth);
  int64_t depth = limit / (tiles * kTileUnit * element) / kTileUnit * kTileUnit;
  if (depth > 0)
    text += ", or " + std::to_string(problem.heads) + " heads of up to " +
            std::to_string(depth);
  return text;
}

std::string gsa::findLimit(const ScoreProblem& problem) {
  if (std::string reason = findElementLimit(problem.element); !reason.empty())
    return reason;
  if (problem.depth > kMaxHeadSize)
    return over("indexer depth", problem.depth, kMaxHeadSize);
  if (problem.batch > kGridLimit)
    return over("batch", problem.batch, kGridLimit);
  return findIndexerLimit(problem);
}

std::string gsa::findLimit(const TopKProblem& problem,
                           const CudaTarget& target) {
  if (problem.keys > kMaxRowCells)
    return over("scores of a row", problem.keys, kMaxRowCells);
  if (!problem.sorts) return "";
  int64_t bytes = 8 * llvm::PowerOf2Ceil(std::max<int64_t>(problem.slots, 2)) +
                  kTopKOtherBytes + 4 * 256 + 8 * 32;
  if (bytes <= target.sharedBytesPerBlock) return "";
  return over("sort of the slots", bytes, target.sharedBytesPerBlock, "bytes");
}

/// What holds for all kernels: shared memory, registers, the engine.
static std::string findCommon(int64_t shared, int64_t registers, int64_t warps,
                              Engine engine, Type element,
                              const CudaTarget& target) {
  Engine expected = element.isF32() ? Engine::Fma : Engine::MmaSync;
  if (engine != expected)
    return "engine " + stringifyEngine(engine).str() +
           " has no kernel for this element type; expected " +
           stringifyEngine(expected).str();
  if (shared > target.sharedBytesPerBlock)
    return over("shared memory", shared, target.sharedBytesPerBlock,
                ("bytes on " + target.arch).str());
  if (registers > kThreadRegisters)
    return over("registers of a thread", registers, kThreadRegisters);
  int64_t block = registers * warps * 32;
  if (block > kSmRegisters)
    return over("registers of a block", block, kSmRegisters);
  return "";
}

std::string gsa::findIllegality(const AttentionProblem& problem,
                                AttentionScheduleAttr schedule,
                                const CudaTarget& target) {
  if (std::string limit = findLimit(problem); !limit.empty()) return limit;
  int64_t ratio = problem.heads / problem.groups;
  int64_t rows = problem.groups * llvm::divideCeil(ratio, schedule.getBlockQ());
  if (!problem.isDense && rows > kGridLimit)
    return over("blocks of heads", rows, kGridLimit);
  return findCommon(getSharedBytes(problem, schedule),
                    getRegisters(problem, schedule),
                    schedule.getProducers() + schedule.getConsumers(),
                    schedule.getEngine(), problem.element, target);
}

std::string gsa::findIllegality(const AttentionProblem& problem,
                                UnionScheduleAttr schedule,
                                const CudaTarget& target) {
  if (!target.wgmma)
    return ("engine wgmma needs sm_90a, not " + target.arch).str();
  if (!problem.element.isF16() && !problem.element.isBF16())
    return "engine wgmma multiplies f16 and bf16";
  if (std::string reason =
          findIllegality(problem, schedule.getPerQuery(), target);
      !reason.empty())
    return "by query: " + reason;
  if (problem.slots < 1 || problem.keys < 1) return "there are no keys to share";
  int64_t ratio = problem.heads / problem.groups;
  if (schedule.getQueries() * ratio > kGroupRows)
    return over("rows of a block", schedule.getQueries() * ratio, kGroupRows);
  if (problem.groups > kGridLimit)
    return over("groups of heads", problem.groups, kGridLimit);
  if (problem.depth % 8 != 0 || problem.valueDepth % 8 != 0)
    return "rows of keys and values must be whole vectors of 16 bytes";
  int64_t shared = getSharedBytes(problem, schedule);
  if (shared > target.sharedBytesPerBlock)
    return over("shared memory", shared, target.sharedBytesPerBlock,
                ("bytes on " + target.arch).str());
  int64_t registers = getRegisters(problem, schedule);
  if (registers > kThreadRegisters)
    return over("registers of a thread", registers, kThreadRegisters);
  return "";
}

std::string gsa::findWgmmaIllegality(ScoreScheduleAttr schedule,
                                     const CudaTarget& target) {
  if (!target.wgmma)
    return ("engine wgmma needs sm_90a, not " + target.arch).str();
  if (schedule.getBlockK() % kPanelColumns != 0)
    return "engine wgmma needs a 'block_k' of a multiple of 64";
  // A warpgroup starts at a warp whose number is divisible by 4.
  if (schedule.getProducers() % 4 != 0)
    return "engine wgmma needs a multiple of 4 producers";
  return "";
}

std::string gsa::findIllegality(const ScoreProblem& problem,
                                ScoreScheduleAttr schedule,
                                const CudaTarget& target) {
  if (std::string limit = findLimit(problem); !limit.empty()) return limit;
  Engine engine = schedule.getEngine();
  if (engine == Engine::Wgmma) {
    if (std::string reason = findWgmmaIllegality(schedule, target);
        !reason.empty())
      return reason;
    engine = Engine::MmaSync;  // The same element types, as checked below.
  }
  int64_t spans =
      llvm::divideCeil(problem.keys, schedule.getSpan() * schedule.getBlockK());
  if (spans > kGridLimit) return over("spans of keys", spans, kGridLimit);
  return findCommon(getSharedBytes(problem, schedule),
                    getRegisters(problem, schedule),
                    schedule.getProducers() + schedule.getConsumers(), engine,
                    problem.element, target);
}

std::string gsa::findIllegality(const TopKProblem& problem,
                                TopKScheduleAttr schedule,
                                const CudaTarget& target) {
  if (std::string limit = findLimit(problem, target); !limit.empty())
    return limit;
  int64_t shared = getSharedBytes(problem, schedule);
  if (shared > target.sharedBytesPerBlock)
    return over("shared memory", shared, target.sharedBytesPerBlock,
                ("bytes on " + target.arch).str());
  int64_t bytes = schedule.getChunk() * problem.keys * 4;
  if (schedule.getChunk() > 1 && bytes > kChunkBytes)
    return over("scores of a chunk", bytes, kChunkBytes, "bytes");
  return "";
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

static Engine engineFor(Type element) {
  return element.isF32() ? Engine::Fma : Engine::MmaSync;
}

/// Of rings of the largest tiles those of which an SM holds two blocks come
/// first, then other rings; blocks that copy and compute in turn come last.
template <typename Problem, typename Schedule>
static void preferTwoBlocks(SmallVector<Schedule>& schedules,
                            const Problem& problem, const CudaTarget& target) {
  SmallVector<Schedule> twice, once, plain;
  for (Schedule schedule : schedules) {
    Schedule first = schedules.front();
    bool fits = schedule.getBlockQ() == first.getBlockQ() &&
                schedule.getBlockK() == first.getBlockK() &&
                target.holdsTwo(getSharedBytes(problem, schedule));
    (schedule.getStages() == 1 ? plain
     : fits                    ? twice
                               : once)
        .push_back(schedule);
  }
  schedules = std::move(twice);
  llvm::append_range(schedules, once);
  llvm::append_range(schedules, plain);
}

SmallVector<AttentionScheduleAttr> gsa::enumerate(
    MLIRContext* context, const AttentionProblem& problem,
    const CudaTarget& target) {
  SmallVector<AttentionScheduleAttr> schedules;
  Engine engine = engineFor(problem.element);
  int64_t listed = problem.isDense ? problem.keys : problem.slots;
  bool isWide = std::max(problem.depth, problem.valueDepth) > 128;
  // A block of dense attention takes several queries of a group of heads.
  int64_t rows = problem.heads / std::max<int64_t>(problem.groups, 1) *
                 (problem.isDense ? std::max<int64_t>(problem.queries, 1) : 1);
  auto add = [&](int64_t blockQ, int64_t blockK, int64_t stages,
                 int64_t consumers) {
    if (blockQ > kTileUnit && blockQ / 2 >= rows) return;
    // No larger tile and no more stages than there are keys.
    if (blockK > kTileUnit && blockK / 2 >= listed) return;
    if (stages > 1 && (stages - 1) * blockK >= listed) return;
    // Wide heads leave no registers for the states of other warps.
    int64_t rowWarps = blockQ / kTileUnit;
    int64_t split = isWide ? 1 : consumers / rowWarps;
    while (blockK % (kTileUnit * split) != 0) split /= 2;
    int64_t producers = stages > 1 ? 4 : 0;
    schedules.push_back(AttentionScheduleAttr::get(
        context, engine, blockQ, blockK, stages, producers, rowWarps * split));
  };
  // Gathering waits for memory: small tiles let more blocks share an SM, which
  // is worth more there than longer products. Tiles of 64 keys have a whole
  // warpgroup of consumers; where registers move to it, an SM holds two blocks
  // of those as well, which is better still (docs/performance.md).
  SmallVector<int64_t> keyTiles = {64, 32, 16};
  bool movesRegisters = target.wgmma && engine == Engine::MmaSync && !isWide;
  if (!problem.isDense && !movesRegisters) keyTiles = {32, 64, 16};
  // Beside the output of wide heads there is room for few logits.
  if (isWide) keyTiles = {32, 16};
  for (int64_t blockQ : {64, 32, 16}) {
    if (!problem.isDense && blockQ > kTileUnit && rows <= kTileUnit) continue;
    for (int64_t blockK : keyTiles)
      for (int64_t stages : {3, 2, 1}) add(blockQ, blockK, stages, 4);
  }
  preferTwoBlocks(schedules, problem, target);
  return schedules;
}

SmallVector<UnionScheduleAttr> gsa::enumerateUnions(
    MLIRContext* context, const AttentionProblem& problem,
    AttentionScheduleAttr perQuery, const CudaTarget& target) {
  SmallVector<UnionScheduleAttr> schedules;
  int64_t ratio = problem.heads / std::max<int64_t>(problem.groups, 1);
  int64_t queries = std::min<int64_t>(kGroupRows / std::max<int64_t>(ratio, 1),
                                      kMostListsOfUnion);
  if (queries < 2) return schedules;
  int64_t blocks = problem.batch * problem.groups *
                   int64_t(llvm::divideCeil(problem.queries, queries));
  if (blocks < 2 * target.sms) return schedules;
  // The memory for unions is that of their worst case, no key shared.
  int64_t perTile = std::min(queries * problem.slots, problem.keys);
  int64_t tiles = std::clamp<int64_t>(
      kUnionBytes / (kUnionBytesPerKey * std::max<int64_t>(perTile, 1)), 1,
      std::max<int64_t>(llvm::divideCeil(problem.queries, queries), 1));
  for (int64_t stages : {3, 2})
    schedules.push_back(UnionScheduleAttr::get(
        context, Engine::Wgmma, queries, /*block_k=*/64, stages, stages,
        /*producers=*/4, /*table=*/16384, tiles * queries, perQuery));
  return schedules;
}

SmallVector<ScoreScheduleAttr> gsa::enumerate(MLIRContext* context,
                                              const ScoreProblem& problem,
                                              const CudaTarget& target) {
  SmallVector<ScoreScheduleAttr> schedules;
  Engine engine = engineFor(problem.element);
  // ptxas computes the heads' products side by side, and spills if they are
  // many and wide.
  int64_t widest = problem.heads > 8                          ? 16
                   : problem.heads > 4 || problem.depth > 128 ? 32
                                                              : 64;
  auto add = [&](int64_t blockQ, int64_t blockK, int64_t stages) {
    if (engine == Engine::MmaSync && blockK > widest) return;
    if (blockQ > kTileUnit && blockQ / 2 >= problem.queries) return;
    if (blockK > kTileUnit && blockK / 2 >= problem.keys) return;
    if (stages > 1 && (stages - 1) * blockK >= problem.keys) return;
    int64_t tiles =
        std::max<int64_t>(1, llvm::divideCeil(problem.keys, blockK));
    int64_t rowBlocks =
        problem.batch * llvm::divideCeil(problem.queries, blockQ);
    // Queries are loaded once for a span: long ones, but a block for each SM
    // first; and no more spans than a grid has.
    int64_t span = std::min<int64_t>(16, tiles);
    while (span > 1 &&
           rowBlocks * int64_t(llvm::divideCeil(tiles, span)) < 2 * target.sms)
      span /= 2;
    span = std::max<int64_t>(span, llvm::divideCeil(tiles, kGridLimit));
    schedules.push_back(ScoreScheduleAttr::get(context, engine, blockQ, blockK,
                                               span, stages, stages > 1 ? 4 : 0,
                                               blockQ / kTileUnit));
  };
  for (int64_t blockQ : {64, 32, 16})
    for (int64_t blockK : {64, 32, 16})
      for (int64_t stages : {3, 2, 1}) add(blockQ, blockK, stages);
  preferTwoBlocks(schedules, problem, target);
  return schedules;
}

SmallVector<TopKScheduleAttr> gsa::enumerate(MLIRContext* context,
                                             const TopKProblem& problem,
                                             const CudaTarget& target) {
  SmallVector<TopKScheduleAttr> schedules;
  int64_t keys = std::max<int64_t>(problem.keys, 1);
  int64_t warps = std::clamp<int64_t>(
      llvm::PowerOf2Ceil(llvm::divideCeil(keys, 256)), 1, 8);
  int64_t chunk = std::clamp<int64_t>(kChunkBytes / (4 * keys), 1,
                                      std::max<int64_t>(problem.queries, 1));
  // Whole blocks of the score kernel, where there are several.
  if (chunk > 64 && chunk < problem.queries) chunk -= chunk % 64;
  int64_t limit = llvm::PowerOf2Ceil(keys);
  // Room for the slots and a crowded bin, then for a small bin. Where not even
  // the slots fit, room for more cells would only keep blocks from an SM.
  int64_t roomy = 4096, tight = 4096;
  if (problem.slots < kMaxCapacity) {
    int64_t slots = std::max<int64_t>(problem.slots, 1);
    roomy =
        std::clamp<int64_t>(llvm::PowerOf2Ceil(2 * slots), roomy, kMaxCapacity);
    tight = std::clamp(slots + slots / 8, tight, kMaxCapacity);
  }
  for (auto [bins, capacity] : {std::pair<int64_t, int64_t>{2048, roomy},
                                {2048, tight},
                                {1024, 2048},
                                {512, 512},
                                {256, 32}})
    schedules.push_back(TopKScheduleAttr::get(
        context, warps, std::clamp<int64_t>(limit, 256, bins),
        std::clamp<int64_t>(limit, 32, capacity), chunk));
  return schedules;
}
