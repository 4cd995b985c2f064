//===- GsaTrainingSchedule.cpp - how an indexer trains on a GPU -----------===//

#include <algorithm>

#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

/// Bytes of the cells of a chunk.
static constexpr int64_t kCellBytes = int64_t{64} << 20;
/// Queries of a chunk, where rows are short.
static constexpr int64_t kMostChunk = 8192;

LogicalResult TrainingScheduleAttr::verify(EmitError emitError, int64_t blockK,
                                           int64_t stages, int64_t producers,
                                           int64_t consumers, int64_t rowWarps,
                                           int64_t chunk) {
  if (failed(verifyRing(emitError, stages, producers, consumers)))
    return failure();
  if (blockK < 32 || blockK > 256 || blockK % (32 * consumers) != 0)
    return emitError() << "(C1) 'block_k' must be a multiple of 32 for each of "
                       << consumers << " consumers in [32, 256], got "
                       << blockK;
  if (rowWarps < 1 || rowWarps > 32)
    return emitError() << "(C4) 'row_warps' must be in [1, 32], got "
                       << rowWarps;
  if (chunk >= 1) return success();
  return emitError() << "(C5) 'chunk' must be at least 1, got " << chunk;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

static bool isLoss(Operation* op) { return isa<IndexKlOp, IndexKlGradOp>(op); }

/// Cells of a row: slots of its list, or all keys.
static int64_t cellsOf(const IndexerForm& form) {
  return form.indices ? typeOf(form.indices).getDimSize(2)
                      : typeOf(form.key).getDimSize(1);
}

/// Numbers of f32 of a cell: its weight, and a score for each kernel of heads.
static int64_t countNumbers(int64_t heads) {
  return 1 + static_cast<int64_t>(
                 llvm::divideCeil(heads, TrainingScheduleAttr::kMostHeads));
}

bool TrainingScheduleAttr::takesLengths() { return true; }

std::string TrainingScheduleAttr::findMisfit(Operation* op) const {
  Type element = typeOf(IndexerForm::of(op).query).getElementType();
  if (!element.isF64()) return "";
  return "has no kernel for elements of f64; expected f16, bf16 or f32";
}

std::string TrainingScheduleAttr::findRefusal(Operation* op,
                                              const CudaTarget&) const {
  IndexerForm form = IndexerForm::of(op);
  ArrayRef<int64_t> query = typeOf(form.query).getShape();
  if (query[3] > kMaxHeadSize)
    return over("indexer depth", query[3], kMaxHeadSize);
  if (isLoss(op))
    if (int64_t depth = typeOf(IndexTarget::of(op).query).getDimSize(3);
        depth > kMaxHeadSize)
      return over("head size", depth, kMaxHeadSize);
  int64_t rows = std::min(getChunk(), query[1]);
  if (int64_t bytes = 4 * rows * cellsOf(form) * countNumbers(query[2]);
      isLoss(op) && rows > 1 && bytes > kChunkBytes)
    return over("cells of a chunk", bytes, kChunkBytes, "bytes");
  return "";
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

SmallVector<Attribute> TrainingScheduleAttr::enumerate(Operation* op,
                                                       const CudaTarget&) {
  int64_t cells = std::max<int64_t>(cellsOf(IndexerForm::of(op)), 1);
  int64_t heads = typeOf(IndexerForm::of(op).query).getDimSize(2);
  int64_t chunk = std::clamp<int64_t>(
      kCellBytes / (4 * cells * countNumbers(heads)), 1, kMostChunk);
  int64_t rowWarps = std::clamp<int64_t>(
      static_cast<int64_t>(llvm::PowerOf2Ceil(
          static_cast<uint64_t>(llvm::divideCeil(cells, 256)))),
      1, 32);
  SmallVector<Attribute> schedules;
  auto add = [&](int64_t blockK, int64_t stages, int64_t producers) {
    schedules.push_back(
        TrainingScheduleAttr::get(op->getContext(), blockK, stages, producers,
                                  blockK / 32, rowWarps, chunk));
  };
  add(128, 2, 4);
  add(64, 2, 4);
  add(64, 1, 0);
  add(32, 1, 0);
  return schedules;
}

namespace {
/// What a step changes.
struct Numbers {
  int64_t blockK, stages, rowWarps, chunk;
};
}  // namespace

SmallVector<Attribute> TrainingScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  const Numbers own = {getBlockK(), getStages(), getRowWarps(), getChunk()};
  auto add = [&](const Numbers& n) {
    int64_t producers = n.stages == 1        ? 0
                        : getProducers() > 0 ? getProducers()
                                             : 4;
    addStep(steps, *this, n.blockK, n.stages, producers,
            std::max<int64_t>(n.blockK / getWarpKeys(), 1), n.rowWarps,
            n.chunk);
  };
  StepBuilder<Numbers> step(own, add);
  step.scale(&Numbers::blockK);
  step.shift(&Numbers::stages, 1);
  step.scale(&Numbers::rowWarps);
  step.scale(&Numbers::chunk);
  return steps;
}

//===----------------------------------------------------------------------===//
// Cost
//===----------------------------------------------------------------------===//

/// Kernels of a chunk, and cells that each of them reads or writes.
static constexpr double kChunkKernels = 7, kCellNumbers = 12;

/// The bytes that keys take on their way to shared memory, twice those of the
/// indexer where there are gradients, what is added to gradients of keys, and
/// cells.
double TrainingScheduleAttr::estimateCost(Operation* op,
                                          const CudaTarget& target) const {
  IndexerForm form = IndexerForm::of(op);
  RankedTensorType query = typeOf(form.query);
  double rows = toDouble(query.getDimSize(0) * query.getDimSize(1));
  double pairs = rows * toDouble(cellsOf(form));
  if (!form.indices)
    pairs *= visibleShare(op, query.getDimSize(1), cellsOf(form));
  double depth = toDouble(query.getDimSize(3));
  double ofPair = depth * toDouble(bytesOf(query.getElementType()));
  if (isGradient(op)) ofPair += ofPair + 4 * depth;
  if (isLoss(op)) {
    RankedTensorType key = typeOf(IndexTarget::of(op).key);
    ofPair += toDouble(key.getDimSize(2) * key.getDimSize(3) *
                       bytesOf(key.getElementType()));
  }
  double fill = pairs * ofPair /
                (target.rates.fillBytes * target.rates.clockGhz * 1e3 *
                 toDouble(target.sms));
  double memory = 4 * kCellNumbers * pairs / (target.rates.memoryGbs * 1e3);
  double chunks = std::max(rows / toDouble(getChunk()), 1.0);
  return fill + memory + chunks * kChunkKernels * target.rates.launchUs;
}
