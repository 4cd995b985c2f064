//===- GsaSchedules.cpp - sizes, kinds and footprints of schedules --------===//

#include "dialect/Gsa/GsaSchedules.h"

#include "dialect/Gsa/GsaGradientOps.h"
#include "dialect/Gsa/GsaOps.h"
#include "dialect/Gsa/GsaScheduleSupport.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace mlir::gsa;

#include "dialect/Gsa/GsaScheduleAttrInterfaces.cpp.inc"
#include "dialect/Gsa/GsaScheduleOpInterfaces.cpp.inc"

//===----------------------------------------------------------------------===//
// Which op admits what
//===----------------------------------------------------------------------===//

using Kinds = SmallVector<ScheduleKind>;

template <typename... Schedules>
static Kinds kinds(Operation* op) {
  return {ScheduleKind::get<Schedules>(op->getContext())...};
}

Kinds IndexScoresOp::getScheduleKinds(Device device) {
  return device == Device::Cpu ? kinds<CpuScheduleAttr>(*this)
                               : kinds<ScoreScheduleAttr>(*this);
}

Kinds SelectOp::getScheduleKinds(Device device) {
  return device == Device::Cpu
             ? kinds<CpuScheduleAttr>(*this)
             : kinds<SelectScheduleAttr, OnePassScheduleAttr,
                     SplitSelectScheduleAttr, ShortRowsScheduleAttr>(*this);
}

Kinds RowStatisticsOp::getScheduleKinds(Device device) {
  return device == Device::Cpu ? Kinds() : kinds<TopKScheduleAttr>(*this);
}

Kinds TopKOp::getScheduleKinds(Device device) {
  return device == Device::Cpu ? Kinds() : kinds<TopKScheduleAttr>(*this);
}

Kinds GatherAttentionOp::getScheduleKinds(Device device) {
  return device == Device::Cpu
             ? kinds<CpuScheduleAttr>(*this)
             : kinds<AttentionScheduleAttr, UnionScheduleAttr,
                     SplitAttentionScheduleAttr, DenseScheduleAttr>(*this);
}

Kinds DenseAttentionOp::getScheduleKinds(Device device) {
  return device == Device::Cpu
             ? kinds<CpuScheduleAttr>(*this)
             : kinds<AttentionScheduleAttr, DenseScheduleAttr>(*this);
}

Kinds PartialAttentionOp::getScheduleKinds(Device device) {
  return device == Device::Cpu ? kinds<CpuScheduleAttr>(*this)
                               : kinds<AttentionScheduleAttr>(*this);
}

/// Why no kernel reads these pages; sizes that are not known are none.
static std::string findPageLimit(PagedRowsOp rows) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  RankedTensorType pool = rows.getPool().getType();
  if (!pool.hasStaticShape()) return "";
  // A row of one head, or of all of them.
  int64_t count = pool.getDimSize(0) * rows.getPage();
  if (rows.getHeadsFirst()) count *= pool.getDimSize(1);
  if (count <= kMost) return "";
  return "rows of a pool " + std::to_string(count) + " > " +
         std::to_string(kMost);
}

std::string ScheduleKind::findInputMisfit(Operation* op) const {
  auto scheduled = dyn_cast<ScheduledOpInterface>(op);
  if (!scheduled || !kind->getInterface<ScheduleAttrInterface>()) return "";
  auto refuse = [&](StringRef what, auto takes) -> std::string {
    auto holds = [&](const ScheduleKind& other) {
      const auto* known = other.kind->getInterface<ScheduleAttrInterface>();
      return known && takes(*known);
    };
    if (holds(*this)) return "";
    std::string text = getName() + " has no kernel for " + what.str();
    StringRef separator = "; use ";
    for (const ScheduleKind& other : scheduled.getScheduleKinds(Device::Cuda)) {
      if (!holds(other)) continue;
      text += separator.str() + other.getName();
      separator = " or ";
    }
    return text;
  };
  std::string reason;
  if (scheduled.getLengths())
    reason = refuse("a number of keys that the device alone knows",
                    [](const auto& known) { return known.takesLengths(); });
  PagedInputs pages = PagedInputs::of(op);
  if (reason.empty() && pages.any())
    reason = refuse("keys in pages",
                    [](const auto& known) { return known.takesPages(); });
  for (PagedRowsOp rows : {pages.key, pages.value})
    if (reason.empty() && rows) reason = findPageLimit(rows);
  return reason;
}

SmallVector<Attribute> ScheduleKind::enumerate(Operation* op,
                                               const CudaTarget& target) const {
  const auto* interface = kind->getInterface<ScheduleAttrInterface>();
  if (!interface || !findInputMisfit(op).empty()) return {};
  return interface->enumerate(op, target);
}

std::string ScheduleKind::explainNone(Operation* op,
                                      const CudaTarget& target) const {
  const auto* interface = kind->getInterface<ScheduleAttrInterface>();
  if (!interface) return "of another device than " + target.arch.str();
  std::string reason = findInputMisfit(op);
  return reason.empty() ? interface->explainNone(op, target) : reason;
}

std::string gsa::describe(ArrayRef<ScheduleKind> kinds) {
  std::string text;
  for (auto [i, kind] : llvm::enumerate(kinds))
    text += (i == 0 ? "a " : " or ") + kind.getName();
  return text;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

static RankedTensorType typeOf(Operation* op, unsigned operand) {
  return cast<RankedTensorType>(op->getOperand(operand).getType());
}

AttentionProblem gsa::detail::attentionProblemOf(Value query, Value key,
                                                 Value value) {
  auto queries = cast<RankedTensorType>(query.getType());
  auto keys = cast<RankedTensorType>(key.getType());
  AttentionProblem problem;
  problem.element = queries.getElementType();
  problem.isDense = true;
  problem.batch = queries.getDimSize(0);
  problem.queries = queries.getDimSize(1);
  problem.keys = keys.getDimSize(1);
  problem.heads = queries.getDimSize(2);
  problem.groups = keys.getDimSize(2);
  problem.depth = queries.getDimSize(3);
  problem.valueDepth = cast<RankedTensorType>(value.getType()).getDimSize(3);
  return problem;
}

ScoreProblem gsa::detail::scoreProblemOf(Value query, Value key) {
  auto queries = cast<RankedTensorType>(query.getType());
  auto keys = cast<RankedTensorType>(key.getType());
  return {queries.getElementType(), queries.getDimSize(0),
          queries.getDimSize(1),    keys.getDimSize(1),
          queries.getDimSize(2),    queries.getDimSize(3)};
}

static ScoreProblem scoresOf(Operation* op) {
  return gsa::detail::scoreProblemOf(op->getOperand(0), op->getOperand(1));
}

/// Of an op whose first operand is [B, Sq, Sk].
static TopKProblem rowsOf(Operation* op) {
  RankedTensorType scores = typeOf(op, 0);
  return {scores.getElementType(), scores.getDimSize(0), scores.getDimSize(1),
          scores.getDimSize(2)};
}

/// Of a range the keys, or the slots, are those in it.
static AttentionProblem attentionOf(Operation* op) {
  AttentionForm form = AttentionForm::of(op);
  AttentionProblem problem = gsa::detail::attentionProblemOf(
      op->getOperand(0), op->getOperand(1), op->getOperand(2));
  problem.isDense = form.isDense();
  if (form.isDense())
    problem.keys = form.clip(problem.keys);
  else
    problem.slots =
        form.clip(cast<RankedTensorType>(form.indices.getType()).getDimSize(2));
  return problem;
}

ScheduleProblem IndexScoresOp::getScheduleProblem() {
  return {.attention = {}, .scores = scoresOf(*this), .rows = {}};
}

ScheduleProblem SelectOp::getScheduleProblem() {
  ScoreProblem scores = scoresOf(*this);
  TopKProblem rows{getAccumulatorType(scores.element),
                   scores.batch,
                   scores.queries,
                   scores.keys,
                   getPolicy().getSlots(),
                   /*sorts=*/false};
  return {.attention = {}, .scores = scores, .rows = rows};
}

ScheduleProblem RowStatisticsOp::getScheduleProblem() {
  return {.attention = {}, .scores = {}, .rows = rowsOf(*this)};
}

ScheduleProblem TopKOp::getScheduleProblem() {
  TopKProblem rows = rowsOf(*this);
  rows.slots = static_cast<int64_t>(getSlots());
  rows.sorts = getOrder() == IndexOrder::Score;
  return {.attention = {}, .scores = {}, .rows = rows};
}

ScheduleProblem GatherAttentionOp::getScheduleProblem() {
  return {.attention = attentionOf(*this), .scores = {}, .rows = {}};
}

ScheduleProblem DenseAttentionOp::getScheduleProblem() {
  return {.attention = attentionOf(*this), .scores = {}, .rows = {}};
}

ScheduleProblem PartialAttentionOp::getScheduleProblem() {
  return {.attention = attentionOf(*this), .scores = {}, .rows = {}};
}

bool gsa::isCausal(Operation* op) {
  Mask mask = Mask::None;
  if (auto select = dyn_cast<SelectOp>(op))
    mask = select.getMask();
  else if (auto scores = dyn_cast<IndexScoresOp>(op))
    mask = scores.getMask();
  else if (isAttention(op))
    mask = AttentionForm::of(op).mask;
  else if (auto dense = dyn_cast<DenseAttentionGradOp>(op))
    mask = dense.getMask();
  else if (isa<IndexScoresGradOp, IndexKlOp, IndexKlGradOp>(op))
    mask = IndexerForm::of(op).mask;
  return mask == Mask::Causal;
}

//===----------------------------------------------------------------------===//
// What all kinds share
//===----------------------------------------------------------------------===//

const KernelFootprint* Footprint::find(Attribute schedule) const {
  const KernelFootprint* most = nullptr;
  for (const KernelFootprint& kernel : kernels)
    if (kernel.schedule == schedule &&
        (!most || kernel.sharedBytes > most->sharedBytes))
      most = &kernel;
  return most;
}

const Footprint& ScheduleAttrInterface::getFootprint(
    Operation* op, const CudaTarget& target) const {
  static const Footprint kUnknown{
      "nothing is registered that could lower the op", {}};
  auto* dialect = op->getContext()->getLoadedDialect<GsaDialect>();
  auto* measure = dialect->getRegisteredInterface<KernelMeasure>();
  return measure ? measure->measure(op, *this, target) : kUnknown;
}

std::string ScheduleAttrInterface::findOpMisfit(Operation* op) const {
  std::string reason = ScheduleKind::of(*this).findInputMisfit(op);
  return reason.empty() ? findMisfit(op) : reason;
}

ScheduleVerdict ScheduleAttrInterface::findIllegality(
    Operation* op, const CudaTarget& target) const {
  // A part is named before the whole that it rules out.
  SmallVector<Attribute> parts = getParts();
  parts.push_back(*this);
  for (Attribute part : parts) {
    auto schedule = cast<ScheduleAttrInterface>(part);
    std::string reason = schedule.findOpMisfit(op);
    if (reason.empty()) reason = schedule.findRefusal(op, target);
    if (!reason.empty()) return {reason, part};
  }
  const Footprint& footprint = getFootprint(op, target);
  if (!footprint.failure.empty()) return {footprint.failure, *this};
  for (const KernelFootprint& kernel : footprint.kernels)
    if (std::string reason = findOverrun(kernel, target); !reason.empty())
      return {reason, kernel.schedule ? kernel.schedule : *this};
  return {};
}

SmallVector<Attribute> ScheduleAttrInterface::getNeighbours(
    Operation* op, const CudaTarget& target) const {
  SmallVector<Attribute> legal;
  for (Attribute step : getSteps())
    if (cast<ScheduleAttrInterface>(step).findIllegality(op, target).isLegal())
      legal.push_back(step);
  return legal;
}
