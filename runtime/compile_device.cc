// -----------------------------------------------------------------------------
// File: compile_device.cc
// -----------------------------------------------------------------------------
//
// From the text of a module to a program of kernels on a GPU or its emulation.

#include <future>
#include <set>
#include <string>
#include <utility>

#include "runtime/compilation.h"
#include "runtime/compiler.h"
#include "runtime/core/status_macros.h"
#include "runtime/device_kernels.h"
#include "runtime/export_program.h"
#include "runtime/option_errors.h"
#include "runtime/pack_plan.h"
#include "runtime/schedule_databases.h"
#include "runtime/status_adapter.h"

namespace gsa {
namespace {

// The architecture that every supported device of the emulation resembles.
constexpr char kEmulatedArch[] = "sm_80";

absl::StatusOr<std::string> ArchFor(const Target& target,
                                    const CompileOptions& options) {
  std::string arch = options.arch;
  if (arch.empty() && target.kind == TargetKind::kEmu) arch = kEmulatedArch;
  if (arch.empty()) {
    GSA_ASSIGN_OR_RETURN(arch, DeviceArch(target.ordinal));
  }
  GSA_RETURN_IF_ERROR(CheckArch(arch));
  return arch;
}

// Runs the phases up to kernels; true if CompileOptions::stop_after ended them.
absl::StatusOr<bool> RunPhases(Compilation* compilation,
                               const std::string& arch) {
  const CompileOptions& options = compilation->options();
  // An error of the file is the user's, not of the phase that reads it.
  GSA_RETURN_IF_ERROR(
      LoadScheduleDatabases(options, arch, compilation->context()).status());
  mlir::gsa::CudaTargetConfig config;
  config.arch = arch;
  config.entry = compilation->entry();
  config.shapes = compilation->shapes();
  config.scheduleDatabase = options.schedule_database;
  config.shippedSchedules = options.shipped_schedules;
  config.markZones = true;
  return compilation->Run(mlir::gsa::getCudaPhases(config),
                          absl::StatusCode::kUnimplemented);
}

absl::StatusOr<DeviceProgram> Export(Compilation* compilation, TargetKind kind,
                                     const std::string& arch) {
  DiagnosticCollector diagnostics(compilation->context());
  auto start = std::chrono::steady_clock::now();
  mlir::FailureOr<DeviceProgram> program =
      ExportDeviceProgram(compilation->module(), compilation->entry(), arch);
  if (mlir::failed(program)) {
    return diagnostics.ToStatus(absl::StatusCode::kUnimplemented,
                                "compiling (phase program)");
  }
  // The emulation has headers of its own.
  if (kind == TargetKind::kCuda) AddHeaders(&*program);
  GSA_RETURN_IF_ERROR(Validate(*program, LimitsOf(arch)));
  compilation->result.zone_names = program->zone_names;
  const CompileOptions& options = compilation->options();
  if (options.on_phase) {
    options.on_phase({"program", MillisecondsSince(start),
                      [&] { return Describe(*program); }, "txt"});
  }
  ReportTexts(*program, options);
  return *std::move(program);
}

// The options with a call for kernels that counts them and then does what the
// caller's does. A kernel whose text has been shown, and compiled for that, is
// asked for again by the executable: only the first time counts.
CompileOptions Counting(const CompileOptions& options,
                        std::set<std::string>* seen, KernelCounts* counts) {
  CompileOptions result = options;
  result.on_kernel = [seen, counts,
                      next = options.on_kernel](const KernelEvent& event) {
    if (!seen->insert(event.key).second) return;
    counts->Add(event);
    if (next) next(event);
  };
  return result;
}

}  // namespace

absl::StatusOr<CompiledModule> CompileForDevice(const std::string& text,
                                                const std::string& filename,
                                                const Target& target,
                                                const CompileOptions& given) {
  std::set<std::string> seen;
  KernelCounts counts;
  const CompileOptions options = Counting(given, &seen, &counts);
  std::future<void> nvrtc;
  if (target.kind == TargetKind::kCuda &&
      (options.stop_after.empty() || options.stop_after == "code")) {
    nvrtc = BeginLoadingNvrtc(options);
  }
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<Compilation> compilation,
                       Compilation::Create(text, filename, options));
  if (options.stop_after == "parse") return std::move(compilation->result);
  GSA_ASSIGN_OR_RETURN(std::string arch, ArchFor(target, options));
  GSA_ASSIGN_OR_RETURN(bool stopped, RunPhases(compilation.get(), arch));
  CompiledModule& result = compilation->result;
  if (stopped) return std::move(result);
  GSA_ASSIGN_OR_RETURN(DeviceProgram program,
                       Export(compilation.get(), target.kind, arch));
  if (options.stop_after == "program") return std::move(result);
  if (target.kind == TargetKind::kCuda) {
    GSA_RETURN_IF_ERROR(ReportCode(program, options));
    result.kernel_counts = counts;
  }
  if (options.stop_after == "code") return std::move(result);
  if (target.kind == TargetKind::kCuda) {
    GSA_RETURN_IF_ERROR(CheckDevice(target, options.arch));
  }
  auto start = std::chrono::steady_clock::now();
  GSA_ASSIGN_OR_RETURN(
      result.executable,
      MakeDeviceExecutable(std::move(program), target, options));
  result.kernel_counts = counts;
  if (options.on_phase) {
    options.on_phase({"executable", MillisecondsSince(start),
                      [&] { return result.executable->description() + "\n"; },
                      "txt"});
  }
  return std::move(result);
}

absl::StatusOr<PackedPlan> CompileDevicePlan(const std::string& text,
                                             const std::string& filename,
                                             const CompileOptions& options) {
  GSA_RETURN_IF_ERROR(CheckArch(options.arch));
  const std::future<void> nvrtc = BeginLoadingNvrtc(options);
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<Compilation> compilation,
                       Compilation::Create(text, filename, options));
  GSA_RETURN_IF_ERROR(RunPhases(compilation.get(), options.arch).status());
  PackedPlan plan;
  plan.kind = TargetKind::kCuda;
  plan.arch = options.arch;
  plan.entry = compilation->entry();
  GSA_ASSIGN_OR_RETURN(plan.program,
                       Export(compilation.get(), plan.kind, options.arch));
  if (nvrtc.valid()) nvrtc.wait();
  GSA_RETURN_IF_ERROR(FillImages(options, &plan.program));
  plan.interface = compilation->result;
  return plan;
}

}  // namespace gsa
