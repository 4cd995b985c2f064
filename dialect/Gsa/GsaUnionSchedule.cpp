//===- GsaUnionSchedule.cpp - schedules that share keys -------------------===//

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

/// Rows of a warpgroup.
static constexpr int64_t kGroupRows = 64;
/// Queries that a word of bits has room for.
static constexpr int64_t kMostQueries = 32;
/// Bytes that the unions of a chunk may take, and of a key: its number, its
/// word and its bits, of which there are as many as in a word.
static constexpr int64_t kUnionBytes = int64_t{512} << 20;
static constexpr int64_t kUnionBytesPerKey = 12;
/// Keys of a union over those of one list, as lists of 16 neighbouring queries
/// have them: 1.3 to 5 in workloads like trained layers, 11 if lists have
/// nothing in common (docs/performance.md).
static constexpr double kUsualUnion = 3.0;

std::string UnionScheduleAttr::findMisfit(Operation* op) const {
  Type element = problemOf(op).attention->element;
  if (!element.isF16() && !element.isBF16())
    return "engine wgmma multiplies f16 and bf16";
  if (AttentionForm::of(op).lengths)
    return "shared keys have no kernel for a number of keys that the device "
           "alone knows";
  return getPerQuery().findMisfit(op);
}

std::string UnionScheduleAttr::findRefusal(Operation* op,
                                           const CudaTarget& target) const {
  if (!target.wgmma)
    return ("engine wgmma needs sm_90a, not " + target.arch).str();
  if (std::string reason = getPerQuery().findRefusal(op, target);
      !reason.empty())
    return "by query: " + reason;
  AttentionProblem problem = *problemOf(op).attention;
  if (problem.slots < 1 || problem.keys < 1)
    return "there are no keys to share";
  int64_t ratio = problem.heads / problem.groups;
  if (getQueries() * ratio > kGroupRows)
    return over("rows of a block", getQueries() * ratio, kGroupRows);
  if (problem.groups > kGridLimit)
    return over("groups of heads", problem.groups, kGridLimit);
  if (problem.depth % 8 != 0 || problem.valueDepth % 8 != 0)
    return "rows of keys and values must be whole vectors of 16 bytes";
  return "";
}

/// Of attention by query the part that is left where lists of `queries` queries
/// have kUsualUnion times the keys of one. What is done twice costs nothing
/// here: it is rare.
double UnionScheduleAttr::estimateCost(Operation* op,
                                       const CudaTarget& target) const {
  double share = std::min(1.0, kUsualUnion / static_cast<double>(getQueries()));
  return share * getPerQuery().estimateCost(op, target);
}

/// With blocks of several queries there must be enough of them for all SMs.
SmallVector<Attribute> UnionScheduleAttr::enumerate(Operation* op,
                                                    const CudaTarget& target) {
  SmallVector<Attribute> schedules;
  AttentionProblem problem = *problemOf(op).attention;
  int64_t ratio = problem.heads / std::max<int64_t>(problem.groups, 1);
  int64_t queries =
      std::min<int64_t>(kGroupRows / std::max<int64_t>(ratio, 1), kMostQueries);
  if (!target.wgmma || problem.isDense || queries < 2) return schedules;
  int64_t tiles =
      std::max<int64_t>(llvm::divideCeil(problem.queries, queries), 1);
  if (problem.batch * problem.groups * tiles < 2 * target.sms) return schedules;
  auto perQuery = findFirstLegal<AttentionScheduleAttr>(op, target);
  if (!perQuery) return schedules;
  // The memory for unions is that of their worst case, no key shared.
  int64_t perTile = std::min(queries * problem.slots, problem.keys);
  int64_t chunk = std::clamp<int64_t>(
      kUnionBytes / (kUnionBytesPerKey * std::max<int64_t>(perTile, 1)), 1,
      tiles);
  for (int64_t stages : {3, 2})
    schedules.push_back(UnionScheduleAttr::get(
        op->getContext(), Engine::Wgmma, queries, /*block_k=*/64, stages,
        stages, /*producers=*/4, /*table=*/16384, chunk * queries, perQuery));
  return schedules;
}

SmallVector<Attribute> UnionScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](int64_t queries, int64_t blockK, int64_t keyStages,
                 int64_t valueStages, int64_t table, int64_t chunk,
                 AttentionScheduleAttr perQuery) {
    addStep(steps, *this, getEngine(), queries, blockK, keyStages, valueStages,
            getProducers(), table, chunk, perQuery);
  };
  int64_t q = getQueries(), k = getBlockK(), s = getKeyStages(),
          v = getValueStages(), t = getTable(), c = getChunk();
  AttentionScheduleAttr p = getPerQuery();
  add(2 * q, k, s, v, t, static_cast<int64_t>(llvm::alignTo(c, 2 * q)), p);
  if (q % 2 == 0) add(q / 2, k, s, v, t, c, p);
  add(q, k + 32, s, v, t, c, p);
  add(q, k - 32, s, v, t, c, p);
  add(q, k, s + 1, v, t, c, p);
  add(q, k, s - 1, v, t, c, p);
  add(q, k, s, v + 1, t, c, p);
  add(q, k, s, v - 1, t, c, p);
  add(q, k, s, v, 2 * t, c, p);
  add(q, k, s, v, t / 2, c, p);
  add(q, k, s, v, t, 2 * c, p);
  if (c % (2 * q) == 0) add(q, k, s, v, t, c / 2, p);
  for (Attribute perQuery : p.getSteps())
    add(q, k, s, v, t, c, cast<AttentionScheduleAttr>(perQuery));
  return steps;
}
