//===- CudaTarget.cpp - what an architecture offers -----------------------===//

#include "dialect/Target/CudaTarget.h"

#include <utility>

using namespace mlir::gsa;

static constexpr int64_t KiB = 1024;

/// Letters that a misspelt name may differ in.
static constexpr unsigned kMostEdits = 2;

// The products: A100 80 GB, RTX 3090, RTX 4090, H100 SXM, B200, RTX 5090.
static const CudaTarget kTargets[] = {
    {"sm_80", 163 * KiB, 164 * KiB, 64, 108, false, false, 2039, 312e3, 19.5e3},
    {"sm_86", 99 * KiB, 100 * KiB, 48, 84, false, false, 936, 71e3, 35.6e3},
    {"sm_89", 99 * KiB, 100 * KiB, 48, 128, false, false, 1008, 165e3, 82.6e3},
    {"sm_90a", 227 * KiB, 228 * KiB, 64, 132, true, true, 3350, 989e3, 67e3},
    {"sm_100a", 227 * KiB, 228 * KiB, 64, 148, false, true, 8000, 2250e3, 75e3},
    {"sm_120", 99 * KiB, 100 * KiB, 48, 170, false, true, 1792, 209e3, 105e3},
};

llvm::ArrayRef<CudaTarget> mlir::gsa::getCudaTargets() { return kTargets; }

std::optional<CudaTarget> mlir::gsa::findCudaTarget(llvm::StringRef arch) {
  for (const CudaTarget& target : kTargets)
    if (target.arch == arch) return target;
  return std::nullopt;
}

std::string mlir::gsa::explainUnknownTarget(llvm::StringRef arch) {
  std::string list, nearest;
  // Of equally near names the one that goes on where this one stops.
  std::pair<unsigned, bool> least = {kMostEdits + 1, false};
  for (const CudaTarget& target : kTargets) {
    list += (list.empty() ? "" : ", ") + target.arch.str();
    unsigned edits = target.arch.edit_distance_insensitive(
        arch, /*AllowReplacements=*/true, kMostEdits);
    std::pair<unsigned, bool> distance = {edits,
                                          !target.arch.starts_with(arch)};
    if (distance >= least) continue;
    least = distance;
    nearest = target.arch.str();
  }
  std::string text = "expected one of " + list + ", got '" + arch.str() + "'";
  return nearest.empty() ? text : text + "; did you mean '" + nearest + "'?";
}
