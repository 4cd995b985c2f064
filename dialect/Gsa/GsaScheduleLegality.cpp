//===- GsaScheduleLegality.cpp - which schedules are legal ----------------===//
//
// What sizes, element types and architectures rule out. Whether a kernel fits
// is read from the kernel: see KernelMeasure.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Registers of a thread.
static constexpr int64_t kThreadRegisters = 255;
/// Registers that a warp keeps which only copies, where registers move.
static constexpr int64_t kCopyRegisters = 40;
static constexpr int64_t kWarpThreads = 32;
/// Warps of a warpgroup.
static constexpr int64_t kGroupWarps = 4;

static std::string toText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

//===----------------------------------------------------------------------===//
// Limits of problems
//===----------------------------------------------------------------------===//

static std::string findElementLimit(Type element) {
  if (element.isF16() || element.isBF16() || element.isF32()) return "";
  return "no kernel for elements of " + toText(element);
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

std::string gsa::findLimit(const ScoreProblem& problem) {
  if (std::string reason = findElementLimit(problem.element); !reason.empty())
    return reason;
  if (problem.depth > kMaxHeadSize)
    return over("indexer depth", problem.depth, kMaxHeadSize);
  if (problem.batch > kGridLimit)
    return over("batch", problem.batch, kGridLimit);
  return "";
}

std::string gsa::findLimit(const TopKProblem& problem) {
  if (!problem.element.isF32())
    return "no kernel for scores of " + toText(problem.element) +
           "; expected f32";
  if (problem.keys > kMaxRowCells)
    return over("scores of a row", problem.keys, kMaxRowCells);
  if (problem.sorts && problem.slots > kMaxSortedSlots)
    return over("slots in the order of scores", problem.slots, kMaxSortedSlots);
  return "";
}

//===----------------------------------------------------------------------===//
// What fits
//===----------------------------------------------------------------------===//

std::string gsa::findOverrun(const KernelFootprint& kernel,
                             const CudaTarget& target) {
  if (kernel.sharedBytes > target.sharedBytesPerBlock)
    return over("shared memory", kernel.sharedBytes, target.sharedBytesPerBlock,
                ("bytes on " + target.arch).str());
  if (kernel.registers > kThreadRegisters)
    return over("registers of a thread", kernel.registers, kThreadRegisters);
  int64_t copyWarps = target.wgmma ? kernel.copyWarps : 0;
  int64_t block = (kernel.registers * (kernel.warps - copyWarps) +
                   std::min(kernel.registers, kCopyRegisters) * copyWarps) *
                  kWarpThreads;
  if (block > kSmRegisters)
    return over("registers of a block", block, kSmRegisters);
  return "";
}

/// Which engines multiply these elements: one, or wgmma beside mma_sync.
std::string gsa::detail::findEngineMisfit(Engine engine, Type element,
                                          bool knowsWgmma) {
  if (std::string reason = findElementLimit(element); !reason.empty())
    return reason;
  bool known = element.isF32() ? engine == Engine::Fma
                               : engine == Engine::MmaSync ||
                                     (knowsWgmma && engine == Engine::Wgmma);
  if (known) return "";
  StringRef expected = element.isF32() ? "fma"
                       : knowsWgmma    ? "mma_sync or wgmma"
                                       : "mma_sync";
  return "engine " + stringifyEngine(engine).str() +
         " has no kernel for elements of " + toText(element) + "; expected " +
         expected.str();
}

//===----------------------------------------------------------------------===//
// Lengths
//===----------------------------------------------------------------------===//

bool AttentionScheduleAttr::takesLengths() { return true; }
bool ScoreScheduleAttr::takesLengths() { return true; }
// Rows are finite as far as their scores are: nothing beyond a length is read.
bool TopKScheduleAttr::takesLengths() { return true; }
bool SelectScheduleAttr::takesLengths() { return true; }
bool SplitSelectScheduleAttr::takesLengths() { return true; }
bool SplitAttentionScheduleAttr::takesLengths() { return true; }

//===----------------------------------------------------------------------===//
// Pages
//===----------------------------------------------------------------------===//

bool AttentionScheduleAttr::takesPages() { return true; }
bool ScoreScheduleAttr::takesPages() { return true; }
// Rows of scores have no pages.
bool TopKScheduleAttr::takesPages() { return true; }
bool SelectScheduleAttr::takesPages() { return true; }
bool OnePassScheduleAttr::takesPages() { return true; }
bool SplitSelectScheduleAttr::takesPages() { return true; }
bool SplitAttentionScheduleAttr::takesPages() { return true; }
bool UnionScheduleAttr::takesPages() { return true; }

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

std::string AttentionScheduleAttr::findMisfit(Operation* op) const {
  return findEngineMisfit(getEngine(), problemOf(op).attention->element,
                          /*knowsWgmma=*/false);
}

std::string AttentionScheduleAttr::findRefusal(Operation* op,
                                               const CudaTarget&) const {
  AttentionProblem problem = *problemOf(op).attention;
  if (std::string limit = findLimit(problem); !limit.empty()) return limit;
  int64_t ratio = problem.heads / problem.groups;
  int64_t rows = problem.groups * llvm::divideCeil(ratio, getBlockQ());
  if (!problem.isDense && rows > kGridLimit)
    return over("blocks of heads", rows, kGridLimit);
  return "";
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

std::string ScoreScheduleAttr::findMisfit(Operation* op) const {
  return findEngineMisfit(getEngine(), problemOf(op).scores->element,
                          /*knowsWgmma=*/true);
}

std::string ScoreScheduleAttr::findRefusal(Operation* op,
                                           const CudaTarget& target) const {
  ScoreProblem problem = *problemOf(op).scores;
  if (std::string limit = findLimit(problem); !limit.empty()) return limit;
  if (getEngine() == Engine::Wgmma) {
    if (!target.wgmma) return needsWgmma(target);
    // A warpgroup starts at a warp whose number is divisible by 4.
    if (getProducers() % kGroupWarps != 0)
      return "engine wgmma needs a multiple of 4 producers";
    if (problem.heads % getFragmentHeads() != 0)
      return "8 queries a warp need an even number of indexer heads, not " +
             std::to_string(problem.heads);
    if (getBoxes() && PagedInputs::of(op).any())
      return "boxes have no kernel for keys in pages";
    // A box has no end of its own: behind the keys of a batch come those of the
    // next one.
    if (getBoxes() && problem.depth % kPanelColumns != 0)
      return "boxes need a multiple of 64 columns of keys, not " +
             std::to_string(problem.depth);
    if (getBoxes() && problem.batch > 1 && problem.keys % getBlockK() != 0)
      return "boxes of the keys of several batches need whole tiles of " +
             std::to_string(getBlockK()) + ", not " +
             std::to_string(problem.keys) + " keys";
  }
  if (getHeadTile() > 0 && problem.heads % getHeadTile() != 0)
    return "head_tile must divide the " + std::to_string(problem.heads) +
           " indexer heads, got " + std::to_string(getHeadTile());
  int64_t spans = llvm::divideCeil(problem.keys, getSpan() * getBlockK());
  if (spans > kGridLimit) return over("spans of keys", spans, kGridLimit);
  return "";
}

//===----------------------------------------------------------------------===//
// Rows, and both
//===----------------------------------------------------------------------===//

std::string TopKScheduleAttr::findMisfit(Operation* op) const {
  TopKProblem problem = *problemOf(op).rows;
  problem.keys = problem.slots = 0;  // The element type alone.
  return findLimit(problem);
}

std::string TopKScheduleAttr::findRefusal(Operation* op,
                                          const CudaTarget&) const {
  TopKProblem problem = *problemOf(op).rows;
  if (std::string limit = findLimit(problem); !limit.empty()) return limit;
  int64_t bytes = getChunk() * problem.keys * 4;
  if (getChunk() > 1 && bytes > kChunkBytes)
    return over("scores of a chunk", bytes, kChunkBytes, "bytes");
  return "";
}

SmallVector<Attribute> SelectScheduleAttr::getParts() const {
  return {getScores(), getTopk()};
}

std::string SelectScheduleAttr::findMisfit(Operation* op) const {
  std::string reason = getScores().findMisfit(op);
  return reason.empty() ? getTopk().findMisfit(op) : reason;
}

std::string SelectScheduleAttr::findRefusal(Operation* op,
                                            const CudaTarget& target) const {
  std::string reason = getScores().findRefusal(op, target);
  return reason.empty() ? getTopk().findRefusal(op, target) : reason;
}
