//===- Passes.td - passes on the gsa dialect -------------------*- tablegen -*-===//

#ifndef GSA_PASSES_PASSES_TD
#define GSA_PASSES_PASSES_TD

include "mlir/Pass/PassBase.td"

def GsaDecompose : Pass<"gsa-decompose"> {
  let summary = "Replaces gsa ops by their definitions";
  let description = [{
    Rewrites every gsa op by what `AggregatedOpInterface::decomposeOperation`
    returns, until none is left that the options name. `aggregates-only` stops
    at `gsa.attention`, whose definition is in terms of other gsa ops. With
    `ops` only the named ops are rewritten (names without the dialect prefix).

    Emits the remark `Decomposed` for each op, and `NotScheduled` where the op had
    a `gsa.schedule`, which nothing follows then.
    Example: test/passes/gsa/decompose.mlir.
  }];
  let options = [
    Option<"aggregatesOnly", "aggregates-only", "bool", "false",
           "Only gsa.attention">,
    ListOption<"ops", "ops", "std::string",
               "Names of the ops to rewrite; empty means all">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def GsaCheckIndexRange : Pass<"gsa-check-index-range"> {
  let summary = "Refuses more keys than 32-bit indices can name";
  let description = [{
    Indices and counts are int32 (docs/spec.md, index contract). An op that
    writes or reads them over more than 2^31 - 1 keys or slots is an error
    here, before code is made that would wrap around. Changes nothing. Sizes
    that are not known are not judged. For the CPU, whose loops have 64-bit
    counters and no limit of their own; a GPU's limits are those of its
    schedules.
    Example: test/passes/schedule/check-index-range.mlir.
  }];
}

def GsaCheckSizes : Pass<"gsa-check-sizes"> {
  let summary = "Refuses tensors that no memory holds";
  let description = [{
    The known sizes of every type are multiplied, those of 0 left out; more than
    2^48 elements are an error at the op. Everything after it may multiply sizes
    of tensors, and elements by their bytes, in 64 bits. An error are also lists of
    keys of more than 2^30 slots whose rows have more than four times as many slots as
    there are keys: a budget as large as the keys keeps the same. Changes nothing.
    Example: test/passes/gsa/check-sizes.mlir.
  }];
}

def GsaFuseSelection : Pass<"gsa-fuse-selection"> {
  let summary = "Fuses scores, statistics, budget and top-k into gsa.select";
  let description = [{
    Matches `gsa.index_scores` whose only users are the `gsa.row_statistics`
    and the `gsa.topk` of one selection, so that the score tensor [B,Sq,Sk]
    need never exist. The chain must be exactly the definition of `gsa.select`:
    a chain whose statistic is not the one that the policy defines, whose
    scores, statistics or budget are used elsewhere, whose order is `score`, or of
    which an op has a `gsa.schedule`, stays as it is, and the remark `NotFused` says
    why. Remark `FusedSelection` otherwise.
    Example: test/passes/gsa/fuse-selection.mlir.
  }];
}

def GsaFuseEpilogue : Pass<"gsa-fuse-epilogue"> {
  let summary = "Makes output gates part of the attention that they gate";
  let description = [{
    A `gsa.gate` whose input is the output of `gsa.gather_attention`,
    `gsa.dense_attention` or `gsa.merge_attention`, and which is that output's
    only user, becomes that op's operand `gate`; the op moves down to where the
    gate was. The gate is then applied to the output before that is rounded, so
    it is rounded once instead of twice.

    Does nothing, with the remark `NotFused` and a reason, if the input is
    something else, has another user or a gate already, or if `lse` is read
    above the gate. Remark `FusedEpilogue` otherwise. Order: on tensors, before gsa-to-tile.
    Example: test/passes/gsa/fuse-epilogue.mlir.
  }];
}

def GsaTraceLists : Pass<"gsa-trace-lists"> {
  let summary = "Says of attention what its lists are known to have";
  let description = [{
    A `gsa.gather_attention` over the lists of a `gsa.select` on as many keys gets
    the attribute `gsa.lists` (a `#gsa.lists`): selection lists only keys that its
    mask shows, each once, and all of them where a row sees no more than its
    budget. Lists of other origin, or with `lengths`, stay as they are.

    Emits the remark `TracedLists`, with the number of rows of a batch whose
    attention is dense unless a score is not finite.
    Order: once shapes are static, before gsa-cuda-schedule.
    Example: test/passes/gsa/trace-lists.mlir.
  }];
}

def GsaSpecializeShapes : Pass<"gsa-specialize-shapes", "::mlir::ModuleOp"> {
  let summary = "Gives the entry function static argument shapes";
  let description = [{
    Replaces dynamic sizes in the argument types of the function `entry` by
    those of `shapes` (one string per argument, sizes separated by `x`; empty
    leaves an argument as it is) and propagates them through the body as far
    as ops can infer their result types. Fails if a size contradicts a static
    one, if a result of the function stays dynamic, or if the function has
    more than one block or is referred to within the module.

    A size after `?` is a bound: the argument's size stays dynamic, results may,
    and the function gets the attribute `gsa.bounds` with all sizes and bounds.
    Example: test/passes/gsa/specialize-shapes.mlir.
  }];
  let options = [
    Option<"entry", "entry", "std::string", "\"main\"", "Entry function">,
    ListOption<"shapes", "shapes", "std::string",
               "Sizes of each argument, for instance 1x4096x512 or, with a "
               "bound for the second, 1x?4096x512">
  ];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def GsaDropEmpty : Pass<"gsa-drop-empty"> {
  let summary = "Replaces tensors without elements by tensor.empty";
  let description = [{
    An empty sequence or an empty batch leaves most ops with nothing to compute.
    Uses of a result that has no elements become uses of a `tensor.empty`, and
    no lowering after this pass has to know what a slice, a tile or a grid of
    nothing is. Ops that read an empty tensor and return a filled one
    (attention over no keys) stay, and so does what has dynamic sizes.

    Emits the remark `DroppedEmpty` for each op.
    Order: once shapes are static and aggregates are open.
    Example: test/passes/gsa/drop-empty.mlir.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def GsaMarkZones : Pass<"gsa-mark-zones", "::mlir::ModuleOp"> {
  let summary = "Marks the zones of the entry function for the run-time clock";
  let description = [{
    Groups the ops of the function `entry` into zones by what they are
    (projections, rope, select, attention, gates, ...) and inserts a call of
    the external function `gsa_cpu_zone(i64)` where the zone changes, so that
    a run can say where its time went. The names, in the order of their
    numbers, become the function attribute `gsa.zones`; -1 ends the last one.

    Order: on tensors, after fusion and before any lowering, as it recognises
    gsa ops. Example: test/passes/gsa/mark-zones.mlir.
  }];
  let options = [
    Option<"entry", "entry", "std::string", "\"main\"", "Entry function">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::mlir::arith::ArithDialect"];
}

def GsaCpuSchedule : Pass<"gsa-cpu-schedule"> {
  let summary = "Chooses how each op runs on a CPU";
  let description = [{
    Sets the discardable attribute `gsa.schedule` (a `#gsa.cpu_schedule`) on
    `gsa.select`, `gsa.index_scores`, the attention ops and their gradients, by
    rule: from the sizes of the op, the number of tasks and the width of vector
    registers, unless the cost model says of another candidate that it takes
    less than a quarter of its time. Where a record for its class of shapes is
    in the file `database` of measured schedules, or among those that the
    program brings along, it is taken instead, with as many tasks as there are.
    An op that has the attribute keeps it.

    Emits the remark `Scheduled` with its source for each choice, `Costlier` for
    what the model overrules, `RecordRejected` for a record that does not fit
    the op and `NotScheduled` for an op that is computed by its definition.
    Fails at the module if the file of a database is wrong, with its line.
    Example: test/passes/schedule/cpu-schedule.mlir.
  }];
  let options = [
    Option<"tasks", "tasks", "int64_t", "1", "Tasks per parallel region">,
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Width of a vector register">,
    Option<"database", "database", "std::string", "\"\"",
           "File of measured schedules; empty: none">,
    Option<"shipped", "shipped", "bool", "true",
           "Whether to use the measured schedules of the program">
  ];
}

def GsaLowerToLoops : Pass<"gsa-lower-to-loops"> {
  let summary = "Lowers scheduled ops to tiled, vectorised, parallel loops";
  let description = [{
    Replaces ops that carry a `gsa.schedule` by loops over buffers: operands
    through `bufferization.to_buffer`, results as new buffers through
    `bufferization.to_tensor`, one `scf.parallel` over tasks (none if the
    schedule has one task), scratch buffers of each task inside it. What they
    compute is what their definitions say, up to the order of sums and the
    rounding of multiply-adds; no result depends on the number of tasks.

    With `ops` only the named ops are lowered (names without the dialect
    prefix). Ops without a schedule are left alone, and so are ops that have no
    such lowering: `gsa-decompose` takes them. A scheduled op with a dynamic
    shape is an error.

    Emits the remark `LoweredToLoops` for each op.
    Example: test/passes/gsa_to_cpu/lower-select.mlir.
  }];
  let options = [
    ListOption<"ops", "ops", "std::string",
               "Names of the ops to lower; empty means all">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def GsaCudaSchedule : Pass<"gsa-cuda-schedule"> {
  let summary = "Chooses how each op runs on a GPU";
  let description = [{
    Sets the discardable attribute `gsa.schedule` on every op that implements
    `ScheduledOpInterface` and has kernels, from its sizes and the architecture
    alone. A schedule that an op has is checked and kept. Else a record for its
    class of shapes is taken from the file `database` of measured schedules, or
    from those that the program brings along, if it is legal. Else of each kind
    of schedule that the op admits the first legal one of a short list is taken,
    unless the cost model says of another one that it takes less than a quarter
    of its time, and of several kinds the cheapest. What is legal, and what a
    kernel takes, the attribute knows (`ScheduleAttrInterface`): the op is
    lowered to find out.

    A function with an op of 512 queries or more gets 2 `gsa.lanes`, if it has no
    such attribute: its kernels run side by side where they do not depend on each
    other (remark `LanesChosen`). Where budgets follow a statistic of all rows it
    gets none (`LanesRejected`): each chunk that runs ahead would keep its lists.

    Emits the remark `NoCandidate` with a reason for each kind that has nothing to
    try, `TileRejected` with a reason for each candidate that is not legal,
    `Costlier` with both estimates for what is not the cheapest, `RecordRejected`
    for a record that is not legal for the op, and `Scheduled` for the choice and
    its source. Fails, at the op, if nothing is legal (head size above 256, f64)
    or if a given schedule is not, and at the module if the file of a database
    is wrong, with its line.
    Example: test/passes/schedule/cuda-schedule.mlir.
  }];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_90a\"", "Architecture">,
    Option<"database", "database", "std::string", "\"\"",
           "File of measured schedules; empty: none">,
    Option<"shipped", "shipped", "bool", "true",
           "Whether to use the measured schedules of the program">
  ];
}

def GsaToTile : Pass<"gsa-to-tile", "::mlir::ModuleOp"> {
  let summary = "Lowers ops on tensors to gsa_tile kernels and their launches";
  let description = [{
    Replaces gsa ops, and linalg ops other than `linalg.fill`, by
    `gsa_tile.kernel` symbols beside the function and `gsa_tile.launch` or
    `gsa_tile.gemm` in it: operands through `bufferization.to_buffer`, results
    as new buffers through `bufferization.to_tensor`. What a kernel is follows
    from the op's `gsa.schedule` and the architecture. Kernels of equal text
    are one kernel.

    With `ops` only the named gsa ops are lowered (names without the dialect
    prefix). An op that has no lowering is an error.

    Emits the remark `LoweredToTile` for each op.
    Example: test/passes/gsa_to_tile/to-tile-errors.mlir.
  }];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_90a\"", "Architecture">,
    ListOption<"ops", "ops", "std::string",
               "Names of the ops to lower; empty means all">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::gsa_tile::GsaTileDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif  // GSA_PASSES_PASSES_TD
