//===- GsaScheduleAttrs.td - how an op runs on a GPU -----------*- tablegen -*-===//
//
// One attribute per algorithm, attached as the discardable attribute
// `gsa.schedule`. The verifier here checks what holds for every op and device;
// the rest is asked through ScheduleAttrInterface.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSASCHEDULEATTRS_TD
#define GSA_DIALECT_GSASCHEDULEATTRS_TD

include "dialect/Gsa/GsaDialect.td"
include "dialect/Gsa/GsaScheduleInterfaces.td"

def Gsa_Engine : I32EnumAttr<"Engine", "what multiplies matrices", [
    /// FFMA on f32 operands.
    I32EnumAttrCase<"Fma", 0, "fma">,
    /// mma.sync m16n8k16 on f16 and bf16 operands, sm_80 and later.
    I32EnumAttrCase<"MmaSync", 1, "mma_sync">,
    /// wgmma m64 on f16 and bf16 operands in shared memory, sm_90a.
    I32EnumAttrCase<"Wgmma", 2, "wgmma">]> {
  let cppNamespace = "::mlir::gsa";
  let genSpecializedAttr = 0;
}

def Gsa_GroupOrder : I32EnumAttr<"GroupOrder",
    "in which order the warpgroups of a block multiply", [
    /// Each when its tiles are there.
    I32EnumAttrCase<"Free", 0, "free">,
    /// In turns: one weighs its scores while the next one multiplies.
    I32EnumAttrCase<"PingPong", 1, "ping_pong">]> {
  let cppNamespace = "::mlir::gsa";
  let genSpecializedAttr = 0;
}

class Gsa_ScheduleAttr<string name, string attrMnemonic,
                       list<string> extraMethods = []>
    : AttrDef<Gsa_Dialect, name, [
          DeclareAttrInterfaceMethods<Gsa_ScheduleAttrInterface, extraMethods>]> {
  let mnemonic = attrMnemonic;
  let genVerifyDecl = 1;
}

def Gsa_AttentionScheduleAttr
    : Gsa_ScheduleAttr<"AttentionSchedule", "attention_schedule",
                       ["getCost", "takesLengths", "takesPages"]> {
  let summary = "how gather_attention or dense_attention runs on a GPU";
  let description = [{
    A block of `producers + consumers` warps handles `block_q` rows (rows are
    (query, head of the group) pairs) and streams keys in tiles of `block_k`
    through a ring of `stages` buffers of K and V. Producer warps copy, consumer
    warps multiply. Rows are shared out 16 to a warp; consumer warps that are
    left over split the keys of each tile (`consumers / (block_q / 16)` ways)
    and merge their softmax states at the end. With `producers = 0` there is
    one team, one stage and no ring. Rows that are found by a number are looked
    up once for keys and values, if a thread has at most `found_rows` vectors of
    a tile. Registers are such that an SM holds `sm_blocks` blocks, if it has the
    shared memory; warpgroups that copy and compute have theirs shared out by
    gsa-tile-budget-registers instead.

    Constraints:
    - (C1) `block_q` is 16, 32, 64 or 128; `block_k` is a multiple of 16 from
      16 to 256.
    - (C2) `1 <= stages <= 8`, and `stages = 1` if `producers = 0`.
    - (C3) `consumers` is a multiple of `block_q / 16`;
      `producers + consumers <= 32`; block_k is divisible by 16 times the
      number of ways that keys are split.
    - (C4) `found_rows` is from 0 to 16.
    - (C5) `sm_blocks` is from 1 to 16.

    Example: `#gsa.attention_schedule<engine = mma_sync, block_q = 16,
    block_k = 64, stages = 3, producers = 4, consumers = 4>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$block_q,
                        "int64_t":$block_k, "int64_t":$stages,
                        "int64_t":$producers, "int64_t":$consumers,
                        DefaultValuedParameter<"int64_t", "kFoundRows">
                            :$found_rows,
                        DefaultValuedParameter<"int64_t", "1">:$sm_blocks);
  let assemblyFormat = [{
    `<` struct($engine, $block_q, $block_k, $stages, $producers, $consumers,
               $found_rows, $sm_blocks) `>`
  }];
  let builders = [AttrBuilder<
      (ins "::mlir::gsa::Engine":$engine, "int64_t":$block_q,
           "int64_t":$block_k, "int64_t":$stages, "int64_t":$producers,
           "int64_t":$consumers), [{
        return $_get($_ctxt, engine, block_q, block_k, stages, producers,
                     consumers, kFoundRows, /*sm_blocks=*/1);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kFoundRows = 8;
    /// The same with other stages, and with other warps.
    AttentionScheduleAttr withStages(int64_t stages) const;
    AttentionScheduleAttr withWarps(int64_t producers, int64_t consumers) const;
    /// Ways in which the keys of a tile are split among consumer warps.
    int64_t getKeySplit() const {
      return getConsumers() / (getBlockQ() / 16);
    }
  }];
}

def Gsa_UnionScheduleAttr
    : Gsa_ScheduleAttr<"UnionSchedule", "union_schedule",
                       ["getCost", "getParts", "explainNone", "takesPages"]> {
  let summary = "how gather_attention shares keys among neighbouring queries";
  let description = [{
    A block handles `queries` neighbouring queries, all heads of a group, as the
    64 rows of a warpgroup, over the union of their lists. A first kernel makes
    the unions: keys ascending, and for each block of `block_k` keys a string of
    bits for each query; it marks `table` consecutive keys at a time. Keys,
    values and strings stream through rings of their own, filled by `producers`
    warps. `chunk` queries are done at a time, which bounds the memory for their
    unions.

    With `groups = 2` two warpgroups share what is copied, each with half of the
    queries, and the union is split: blocks of keys that only the first half
    wants, that both want, and that only the second one wants, evenly mixed. A
    warpgroup passes over blocks that are not its own.

    A block of the first kernel has `list_warps` warps, each of which takes
    `list_entries` entries of a list, or `list_words` words of the table, in one
    step; registers are such that an SM holds `list_sm_blocks` of these blocks, or
    as many as have room for their tables.

    Blocks that cannot be done so are done again by `per_query`: lists that do
    not ascend strictly within the keys (an entry twice counts twice), and rows
    whose result is not finite (a key of one query that holds an infinity would
    meet the others as 0 times infinity). That is done by `again_sm_blocks` blocks
    for each SM at most.

    Constraints:
    - (C1) `engine` is wgmma, `queries` is from 2 to 32, `block_k` a multiple of
      32 from 32 to 256, `table` a multiple of 1024 from 1024 to 32768.
    - (C2) `key_stages` and `value_stages` are from 1 to 8.
    - (C3) `producers` is 4, 8 or 12; `chunk` a positive multiple of `queries`.
    - (C4) `groups` is 1, or 2 with an even number of queries.
    - (C5) `list_warps` is a power of two from 1 to 32.
    - (C6) `list_entries` and `list_words` are multiples of 32 from 32 to 1024.
    - (C7) `list_sm_blocks` and `again_sm_blocks` are from 1 to 16.

    Example: `#gsa.union_schedule<engine = wgmma, queries = 16, block_k = 64,
    key_stages = 2, value_stages = 2, producers = 4, table = 8192, chunk = 4096,
    per_query = <engine = mma_sync, block_q = 16, block_k = 64, stages = 2,
    producers = 4, consumers = 4>>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$queries,
                        DefaultValuedParameter<"int64_t", "1">:$groups,
                        "int64_t":$block_k, "int64_t":$key_stages,
                        "int64_t":$value_stages, "int64_t":$producers,
                        "int64_t":$table, "int64_t":$chunk,
                        "::mlir::gsa::AttentionScheduleAttr":$per_query,
                        DefaultValuedParameter<"int64_t", "kListWarps">
                            :$list_warps,
                        DefaultValuedParameter<"int64_t", "kListEntries">
                            :$list_entries,
                        DefaultValuedParameter<"int64_t", "kListWords">
                            :$list_words,
                        DefaultValuedParameter<"int64_t", "kListSmBlocks">
                            :$list_sm_blocks,
                        DefaultValuedParameter<"int64_t", "kAgainSmBlocks">
                            :$again_sm_blocks);
  let assemblyFormat = [{
    `<` struct($engine, $queries, $groups, $block_k, $key_stages, $value_stages,
               $producers, $table, $chunk, $per_query, $list_warps,
               $list_entries, $list_words, $list_sm_blocks, $again_sm_blocks) `>`
  }];
  let builders = [AttrBuilder<
      (ins "::mlir::gsa::Engine":$engine, "int64_t":$queries,
           "int64_t":$groups, "int64_t":$block_k, "int64_t":$key_stages,
           "int64_t":$value_stages, "int64_t":$producers, "int64_t":$table,
           "int64_t":$chunk, "::mlir::gsa::AttentionScheduleAttr":$per_query), [{
        return $_get($_ctxt, engine, queries, groups, block_k, key_stages,
                     value_stages, producers, table, chunk, per_query,
                     kListWarps, kListEntries, kListWords, kListSmBlocks,
                     kAgainSmBlocks);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kListWarps = 16, kListEntries = 256,
        kListWords = 128, kListSmBlocks = 3, kAgainSmBlocks = 2;
    /// Warps that compute: of each warpgroup 4, of which a warp holds 16 rows.
    int64_t getConsumers() const { return 4 * getGroups(); }
    /// Whether the union is split by the groups that want a key.
    bool isSplit() const { return getGroups() > 1; }
    /// Keys come in one range.
    int64_t getKeyChunks() const { return 1; }
  }];
}

def Gsa_DenseScheduleAttr
    : Gsa_ScheduleAttr<"DenseSchedule", "dense_schedule",
                       ["getCost", "getParts", "explainNone"]> {
  let summary = "how dense_attention runs by products of warpgroups";
  let description = [{
    A block handles `block_q` neighbouring queries of one head, 64 of them to a
    warpgroup, which all read the same tiles of `block_k` keys and values. A
    further warpgroup has the bulk copy engine fill these, in rings of their
    own. Values of one tile are multiplied while the keys of the next one are
    weighed; with `order = ping_pong` warpgroups take turns at the products.

    Of gather_attention, lists are those that gsa-trace-lists found. Rows whose
    list lacks keys that the mask shows are done again by their lists; or, with
    `masked`, a kernel before writes each list as strings of bits, which hide the
    other keys, and all keys are read. A block of that kernel has `string_warps`
    warps, each of which has a list and takes `string_entries` of it in one step;
    one of the kernel that looks for lists that lack keys has `short_warps`.

    A hidden key or one behind the last has a weight of 0, which is right as long
    as its values are finite. The 16 rows of a warp that has a result that is not
    finite, or an lse beyond what its softmax is precise for, are done again as
    `per_row` says, by `again_sm_blocks` blocks for each SM at most.

    Constraints:
    - (C1) `engine` is wgmma, `block_q` is 64, 128, 192 or 256, `block_k` a
      multiple of 16 from 16 to 256.
    - (C2) `key_stages` and `value_stages` are from 1 to 8.
    - (C3) `order = ping_pong` needs two warpgroups: a `block_q` of 128 or more.
    - (C4) `masked` needs a `block_k` that is a multiple of 32.
    - (C5) `string_warps` is a power of two from 1 to 32, `string_entries` a
      multiple of 128 from 128 to 1024, `short_warps` from 1 to 32.
    - (C6) `again_sm_blocks` is from 1 to 16.

    Example: `#gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 80,
    key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync,
    block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$block_q,
                        "int64_t":$block_k, "int64_t":$key_stages,
                        "int64_t":$value_stages,
                        EnumParameter<Gsa_GroupOrder>:$order,
                        "::mlir::gsa::AttentionScheduleAttr":$per_row,
                        DefaultValuedParameter<"bool", "false">:$masked,
                        DefaultValuedParameter<"int64_t", "kStringWarps">
                            :$string_warps,
                        DefaultValuedParameter<"int64_t", "kStringEntries">
                            :$string_entries,
                        DefaultValuedParameter<"int64_t", "kShortWarps">
                            :$short_warps,
                        DefaultValuedParameter<"int64_t", "kAgainSmBlocks">
                            :$again_sm_blocks);
  let assemblyFormat = [{
    `<` struct($engine, $block_q, $block_k, $key_stages, $value_stages, $order,
               $per_row, $masked, $string_warps, $string_entries, $short_warps,
               $again_sm_blocks) `>`
  }];
  let builders = [AttrBuilder<
      (ins "::mlir::gsa::Engine":$engine, "int64_t":$block_q,
           "int64_t":$block_k, "int64_t":$key_stages, "int64_t":$value_stages,
           "::mlir::gsa::GroupOrder":$order,
           "::mlir::gsa::AttentionScheduleAttr":$per_row, "bool":$masked), [{
        return $_get($_ctxt, engine, block_q, block_k, key_stages, value_stages,
                     order, per_row, masked, kStringWarps, kStringEntries,
                     kShortWarps, kAgainSmBlocks);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kStringWarps = 16, kStringEntries = 256,
        kShortWarps = 4, kAgainSmBlocks = 2;
    /// Warpgroups that compute, their warps, and those of the one that copies.
    int64_t getGroups() const { return getBlockQ() / 64; }
    int64_t getConsumers() const { return 4 * getGroups(); }
    int64_t getProducers() const { return 4; }
  }];
}

def Gsa_ScoreScheduleAttr
    : Gsa_ScheduleAttr<"ScoreSchedule", "score_schedule",
                       ["getCost", "takesLengths", "takesPages"]> {
  let summary = "how index_scores runs on a GPU";
  let description = [{
    A block handles `block_q` queries, all indexer heads in turn, and a span of
    `span` key tiles of `block_k` keys, which come through a ring of `stages`
    buffers filled by `producers` warps (0: one team, no ring). Each consumer
    warp owns 16 queries (wgmma: a warpgroup owns 64). With wgmma it may also own
    8, of two heads at a time: a lane then has all heads of one query, and adds
    them up where they are. The products of `pairs` such pairs of heads are under
    way together, in 32 registers each for 64 keys: one is activated while others
    are multiplied. Where scores go to lists, `pairs` is 2 and there is an even
    number of products, the last one of a tile is activated beside the first one of
    the next, so that a warp never waits for products alone. With `boxes` a tile of
    keys is the box of a tensor map, copied by one instruction. Weights of up to
    `kept_heads` heads stay in registers; those of more are read for each tile.
    With `head_tile` above 0 the queries of so many heads at a time come through the
    ring with each tile of keys, where those of all heads would not fit.

    Constraints: (C1) `block_q = 16 consumers` (wgmma: or 8), `block_k` a multiple
    of 16 from 16 to 256 (wgmma: of 8 from 8); (C2) as attention_schedule C2; (C3)
    `producers + consumers <= 32`, `span >= 1`; (C4) `wgmma` needs a multiple of 4
    consumers. With 8 queries a warp the number of heads is even; (C5) `pairs` is
    from 1 to 4, and 2 unless a warp owns 8 queries; (C6) `boxes` needs wgmma and
    producers. With boxes keys have a multiple of 64 columns, and those of a batch
    are whole tiles, or there is one batch; (C7) `kept_heads` is from 0 to 64; (C8)
    `head_tile` is from 0 to 64, a divisor of the number of heads, even with 8
    queries a warp, and needs producers and no boxes.

    Example: `#gsa.score_schedule<engine = wgmma, block_q = 64, block_k = 64,
    span = 16, stages = 3, producers = 4, consumers = 4>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$block_q,
                        "int64_t":$block_k, "int64_t":$span, "int64_t":$stages,
                        "int64_t":$producers, "int64_t":$consumers,
                        DefaultValuedParameter<"int64_t", "2">:$pairs,
                        DefaultValuedParameter<"bool", "false">:$boxes,
                        DefaultValuedParameter<"int64_t", "kKeptHeads">
                            :$kept_heads,
                        DefaultValuedParameter<"int64_t", "0">:$head_tile);
  let assemblyFormat = [{
    `<` struct($engine, $block_q, $block_k, $span, $stages, $producers,
               $consumers, $pairs, $boxes, $kept_heads, $head_tile) `>`
  }];
  let builders = [AttrBuilder<
      (ins "::mlir::gsa::Engine":$engine, "int64_t":$block_q,
           "int64_t":$block_k, "int64_t":$span, "int64_t":$stages,
           "int64_t":$producers, "int64_t":$consumers, "int64_t":$pairs,
           "bool":$boxes), [{
        return $_get($_ctxt, engine, block_q, block_k, span, stages, producers,
                     consumers, pairs, boxes, kKeptHeads, /*head_tile=*/0);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kKeptHeads = 8;
    /// Queries of a warp, 16 or 8.
    int64_t getWarpQueries() const { return getBlockQ() / getConsumers(); }
    /// Heads whose products a fragment of 16 rows has.
    int64_t getFragmentHeads() const { return 16 / getWarpQueries(); }
    /// The same with other spans.
    ScoreScheduleAttr withSpan(int64_t span) const;
    /// The same with tiles that threads copy.
    ScoreScheduleAttr withoutBoxes() const;
    /// The same with queries of so many heads at a time.
    ScoreScheduleAttr withHeadTile(int64_t heads) const;
  }];
}

def Gsa_TopKScheduleAttr
    : Gsa_ScheduleAttr<"TopKSchedule", "topk_schedule",
                       ["getCost", "takesLengths", "takesPages"]> {
  let summary = "how rows are selected on a GPU";
  let description = [{
    A block of `warps` warps selects one row: a histogram of `bins` linear bins
    over the row's range finds the bin of the threshold, and the cells of that
    bin and of those above it, if at most `capacity`, are kept in shared memory,
    8 bytes each, and selected there; otherwise by more passes over the row
    (exact, slower). `chunk` rows of scores are in memory at a time when the op
    is `select`. A warp takes `step` scores of a row, or `kept_step` of the cells
    that are kept, at a time; registers are such that an SM holds `sm_warps` warps,
    in at most 16 blocks.

    `warps` and `step` decide in which order a statistic of a row is summed up, in
    f64; no other number changes a result.

    Constraints: (C1) `1 <= warps <= 32`; (C2) `bins` is a power of two from 256
    to 8192; (C3) `capacity` is from 32 to 16384; (C4) `chunk >= 1`; (C5)
    `sm_warps` is from 1 to 64; (C6) `step` and `kept_step` are multiples of 32
    from 32 to 256.

    Example: `#gsa.topk_schedule<warps = 8, bins = 2048, capacity = 4096,
    chunk = 2048>`.
  }];
  let parameters = (ins "int64_t":$warps, "int64_t":$bins, "int64_t":$capacity,
                        "int64_t":$chunk,
                        DefaultValuedParameter<"int64_t", "kSmWarps">:$sm_warps,
                        DefaultValuedParameter<"int64_t", "kStep">:$step,
                        DefaultValuedParameter<"int64_t", "kKeptStep">
                            :$kept_step);
  let assemblyFormat = [{
    `<` struct($warps, $bins, $capacity, $chunk, $sm_warps, $step, $kept_step) `>`
  }];
  let builders = [AttrBuilder<
      (ins "int64_t":$warps, "int64_t":$bins, "int64_t":$capacity,
           "int64_t":$chunk), [{
        return $_get($_ctxt, warps, bins, capacity, chunk, kSmWarps, kStep,
                     kKeptStep);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kSmWarps = 32, kStep = 256, kKeptStep = 64;
    /// The same with other numbers.
    TopKScheduleAttr withWarps(int64_t warps) const;
    TopKScheduleAttr withBins(int64_t bins) const;
    TopKScheduleAttr withCapacity(int64_t capacity) const;
    TopKScheduleAttr withChunk(int64_t chunk) const;
    TopKScheduleAttr withSmWarps(int64_t warps) const;
    /// Blocks that an SM shall hold.
    int64_t getSmBlocks() const;
  }];
}

def Gsa_SelectScheduleAttr
    : Gsa_ScheduleAttr<"SelectSchedule", "select_schedule",
                       ["getCost", "getParts", "takesLengths", "takesPages"]> {
  let summary = "schedules of the parts of select";
  let description = [{
    Scores are written to memory as `scores` says, and each row of them is
    selected as `topk` says. Where other schedules leave rows to this one, few of
    them are there as a rule, and a block has `flagged_spans` spans, most of them of
    rows that it finds it need not score.

    Constraint: (C1) `flagged_spans` is from 1 to 64.

    Example: `#gsa.select_schedule<scores = <engine = mma_sync, block_q = 64,
    block_k = 64, span = 16, stages = 3, producers = 4, consumers = 4>,
    topk = <warps = 8, bins = 2048, capacity = 4096, chunk = 2048>>`.
  }];
  let parameters = (ins "::mlir::gsa::ScoreScheduleAttr":$scores,
                        "::mlir::gsa::TopKScheduleAttr":$topk,
                        DefaultValuedParameter<"int64_t", "kFlaggedSpans">
                            :$flagged_spans);
  let assemblyFormat = "`<` struct($scores, $topk, $flagged_spans) `>`";
  let builders = [AttrBuilder<
      (ins "::mlir::gsa::ScoreScheduleAttr":$scores,
           "::mlir::gsa::TopKScheduleAttr":$topk), [{
        return $_get($_ctxt, scores, topk, kFlaggedSpans);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kFlaggedSpans = 8;
  }];
}

def Gsa_ShortRowsScheduleAttr
    : Gsa_ScheduleAttr<"ShortRowsSchedule", "short_rows_schedule",
                       ["getParts", "explainNone"]> {
  let summary = "how select runs on a GPU where rows have no choice";
  let description = [{
    Rows that see no more keys than their budget take all of them. A block of
    `rows` warps writes the lists of as many rows and checks what their scores are
    made of: rows of which a number is larger than 2^20, infinite or NaN are
    selected as `exact` says. Rows that see more keys are scored as it says, and
    selected by a kernel that reads a row once, `cells` scores a thread; with 0
    cells, and where a score is not finite, as `exact` says.

    A lane that checks numbers has `vectors` loads under way together. Registers
    are such that an SM holds `sm_warps` warps that list keys, and `row_sm_warps`
    of those that hold rows.

    Constraints: (C1) `rows` is from 1 to 32; (C2) `cells` is from 0 to 32; (C3)
    `vectors` is from 1 to 16; (C4) `sm_warps` and `row_sm_warps` are from 1 to 64.

    Example: `#gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores =
    <engine = mma_sync, block_q = 64, block_k = 64, span = 16, stages = 3,
    producers = 4, consumers = 4>, topk = <warps = 8, bins = 2048,
    capacity = 4096, chunk = 2048>>>`.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cells,
                        "::mlir::gsa::SelectScheduleAttr":$exact,
                        DefaultValuedParameter<"int64_t", "kVectors">:$vectors,
                        DefaultValuedParameter<"int64_t", "kSmWarps">:$sm_warps,
                        DefaultValuedParameter<"int64_t", "kRowSmWarps">
                            :$row_sm_warps);
  let assemblyFormat = [{
    `<` struct($rows, $cells, $exact, $vectors, $sm_warps, $row_sm_warps) `>`
  }];
  let builders = [AttrBuilder<
      (ins "int64_t":$rows, "int64_t":$cells,
           "::mlir::gsa::SelectScheduleAttr":$exact), [{
        return $_get($_ctxt, rows, cells, exact, kVectors, kSmWarps,
                     kRowSmWarps);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kVectors = 4, kSmWarps = 32, kRowSmWarps = 24;
    /// Warps of a block that reads a row of `keys` scores once; more than 32 if
    /// no block can.
    int64_t getRowWarps(int64_t keys) const;
  }];
}

def Gsa_OnePassScheduleAttr
    : Gsa_ScheduleAttr<"OnePassSchedule", "one_pass_schedule",
                       ["getCost", "getParts", "explainNone", "takesPages"]> {
  let summary = "how select runs on a GPU without scores in memory";
  let description = [{
    The scores of every `sample`-th key of a row are written and their `rank`-th
    largest is the row's bound: about `rank * sample` of its scores are above it.
    One pass over all keys, as `scores` says, then appends what is at or above
    the bound to the row's list of `capacity` candidates, and the selection is
    exact among those. A row with fewer candidates than its budget, with more
    than `capacity` or with a score that is not finite is selected as the
    schedule `exact` says, which is also what gives the kernels of rows their
    warps and bins. `chunk` queries are in work at a time.

    With `sm_blocks` the blocks of the pass have spans that share out the scores of
    a chunk among so many blocks for each SM, in place of the span of `scores`; with
    0 they have that; but no span is shorter than `least_span` tiles, since each
    block loads its queries. Of the sample there are `sample_blocks` blocks for one of
    the pass. A lane stages hits in shared memory and appends them when it has more
    than `staged`. The selection among candidates holds at most `thread_candidates`
    in a thread, and finds the worst that it takes by a histogram of
    `candidate_bins`. Registers are such that an SM holds `bound_warps` warps that
    find bounds.

    Where a budget takes the mean of all rows, keys are scored twice: for the mean,
    and for the lists. With `keep` once: a row is selected for the largest budget,
    the scores of its keys are kept, 4 bytes for each slot of all rows, and it is
    trimmed to its own budget when the mean is known. No bit depends on it.

    Constraints: (C1) `2 <= sample <= 1024`; (C2) `rank >= 1`; (C3) `capacity` is
    from 32 to 16384 and at least `rank * sample`; (C4) `chunk >= 1`; (C5) the
    engine of `scores` is mma_sync or wgmma, its `block_k` is at most 64; (C6)
    `sm_blocks` is from 0 to 64; (C7) `staged` is an even number from 4 to 64; (C8)
    `thread_candidates` is from 1 to 32, and 32 warps hold `capacity`; (C9)
    `candidate_bins` is a power of two from 256 to 8192; (C10) `sample_blocks` and
    `least_span` are from 1 to 64; (C11) `bound_warps` is from 1 to 64.

    Example: `#gsa.one_pass_schedule<scores = <engine = wgmma, block_q = 64,
    block_k = 64, span = 16, stages = 3, producers = 4, consumers = 4>,
    exact = <scores = <engine = mma_sync, block_q = 64, block_k = 64, span = 16,
    stages = 3, producers = 4, consumers = 4>, topk = <warps = 8, bins = 2048,
    capacity = 4096, chunk = 2048>>, sample = 64, rank = 48, capacity = 4096,
    chunk = 8192>`.
  }];
  let parameters = (ins "::mlir::gsa::ScoreScheduleAttr":$scores,
                        "::mlir::gsa::SelectScheduleAttr":$exact,
                        "int64_t":$sample, "int64_t":$rank,
                        "int64_t":$capacity, "int64_t":$chunk,
                        DefaultValuedParameter<"int64_t", "0">:$sm_blocks,
                        DefaultValuedParameter<"int64_t", "10">:$staged,
                        DefaultValuedParameter<"int64_t", "16">
                            :$thread_candidates,
                        DefaultValuedParameter<"int64_t", "1024">
                            :$candidate_bins,
                        DefaultValuedParameter<"int64_t", "kSampleBlocks">
                            :$sample_blocks,
                        DefaultValuedParameter<"int64_t", "kLeastSpan">
                            :$least_span,
                        DefaultValuedParameter<"int64_t", "kBoundWarps">
                            :$bound_warps,
                        DefaultValuedParameter<"bool", "false">:$keep);
  let assemblyFormat = [{
    `<` struct($scores, $exact, $sample, $rank, $capacity, $chunk, $sm_blocks,
               $staged, $thread_candidates, $candidate_bins, $sample_blocks,
               $least_span, $bound_warps, $keep) `>`
  }];
  let builders = [AttrBuilder<
      (ins "::mlir::gsa::ScoreScheduleAttr":$scores,
           "::mlir::gsa::SelectScheduleAttr":$exact, "int64_t":$sample,
           "int64_t":$rank, "int64_t":$capacity, "int64_t":$chunk,
           "int64_t":$sm_blocks), [{
        return $_get($_ctxt, scores, exact, sample, rank, capacity, chunk,
                     sm_blocks, kDefaultStaged, kDefaultThreadCandidates,
                     kDefaultCandidateBins, kSampleBlocks, kLeastSpan,
                     kBoundWarps, /*keep=*/false);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kSampleBlocks = 4, kLeastSpan = 8,
        kBoundWarps = 48;
  }];
}

def Gsa_SplitSelectScheduleAttr
    : Gsa_ScheduleAttr<"SplitSelectSchedule", "split_select_schedule",
                       ["getParts", "explainNone", "takesLengths", "takesPages"]> {
  let summary = "how select runs on a GPU where queries are few";
  let description = [{
    Blocks share the keys of a sequence. Each scores a span of `span` tiles of
    `block_k` keys for all of its queries, 8 at most; tiles come through a ring of
    `stages` buffers filled by `producers` warps (0: one team, no ring), and each
    of `consumers` warps has an equal part of a tile. Heads are the rows of
    products. Scores go to memory, and a block for each row selects as `rows` says.

    With `rank` above 0 only few of them are read again: the scores of every
    `sample`-th key come first, the `rank`-th largest is the row's bound, and
    scores at or above it go to the row's list of `capacity` candidates as well. A
    row whose list does not have all that it may select, or with a score that is
    not finite, is selected from its scores. A warp stages hits in shared memory
    and appends them when it has more than `staged`.

    With a `cluster` of blocks one kernel has sample and bounds: its blocks share
    the sampled keys of a sequence, in tiles of `cluster_keys` by `cluster_warps`
    warps, wait for each other, and have a row each to find the bound of; registers
    are such that an SM holds `cluster_sm_blocks` of them. With 0 these are two
    kernels, of at most `sample_blocks` blocks for one that scores all keys, and
    with `bound_warps` warps on an SM.

    Registers are such that an SM holds `sm_blocks` blocks that score keys. The
    block of a row holds at most `thread_candidates` of its list in a thread, and
    finds the worst that it takes by a histogram of `candidate_bins`.

    With `row_cells` above 0 there are no lists, and the block of a row reads its
    scores once, `row_cells` in a thread, and selects as among the candidates of a
    list. A row with a score that is not finite is selected as `rows` says. With a
    `cluster` as well there is one kernel: its blocks share all keys of a sequence,
    wait for each other, and have a row each to select, by `cluster_warps` warps.

    With `deferred`, a block keeps the scores of its span in shared memory and
    writes them once it has all: the bounds are not waited for before, so that keys
    are scored while the kernel before samples.

    No number changes a result: scores do not depend on tiles, and selections are
    exact.

    Constraints: (C1) `engine` is fma or mma_sync, `block_k` from 32 to 512 and a
    multiple of 32 `consumers`; (C2) as attention_schedule C2, and
    `producers + consumers <= 32`; (C3) `span >= 1`; (C4) `rank`, `sample` and
    `capacity` are 0; or `rank >= 1`, `2 <= sample <= 1024`, and `capacity` is
    from 32 to 16384 and at least `rank * sample`; (C5) `thread_candidates` is from
    1 to 32, and the warps of `rows` hold `capacity`; (C6) `cluster` is 0, or 2, 4 or
    8 with lists or `row_cells`; (C7) `staged` is an even number from 2 to 256; (C8) `sm_blocks` and
    `cluster_sm_blocks` are from 1 to 16; (C9) `deferred` with lists, and a span of at
    most 16384 keys; (C10) `candidate_bins` is a power of two from 256 to 8192; (C11)
    `sample_blocks` and `bound_warps` are from 1 to 64; (C12) `cluster_warps` is from
    1 to 8, `cluster_keys` from 32 to 512 and a multiple of 32 `cluster_warps`;
    (C13) `row_cells` is from 0 to 16, and 0 with lists.

    Example: `#gsa.split_select_schedule<engine = mma_sync, block_k = 128,
    span = 8, stages = 4, producers = 4, consumers = 4, sample = 16, rank = 182,
    capacity = 4096, rows = <warps = 32, bins = 2048, capacity = 4096,
    chunk = 1>>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$block_k,
                        "int64_t":$span, "int64_t":$stages,
                        "int64_t":$producers, "int64_t":$consumers,
                        "int64_t":$sample, "int64_t":$rank,
                        "int64_t":$capacity,
                        "::mlir::gsa::TopKScheduleAttr":$rows,
                        DefaultValuedParameter<"int64_t", "0">:$cluster,
                        DefaultValuedParameter<"int64_t", "32">:$staged,
                        DefaultValuedParameter<"int64_t", "1">:$sm_blocks,
                        DefaultValuedParameter<"bool", "false">:$deferred,
                        DefaultValuedParameter<"int64_t", "kThreadCandidates">
                            :$thread_candidates,
                        DefaultValuedParameter<"int64_t", "kCandidateBins">
                            :$candidate_bins,
                        DefaultValuedParameter<"int64_t", "kSampleBlocks">
                            :$sample_blocks,
                        DefaultValuedParameter<"int64_t", "kBoundWarps">
                            :$bound_warps,
                        DefaultValuedParameter<"int64_t", "kClusterKeys">
                            :$cluster_keys,
                        DefaultValuedParameter<"int64_t", "kClusterWarps">
                            :$cluster_warps,
                        DefaultValuedParameter<"int64_t", "kClusterSmBlocks">
                            :$cluster_sm_blocks,
                        DefaultValuedParameter<"int64_t", "0">:$row_cells);
  let assemblyFormat = [{
    `<` struct($engine, $block_k, $span, $stages, $producers, $consumers,
               $sample, $rank, $capacity, $rows, $cluster, $staged, $sm_blocks,
               $deferred, $thread_candidates, $candidate_bins, $sample_blocks,
               $bound_warps, $cluster_keys, $cluster_warps,
               $cluster_sm_blocks, $row_cells) `>`
  }];
  let builders = [AttrBuilder<
      (ins "::mlir::gsa::Engine":$engine, "int64_t":$block_k, "int64_t":$span,
           "int64_t":$stages, "int64_t":$producers, "int64_t":$consumers,
           "int64_t":$sample, "int64_t":$rank, "int64_t":$capacity,
           "::mlir::gsa::TopKScheduleAttr":$rows, "int64_t":$cluster,
           "int64_t":$staged, "int64_t":$sm_blocks, "bool":$deferred), [{
        return $_get($_ctxt, engine, block_k, span, stages, producers,
                     consumers, sample, rank, capacity, rows, cluster, staged,
                     sm_blocks, deferred, kThreadCandidates, kCandidateBins,
                     kSampleBlocks, kBoundWarps, kClusterKeys, kClusterWarps,
                     kClusterSmBlocks, /*row_cells=*/0);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kThreadCandidates = kDefaultThreadCandidates,
        kCandidateBins = kDefaultCandidateBins, kSampleBlocks = 4, kBoundWarps = 48,
        kClusterKeys = 256, kClusterWarps = 8, kClusterSmBlocks = 2;
    bool hasLists() const { return getRank() > 0; }
    /// The same with other numbers.
    SplitSelectScheduleAttr withRowCells(int64_t cells) const;
    SplitSelectScheduleAttr withCluster(int64_t cluster, int64_t keys) const;
    /// Whether a cluster has all scores of a row, and its selection.
    bool selectsInCluster() const { return !hasLists() && getCluster() > 0; }
    /// Rows as the block that selects one has them.
    TopKScheduleAttr getRowsOfBlock() const {
      return selectsInCluster() ? getRows().withWarps(getClusterWarps())
                                : getRows();
    }
    /// Scores that the block of a row holds.
    int64_t getHeldCells() const {
      return 32 * getRowCells() * getRowsOfBlock().getWarps();
    }
    /// Of the kernel of a sample where a cluster has it.
    SplitSelectScheduleAttr ofSample() const;
    /// Sampled keys that the registers of a warp of that kernel hold, and those
    /// that a block has room for.
    static constexpr int64_t kWarpSample = 512;
    int64_t getMostSampled() const { return kWarpSample * getClusterWarps(); }
    /// Keys of a tile that a warp has, and those of a block.
    int64_t getWarpKeys() const { return getBlockK() / getConsumers(); }
    int64_t getSpanKeys() const { return getSpan() * getBlockK(); }
    /// Keys whose scores a deferred block holds, at most.
    static constexpr int64_t kMostDeferred = 16384;
  }];
}

def Gsa_SplitAttentionScheduleAttr
    : Gsa_ScheduleAttr<"SplitAttentionSchedule", "split_attention_schedule",
                       ["getParts", "explainNone", "takesLengths", "takesPages"]> {
  let summary = "how gather_attention runs where queries are few";
  let description = [{
    A part is `entries` consecutive entries of a list, handled as `part` says for a
    whole one; its output and the logarithm of its sum go to memory, in A(T). A
    block handles `per_block` parts of a list one after another, and the copies of
    a part begin while the one before is summed up. A block with all parts of its
    list merges them in the order of the list, multiplies by the gate and rounds.
    With a `cluster` of blocks those of a list wait for each other and do the same,
    some rows each; with 0 another kernel does, by blocks of `merge_warps` warps.
    That is gsa.partial_attention for each range and gsa.merge_attention.

    With `prefetch` the blocks of a list ask for all keys and values of their
    sequence to be in the second-level cache, a share each, before the list is
    there: where a list names a good part of them, and all have room in the cache,
    they come while keys are selected.

    `entries` and `part` decide in which order a row is summed up, and so the last
    bits of its output; `per_block`, `cluster`, `prefetch`, the batch and the number
    of queries do not.

    Constraints: (C1) `entries` is a positive multiple of the part's `block_k`;
    (C2) `per_block` is from 1 to 64; (C3) `cluster` is 0, 2, 4, 8 or 16. A list
    has as many blocks as a cluster; 16 are more than every device has room for.
    (C4) `merge_warps` is from 1 to 32.

    Example: `#gsa.split_attention_schedule<entries = 128, per_block = 4, part =
    <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4,
    consumers = 4>>`.
  }];
  let parameters = (ins "int64_t":$entries,
                        DefaultValuedParameter<"int64_t", "1">:$per_block,
                        "::mlir::gsa::AttentionScheduleAttr":$part,
                        DefaultValuedParameter<"int64_t", "0">:$cluster,
                        DefaultValuedParameter<"int64_t", "kMergeWarps">
                            :$merge_warps,
                        DefaultValuedParameter<"bool", "false">:$prefetch);
  let assemblyFormat = [{
    `<` struct($entries, $per_block, $part, $cluster, $merge_warps,
               $prefetch) `>`
  }];
  let builders = [AttrBuilder<
      (ins "int64_t":$entries, "int64_t":$per_block,
           "::mlir::gsa::AttentionScheduleAttr":$part, "int64_t":$cluster), [{
        return $_get($_ctxt, entries, per_block, part, cluster, kMergeWarps,
                     /*prefetch=*/false);
      }]>];
  let extraClassDeclaration = [{
    /// What is so unless a schedule says otherwise.
    static constexpr int64_t kMergeWarps = 4;
  }];
}

#endif  // GSA_DIALECT_GSASCHEDULEATTRS_TD
