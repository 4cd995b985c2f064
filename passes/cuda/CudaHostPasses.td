//===- CudaHostPasses.td - the host side of kernels ------------*- tablegen -*-===//
//
// What remains of the entry function once its ops are kernels: buffers and the
// order of steps. The order in which these passes run is in Pipeline.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_CUDA_CUDAHOSTPASSES_TD
#define GSA_PASSES_CUDA_CUDAHOSTPASSES_TD

include "mlir/Pass/PassBase.td"

def GsaPlaceResults : Pass<"gsa-place-results", "::mlir::ModuleOp"> {
  let summary = "Writes the results of the entry function into arguments";
  let description = [{
    Each returned memref becomes a new last argument of the entry function, in
    the order of the results, with the result's `gsa.name`; the function's
    attribute `gsa.outputs` holds their number. A result that is an
    allocation of the function, or all of one seen in another shape, is computed
    in the argument itself. Any other result (an argument, part of a buffer, an
    allocation that is returned twice or made in a loop) is copied into its
    argument before the return.

    Emits the remark `ResultCopied` for each copy.
    Example: test/passes/cuda/place-results.mlir.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def GsaDependentLaunches
    : Pass<"gsa-dependent-launches", "::mlir::ModuleOp"> {
  let summary = "Lets launches begin before the launch before them has ended";
  let description = [{
    On architectures from sm_90 on, a `brief` `gsa_tile.launch` whose step before
    is such a launch too becomes `dependent`. Its kernel gets a `gsa_tile.launch_wait`
    before its first access to memory that steps of the program write: in its
    body, or in each role with such an access. Pointers to that memory are
    `gsa_tile.launched` from there on. Before it a kernel reads inputs and
    constants of the program alone, of which the first launch, never dependent,
    knows that nobody writes them any more. The kernel of the launch before gets
    a `gsa_tile.launch_next` at its start.

    Every kernel of a dependent launch waits, so that the end of one is the end of
    all before it: behind a wait everything is as if launches ran one after
    another (docs/rationale/dependent-launch.md).

    Emits the remark `DependentLaunch` for each, or `NotDependent` with a reason.
    Order: last of the host passes, when it is known which memory is whose.
    Example: test/passes/cuda/dependent-launches.mlir.
  }];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_90a\"", "Architecture">
  ];
  let dependentDialects = ["::mlir::gsa_tile::GsaTileDialect"];
}

#endif  // GSA_PASSES_CUDA_CUDAHOSTPASSES_TD
