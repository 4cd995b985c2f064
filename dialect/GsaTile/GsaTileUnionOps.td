//===- GsaTileUnionOps.td - keys that neighbouring queries share -*- tablegen -*-===//
//
// A block unites the ascending key lists of up to 32 queries. A table in shared
// memory has a word for each of some consecutive keys; bit q of a word says
// that query q wants the key. Each op is one step of one warp, loops are in the
// IR, and no result depends on the number of warps.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_UNION_OPS_TD
#define GSA_TILE_UNION_OPS_TD

include "dialect/GsaTile/GsaTileSelectOps.td"

defvar TileGlobalInOut = GsaTile_Update<GsaTile_GlobalType, GsaTile_Global>;

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

def GsaTile_CheckListOp : GsaTile_Op<"check_list",
    "check_list<{columns}>({state}, {list}, {begin}, {end}, {limit})"> {
  let summary = "Counts entries that do not ascend strictly within [0, limit)";
  let description = [{
    For entries [begin, min(begin + columns, end)): those outside [0, `limit`),
    and those that are not above the entry before them.
    Constraints: (C1) the list is of i32, columns is a positive multiple of 32;
    (C2) the state is lanes<1xi32>.
  }];
  let arguments = (ins TileLanesInOut:$state, TileGlobalIn:$list, Index:$begin,
                       Index:$end, I64Attr:$columns, Index:$limit);
  let assemblyFormat = [{
    $state `,` $list `[` $begin `to` $end `]` `step` $columns `limit` $limit
    attr-dict `:` type($state) `,` type($list)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

def GsaTile_MarkMembersOp : GsaTile_Op<"mark_members",
    "mark_members<{columns}>({table}, {list}, {begin}, {end}, {first}, {bit})"> {
  let summary = "Sets a bit in the words of listed keys, atomically";
  let description = [{
    Bit `bit` of `table[0, list[i] - first]` for entries from `begin` on, until
    one lies behind the table or `end` is reached; keys below `first` are left
    out. Returns the place of the first entry that is not done, so that a walk
    through an ascending list by pieces of keys needs no search. `columns`
    entries are read at a time. Of a list that does not ascend, the last step
    may mark entries behind that place; the place is from `begin` to `end`.
    Constraints: (C1) as check_list; (C2) the table is of i32 and one row.
  }];
  let arguments = (ins TileSmemAtomic:$table, TileGlobalIn:$list, Index:$begin,
                       Index:$end, I64Attr:$columns, Index:$first, Index:$bit);
  let results = (outs Index:$result);
  let assemblyFormat = [{
    $table `,` $list `[` $begin `to` $end `]` `step` $columns `first` $first
    `bit` $bit attr-dict `:` type($table) `,` type($list)
  }];
  let hasVerifier = 1;
}

def GsaTile_CountMembersOp : GsaTile_Op<"count_members",
    "count_members<{columns}>({state}, {table}, {begin}, {end})"> {
  let summary = "Counts words of the table that are not 0";
  let description = [{
    Of words [begin, min(begin + columns, end)). Constraints: (C1) the table is
    of i32 and one row, columns is a positive multiple of 32; (C2) the state is
    lanes<1xi32>.
  }];
  let arguments = (ins TileLanesInOut:$state, TileSmemIn:$table, Index:$begin,
                       Index:$end, I64Attr:$columns);
  let assemblyFormat = [{
    $state `,` $table `[` $begin `to` $end `]` `step` $columns attr-dict `:`
    type($state) `,` type($table)
  }];
  let hasVerifier = 1;
}

def GsaTile_EmitMembersOp : GsaTile_Op<"emit_members",
    "emit_members<{columns}>({keys}, {words}, {cursor}, {table}, {begin}, {end}, {first})"> {
  let summary = "Writes the keys of the table and their words, ascending";
  let description = [{
    For words [begin, min(begin + columns, end)) that are not 0, in this order:
    `keys[n] = first + i`, `words[n] = table[0, i]`, and n, the number in all
    lanes of the cursor, goes up by 1. Constraints: (C1) as count_members, for
    the table and the cursor; (C2) keys and words are of i32.
  }];
  let arguments = (ins TileGlobalOut:$keys, TileGlobalOut:$words,
                       TileLanesInOut:$cursor, TileSmemIn:$table, Index:$begin,
                       Index:$end, I64Attr:$columns, Index:$first);
  let assemblyFormat = [{
    $keys `,` $words `,` $cursor `,` $table `[` $begin `to` $end `]` `step`
    $columns `first` $first attr-dict `:` type($keys) `,` type($words) `,`
    type($cursor) `,` type($table)
  }];
  let hasVerifier = 1;
}

/// Of words of the table, by who wants the key: queries below `half` alone (0),
/// those from it on alone (1), or some of both (2).
class GsaTile_KindsOp<string mnemonic, string arguments>
    : GsaTile_Op<mnemonic, mnemonic # "<{columns}, {half}>(" # arguments # ")"> {
  let hasVerifier = 1;
}

def GsaTile_CountKindsOp : GsaTile_KindsOp<"count_kinds",
    "{state}, {table}, {begin}, {end}"> {
  let summary = "Counts words of the table that are not 0, by who wants the key";
  let description = [{
    Number i of the state goes up for words [begin, min(begin + columns, end))
    of kind i: of bits below `half` alone (0), of bits from `half` on alone (1),
    of both (2). Constraints: (C1) the table and columns as in count_members;
    (C2) the state is lanes<3xi32>; (C3) `half` is from 1 to 31.
  }];
  let arguments = (ins TileLanesInOut:$state, TileSmemIn:$table, Index:$begin,
                       Index:$end, I64Attr:$columns, I64Attr:$half);
  let assemblyFormat = [{
    $state `,` $table `[` $begin `to` $end `]` `step` $columns `half` $half
    attr-dict `:` type($state) `,` type($table)
  }];
}

def GsaTile_EmitKindsOp : GsaTile_KindsOp<"emit_kinds",
    "{keys}, {words}, {cursor}, {table}, {begin}, {end}, {first}"> {
  let summary = "Writes the keys of the table and their words, by who wants them";
  let description = [{
    As emit_members, with a number n in the cursor for each kind of count_kinds.
    Those of kinds 0 and 2 are written at n, which goes up by 1; that of kind 1
    goes down by 1, and is written there: so that two kinds share an array.
    Constraints: (C1) as count_kinds, for the table and the cursor; (C2) keys
    and words are of i32.
  }];
  let arguments = (ins TileGlobalOut:$keys, TileGlobalOut:$words,
                       TileLanesInOut:$cursor, TileSmemIn:$table, Index:$begin,
                       Index:$end, I64Attr:$columns, I64Attr:$half,
                       Index:$first);
  let assemblyFormat = [{
    $keys `,` $words `,` $cursor `,` $table `[` $begin `to` $end `]` `step`
    $columns `half` $half `first` $first attr-dict `:` type($keys) `,`
    type($words) `,` type($cursor) `,` type($table)
  }];
}

def GsaTile_TransposeMembersOp : GsaTile_Op<"transpose_members",
    "transpose_members<{strings}, {block}>({bits}, {words}, {group})"> {
  let summary = "Words of keys to strings of queries, for 32 keys";
  let description = [{
    Keys come in blocks of `block`, of which each has `strings` strings of a bit
    for each key: bit q of `words[32 group + c]` becomes bit c of the string of
    query q, which is word

    `(32 group / block * strings + q) * (block / 32) + group % (block / 32)`

    of `bits`; strings from 32 on are 0. Constraints: (C1) bits and words are of
    i32; (C2) `block` is a positive multiple of 32, `strings >= 1`.
  }];
  let arguments = (ins TileGlobalOut:$bits, TileGlobalInOut:$words,
                       Index:$group, I64Attr:$strings, I64Attr:$block);
  let assemblyFormat = [{
    $words `[` $group `]` `to` $bits `strings` $strings `block` $block attr-dict
    `:` type($words) `to` type($bits)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// What another kernel does again
//===----------------------------------------------------------------------===//

def GsaTile_AnyOutOfRangeOp : GsaTile_Op<"any_out_of_range",
    "any_out_of_range({output}, {lse}, {limit})"> {
  let summary = "Whether the warp's rows hold what has to be computed otherwise";
  let description = [{
    An infinity or a NaN in `output`, or an `lse` whose size is not below
    `limit`; -inf, that of a row without keys, is none. The same in all lanes.
  }];
  let arguments = (ins TileFragIn:$output, TileRowsIn:$lse, F32:$limit);
  let results = (outs I1:$result);
  let assemblyFormat = [{
    $output `,` $lse `limit` $limit attr-dict `:` type($output) `,` type($lse)
  }];
}

def GsaTile_AnyNotFiniteOp : GsaTile_Op<"any_not_finite",
    "any_not_finite<{team}>({source})",
    [GsaTile_TeamOpInterface, GsaTile_BarrierOpInterface,
     MemoryEffects<[MemRead<GsaTile_Barrier>, MemWrite<GsaTile_Barrier>,
                    MemRead<GsaTile_Shared>]>]> {
  let summary = "Whether a tile holds an infinity or a NaN";
  let description = [{
    The same in all warps of the block, which look at parts of it and meet at its
    barrier. PTX: `barrier.cta.red.or.pred`. Constraints: (C1) the rows are whole
    16-byte chunks; (C2) the team is the block.
  }];
  let arguments = (ins GsaTile_SmemType:$source, GsaTile_TeamAttr:$team);
  let results = (outs I1:$result);
  let assemblyFormat = "$source `by` $team attr-dict `:` type($source)";
  let hasVerifier = 1;
  let extraOpDeclaration = [{
    uint64_t getBarrier() { return 0; }
  }];
}

def GsaTile_DropRowsOp : GsaTile_Op<"drop_rows",
    "drop_rows({target}, {row}, {lse})"> {
  let summary = "`target[row + r, :] = 0` where `lse[r]` is -inf";
  let description = [{
    Of rows without keys nothing counts, which a product with 0 would not do for
    an infinity. The warp may read the tile at once. Constraint: (C1) the rows are
    whole 16-byte chunks.
  }];
  let arguments = (ins TileSmemInOut:$target, Index:$row, TileRowsIn:$lse);
  let assemblyFormat = [{
    $target `[` $row `]` `by` $lse attr-dict `:` type($target) `by` type($lse)
  }];
  let hasVerifier = 1;
}

def GsaTile_AppendOp : GsaTile_Op<"append", "append({list}, {count}, {value})"> {
  let summary = "Adds a number to a list that all blocks share";
  let description = [{
    `list[count[0]++] = value`, atomically and by one lane: the order of entries
    differs from run to run. Constraint: (C1) list and count are of i32.
  }];
  let arguments = (ins TileGlobalOut:$list, TileGlobalInOut:$count,
                       Index:$value);
  let assemblyFormat = [{
    $value `to` $list `count` $count attr-dict `:` type($list) `,` type($count)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// One list as a string of bits
//===----------------------------------------------------------------------===//

def GsaTile_MarkKeysOp : GsaTile_Op<"mark_keys",
    "mark_keys<{columns}, {vector}>({table}, {row}, {list}, {begin}, {end})"> {
  let summary = "Sets the bits of listed keys in a row of the table";
  let description = [{
    Bit `list[i] % 32` of `table[row, list[i] / 32]` for entries [begin, min(begin
    + columns, end)) of an ascending list; keys that the row has no bit for are
    left out. By one warp, which owns the row. A lane reads `vector` neighbouring
    entries at a time, which lie on a multiple of their bytes (which nobody checks
    but the emulation), and writes each word that they have in common once.
    Constraints: (C1) as check_list; (C2) the table is of i32; (C3) `vector` is 1, 2
    or 4, and columns are a multiple of 32 vectors.
  }];
  let arguments = (ins TileSmemAtomic:$table, Index:$row, TileGlobalIn:$list,
                       Index:$begin, Index:$end, I64Attr:$columns,
                       I64Attr:$vector);
  let assemblyFormat = [{
    $table `[` $row `]` `,` $list `[` $begin `to` $end `]` `step` $columns
    `by` $vector attr-dict `:` type($table) `,` type($list)
  }];
  let hasVerifier = 1;
}

def GsaTile_StoreStringsOp : GsaTile_Op<"store_strings",
    "store_strings<{strings}, {words}>({bits}, {table}, {row}, {string})"> {
  let summary = "Writes a row of the table as one string of each block of keys";
  let description = [{
    A block of keys has `strings` strings of `words` words, one behind the other:
    word w of the row goes to word `w % words` of string `string` of block
    `w / words`. By the warp that owns the row.
    Constraints: (C1) the bits are i32; (C2) the table is of i32, its columns are a
    multiple of `words`, and `strings` is at least 1.
  }];
  let arguments = (ins TileGlobalOut:$bits, TileSmemIn:$table, Index:$row,
                       Index:$string, I64Attr:$strings, I64Attr:$words);
  let assemblyFormat = [{
    $table `[` $row `]` `to` $bits `string` $string `of` $strings `words` $words
    attr-dict `:` type($table) `,` type($bits)
  }];
  let hasVerifier = 1;
}

#endif  // GSA_TILE_UNION_OPS_TD
