//===- Pipeline.cpp - the host function from tensors to steps -------------===//
//
// The order of the passes, and why it is that order. Kernels are symbols of
// their own and are not touched.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "passes/cpu/CpuPasses.h"
#include "passes/cuda/CudaHostPasses.h"

using namespace mlir;
using namespace mlir::gsa;

static void addCleanup(OpPassManager& pm) {
  pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(createCSEPass());
}

void gsa::buildCudaHostPipeline(OpPassManager& pm, StringRef arch) {
  GsaCpuPrepareEntryOptions prepare;
  prepare.cInterface = false;
  pm.addPass(createGsaCpuPrepareEntry(prepare));
  // Destinations and fills whose op starts from nothing are unused by now.
  addCleanup(pm);
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addPass(bufferization::createEmptyTensorToAllocTensorPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  addCleanup(pm);
  GsaPlaceUpdatesOptions updates;
  updates.tests = false;
  pm.addPass(createGsaPlaceUpdates(updates));
  pm.addPass(createGsaPlaceResults());
  addCleanup(pm);
  // Lanes before the workspace is planned: buffers of steps that run side by
  // side cannot share memory.
  pm.addPass(createGsaAssignLanes());
  GsaPlanWorkspaceOptions plan;
  plan.alignment = kDeviceAlignment;
  pm.addPass(createGsaPlanWorkspace(plan));
  addCleanup(pm);
  pm.addPass(createGsaCheckLanes());
  GsaDependentLaunchesOptions dependent;
  dependent.arch = arch.str();
  pm.addPass(createGsaDependentLaunches(dependent));
}
