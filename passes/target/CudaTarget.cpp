//===- CudaTarget.cpp - what an architecture offers -----------------------===//

#include "passes/target/CudaTarget.h"

using namespace mlir::gsa;

static constexpr int64_t KiB = 1024;

static const CudaTarget kTargets[] = {
    {"sm_80", 163 * KiB, 164 * KiB, 64, 108, false, false},
    {"sm_86", 99 * KiB, 100 * KiB, 48, 84, false, false},
    {"sm_89", 99 * KiB, 100 * KiB, 48, 128, false, false},
    {"sm_90a", 227 * KiB, 228 * KiB, 64, 132, true, true},
    {"sm_100a", 227 * KiB, 228 * KiB, 64, 148, false, true},
    {"sm_120", 99 * KiB, 100 * KiB, 48, 170, false, true},
};

llvm::ArrayRef<CudaTarget> mlir::gsa::getCudaTargets() { return kTargets; }

std::optional<CudaTarget> mlir::gsa::findCudaTarget(llvm::StringRef arch) {
  for (const CudaTarget& target : kTargets)
    if (target.arch == arch) return target;
  return std::nullopt;
}
