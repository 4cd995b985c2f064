// -----------------------------------------------------------------------------
// File: explain.cc
// -----------------------------------------------------------------------------

#include "runtime/explain.h"

#include <memory>

#include "codegen/cpu/CpuJit.h"
#include "dialect/Gsa/GsaOps.h"
#include "dialect/Target/CpuTarget.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/IR/Location.h"
#include "passes/Pipelines.h"
#include "passes/StaticShapes.h"
#include "passes/gsa_to_tile/MeasureKernels.h"
#include "passes/schedule/CpuScheduleChoice.h"
#include "passes/schedule/ScheduleChoice.h"
#include "runtime/compilation.h"
#include "runtime/core/status_macros.h"
#include "runtime/option_errors.h"
#include "runtime/schedule_databases.h"
#include "runtime/status_adapter.h"

namespace gsa {
namespace {

using mlir::gsa::CostTerm;
using mlir::gsa::CudaTarget;
using mlir::gsa::RejectedSchedule;
using mlir::gsa::ScheduleChoice;
using mlir::gsa::StageCost;

// The first place in a file that a location names; empty if it names none.
std::string PlaceOf(mlir::Location location) {
  std::string place;
  location->walk([&](mlir::Location part) {
    auto file = mlir::dyn_cast<mlir::FileLineColLoc>(part);
    if (!file) return mlir::WalkResult::advance();
    place = file.getFilename().str() + ":" + std::to_string(file.getLine()) +
            ":" + std::to_string(file.getColumn());
    return mlir::WalkResult::interrupt();
  });
  return place;
}

const char* NameOf(RejectedSchedule::Why why) {
  switch (why) {
    case RejectedSchedule::NoCandidate:
      return "NoCandidate";
    case RejectedSchedule::Illegal:
      return "Illegal";
    case RejectedSchedule::Costlier:
      return "Costlier";
    case RejectedSchedule::Unfit:
      return "Unfit";
  }
  llvm_unreachable("every reason has a name");
}

StageExplanation ExplainStage(const StageCost& cost) {
  StageExplanation stage;
  stage.kernel = cost.kernel;
  stage.microseconds = cost.microseconds();
  for (int i = 0; i < mlir::gsa::kNumCostTerms; ++i) {
    const auto term = static_cast<CostTerm>(i);
    if (cost[term] > 0) {
      stage.terms.emplace_back(mlir::gsa::toString(term).str(), cost[term]);
    }
  }
  if (cost.launchUs > 0) stage.terms.emplace_back("launch", cost.launchUs);
  const bool waits = cost.launchUs > stage.microseconds - cost.launchUs;
  stage.bound = waits ? "launch" : mlir::gsa::toString(cost.bound()).str();
  return stage;
}

// What is said of an op on every target.
OpExplanation ExplainOp(mlir::gsa::ScheduledOpInterface op,
                        const std::string& arch,
                        const mlir::gsa::ScheduleOrigin& origin,
                        mlir::Attribute schedule,
                        const mlir::gsa::ScheduleCost& cost,
                        const StageCost& floor) {
  OpExplanation result;
  result.op = op->getName().getStringRef().str();
  result.location = PlaceOf(op->getLoc());
  result.shape = mlir::gsa::makeShapeClass(op, arch);
  result.schedule = schedule ? mlir::gsa::toText(schedule) : "none";
  result.source = origin.describeSource();
  result.measured_microseconds = origin.measuredUs;
  result.measured_default_microseconds = origin.measuredDefaultUs;
  result.microseconds = origin.us;
  result.floor_microseconds = floor.microseconds();
  result.floor_bound = mlir::gsa::toString(floor.bound()).str();
  for (const StageCost& stage : cost.stages) {
    result.stages.push_back(ExplainStage(stage));
  }
  for (const RejectedSchedule& rejected : origin.rejected) {
    result.rejected.push_back(
        {NameOf(rejected.why), rejected.what, rejected.reason, rejected.us});
  }
  return result;
}

absl::StatusOr<Explanation> ExplainCpuSchedules(const std::string& text,
                                                const std::string& filename,
                                                const CompileOptions& options,
                                                bool list_legal) {
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<Compilation> compilation,
                       Compilation::Create(text, filename, options));
  mlir::gsa::CpuTarget target;
  target.tasks = ThreadsOf(options);
  target.vectorBits = options.vector_bits > 0 ? options.vector_bits
                                              : mlir::gsa::hostVectorBits();
  mlir::gsa::CpuTargetConfig config;
  config.entry = compilation->entry();
  config.shapes = compilation->shapes();
  GSA_RETURN_IF_ERROR(compilation
                          ->Run(mlir::gsa::getCpuPhasesBeforeSchedule(config),
                                absl::StatusCode::kUnimplemented)
                          .status());
  GSA_ASSIGN_OR_RETURN(
      const mlir::gsa::ScheduleDatabases databases,
      LoadScheduleDatabases(options, target.arch(), compilation->context()));
  Explanation result;
  result.arch = target.arch();
  result.product = target.rates().product.str();
  result.is_measured = target.rates().isMeasured;
  DiagnosticCollector diagnostics(compilation->context());
  const mlir::WalkResult walk =
      compilation->module().walk([&](mlir::gsa::ScheduledOpInterface op) {
        if (op.getScheduleKinds(mlir::gsa::Device::Cpu).empty()) {
          return mlir::WalkResult::advance();
        }
        if (mlir::failed(mlir::gsa::checkStatic(op, "be explained"))) {
          return mlir::WalkResult::interrupt();
        }
        const mlir::gsa::CpuScheduleChoice choice =
            mlir::gsa::chooseCpuSchedule(op, target, databases);
        mlir::gsa::ScheduleCost cost;
        if (choice.schedule) {
          cost = mlir::gsa::getCpuCost(op, choice.schedule, target);
        }
        result.ops.push_back(ExplainOp(op, target.arch(), choice,
                                       choice.schedule, cost,
                                       mlir::gsa::findCpuFloor(op, target)));
        if (!list_legal || !choice.schedule) return mlir::WalkResult::advance();
        for (const auto& [legal, us] :
             mlir::gsa::listCpuSchedules(op, target, choice.schedule)) {
          result.ops.back().legal.emplace_back(mlir::gsa::toText(legal), us);
        }
        return mlir::WalkResult::advance();
      });
  if (walk.wasInterrupted()) {
    return diagnostics.ToStatus(absl::StatusCode::kUnimplemented,
                                "choosing schedules");
  }
  return result;
}

}  // namespace

absl::StatusOr<Explanation> ExplainSchedules(const std::string& text,
                                             const std::string& filename,
                                             const CompileOptions& options,
                                             bool list_legal) {
  if (options.target == "cpu") {
    return ExplainCpuSchedules(text, filename, options, list_legal);
  }
  GSA_RETURN_IF_ERROR(CheckArch(options.arch));
  const CudaTarget target = *mlir::gsa::findCudaTarget(options.arch);
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<Compilation> compilation,
                       Compilation::Create(text, filename, options));
  mlir::gsa::CudaTargetConfig config;
  config.arch = options.arch;
  config.entry = compilation->entry();
  config.shapes = compilation->shapes();
  GSA_RETURN_IF_ERROR(compilation
                          ->Run(mlir::gsa::getCudaPhasesBeforeSchedule(config),
                                absl::StatusCode::kUnimplemented)
                          .status());
  // What kernels take is found by lowering ops.
  mlir::DialectRegistry registry;
  mlir::gsa::registerKernelMeasure(registry);
  compilation->context()->appendDialectRegistry(registry);
  compilation->context()->loadAllAvailableDialects();
  GSA_ASSIGN_OR_RETURN(
      const mlir::gsa::ScheduleDatabases databases,
      LoadScheduleDatabases(options, options.arch, compilation->context()));
  Explanation result;
  result.arch = options.arch;
  result.product = target.rates.product.str();
  result.is_measured = target.rates.isMeasured;
  DiagnosticCollector diagnostics(compilation->context());
  if (mlir::failed(mlir::gsa::refuseGradients(compilation->module()))) {
    return diagnostics.ToStatus(absl::StatusCode::kUnimplemented,
                                "choosing schedules");
  }
  const mlir::WalkResult walk =
      compilation->module().walk([&](mlir::gsa::ScheduledOpInterface op) {
        if (op.getScheduleKinds(mlir::gsa::Device::Cuda).empty()) {
          return mlir::WalkResult::advance();
        }
        if (mlir::failed(mlir::gsa::checkStatic(op, "be scheduled"))) {
          return mlir::WalkResult::interrupt();
        }
        mlir::FailureOr<ScheduleChoice> choice =
            mlir::gsa::chooseSchedule(op, target, databases);
        if (mlir::failed(choice)) return mlir::WalkResult::interrupt();
        result.ops.push_back(ExplainOp(op, options.arch, *choice,
                                       choice->schedule,
                                       choice->schedule.getCost(op, target),
                                       mlir::gsa::findFloor(op, target)));
        if (!list_legal) return mlir::WalkResult::advance();
        for (mlir::gsa::ScheduleAttrInterface legal :
             mlir::gsa::listLegalSchedules(op, target, choice->schedule)) {
          result.ops.back().legal.emplace_back(mlir::gsa::toText(legal),
                                               legal.estimateCost(op, target));
        }
        return mlir::WalkResult::advance();
      });
  if (walk.wasInterrupted()) {
    return diagnostics.ToStatus(absl::StatusCode::kUnimplemented,
                                "choosing schedules");
  }
  return result;
}

}  // namespace gsa
