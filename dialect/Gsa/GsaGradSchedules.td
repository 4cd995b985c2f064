//===- GsaGradSchedules.td - how gradients run on a GPU --------*- tablegen -*-===//

#ifndef GSA_DIALECT_GSAGRADSCHEDULES_TD
#define GSA_DIALECT_GSAGRADSCHEDULES_TD

include "dialect/Gsa/GsaScheduleAttrs.td"

def Gsa_GatherGradScheduleAttr
    : Gsa_ScheduleAttr<"GatherGradSchedule", "gather_grad_schedule",
                       ["explainNone", "takesLengths"]> {
  let summary = "how gather_attention_grad runs by query";
  let description = [{
    A warp handles the heads of one (query, key head) pair, 16 at a time, and
    goes through their list in tiles of `block_k` keys: logits and gradients of
    weights once, then what they add to the gradients of the query, which stay in
    registers, and of keys and values, which are added in memory, in f32 and in
    no order. Rows of queries, keys and values are handled in parts of `columns`
    elements.

    Constraints:
    - (C1) `engine` is fma or mma_sync, `block_k` 16, 32 or 64.
    - (C2) `columns` is 16, 32 or 64.

    Example: `#gsa.gather_grad_schedule<engine = mma_sync, block_k = 16,
    columns = 64>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$block_k,
                        "int64_t":$columns);
  let assemblyFormat = "`<` struct($engine, $block_k, $columns) `>`";
}

def Gsa_UnionGradScheduleAttr
    : Gsa_ScheduleAttr<"UnionGradSchedule", "union_grad_schedule",
                       ["getCost", "getParts", "explainNone"]> {
  let summary = "how gather_attention_grad shares keys among neighbouring queries";
  let description = [{
    As `#gsa.union_schedule`, by the union of the lists of `queries` neighbouring
    queries: 64 rows, which are all heads of a group, in each of `groups`
    warpgroups. A block goes through the union in tiles of 64 keys. Logits and
    gradients of weights are products of queries and of gradients of outputs with
    keys and values; what follows from them stays in registers, as the left
    operand of what is added to the gradients of queries, and goes through shared
    memory, transposed, to the products that are added to the gradients of keys
    and values: those are added to rows in memory by the bulk engine, in f32 and
    in no order. With two groups one makes those of values and the other one
    those of keys, each over all rows of the block.

    `chunk` queries are done at a time, which bounds the memory for their unions;
    `table` and the numbers that begin with `list` are of the kernel that makes
    them. Rings of keys and values have `key_stages` and `value_stages` tiles,
    which `producers` warps fill.

    With `key_chunks` above 1 keys come in as many ranges, one after the other, in
    each of which all blocks of a head add to the same few rows, so that these stay
    in the second-level cache where those of all keys would not. Rows of queries
    are read again for each range, and what ranges add to their gradients is added
    up in f32, in the order of the ranges. Ranges are whole pieces of `table` keys.

    Blocks that cannot be done so are done again by `per_query`, by
    `again_sm_blocks` blocks for each SM at most: lists that do not ascend strictly
    within the keys, and queries or gradients that are not finite, which would
    meet the keys of others as 0 times infinity.

    Constraints:
    - (C1) `engine` is wgmma, `queries` is from 2 to 32, `table` a multiple of
      1024 from 1024 to 32768.
    - (C2) `key_stages` and `value_stages` are from 1 to 8.
    - (C3) `producers` is 4, 8 or 12; `chunk` a positive multiple of `queries`.
    - (C4) `groups` is 1, or 2 with an even number of queries.
    - (C5) `list_warps` is a power of two from 1 to 32.
    - (C6) `list_entries` and `list_words` are multiples of 32 from 32 to 1024.
    - (C7) `list_sm_blocks` and `again_sm_blocks` are from 1 to 16.
    - (C8) `key_chunks` is from 1 to 64.

    Example: `#gsa.union_grad_schedule<engine = wgmma, queries = 16,
    key_stages = 1, value_stages = 1, producers = 4, table = 8192, chunk = 4096,
    per_query = <engine = mma_sync, block_k = 16, columns = 64>>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$queries,
                        DefaultValuedParameter<"int64_t", "1">:$groups,
                        "int64_t":$key_stages, "int64_t":$value_stages,
                        "int64_t":$producers, "int64_t":$table,
                        "int64_t":$chunk,
                        "::mlir::gsa::GatherGradScheduleAttr":$per_query,
                        DefaultValuedParameter<"int64_t",
                            "UnionScheduleAttr::kListWarps">:$list_warps,
                        DefaultValuedParameter<"int64_t",
                            "UnionScheduleAttr::kListEntries">:$list_entries,
                        DefaultValuedParameter<"int64_t",
                            "UnionScheduleAttr::kListWords">:$list_words,
                        DefaultValuedParameter<"int64_t",
                            "UnionScheduleAttr::kListSmBlocks">
                            :$list_sm_blocks,
                        DefaultValuedParameter<"int64_t",
                            "UnionScheduleAttr::kAgainSmBlocks">
                            :$again_sm_blocks,
                        DefaultValuedParameter<"int64_t", "1">:$key_chunks);
  let assemblyFormat = [{
    `<` struct($engine, $queries, $groups, $key_stages, $value_stages,
               $producers, $table, $chunk, $per_query, $list_warps,
               $list_entries, $list_words, $list_sm_blocks, $again_sm_blocks,
               $key_chunks) `>`
  }];
  let builders = [AttrBuilder<
      (ins "::mlir::gsa::Engine":$engine, "int64_t":$queries,
           "int64_t":$groups, "int64_t":$key_stages, "int64_t":$value_stages,
           "int64_t":$producers, "int64_t":$table, "int64_t":$chunk,
           "::mlir::gsa::GatherGradScheduleAttr":$per_query), [{
        return $_get($_ctxt, engine, queries, groups, key_stages, value_stages,
                     producers, table, chunk, per_query,
                     UnionScheduleAttr::kListWarps,
                     UnionScheduleAttr::kListEntries,
                     UnionScheduleAttr::kListWords,
                     UnionScheduleAttr::kListSmBlocks,
                     UnionScheduleAttr::kAgainSmBlocks, /*key_chunks=*/1);
      }]>];
  let extraClassDeclaration = [{
    /// Keys of a tile: the rows of a transposed product of a warpgroup.
    static constexpr int64_t kBlockK = 64;
    int64_t getBlockK() const { return kBlockK; }
    /// Warps that compute: of each warpgroup 4, of which a warp holds 16 rows.
    int64_t getConsumers() const { return 4 * getGroups(); }
    /// Keys are in one order, whichever group wants them.
    bool isSplit() const { return false; }
  }];
}

#endif  // GSA_DIALECT_GSAGRADSCHEDULES_TD
