//===- GsaGradSchedules.cpp - schedules of gradients by query -------------===//

#include "dialect/Gsa/GsaScheduleSupport.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

bool GatherGradScheduleAttr::takesLengths() { return true; }

std::string GatherGradScheduleAttr::findMisfit(Operation* op) const {
  return findEngineMisfit(getEngine(), problemOf(op).attention->element,
                          /*knowsWgmma=*/false);
}

std::string GatherGradScheduleAttr::findRefusal(Operation* op,
                                                const CudaTarget&) const {
  AttentionProblem problem = *problemOf(op).attention;
  if (std::string limit = findLimit(problem); !limit.empty()) return limit;
  int64_t ratio = problem.heads / problem.groups;
  int64_t rows = problem.groups * llvm::divideCeil(ratio, kTileUnit);
  return rows > kGridLimit ? over("blocks of heads", rows, kGridLimit) : "";
}

std::string GatherGradScheduleAttr::explainNone(Operation*, const CudaTarget&) {
  return "";
}

SmallVector<Attribute> GatherGradScheduleAttr::enumerate(Operation* op,
                                                         const CudaTarget&) {
  bool isFloat = problemOf(op).attention->element.isF32();
  Engine engine = isFloat ? Engine::Fma : Engine::MmaSync;
  SmallVector<Attribute> schedules;
  // What of the gradients of queries is in registers does not depend on the
  // columns of a part; what of the tiles of keys is in shared memory does not
  // either.
  for (auto [blockK, columns] : {std::pair(16, 64), std::pair(16, 16)})
    schedules.push_back(get(op->getContext(), engine, blockK, columns));
  return schedules;
}

SmallVector<Attribute> GatherGradScheduleAttr::getSteps() const {
  SmallVector<Attribute> steps;
  auto add = [&](int64_t blockK, int64_t columns) {
    addStep(steps, *this, getEngine(), blockK, columns);
  };
  add(2 * getBlockK(), getColumns());
  add(getBlockK() / 2, getColumns());
  add(getBlockK(), 2 * getColumns());
  add(getBlockK(), getColumns() / 2);
  return steps;
}
