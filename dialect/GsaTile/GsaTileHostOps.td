//===- GsaTileHostOps.td - what the host asks of the device ----*- tablegen -*-===//
//
// These ops are in the host function, on buffers in device memory, and become
// steps of the runtime's program; they are not printed as CUDA C++.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_HOST_OPS_TD
#define GSA_TILE_HOST_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

class GsaTile_HostOp<string mnemonic, list<Trait> traits = []>
    : Op<GsaTile_Dialect, mnemonic,
         !listconcat([GsaTile_KnownAttributes], traits)>;

def GsaTile_LaunchOp : GsaTile_HostOp<"launch", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs a kernel on a grid of blocks";
  let description = [{
    Arguments are dense memrefs (passed as pointers) and scalars, one for each
    argument of the kernel. A memref for a `read` argument is only read.

    A memref for an argument of type `tensormap` is passed as a map of the
    matrix of its last dimension by all others together: a
    `memref<2x75x64xbf16>` is [150, 64]. It is only read. Loads give zeros
    outside of the matrix, not beyond each of its batches. The sizes must be
    known when the program is exported, the rows a multiple of 16 bytes.

    A `brief` launch takes about as long as the time between two launches, so that
    it is worth to overlap them. Set by lowerings.

    A `dependent` launch may begin before the launch before it has ended, if that
    allows it (`gsa_tile.launch_next`); its kernel waits for the end before it
    touches what launches write (`gsa_tile.launch_wait`). It is a permission: in
    order, one after another, is right as well. Set by gsa-dependent-launches.

    The blocks of an `urgent` launch get SMs before those of launches on other
    lanes that are not: it has little to do, and much waits for it at the end. A
    hint, set by lowerings.

    Constraints:
    - (C1) the kernel exists and its arguments fit, in number and type; for a
      `tensormap` the memref has its element type and at least one dimension.
    - (C2) one to three grid sizes.
    - (C3) memrefs have the identity layout, with any static or dynamic offset.
    - (C4) the kernel of a dependent launch has a `launch_wait` that some warp of
      each block runs: one in its body, or in that of a role.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Index>:$grid,
                       Variadic<AnyType>:$args, UnitAttr:$brief,
                       UnitAttr:$dependent, UnitAttr:$urgent);
  let assemblyFormat = [{
    $kernel (`brief` $brief^)? (`dependent` $dependent^)?
    (`urgent` $urgent^)? `grid` `(` $grid `)`
    `args` `(` $args `)` attr-dict `:` type($args)
  }];
  let hasVerifier = 1;
}

def GsaTile_GemmOp : GsaTile_HostOp<"gemm", []> {
  let summary = "Matrix product by the vendor's library (cuBLASLt)";
  let description = [{
    `c[i, m, n] = beta c[i, m, n] + sum_k a[i, m, k] b[i, k, n]`, row-major;
    with `transpose_b` b is [i, n, k], with `transpose_a` a is [i, k, m]. The
    batch dimension i may be absent from all or from b (shared). Sums in f32.

    Constraints: (C1) ranks 2 or 3, sizes fit; (C2) a and b have one element
    type of f16, bf16, f32; c has it or f32; (C3) beta is 0 or 1.
  }];
  let arguments = (ins
    Arg<AnyMemRef, "", [MemRead]>:$a, Arg<AnyMemRef, "", [MemRead]>:$b,
    Arg<AnyMemRef, "", [MemRead, MemWrite]>:$c,
    DefaultValuedAttr<BoolAttr, "false">:$transpose_a,
    DefaultValuedAttr<BoolAttr, "false">:$transpose_b,
    DefaultValuedAttr<BoolAttr, "false">:$accumulate);
  let assemblyFormat = [{
    $a `,` $b `into` $c attr-dict `:` type($a) `,` type($b) `,` type($c)
  }];
  let hasVerifier = 1;
}

#endif  // GSA_TILE_HOST_OPS_TD
