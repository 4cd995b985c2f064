//===- Pipelines.h - from a gsa module to a target -------------*- C++ -*-===//
//
// The order of passes, as a list of named phases. Tools run, time and dump
// phase by phase; `gsa-opt --gsa-to-cpu` runs them in one go.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_PIPELINES_H
#define GSA_PASSES_PIPELINES_H

#include <functional>
#include <string>
#include <vector>

#include "mlir/Pass/PassManager.h"

namespace mlir::gsa {

/// Choices of the CPU target.
struct CpuTargetConfig {
  /// Entry function of the module.
  std::string entry = "main";
  /// Sizes of each argument, "1x4096x512"; empty leaves the types alone.
  std::vector<std::string> shapes;
  /// Tasks per parallel region: the number of threads that the code is for.
  int64_t tasks = 1;
  /// Width of a vector register, in bits.
  int64_t vectorBits = 512;
  /// File of measured schedules, which come before those that the program
  /// brings along; empty: none. See passes/schedule/ScheduleDatabase.h.
  std::string scheduleDatabase;
  /// Whether to use the latter.
  bool shippedSchedules = true;
  /// Everything by definition: decompositions and plain loops. Slow; the
  /// executable meaning of the module.
  bool reference = false;
  /// Mark zones for the run-time clock.
  bool markZones = false;
};

/// A named group of passes.
struct Phase {
  std::string name;
  std::string summary;
  std::function<void(OpPassManager&)> addPasses;
};

/// The phases of the CPU target, in order: specialize, gsa, schedule, loops,
/// llvm.
std::vector<Phase> getCpuPhases(const CpuTargetConfig& config);

/// The phases of the CPU target up to where schedules are chosen: for tools
/// that look at the choice (passes/schedule/CpuScheduleChoice.h).
std::vector<Phase> getCpuPhasesBeforeSchedule(const CpuTargetConfig& config);

/// Choices of the CUDA target and of its emulation on the host, which runs the
/// same kernels.
struct CudaTargetConfig {
  /// Architecture, one of getCudaTargets.
  std::string arch = "sm_90a";
  /// File of measured schedules, which come before those that the program
  /// brings along; empty: none. See passes/schedule/ScheduleDatabase.h.
  std::string scheduleDatabase;
  /// Whether to use the latter.
  bool shippedSchedules = true;
  /// Entry function of the module.
  std::string entry = "main";
  /// Sizes of each argument, "1x4096x512"; empty leaves the types alone.
  std::vector<std::string> shapes;
  /// Mark zones for the run-time clock.
  bool markZones = false;
};

/// The phases of the CUDA target, in order: specialize, gsa, schedule, tile,
/// plan, host. After the last one kernels can be printed and the
/// entry function is a list of steps (see runtime/export_program.h).
std::vector<Phase> getCudaPhases(const CudaTargetConfig& config);

/// The phases of the CUDA target up to where schedules are chosen: for tools
/// that look at the choice (passes/schedule/ScheduleChoice.h).
std::vector<Phase> getCudaPhasesBeforeSchedule(const CudaTargetConfig& config);

/// Registers the pipelines `gsa-to-cpu` and `gsa-to-cuda` with options that
/// mirror the structures above, and `stop-after=<phase>`; and the passes of the
/// host side of gsa-to-cuda.
void registerPipelines();

}  // namespace mlir::gsa

#endif  // GSA_PASSES_PIPELINES_H
