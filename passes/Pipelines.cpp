//===- Pipelines.cpp - from a gsa module to a target ----------------------===//

#include "passes/Pipelines.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/ChoiceParser.h"
#include "passes/Passes.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/cuda/CudaHostPasses.h"
#include "passes/gsa/GradientPasses.h"
#include "passes/tile/Passes.h"

using namespace mlir;
using namespace mlir::gsa;

static void addCleanup(OpPassManager& pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

template <typename Config>
static void addSpecialize(OpPassManager& pm, const Config& config) {
  pm.addPass(createGsaCheckSizes());
  // Private functions are inlined first: shapes do not cross calls.
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  if (config.shapes.empty()) return;
  GsaSpecializeShapesOptions options;
  options.entry = config.entry;
  options.shapes.assign(config.shapes.begin(), config.shapes.end());
  pm.addPass(createGsaSpecializeShapes(options));
  pm.addPass(createGsaCheckSizes());
}

static void addGsa(OpPassManager& pm) {
  GsaDecomposeOptions aggregates;
  aggregates.aggregatesOnly = true;
  pm.addPass(createGsaDecompose(aggregates));
  // Whether the parts of an aggregate have elements is only seen now.
  pm.addPass(createGsaDropEmpty());
  addCleanup(pm);
  pm.addPass(createGsaFuseSelection());
  addCleanup(pm);
  pm.addPass(createGsaCheckIndexLoss());
}

static void addZones(OpPassManager& pm, const std::string& entry) {
  GsaMarkZonesOptions zones;
  zones.entry = entry;
  pm.addPass(createGsaMarkZones(zones));
}

static void addSchedule(OpPassManager& pm, const CpuTargetConfig& config) {
  pm.addPass(createGsaCheckIndexRange());
  if (config.markZones) addZones(pm, config.entry);
  if (config.reference) return;
  GsaCpuScheduleOptions schedule;
  schedule.tasks = config.tasks;
  schedule.vectorBits = config.vectorBits;
  schedule.database = config.scheduleDatabase;
  schedule.shipped = config.shippedSchedules;
  pm.addPass(createGsaCpuSchedule(schedule));
}

static void addLoops(OpPassManager& pm, const CpuTargetConfig& config) {
  if (!config.reference) pm.addPass(createGsaLowerToLoops());
  pm.addPass(createGsaDecompose());
  addCleanup(pm);
}

static void addLlvm(OpPassManager& pm, const CpuTargetConfig& config) {
  CpuLoweringOptions options;
  options.tasks = config.reference ? 1 : config.tasks;
  options.vectorBits = config.vectorBits;
  options.reference = config.reference;
  buildCpuLoweringPipeline(pm, options);
}

std::vector<Phase> gsa::getCpuPhasesBeforeSchedule(
    const CpuTargetConfig& config) {
  return {
      {"specialize", "static shapes, one function",
       [=](OpPassManager& pm) { addSpecialize(pm, config); }},
      {"gsa", "aggregates opened, selection fused, folds applied",
       [=](OpPassManager& pm) { addGsa(pm); }},
  };
}

std::vector<Phase> gsa::getCpuPhases(const CpuTargetConfig& config) {
  std::vector<Phase> phases = getCpuPhasesBeforeSchedule(config);
  phases.push_back({"schedule", "zones marked, CPU schedules chosen",
                    [=](OpPassManager& pm) { addSchedule(pm, config); }});
  phases.push_back({"loops",
                    "gsa ops are loops over vectors, or their definitions",
                    [=](OpPassManager& pm) { addLoops(pm, config); }});
  phases.push_back({"llvm", "buffers, threads, LLVM dialect",
                    [=](OpPassManager& pm) { addLlvm(pm, config); }});
  return phases;
}

static void addBeforeCudaSchedule(OpPassManager& pm) {
  pm.addPass(createGsaFuseEpilogue());
  pm.addPass(createGsaTraceLists());
}

static void addCudaSchedule(OpPassManager& pm, const CudaTargetConfig& config) {
  addBeforeCudaSchedule(pm);
  if (config.markZones) addZones(pm, config.entry);
  GsaCudaScheduleOptions schedule;
  schedule.arch = config.arch;
  schedule.database = config.scheduleDatabase;
  schedule.shipped = config.shippedSchedules;
  pm.addPass(createGsaCudaSchedule(schedule));
}

static void addTile(OpPassManager& pm, const CudaTargetConfig& config) {
  // Arithmetic on tensors is an elementwise op like any other; a chain of them
  // is one kernel, and comparisons need no tensor of their own.
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  pm.addNestedPass<func::FuncOp>(createGsaCpuFuseElementwise());
  GsaToTileOptions options;
  options.arch = config.arch;
  pm.addPass(createGsaToTile(options));
  pm.addPass(createGsaUnrollHost());
  addCleanup(pm);
}

static void addTilePipeline(OpPassManager& pm) {
  auto& kernels = pm.nest<gsa_tile::KernelOp>();
  kernels.addPass(createGsaTilePipeline());
  kernels.addPass(createGsaTileAssignRoles());
  kernels.addPass(createGsaTileCheckSync());
}

static void addPlan(OpPassManager& pm, const CudaTargetConfig& config) {
  GsaTilePlanSmemOptions smem;
  GsaTileBudgetRegistersOptions budgets;
  smem.arch = budgets.arch = config.arch;
  auto& kernels = pm.nest<gsa_tile::KernelOp>();
  kernels.addPass(createGsaTilePlanSmem(smem));
  kernels.addPass(createGsaTileBudgetRegisters(budgets));
  kernels.addPass(createGsaTileCheckRegisters());
  pm.addPass(createGsaTileFinalize());
}

std::vector<Phase> gsa::getCudaPhases(const CudaTargetConfig& config) {
  return {
      {"specialize", "static shapes, one function",
       [=](OpPassManager& pm) { addSpecialize(pm, config); }},
      {"gsa", "aggregates opened, selection fused, folds applied",
       [=](OpPassManager& pm) { addGsa(pm); }},
      {"schedule", "zones marked, schedules chosen for the architecture",
       [=](OpPassManager& pm) { addCudaSchedule(pm, config); }},
      {"tile", "ops are kernels of gsa_tile and their launches",
       [=](OpPassManager& pm) { addTile(pm, config); }},
      {"pipeline", "loops of kernels fill rings, warps have roles",
       [=](OpPassManager& pm) { addTilePipeline(pm); }},
      {"plan",
       "shared memory and registers are shared out, kernels can be printed",
       [=](OpPassManager& pm) { addPlan(pm, config); }},
      {"host", "buffers, one workspace, a list of steps",
       [=](OpPassManager& pm) { buildCudaHostPipeline(pm, config.arch); }},
  };
}

std::vector<Phase> gsa::getCudaPhasesBeforeSchedule(
    const CudaTargetConfig& config) {
  return {
      {"specialize", "static shapes, one function",
       [=](OpPassManager& pm) { addSpecialize(pm, config); }},
      {"gsa", "aggregates opened, selection fused, folds applied",
       [=](OpPassManager& pm) { addGsa(pm); }},
      {"schedule", "ops as they are when their schedules are chosen",
       [](OpPassManager& pm) { addBeforeCudaSchedule(pm); }},
  };
}

namespace {

/// Phases by position in getCpuPhases.
enum class LastPhase { Specialize, Gsa, Schedule, Loops, Llvm };
/// Phases by position in getCudaPhases.
enum class LastCudaPhase {
  Specialize,
  Gsa,
  Schedule,
  Tile,
  Pipeline,
  Plan,
  Host
};
}  // namespace

template <>
class llvm::cl::parser<LastPhase> : public ChoiceParser<LastPhase> {
 public:
  using ChoiceParser::ChoiceParser;
};
template <>
class llvm::cl::parser<LastCudaPhase> : public ChoiceParser<LastCudaPhase> {
 public:
  using ChoiceParser::ChoiceParser;
};

namespace {

struct GsaToCpuOptions : PassPipelineOptions<GsaToCpuOptions> {
  Option<std::string> entry{*this, "entry", llvm::cl::desc("Entry function"),
                            llvm::cl::init("main")};
  ListOption<std::string> shapes{
      *this, "shapes", llvm::cl::desc("Sizes of each argument of the entry")};
  Option<int64_t> tasks{*this, "tasks",
                        llvm::cl::desc("Tasks per parallel region"),
                        llvm::cl::init(1)};
  Option<int64_t> vectorBits{*this, "vector-bits",
                             llvm::cl::desc("Width of a vector register"),
                             llvm::cl::init(512)};
  Option<std::string> database{*this, "database",
                               llvm::cl::desc("File of measured schedules")};
  Option<bool> shipped{
      *this, "shipped",
      llvm::cl::desc("Use the measured schedules of the program"),
      llvm::cl::init(true)};
  Option<bool> reference{*this, "reference",
                         llvm::cl::desc("Definitions and plain loops only"),
                         llvm::cl::init(false)};
  Option<bool> markZones{*this, "mark-zones",
                         llvm::cl::desc("Mark zones for the run-time clock"),
                         llvm::cl::init(false)};
  Option<LastPhase> stopAfter{
      *this, "stop-after", llvm::cl::desc("Last phase to run"),
      llvm::cl::values(
          clEnumValN(LastPhase::Specialize, "specialize", "Static shapes"),
          clEnumValN(LastPhase::Gsa, "gsa", "gsa ops, fused"),
          clEnumValN(LastPhase::Schedule, "schedule", "Schedules chosen"),
          clEnumValN(LastPhase::Loops, "loops", "Loops over vectors"),
          clEnumValN(LastPhase::Llvm, "llvm", "LLVM dialect")),
      llvm::cl::init(LastPhase::Llvm)};
};

struct GsaToCudaOptions : PassPipelineOptions<GsaToCudaOptions> {
  Option<std::string> arch{*this, "arch", llvm::cl::desc("Architecture"),
                           llvm::cl::init("sm_90a")};
  Option<std::string> database{*this, "database",
                               llvm::cl::desc("File of measured schedules")};
  Option<bool> shipped{
      *this, "shipped",
      llvm::cl::desc("Use the measured schedules of the program"),
      llvm::cl::init(true)};
  Option<std::string> entry{*this, "entry", llvm::cl::desc("Entry function"),
                            llvm::cl::init("main")};
  ListOption<std::string> shapes{
      *this, "shapes", llvm::cl::desc("Sizes of each argument of the entry")};
  Option<bool> markZones{*this, "mark-zones",
                         llvm::cl::desc("Mark zones for the run-time clock"),
                         llvm::cl::init(false)};
  Option<LastCudaPhase> stopAfter{
      *this, "stop-after", llvm::cl::desc("Last phase to run"),
      llvm::cl::values(
          clEnumValN(LastCudaPhase::Specialize, "specialize", "Static shapes"),
          clEnumValN(LastCudaPhase::Gsa, "gsa", "gsa ops, fused"),
          clEnumValN(LastCudaPhase::Schedule, "schedule", "Schedules chosen"),
          clEnumValN(LastCudaPhase::Tile, "tile", "Kernels and launches"),
          clEnumValN(LastCudaPhase::Pipeline, "pipeline", "Rings and roles"),
          clEnumValN(LastCudaPhase::Plan, "plan", "Kernels to be printed"),
          clEnumValN(LastCudaPhase::Host, "host", "Steps on buffers")),
      llvm::cl::init(LastCudaPhase::Host)};
};

template <typename Last>
void addPhases(OpPassManager& pm, const std::vector<Phase>& phases, Last last) {
  for (auto [i, phase] : llvm::enumerate(phases))
    if (i <= static_cast<size_t>(last)) phase.addPasses(pm);
}
}  // namespace

void gsa::registerPipelines() {
  registerGsaCudaHostPasses();
  registerGsaGradientPasses();
  PassPipelineRegistration<GsaToCpuOptions>(
      "gsa-to-cpu", "Compiles a gsa module for the CPU, down to LLVM",
      [](OpPassManager& pm, const GsaToCpuOptions& options) {
        CpuTargetConfig config;
        config.entry = options.entry;
        config.shapes.assign(options.shapes.begin(), options.shapes.end());
        config.tasks = options.tasks;
        config.vectorBits = options.vectorBits;
        config.scheduleDatabase = options.database;
        config.shippedSchedules = options.shipped;
        config.reference = options.reference;
        config.markZones = options.markZones;
        addPhases(pm, getCpuPhases(config), options.stopAfter.getValue());
      });
  PassPipelineRegistration<GsaToCudaOptions>(
      "gsa-to-cuda",
      "Compiles a gsa module for NVIDIA GPUs, down to kernels and steps",
      [](OpPassManager& pm, const GsaToCudaOptions& options) {
        CudaTargetConfig config;
        config.arch = options.arch;
        config.scheduleDatabase = options.database;
        config.shippedSchedules = options.shipped;
        config.entry = options.entry;
        config.shapes.assign(options.shapes.begin(), options.shapes.end());
        config.markZones = options.markZones;
        addPhases(pm, getCudaPhases(config), options.stopAfter.getValue());
      });
}
