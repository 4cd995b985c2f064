//===- GsaScheduleFloor.cpp - what no schedule is faster than -------------===//

#include "dialect/Gsa/GsaScheduleSupport.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

static double product(std::initializer_list<int64_t> sizes) {
  double result = 1;
  for (int64_t size : sizes) result *= toDouble(size);
  return result;
}

namespace {

/// Operations that an op asks for.
struct Work {
  double products = 0, special = 0;
  Type element;
};

}  // namespace

double gsa::detail::countPairs(Operation* op, const AttentionProblem& problem) {
  return product({problem.batch, problem.heads, problem.queries,
                  problem.listed()}) *
         visibleShare(op, problem.queries, problem.keys) * listedShare(problem);
}

double gsa::detail::countPairs(Operation* op, const ScoreProblem& problem) {
  return product(
             {problem.batch, problem.heads, problem.queries, problem.keys}) *
         visibleShare(op, problem.queries, problem.keys);
}

static Work workOf(Operation* op, const AttentionProblem& problem) {
  double pairs = countPairs(op, problem);
  return {2 * pairs * toDouble(problem.depth + problem.valueDepth), pairs,
          problem.element};
}

static Work workOf(Operation* op, const ScoreProblem& problem) {
  double scores = countPairs(op, problem);
  return {2 * scores * toDouble(problem.depth), scores, problem.element};
}

StageCost gsa::findFloor(Operation* op, const CudaTarget& target) {
  ScheduleProblem problem = problemOf(op);
  const DeviceRates& rates = target.rates;
  StageCost floor;
  floor.kernel = "roofline";
  Work work;
  if (problem.attention) work = workOf(op, *problem.attention);
  if (problem.scores) work = workOf(op, *problem.scores);
  if (work.element) {
    bool isHalf = work.element.isF16() || work.element.isBF16();
    floor[isHalf ? CostTerm::Tensor : CostTerm::Fma] =
        work.products / ((isHalf ? rates.tensor : rates.fma) * 1e3);
    floor[CostTerm::Mufu] = work.special / (rates.mufu * rates.clockGhz * 1e3 *
                                            toDouble(target.sms));
  }
  floor[CostTerm::Memory] = boundaryBytes(op) / (rates.memoryGbs * 1e3);
  return floor;
}
