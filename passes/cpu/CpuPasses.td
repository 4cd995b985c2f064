//===- CpuPasses.td - passes from linalg on tensors to LLVM for the CPU ---===//
//
// These passes know upstream dialects only; the gsa dialect has been
// decomposed before they run. The order in which they run is in Pipeline.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_CPU_CPUPASSES_TD
#define GSA_PASSES_CPU_CPUPASSES_TD

include "mlir/Pass/PassBase.td"

def GsaCpuPrepareEntry : Pass<"gsa-cpu-prepare-entry", "::mlir::ModuleOp"> {
  let summary = "Marks the entry function for bufferization and calling";
  let description = [{
    The entry is the only public function with a body. Its tensor arguments
    become read-only (`bufferization.writable = false`) unless the attribute is
    already there, or a result says by `gsa.updates` that it is an argument's new
    value: a caller's input is never written without having been asked for. The
    function gets `llvm.emit_c_interface` if `c-interface` is set.

    Every tensor of the signature must have a static shape.
  }];
  let options = [
    Option<"cInterface", "c-interface", "bool", "true",
           "The entry is called through its C interface">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def GsaCpuSeparateResults
    : Pass<"gsa-cpu-separate-results", "::mlir::func::FuncOp"> {
  let summary = "Gives each returned tensor a value of its own";
  let description = [{
    A tensor that a function returns a second time is copied, so that each
    result can be written into a buffer of its own.
    Example: test/passes/cpu/separate-results.mlir.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def GsaPlaceUpdates : Pass<"gsa-place-updates", "::mlir::ModuleOp"> {
  let summary = "Computes the new value of an argument in the result's memory";
  let description = [{
    A result with `gsa.updates` is the new value of an argument; a run gives the
    two one memory, or two. Behind bufferization, which was told that the argument
    may be written, the returned buffer is the argument. Here, all uses of the
    argument become uses of a buffer that is allocated and returned, for the
    passes behind to make the result's: so there is one memory, which counts as
    one that is written. At the begin the argument is copied into it: with
    `tests` unless the two have one address, without it for who runs the copy to
    see.

    Errors: a returned buffer that is not the argument's. Bufferization copied the
    argument before it was written, since an op reads the old value behind that;
    the error is at the first such op. For values that would be right, but the
    caller has given the old value up.

    Emits the remark `UpdatedInPlace` for each such result.
    Example: test/passes/cpu/place-updates.mlir.
  }];
  let options = [
    Option<"tests", "tests", "bool", "true",
           "Compiled code asks whether there is something to copy">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def GsaCpuFuseElementwise
    : Pass<"gsa-cpu-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Fuses elementwise linalg ops with their elementwise consumers";
  let description = [{
    A producer with one use is fused into its consumer when the consumer's
    iterators are all parallel. Reductions keep their operands: an elementwise
    producer inside a contraction would be recomputed for every output and
    would hide the contraction from `gsa-cpu-tile-contractions`. On the way to a
    GPU it runs before gsa-to-tile, where a fused chain is one kernel.

    Emits the remark `FusedElementwise` for each fusion.
    Example: test/passes/cpu/fuse-elementwise.mlir.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::affine::AffineDialect",
                           "::mlir::tensor::TensorDialect"];
}

def GsaCpuWidenSums
    : Pass<"gsa-cpu-widen-sums", "::mlir::func::FuncOp"> {
  let summary = "Sums up the products of f16 and bf16 contractions in f32";
  let description = [{
    A linalg op that adds products to a tensor of f16 or bf16 gets an accumulator
    in f32; its result is rounded once. So do matrix units, and it is what
    `gsa-cpu-tile-contractions` tiles.
    Example: test/passes/cpu/widen-sums.mlir.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect"];
}

def GsaCpuCopiesToLinalg
    : Pass<"gsa-cpu-copies-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Turns memref.copy into linalg.copy";
  let description = [{
    `memref.copy` between strided buffers lowers to a call into MLIR's runner
    library, which the runtime does not ship; as `linalg.copy` it is vectorised
    and distributed like any other elementwise op.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def GsaCpuTileContractions
    : Pass<"gsa-cpu-tile-contractions", "::mlir::func::FuncOp"> {
  let summary = "Turns contractions on buffers into register-blocked loops";
  let description = [{
    A contraction is a linalg op with two inputs whose body is
    `out + ext(lhs) * ext(rhs)` and whose maps are projected permutations:
    `linalg.matmul`, `linalg.batch_matmul`, `linalg.contract` or a generic, for
    example y[b,s,o] += x[b,s,i] * W[o,i]. Accumulators are f32 or f64; inputs
    of a narrower type are extended while they are packed.

    The last dimension of the result goes on the lanes of a vector, rows are
    flattened, and both inputs are packed block by block, so that any order of
    their dimensions and any size is accepted. Result and rows never depend on
    `tasks` or `vector-bits`: each sum is a chain of fused multiply-adds in
    ascending order of the reduction.

    With enough work the op becomes one `scf.parallel` over [0, tasks) with the
    unit attribute `gsa.tasks`, which divides batches, rows or columns,
    whichever balances best. Inside another `scf.parallel`, and with one task,
    it is sequential.

    Contractions with dynamic sizes, with other accumulators, or with a result
    that is not contiguous in its last dimension are left alone.

    Emits the remark `TiledContraction` with sizes and blocks, or `NotTiled`
    with the reason.
  }];
  let options = [
    Option<"tasks", "tasks", "int64_t", "1", "Number of tasks">,
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Width of a vector register">
  ];
  let dependentDialects = ["::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::vector::VectorDialect"];
}

def GsaCpuVectorizeElementwise
    : Pass<"gsa-cpu-vectorize-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Turns elementwise linalg ops on buffers into vector loops";
  let description = [{
    An elementwise op has parallel loops only, results indexed by all of them,
    and a body of arith and math ops. Its innermost loop runs over vectors of
    as many elements as the widest type of the body allows; elements that fill
    no vector are computed by a scalar loop. Ops without broadcasts are
    flattened first. The other loops become an `scf.parallel` for
    `gsa-cpu-distribute-parallel`.

    Ops with other bodies (memory accesses, loops), dynamic sizes, or results
    that are not contiguous are left alone.

    Emits the remark `Vectorized` with the number of lanes, or `NotVectorized`
    with the reason.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Width of a vector register">
  ];
  let dependentDialects = ["::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::vector::VectorDialect"];
}

def GsaCpuDistributeParallel
    : Pass<"gsa-cpu-distribute-parallel", "::mlir::func::FuncOp"> {
  let summary = "Maps every outermost parallel loop onto a fixed task count";
  let description = [{
    An outermost `scf.parallel` without reductions, with constant bounds and
    enough work becomes an `scf.parallel` over `[0, tasks)` that carries the
    unit attribute `gsa.tasks`; its body runs a contiguous share of the
    iterations in order. The result of an iteration does not depend on the
    number of tasks. All other `scf.parallel` become `scf.for`: those nested in
    a task, those with too little work, and all of them when `tasks` is 1.

    A loop that already carries `gsa.tasks` is left alone.

    Emits the remark `Distributed`, or `NotDistributed` with the reason.
  }];
  let options = [
    Option<"tasks", "tasks", "int64_t", "1", "Number of tasks">,
    Option<"minWork", "min-work", "int64_t", "32768",
           "Smallest estimated number of operations worth distributing">
  ];
  let dependentDialects = ["::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect"];
}

def GsaPlanWorkspace : Pass<"gsa-plan-workspace", "::mlir::ModuleOp"> {
  let summary = "Replaces allocations by views of one workspace argument";
  let description = [{
    Every `memref.alloc` of the entry function becomes a `memref.view`
    of a new last argument of type `memref<?xi8>`, at an offset that is a
    multiple of `alignment` bytes. Buffers whose live ranges do not overlap may share
    bytes (first fit over live ranges, in order of allocation). A live range
    starts at the allocation and ends with the last use of any alias, widened
    to the whole loop for uses inside a loop that does not contain the
    allocation.

    Where steps have lanes (`gsa_tile.step`), buffers share bytes only if all
    steps that use one of them have ended when those of the other begin, and each
    view has the number of its buffer (`gsa_tile.buffer`).

    Allocations inside an `scf.parallel` with `gsa.tasks` are planned as an
    arena of their own, of which every task has its copy.

    `memref.alloca` stays on the stack.

    The function gets `gsa.workspace_bytes`; the argument is present, and the
    attribute 0, when nothing is allocated. The caller's workspace must be
    aligned to `alignment` bytes.

    A dynamic size counts as its bound, which follows from `gsa.bounds`.

    Errors: an allocation with a dynamic size without a bound, an allocation in another function
    than the entry, a buffer that is carried by a loop to its next iteration.

    Emits the remark `WorkspacePlan` with the bytes.
  }];
  let options = [
    Option<"alignment", "alignment", "int64_t", "64",
           "Alignment of each buffer in bytes; a power of two. The default is "
           "a cache line, and the width of the widest vector register">
  ];
  let dependentDialects = ["::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect"];
}

def GsaCpuParallelToRuntime
    : Pass<"gsa-cpu-parallel-to-runtime", "::mlir::ModuleOp"> {
  let summary = "Outlines task loops into calls of the runtime's thread pool";
  let description = [{
    Each `scf.parallel` with `gsa.tasks` over `[0, N)` becomes a private
    function `(closure: !llvm.ptr, task: i64)` and a call of the C function

        void gsa_cpu_parallel(void (*body)(void*, int64_t), void* closure,
                              int64_t num_tasks);

    which returns when every task has run. Values used by the body and defined
    outside are stored in a struct on the caller's stack (constants are cloned
    instead), so tasks share no mutable state but the buffers.

    Emits the remark `OutlinedTasks` for each loop.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def GsaCpuLowerMath : Pass<"gsa-cpu-lower-math", "::mlir::ModuleOp"> {
  let summary = "Lowers math ops on scalars and vectors that need more than LLVM";
  let description = [{
    Expands exp, expm1, log, log1p and tanh of f32 into polynomials. Scalars and
    vectors get the same expansion, so an element's bits do not depend on
    whether it was computed in a vector or in a loop's tail. The ops that have
    no intrinsic of LLVM for every type here (clampf, fma, fpowi, isinf,
    isnormal) become others. What is left goes to libm or to LLVM.

    No op loses denormals or the sign of zero. The largest errors over all f32,
    in units in the last place: exp 1.1, log 1, expm1 and log1p 1.5, tanh 5;
    those of libm's functions are libm's. test/unit/cpu_math_test.cc has all.
    Example: test/passes/cpu/lower-math.mlir.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // GSA_PASSES_CPU_CPUPASSES_TD
