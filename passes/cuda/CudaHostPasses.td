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

#endif  // GSA_PASSES_CUDA_CUDAHOSTPASSES_TD
