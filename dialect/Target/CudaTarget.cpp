//===- CudaTarget.cpp - what an architecture offers -----------------------===//

#include "dialect/Target/CudaTarget.h"

#include <utility>

using namespace mlir::gsa;

static constexpr int64_t KiB = 1024;

/// Letters that a misspelt name may differ in.
static constexpr unsigned kMostEdits = 2;

// Clock, memory, products of matrices, f32, special functions, instructions and
// fill of an SM a clock, L2, launch. Of the H200: the copy of
// bench/results/gpu.jsonl, special functions and gathered rows at the clock
// that products leave; its launch is that of a kernel that finds nothing to do.
static const DeviceRates kA100 = {"NVIDIA A100 80 GB",
                                  false,
                                  1.41,
                                  2039,
                                  312e3,
                                  19.5e3,
                                  16,
                                  4,
                                  30,
                                  40 << 20,
                                  1.6};
static const DeviceRates kRtx3090 = {
    "NVIDIA RTX 3090", false, 1.70, 936, 71e3, 35.6e3, 16, 4, 20, 6 << 20, 1.6};
static const DeviceRates kRtx4090 = {
    "NVIDIA RTX 4090", false, 2.52, 1008, 165e3, 82.6e3, 16, 4, 20,
    72 << 20,          1.6};
static const DeviceRates kH200 = {
    "NVIDIA H200", true, 1.80, 4284, 989e3, 67e3, 16, 4, 30, 50 << 20, 1.6};
static const DeviceRates kB200 = {
    "NVIDIA B200", false, 1.85, 8000, 2250e3, 75e3, 16, 4, 30, 126 << 20, 1.6};
static const DeviceRates kRtx5090 = {
    "NVIDIA RTX 5090", false, 2.41, 1792, 209e3, 105e3, 16, 4, 20,
    96 << 20,          1.6};

static const CudaTarget kTargets[] = {
    {"sm_80", 163 * KiB, 164 * KiB, 64, 108, false, false, kA100},
    {"sm_86", 99 * KiB, 100 * KiB, 48, 84, false, false, kRtx3090},
    {"sm_89", 99 * KiB, 100 * KiB, 48, 128, false, false, kRtx4090},
    {"sm_90a", 227 * KiB, 228 * KiB, 64, 132, true, true, kH200},
    {"sm_100a", 227 * KiB, 228 * KiB, 64, 148, false, true, kB200},
    {"sm_120", 99 * KiB, 100 * KiB, 48, 170, false, true, kRtx5090},
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
