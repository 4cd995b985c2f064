//===- GsaOps.cpp - ops of the gsa dialect --------------------------------===//
//
// Generated definitions, and the small methods that belong to single ops.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaOps.h"

#include <algorithm>
#include <cmath>

#include "dialect/Gsa/GsaAttentionLists.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::gsa;

#define GET_OP_CLASSES
#include "dialect/Gsa/GsaOps.cpp.inc"

double gsa::getScaleOrDefault(std::optional<APFloat> scale, int64_t dim) {
  if (scale) return scale->convertToDouble();
  assert(!ShapedType::isDynamic(dim) && "verified: scale or static size");
  return 1.0 / std::sqrt(static_cast<double>(dim));
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

PagedInputs PagedInputs::of(Operation* op) {
  auto rowsOf = [](Value tensor) { return PagedRowsOp::of(tensor); };
  if (isAttention(op)) {
    AttentionForm form = AttentionForm::of(op);
    return {rowsOf(form.key), rowsOf(form.value)};
  }
  if (auto select = dyn_cast<SelectOp>(op))
    return {rowsOf(select.getKey()), {}};
  if (auto scores = dyn_cast<IndexScoresOp>(op))
    return {rowsOf(scores.getKey()), {}};
  return {};
}

bool gsa::isAttention(Operation* op) {
  return isa_and_nonnull<GatherAttentionOp, DenseAttentionOp,
                         PartialAttentionOp>(op);
}

AttentionForm AttentionForm::of(Operation* op) {
  AttentionForm form;
  if (auto gather = dyn_cast<GatherAttentionOp>(op)) {
    form = detail::makeAttentionForm(gather);
    form.indices = gather.getIndices();
    form.counts = gather.getCounts();
    form.gate = gather.getGate();
    form.gateActivation = gather.getGateActivation();
  } else if (auto dense = dyn_cast<DenseAttentionOp>(op)) {
    form = detail::makeAttentionForm(dense);
    form.mask = dense.getMask();
    form.gate = dense.getGate();
    form.gateActivation = dense.getGateActivation();
  } else {
    auto partial = cast<PartialAttentionOp>(op);
    form = detail::makeAttentionForm(partial);
    form.indices = partial.getIndices();
    form.counts = partial.getCounts();
    form.mask = partial.getMask().value_or(Mask::None);
    form.first = static_cast<int64_t>(partial.getFirst());
    form.size = static_cast<int64_t>(partial.getSize());
  }
  return form;
}

bool AttentionForm::isPartial() const { return isa<PartialAttentionOp>(op); }

int64_t AttentionForm::clip(int64_t count) const {
  if (ShapedType::isDynamic(count)) return count;
  return std::clamp<int64_t>(count - first, 0, size);
}

double AttentionForm::scale() const {
  return getScaleOrDefault(
      scaleGiven, cast<RankedTensorType>(query.getType()).getDimSize(3));
}

int64_t gsa::countShortRows(SelectOp op) {
  int64_t queries =
      cast<RankedTensorType>(op.getQuery().getType()).getDimSize(1);
  int64_t keys = cast<RankedTensorType>(op.getKey().getType()).getDimSize(1);
  int64_t least = op.getPolicy().getLeast();
  if (op.getMask() == Mask::None) return keys <= least ? queries : 0;
  // Query t sees t + 1 + keys - queries keys.
  return std::clamp<int64_t>(least - (keys - queries), 0, queries);
}

//===----------------------------------------------------------------------===//
// RopeOp
//===----------------------------------------------------------------------===//

int64_t RopeOp::getRotatedSize() {
  if (std::optional<int64_t> size = getRotaryDim()) return *size;
  return cast<RankedTensorType>(getInput().getType()).getDimSize(3);
}

/// The dimension (not rounded) of which `turns` full turns fit into
/// `maxPosition` positions; YaRN, arXiv 2309.00071.
static double yarnDimension(double turns, double rotated, double base,
                            double maxPosition) {
  return rotated * std::log(maxPosition / (turns * 2.0 * M_PI)) /
         (2.0 * std::log(base));
}

SmallVector<double> RopeOp::getFrequencies() {
  int64_t rotated = getRotatedSize();
  double base = getBase().convertToDouble();
  std::optional<RopeScalingAttr> scaling = getScaling();
  bool isYarn = scaling && scaling->getKind() == RopeScalingKind::Yarn;
  double size = static_cast<double>(rotated);
  if (scaling && scaling->getKind() == RopeScalingKind::Ntk)
    base *=
        std::pow(scaling->getFactor().convertToDouble(), size / (size - 2.0));

  SmallVector<double> frequencies;
  for (int64_t i = 0; i < rotated / 2; ++i)
    frequencies.push_back(std::pow(base, -2.0 * i / size));
  if (!isYarn) return frequencies;

  double maxPosition = static_cast<double>(scaling->getOriginalMaxPosition());
  double low = std::max(
      std::floor(yarnDimension(scaling->getBetaFast().convertToDouble(), size,
                               base, maxPosition)),
      0.0);
  double high =
      std::min(std::ceil(yarnDimension(scaling->getBetaSlow().convertToDouble(),
                                       size, base, maxPosition)),
               size / 2.0 - 1.0);
  for (auto [i, frequency] : llvm::enumerate(frequencies)) {
    // 0 keeps the original frequency, 1 stretches it fully.
    double blend =
        high > low ? (i - low) / (high - low) : (i > high ? 1.0 : 0.0);
    blend = std::clamp(blend, 0.0, 1.0);
    frequency *= (1.0 - blend) + blend / scaling->getFactor().convertToDouble();
  }
  return frequencies;
}

OpFoldResult RopeOp::fold(FoldAdaptor adaptor) {
  // Position 0 rotates by nothing.
  auto positions =
      llvm::dyn_cast_if_present<DenseIntElementsAttr>(adaptor.getPositions());
  if (positions && positions.isSplat() &&
      positions.getSplatValue<APInt>().isZero() &&
      getInput().getType() == getType())
    return getInput();
  return {};
}
