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

def GsaUnrollHost : Pass<"gsa-unroll-host", "::mlir::ModuleOp"> {
  let summary = "Makes steps of the loops of functions with lanes";
  let description = [{
    Where a function has `gsa.lanes` of 2 or more, every `scf.for` and
    `scf.if` in it is replaced by what it executes, so that each step is an op of
    its own. Steps (launches, products, and copies and fills of memrefs) are
    numbered (`gsa_tile.step`); those from loops with `gsa_tile.independent` say of
    which iterations they are.

    A function that cannot be unrolled, since a bound or a condition is not known
    or a loop carries values, or that has more than `most` steps, keeps its
    loops and runs on one lane: the attribute becomes 1. Emits the remark
    `LanesRejected` then.
    Example: test/passes/cuda/unroll-host.mlir.
  }];
  let options = [
    Option<"most", "most", "int64_t", "2048", "Steps, at most">
  ];
  let dependentDialects = ["::mlir::gsa_tile::GsaTileDialect",
                           "::mlir::arith::ArithDialect"];
}

def GsaAssignLanes : Pass<"gsa-assign-lanes", "::mlir::ModuleOp"> {
  let summary = "Says which steps run side by side";
  let description = [{
    Where the entry function has `gsa.lanes` of 2 or more, every step
    gets its number, its lane and the steps that it waits for. Two steps depend on each
    other if one of them writes what the other one reads or writes, judged by the
    buffers and the ranges of them that they take; steps of different iterations
    of an independent loop do so by none of the buffers that both share. Products
    depend on each other, since they share the scratch of the library.

    Steps are brought into the order in which the longest ways to the end of the
    run begin (`gsa_tile.estimate`), as far as they do not depend on each other;
    iterations of a loop stay one after the other. Marks of zones go along.

    A step goes on the lane whose last step is the latest to end, by the estimates,
    of those that it depends on, or, if that lane has gone on, on the lane that has
    been idle for longest. So iterations of an independent loop take lanes in turn.
    Only waits that do not follow from others are kept.

    The attribute `gsa.lanes` becomes the number of lanes that are used. Emits
    the remark `Lanes` with steps, lanes and waits.
    Example: test/passes/cuda/assign-lanes.mlir.
  }];
  let dependentDialects = ["::mlir::gsa_tile::GsaTileDialect"];
}

def GsaCheckLanes : Pass<"gsa-check-lanes", "::mlir::ModuleOp"> {
  let summary = "Fails where a step does not wait for what it depends on";
  let description = [{
    Finds the dependences of all steps anew, by the bytes of inputs, outputs and
    workspace that they take, and fails at a step that neither its lane nor its
    waits put behind one that it depends on. Steps have numbers in their order,
    waits name steps of other lanes, and lanes are less than `gsa.lanes`.
    Example: test/passes/cuda/check-lanes.mlir.
  }];
}

def GsaDependentLaunches
    : Pass<"gsa-dependent-launches", "::mlir::ModuleOp"> {
  let summary = "Lets launches begin before the launch before them has ended";
  let description = [{
    On architectures from sm_90 on, a `brief` `gsa_tile.launch` whose step before
    is a launch too, on its lane as well as in the text, becomes `dependent`. Its
    kernel gets a `gsa_tile.launch_wait`
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
