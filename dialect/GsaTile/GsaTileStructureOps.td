//===- GsaTileStructureOps.td - kernels, roles, storage --------*- tablegen -*-===//

#ifndef GSA_TILE_STRUCTURE_OPS_TD
#define GSA_TILE_STRUCTURE_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

def GsaTile_KernelOp : GsaTile_Op<"kernel", "", [
    FunctionOpInterface, IsolatedFromAbove, Symbol,
    SingleBlockImplicitTerminator<"ReturnOp">]> {
  let summary = "A kernel: code that every warp of every block runs";
  let description = [{
    Arguments are `!gsa_tile.global` pointers and scalars (index, i32, i64,
    f32, f64). `warps` is the number of warps of a block, `shared_bytes` the
    dynamic shared memory (set by gsa-tile-plan-smem), `min_blocks` how many
    blocks an SM shall hold at least. `cluster` neighbouring blocks along
    dimension 0 of the grid run at the same time (1: each by itself); with more
    than 1, devices of sm_90 and later have them; not each of them has room for
    16. Prints as an `extern "C" __global__` function of the same name.

    Constraints:
    - (C1) no results; arguments of the types above.
    - (C2) `1 <= warps <= 32`.
    - (C3) `cluster` is 1, 2, 4, 8 or 16, and the first size of a grid is a multiple.
    Example: test/dialect/gsa_tile/ops.mlir.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypeAttrOf<FunctionType>:$function_type,
                       I64Attr:$warps,
                       DefaultValuedAttr<I64Attr, "0">:$shared_bytes,
                       DefaultValuedAttr<I64Attr, "1">:$min_blocks,
                       DefaultValuedAttr<I64Attr, "1">:$cluster,
                       OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name,
                                 "::mlir::FunctionType":$type,
                                 "int64_t":$warps)>];
  let extraOpDeclaration = [{
    ::mlir::ArrayRef<::mlir::Type> getArgumentTypes() {
      return getFunctionType().getInputs();
    }
    ::mlir::ArrayRef<::mlir::Type> getResultTypes() {
      return getFunctionType().getResults();
    }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
  }];
}

def GsaTile_ReturnOp : GsaTile_Op<"return", "", [
    Pure, Terminator, HasParent<"KernelOp">]> {
  let summary = "End of a kernel";
  let assemblyFormat = "attr-dict";
}

def GsaTile_BlockIdOp : GsaTile_Op<"block_id", "block_id<{dimension}>()",
                                   [Pure]> {
  let summary = "Position of the block in the grid";
  let arguments = (ins ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<2>]>:$dimension);
  let results = (outs Index:$result);
  let assemblyFormat = "$dimension attr-dict";
}

def GsaTile_GridSizeOp : GsaTile_Op<"grid_size", "grid_size<{dimension}>()",
                                    [Pure]> {
  let summary = "Number of blocks along one dimension of the grid";
  let arguments = (ins ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<2>]>:$dimension);
  let results = (outs Index:$result);
  let assemblyFormat = "$dimension attr-dict";
}

def GsaTile_WarpRankOp : GsaTile_Op<"warp_rank", "warp_rank<{team}>()",
                                    [Pure, GsaTile_TeamOpInterface]> {
  let summary = "Number of this warp within a team";
  let arguments = (ins GsaTile_TeamAttr:$team);
  let results = (outs Index:$result);
  let assemblyFormat = "$team attr-dict";
}

def GsaTile_RolesOp : GsaTile_Op<"roles", "", [
    RecursiveMemoryEffects, NoRegionArguments,
    SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Teams of warps that do different things at the same time";
  let description = [{
    Region i is run by the warps of role i; every warp runs at most one. Prints
    as one `if (in_team<...>()) ... else if ...`.

    Constraints: (C1) one region per role; (C2) teams are disjoint and within
    the kernel's warps; (C3) not nested in another `roles`.
  }];
  let arguments = (ins GsaTile_RoleArrayAttr:$roles);
  let regions = (region VariadicRegion<SizedRegion<1>>:$bodies);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def GsaTile_YieldOp : GsaTile_Op<"yield", "", [
    Pure, Terminator, ParentOneOf<["RolesOp", "ForEachOp", "StreamOp", "LaggedOp"]>]> {
  let summary = "End of a role, of a region of a stream or of for_each's body";
  let assemblyFormat = "attr-dict";
}

def GsaTile_ForEachOp : GsaTile_Op<"for_each", "", [
    RecursiveMemoryEffects, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Loop whose iterations are spread over all lanes of the grid";
  let description = [{
    Runs the body once for each i in [0, count), in no order, by single lanes:
    inside it only scalar ops, `load` and `store` are allowed. Prints as
    `for (long long i = first_element(); i < count; i += element_step())`.
    The induction variable and the count are i64.

    With `lanes` N an iteration is that of N neighbouring lanes, for sums whose
    terms they share: `first_term`, `term_step` and `sum_terms` are allowed as
    well. All of them run the rest of the body, with the same numbers.
    Constraint: (C1) `lanes` is 1, 2, 4, 8, 16 or 32.
  }];
  let arguments = (ins I64:$count, DefaultValuedAttr<I64Attr, "1">:$lanes);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$count,
                                 CArg<"int64_t", "1">:$lanes)>];
  let extraOpDeclaration = [{
    ::mlir::Value getInductionVar() { return getBody().getArgument(0); }
  }];
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

def GsaTile_SmemAllocOp : GsaTile_Op<"smem_alloc",
    "smem_alloc<{result:type}>({offset})",
    [DeclareOpInterfaceMethods<GsaTile_SharedAllocOpInterface,
         ["getSharedBytes", "getSharedAlignment", "isBarrier"]>,
     MemoryEffects<[MemAlloc<GsaTile_Shared>]>]> {
  let summary = "A tile (or its stages) in shared memory";
  let description = [{
    `offset` in bytes from the start of dynamic shared memory is set by
    gsa-tile-plan-smem; printing without it is an error.
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$offset);
  let results = (outs GsaTile_SmemType:$result);
  let assemblyFormat = "(`at` $offset^)? attr-dict `:` type($result)";
}

def GsaTile_StageOp : GsaTile_Op<"stage", "stage({buffer}, {slot})",
    [Pure, TypesMatchWith<"result is one stage of the buffer", "buffer",
                          "result", "getStageType($_self)">]> {
  let summary = "One stage of the buffers of a ring";
  let arguments = (ins GsaTile_SmemType:$buffer, Index:$slot);
  let results = (outs GsaTile_SmemType:$result);
  let assemblyFormat = "$buffer `[` $slot `]` attr-dict `:` type($buffer)";
}

def GsaTile_PartOfOp : GsaTile_Op<"part_of", "part_of({buffer}, {number})",
    [Pure, TypesMatchWith<"result is one tile of the buffer", "buffer",
                          "result", "getStageType($_self)">]> {
  let summary = "One of the tiles of a buffer, by number";
  let description = [{
    Of a buffer that is no ring's: its tiles are there side by side, for who
    takes one by a number that it computes, below their number. Constraint: (C1)
    a buffer has parts or stages, not both.
  }];
  let arguments = (ins GsaTile_SmemType:$buffer, Index:$number);
  let results = (outs GsaTile_SmemType:$result);
  let assemblyFormat = "$buffer `[` $number `]` attr-dict `:` type($buffer)";
  let hasVerifier = 1;
}

def GsaTile_FragAllocOp : GsaTile_Op<"frag_alloc",
    "frag_alloc<{result:type}>()",
    [DeclareOpInterfaceMethods<GsaTile_RegisterAllocOpInterface>,
     MemoryEffects<[MemAlloc<GsaTile_Registers>]>]> {
  let summary = "A fragment in registers, contents undefined";
  let results = (outs GsaTile_FragType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def GsaTile_RowVecAllocOp : GsaTile_Op<"rowvec_alloc",
    "rowvec_alloc<{result:type}>()",
    [DeclareOpInterfaceMethods<GsaTile_RegisterAllocOpInterface>,
     MemoryEffects<[MemAlloc<GsaTile_Registers>]>]> {
  let summary = "A row vector in registers, contents undefined";
  let results = (outs GsaTile_RowVecType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def GsaTile_RingAllocOp : GsaTile_Op<"ring_alloc",
    "ring_alloc<{result:type}, {producers}, {consumers}>({offset})",
    [DeclareOpInterfaceMethods<GsaTile_SharedAllocOpInterface,
         ["getSharedBytes", "getSharedAlignment", "isBarrier"]>,
     MemoryEffects<[MemAlloc<GsaTile_Barrier>]>]> {
  let summary = "A ring: makes and initialises its barriers";
  let description = [{
    `producers` warps commit (each with all its lanes), `consumers` warps
    release (each with one lane). All warps of the block must run this op, and
    a `sync` of all warps must follow before the ring is used.
  }];
  let arguments = (ins I64Attr:$producers, I64Attr:$consumers,
                       OptionalAttr<I64Attr>:$offset);
  let results = (outs GsaTile_RingType:$result);
  let assemblyFormat = [{
    `producers` $producers `consumers` $consumers (`at` $offset^)? attr-dict
    `:` type($result)
  }];
}

#endif  // GSA_TILE_STRUCTURE_OPS_TD
