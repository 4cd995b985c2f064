//===- GsaTileTypes.td - storage and pointers ------------------*- tablegen -*-===//

#ifndef GSA_TILE_TYPES_TD
#define GSA_TILE_TYPES_TD

include "dialect/GsaTile/GsaTileDialect.td"

class GsaTile_Type<string name, string typeMnemonic>
    : TypeDef<GsaTile_Dialect, name> {
  let mnemonic = typeMnemonic;
  let genVerifyDecl = 1;
}

def GsaTile_GlobalType : GsaTile_Type<"Global", "global"> {
  let summary = "pointer into an array in global memory";
  let description = [{
    Prints as `const T*` (read) or `T*` (write). The element type is f16, bf16,
    f32, f64, i8, i32 or i64. Example: `!gsa_tile.global<bf16, read>`.
  }];
  let parameters = (ins "::mlir::Type":$elementType,
                        EnumParameter<GsaTile_Access>:$access);
  let assemblyFormat = "`<` $elementType `,` $access `>`";
}

def GsaTile_RowsType : GsaTile_Type<"Rows", "rows"> {
  let summary = "rows of an array in global memory, by position";
  let description = [{
    Says where row p is, and whether it exists: the one place that turns an index
    into an address. An op that reads a row that does not exist has zeros
    instead, one that writes it writes nothing.
    Constraint: (C1) rows that accumulate are f32.
    Example: `!gsa_tile.rows<bf16, listed, read>`.
  }];
  let parameters = (ins "::mlir::Type":$elementType,
                        EnumParameter<GsaTile_RowKind>:$kind,
                        EnumParameter<GsaTile_RowAccess>:$access);
  let assemblyFormat = "`<` $elementType `,` $kind `,` $access `>`";
}

def GsaTile_FoundRowsType : GsaTile_Type<"FoundRows", "found_rows"> {
  let summary = "numbers of the rows of a tile, looked up once";
  let description = [{
    For tiles of `rows` rows of `units` vectors that the warps of a team copy.
    Held in the registers of its threads. Prints as
    `found_rows<team, rows, units>`.
    Constraint: (C1) a thread has at most 16 of the vectors.
    Example: `!gsa_tile.found_rows<64 x 16 by <0, 4>>`.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$units, "TeamAttr":$team);
  let assemblyFormat = "`<` $rows `x` $units `by` $team `>`";
}

def GsaTile_SmemType : GsaTile_Type<"Smem", "smem"> {
  let summary = "tile in shared memory";
  let description = [{
    `[rows, columns]`, or `[stages, rows, columns]` for the buffers of a ring.
    Prints as `smem<T, rows, columns, layout>` or
    `smem_stages<T, stages, rows, columns, layout>`.

    Constraints: (C1) rank 2 or 3, sizes at least 1; (C2) `swizzle` and
    `swizzle_128b` need rows of a multiple of 16 bytes, `swizzle_128b` of 128.
    Example: `!gsa_tile.smem<4x64x128xbf16, swizzle>`.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType,
                        EnumParameter<GsaTile_SmemLayout>:$layout);
  let assemblyFormat = [{
    `<` custom<ShapeAndElement>($shape, $elementType) `,` $layout `>`
  }];
  let extraClassDeclaration = [{
    /// Bytes of one stage, and of all.
    int64_t getStageBytes() const;
    int64_t getBytes() const;
    bool isStaged() const { return getShape().size() == 3; }
    int64_t getRows() const { return getShape()[getShape().size() - 2]; }
    int64_t getColumns() const { return getShape().back(); }
  }];
}

def GsaTile_FragType : GsaTile_Type<"Frag", "frag"> {
  let summary = "tile in the registers of a warp";
  let description = [{
    Prints as `frag<T, rows, columns, layout>`.
    Constraints: (C1) 16 rows, or 8 of layout `acc`: half of an accumulator, no
    operand of a product; (C2) columns are a multiple of 8 for `acc`, of 16 for
    `lhs`.
    Example: `!gsa_tile.frag<16x64xf32, acc>`.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType,
                        EnumParameter<GsaTile_FragLayout>:$layout);
  let assemblyFormat = [{
    `<` custom<ShapeAndElement>($shape, $elementType) `,` $layout `>`
  }];
  let extraClassDeclaration = [{
    int64_t getRows() const { return getShape()[0]; }
    int64_t getColumns() const { return getShape()[1]; }
    /// 32-bit registers per thread.
    int64_t getRegisters() const;
  }];
}

def GsaTile_RowVecType : GsaTile_Type<"RowVec", "rowvec"> {
  let summary = "one number per row of a fragment";
  let description = [{
    Prints as `rowvec<T, rows>`. Spread like the rows of a fragment of as many
    rows, 16 or 8. Example: `!gsa_tile.rowvec<16xf32>`.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType);
  let assemblyFormat = "`<` custom<ShapeAndElement>($shape, $elementType) `>`";
}

def GsaTile_RingType : GsaTile_Type<"Ring", "ring"> {
  let summary = "full and empty barriers of a buffer of several stages";
  let description = [{
    Iteration i uses slot i mod `stages`. The producer acquires i (waits until
    the slot is empty), fills it and commits i; the consumers wait for i, read
    and release i. Prints as `ring<stages>`; 16 bytes of shared memory a stage.
    Example: `!gsa_tile.ring<4>`.
  }];
  let parameters = (ins "int64_t":$stages);
  let assemblyFormat = "`<` $stages `>`";
}

def GsaTile_TileRingType : GsaTile_Type<"TileRing", "tile_ring"> {
  let summary = "tiles that a stream fills and reads, stage by stage";
  let description = [{
    `stages` copies of the tiles, which are filled and read together, and who
    fills them: one `full` and one `empty` barrier a stage. Streams that name
    the same ring continue its phases. gsa-tile-pipeline makes buffers and a
    `!gsa_tile.ring` of it.

    Constraints: (C1) `stages >= 1`; (C2) one tile at least, of a single stage
    each.
    Example: `!gsa_tile.tile_ring<2 by cp_async, !gsa_tile.smem<64x128xbf16,
    swizzle>>`.
  }];
  let parameters = (ins "int64_t":$stages, EnumParameter<GsaTile_CopyEngine>:$engine,
                        ArrayRefParameter<"::mlir::Type">:$tiles);
  let assemblyFormat = "`<` $stages `by` $engine `,` $tiles `>`";
}

def GsaTile_CursorType : GsaTile_Type<"Cursor", "cursor"> {
  let summary = "how often the warp has gone through a ring";
  let description = [{
    A number of each warp, in a register, from which the iterations of a stream
    count on. Prints as `ring_cursor`.
  }];
  let genVerifyDecl = 0;
}

def GsaTile_TensorMapType : GsaTile_Type<"TensorMap", "tensormap"> {
  let summary = "description of a matrix for the bulk copy engine";
  let description = [{
    A kernel argument by value (`const __grid_constant__ tensor_map`). The shape
    is the box that one load copies: rows and columns of a tile, which has the
    layout `linear` or `swizzle_128b`. A box of layout `swizzle_128b` is one
    panel wide, 128 bytes. Example:
    `!gsa_tile.tensormap<64x64xbf16, swizzle_128b>`.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape,
                        "::mlir::Type":$elementType,
                        EnumParameter<GsaTile_SmemLayout>:$layout);
  let assemblyFormat = [{
    `<` custom<ShapeAndElement>($shape, $elementType) `,` $layout `>`
  }];
}

/// Operand types, with what the op does to them.
class GsaTile_Read<Type t, Resource r> : Arg<t, "", [MemRead<r>]>;
class GsaTile_Write<Type t, Resource r> : Arg<t, "", [MemWrite<r>]>;
class GsaTile_Update<Type t, Resource r> : Arg<t, "", [MemRead<r>, MemWrite<r>]>;

defvar TileFragIn = GsaTile_Read<GsaTile_FragType, GsaTile_Registers>;
defvar TileFragOut = GsaTile_Write<GsaTile_FragType, GsaTile_Registers>;
defvar TileFragInOut = GsaTile_Update<GsaTile_FragType, GsaTile_Registers>;
defvar TileRowsIn = GsaTile_Read<GsaTile_RowVecType, GsaTile_Registers>;
defvar TileRowsOut = GsaTile_Write<GsaTile_RowVecType, GsaTile_Registers>;
defvar TileRowsInOut = GsaTile_Update<GsaTile_RowVecType, GsaTile_Registers>;
defvar TileSmemIn = GsaTile_Read<GsaTile_SmemType, GsaTile_Shared>;
defvar TileSmemOut = GsaTile_Write<GsaTile_SmemType, GsaTile_Shared>;
defvar TileSmemInOut = GsaTile_Update<GsaTile_SmemType, GsaTile_Shared>;
defvar TileGlobalIn = GsaTile_Read<GsaTile_GlobalType, GsaTile_Global>;
defvar TileGlobalOut = GsaTile_Write<GsaTile_GlobalType, GsaTile_Global>;
defvar TileViewIn = GsaTile_Read<GsaTile_RowsType, GsaTile_Global>;
defvar TileViewOut = GsaTile_Write<GsaTile_RowsType, GsaTile_Global>;
defvar TileRing = GsaTile_Update<GsaTile_RingType, GsaTile_Barrier>;

#endif  // GSA_TILE_TYPES_TD
