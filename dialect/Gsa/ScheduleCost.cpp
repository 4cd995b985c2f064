//===- ScheduleCost.cpp - where the time of a schedule goes ---------------===//

#include "dialect/Gsa/ScheduleCost.h"

#include <algorithm>

#include "llvm/Support/ErrorHandling.h"

using namespace mlir;
using namespace mlir::gsa;

StringRef gsa::toString(CostTerm term) {
  switch (term) {
    case CostTerm::Tensor:
      return "tensor";
    case CostTerm::Fma:
      return "fma";
    case CostTerm::Mufu:
      return "mufu";
    case CostTerm::Issue:
      return "issue";
    case CostTerm::Fill:
      return "fill";
    case CostTerm::Memory:
      return "memory";
    case CostTerm::Latency:
      return "latency";
    case CostTerm::Whole:
      return "whole";
  }
  llvm_unreachable("every term has a name");
}

CostTerm StageCost::bound() const {
  const double* longest = std::max_element(terms.begin(), terms.end());
  return static_cast<CostTerm>(longest - terms.begin());
}

double StageCost::microseconds() const {
  return rounds * *std::max_element(terms.begin(), terms.end()) + launchUs;
}

ScheduleCost ScheduleCost::ofWhole(double microseconds) {
  ScheduleCost cost;
  StageCost& stage = cost.stages.emplace_back();
  stage.kernel = "all kernels";
  stage[CostTerm::Whole] = microseconds;
  return cost;
}

double ScheduleCost::microseconds() const {
  double sum = 0;
  for (const StageCost& stage : stages) sum += stage.microseconds();
  return sum;
}
