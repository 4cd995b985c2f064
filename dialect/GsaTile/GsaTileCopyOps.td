//===- GsaTileCopyOps.td - movement of data --------------------*- tablegen -*-===//

#ifndef GSA_TILE_COPY_OPS_TD
#define GSA_TILE_COPY_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

//===----------------------------------------------------------------------===//
// Addresses and scalars
//===----------------------------------------------------------------------===//

def GsaTile_AtOp : GsaTile_Op<"at",
    "at({base}, indices({indices...}), sizes({sizes...}))",
    [Pure, AttrSizedOperandSegments, AllTypesMatch<["base", "result"]>]> {
  let summary = "Address of an element of a dense row-major array";
  let description = [{
    `base + ((i0 * n1 + i1) * n2 + i2) ...` in 64 bits, in elements. `sizes`
    are the sizes of all dimensions but the first. Prints as
    `at(base, indices(i0, i1, i2), sizes(n1, n2))`.
    Constraint: (C1) one size less than indices.
  }];
  let arguments = (ins GsaTile_GlobalType:$base, Variadic<Index>:$indices,
                       Variadic<Index>:$sizes);
  let results = (outs GsaTile_GlobalType:$result);
  let assemblyFormat = [{
    $base `[` $indices `]` `sizes` `[` $sizes `]` attr-dict `:` type($base)
  }];
  let hasVerifier = 1;
}

def GsaTile_LoadOp : GsaTile_Op<"load", "load({base}, {position})",
    [TypesMatchWith<"result is an element", "base", "result",
        "::llvm::cast<GlobalType>($_self).getElementType()">]> {
  let summary = "Reads one element; same value in all lanes that ask for it";
  let arguments = (ins TileGlobalIn:$base, AnyTypeOf<[Index, I64]>:$position);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $base `[` $position `]` attr-dict `:` type($base) `,` type($position)
  }];
}

def GsaTile_StoreOp : GsaTile_Op<"store", "store({base}, {position}, {value})",
    [TypesMatchWith<"value is an element", "base", "value",
        "::llvm::cast<GlobalType>($_self).getElementType()">]> {
  let summary = "Writes one element; outside for_each one lane writes";
  let arguments = (ins TileGlobalOut:$base, AnyTypeOf<[Index, I64]>:$position,
                       AnyType:$value);
  let assemblyFormat = [{
    $value `,` $base `[` $position `]` attr-dict `:` type($base) `,`
    type($position)
  }];
}

def GsaTile_LoadSharedOp : GsaTile_Op<"load_shared",
    "load_shared({base}, {row}, {column})",
    [TypesMatchWith<"result is an element", "base", "result",
        "::llvm::cast<SmemType>($_self).getElementType()">]> {
  let summary = "Reads one element of shared memory, the same in all lanes";
  let arguments = (ins TileSmemIn:$base, Index:$row, Index:$column);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$base `[` $row `,` $column `]` attr-dict `:` type($base)";
}

def GsaTile_StoreSharedOp : GsaTile_Op<"store_shared",
    "store_shared({base}, {row}, {column}, {value})",
    [TypesMatchWith<"value is an element", "base", "value",
        "::llvm::cast<SmemType>($_self).getElementType()">]> {
  let summary = "Writes one element of shared memory by one lane of the warp";
  let arguments = (ins TileSmemOut:$base, Index:$row, Index:$column,
                       AnyType:$value);
  let assemblyFormat = [{
    $value `,` $base `[` $row `,` $column `]` attr-dict `:` type($base)
  }];
}

//===----------------------------------------------------------------------===//
// Global to shared memory, by a team
//===----------------------------------------------------------------------===//

def GsaTile_CopyRowsOp : GsaTile_Op<"copy_rows",
    "copy_rows<{team}, {vector_bytes}>({target}, {source}, {pitch}, {rows}, {columns})"> {
  let summary = "Starts the copy of neighbouring rows into shared memory";
  let description = [{
    `target[r, c] = source[r * pitch + c]` for r < `rows`, c < `columns`; the
    rest of the tile becomes 0, and nothing outside is read. `pitch` is in
    elements. Asynchronous (cp.async) for `vector_bytes` 16, 8 or 4, ordinary
    loads and stores for 2; source and pitch must be multiples of it.
  }];
  let arguments = (ins TileSmemOut:$target, TileGlobalIn:$source, I64:$pitch,
                       Index:$rows, Index:$columns, I64Attr:$vector_bytes,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $source `pitch` $pitch `rows` $rows `columns` $columns `to` $target
    `by` $team `vector` $vector_bytes attr-dict `:` type($source) `to`
    type($target)
  }];
  let hasVerifier = 1;
}

def GsaTile_GatherRowsOp : GsaTile_Op<"gather_rows",
    "gather_rows<{team}, {vector_bytes}>({target}, {source}, {pitch}, {list}, {begin}, {end}, {limit}, {columns})"> {
  let summary = "Starts the copy of listed rows into shared memory";
  let description = [{
    `target[r, c] = source[list[0, begin + r] * pitch + c]` for
    begin + r < `end`, c < `columns`. A row whose index lies outside
    [0, `limit`) and all other rows become 0, and nothing is read for them.
    Vectors as in `copy_rows`.
  }];
  let arguments = (ins TileSmemOut:$target, TileGlobalIn:$source, I64:$pitch,
                       TileSmemIn:$list, Index:$begin, Index:$end,
                       Index:$limit, Index:$columns, I64Attr:$vector_bytes,
                       GsaTile_TeamAttr:$team);
  let assemblyFormat = [{
    $source `pitch` $pitch `list` $list `[` $begin `to` $end `]` `limit` $limit
    `columns` $columns `to` $target `by` $team `vector` $vector_bytes attr-dict
    `:` type($source) `,` type($list) `to` type($target)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

def GsaTile_LoadLhsOp : GsaTile_Op<"load_lhs", "load_lhs({target}, {source}, {row})"> {
  let summary = "Left operand of mma from 16 rows of a tile";
  let description = "PTX: ldmatrix for 16-bit elements.";
  let arguments = (ins TileFragOut:$target, TileSmemIn:$source, Index:$row);
  let assemblyFormat = [{
    $source `[` $row `]` `to` $target attr-dict `:` type($source) `to`
    type($target)
  }];
}

def GsaTile_StoreRowsOp : GsaTile_Op<"store_rows",
    "store_rows({target}, {pitch}, {source}, {rows}, {columns})"> {
  let summary = "Rounds a fragment and writes it to global memory";
  let description = [{
    `target[r * pitch + c] = T(source[r, c])` for r < `rows`, c < `columns`.
  }];
  let arguments = (ins TileGlobalOut:$target, I64:$pitch, TileFragIn:$source,
                       Index:$rows, Index:$columns);
  let assemblyFormat = [{
    $source `to` $target `pitch` $pitch `rows` $rows `columns` $columns
    attr-dict `:` type($source) `to` type($target)
  }];
}

def GsaTile_LoadRowVecOp : GsaTile_Op<"load_rowvec",
    "load_rowvec({target}, {source}, {pitch}, {rows})"> {
  let summary = "`target[r] = source[r * pitch]` for r < rows, 0 beyond";
  let arguments = (ins TileRowsOut:$target, TileGlobalIn:$source, I64:$pitch,
                       Index:$rows);
  let assemblyFormat = [{
    $source `pitch` $pitch `rows` $rows `to` $target attr-dict `:`
    type($source) `to` type($target)
  }];
}

def GsaTile_StoreRowVecOp : GsaTile_Op<"store_rowvec",
    "store_rowvec({target}, {pitch}, {source}, {rows})"> {
  let summary = "`target[r * pitch] = source[r]` for r < rows";
  let arguments = (ins TileGlobalOut:$target, I64:$pitch, TileRowsIn:$source,
                       Index:$rows);
  let assemblyFormat = [{
    $source `to` $target `pitch` $pitch `rows` $rows attr-dict `:`
    type($source) `to` type($target)
  }];
}

def GsaTile_PutFragOp : GsaTile_Op<"put_frag", "put_frag({target}, {row}, {source})"> {
  let summary = "Fragment to rows `row`, row + 1, ... of a shared tile";
  let arguments = (ins TileSmemOut:$target, Index:$row, TileFragIn:$source);
  let assemblyFormat = [{
    $source `to` $target `[` $row `]` attr-dict `:` type($source) `to`
    type($target)
  }];
}

def GsaTile_TakeFragOp : GsaTile_Op<"take_frag", "take_frag({target}, {source}, {row})"> {
  let summary = "Fragment from rows `row`, row + 1, ... of a shared tile";
  let arguments = (ins TileFragOut:$target, TileSmemIn:$source, Index:$row);
  let assemblyFormat = [{
    $source `[` $row `]` `to` $target attr-dict `:` type($source) `to`
    type($target)
  }];
}

def GsaTile_PutRowVecOp : GsaTile_Op<"put_rowvec", "put_rowvec({target}, {row}, {source})"> {
  let summary = "Row vector to columns 0, 1, ... of row `row` of a shared tile";
  let arguments = (ins TileSmemOut:$target, Index:$row, TileRowsIn:$source);
  let assemblyFormat = [{
    $source `to` $target `[` $row `]` attr-dict `:` type($source) `to`
    type($target)
  }];
}

def GsaTile_TakeRowVecOp : GsaTile_Op<"take_rowvec", "take_rowvec({target}, {source}, {row})"> {
  let summary = "Row vector from row `row` of a shared tile";
  let arguments = (ins TileRowsOut:$target, TileSmemIn:$source, Index:$row);
  let assemblyFormat = [{
    $source `[` $row `]` `to` $target attr-dict `:` type($source) `to`
    type($target)
  }];
}

#endif  // GSA_TILE_COPY_OPS_TD
