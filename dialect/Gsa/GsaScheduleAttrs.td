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
    one team, one stage and no ring.

    Constraints:
    - (C1) `block_q` is 16, 32, 64 or 128; `block_k` is a multiple of 16 from
      16 to 256.
    - (C2) `1 <= stages <= 8`, and `stages = 1` if `producers = 0`.
    - (C3) `consumers` is a multiple of `block_q / 16`;
      `producers + consumers <= 32`; block_k is divisible by 16 times the
      number of ways that keys are split.

    Example: `#gsa.attention_schedule<engine = mma_sync, block_q = 16,
    block_k = 64, stages = 3, producers = 4, consumers = 4>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$block_q,
                        "int64_t":$block_k, "int64_t":$stages,
                        "int64_t":$producers, "int64_t":$consumers);
  let assemblyFormat = [{
    `<` struct($engine, $block_q, $block_k, $stages, $producers, $consumers) `>`
  }];
  let extraClassDeclaration = [{
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

    Blocks that cannot be done so are done again by `per_query`: lists that do
    not ascend strictly within the keys (an entry twice counts twice), and rows
    whose result is not finite (a key of one query that holds an infinity would
    meet the others as 0 times infinity).

    Constraints:
    - (C1) `engine` is wgmma, `queries` is from 2 to 32, `block_k` a multiple of
      32 from 32 to 256, `table` a multiple of 1024 from 1024 to 32768.
    - (C2) `key_stages` and `value_stages` are from 1 to 8.
    - (C3) `producers` is 4, 8 or 12; `chunk` a positive multiple of `queries`.
    - (C4) `groups` is 1, or 2 with an even number of queries.

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
                        "::mlir::gsa::AttentionScheduleAttr":$per_query);
  let assemblyFormat = [{
    `<` struct($engine, $queries, $groups, $block_k, $key_stages, $value_stages,
               $producers, $table, $chunk, $per_query) `>`
  }];
  let extraClassDeclaration = [{
    /// Warps that compute: of each warpgroup 4, of which a warp holds 16 rows.
    int64_t getConsumers() const { return 4 * getGroups(); }
    /// Whether the union is split by the groups that want a key.
    bool isSplit() const { return getGroups() > 1; }
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
    other keys, and all keys are read.

    A hidden key or one behind the last has a weight of 0, which is right as long
    as its values are finite. The 16 rows of a warp that has a result that is not
    finite, or an lse beyond what its softmax is precise for, are done again as
    `per_row` says.

    Constraints:
    - (C1) `engine` is wgmma, `block_q` is 64, 128, 192 or 256, `block_k` a
      multiple of 16 from 16 to 256.
    - (C2) `key_stages` and `value_stages` are from 1 to 8.
    - (C3) `order = ping_pong` needs two warpgroups: a `block_q` of 128 or more.
    - (C4) `masked` needs a `block_k` that is a multiple of 32.

    Example: `#gsa.dense_schedule<engine = wgmma, block_q = 192, block_k = 80,
    key_stages = 2, value_stages = 2, order = free, per_row = <engine = mma_sync,
    block_q = 16, block_k = 64, stages = 2, producers = 4, consumers = 4>>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$block_q,
                        "int64_t":$block_k, "int64_t":$key_stages,
                        "int64_t":$value_stages,
                        EnumParameter<Gsa_GroupOrder>:$order,
                        "::mlir::gsa::AttentionScheduleAttr":$per_row,
                        DefaultValuedParameter<"bool", "false">:$masked);
  let assemblyFormat = [{
    `<` struct($engine, $block_q, $block_k, $key_stages, $value_stages, $order,
               $per_row, $masked) `>`
  }];
  let extraClassDeclaration = [{
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
    way together, in 32 registers each for 64 keys. With `boxes` a tile of keys is
    the box of a tensor map, copied by one instruction.

    Constraints: (C1) `block_q = 16 consumers` (wgmma: or 8), `block_k` a multiple
    of 16 from 16 to 256 (wgmma: of 8 from 8); (C2) as attention_schedule C2; (C3)
    `producers + consumers <= 32`, `span >= 1`; (C4) `wgmma` needs a multiple of 4
    consumers. With 8 queries a warp the number of heads is even; (C5) `pairs` is
    from 1 to 4, and 2 unless a warp owns 8 queries; (C6) `boxes` needs wgmma and
    producers. With boxes keys have a multiple of 64 columns, and those of a batch
    are whole tiles, or there is one batch.

    Example: `#gsa.score_schedule<engine = wgmma, block_q = 64, block_k = 64,
    span = 16, stages = 3, producers = 4, consumers = 4>`.
  }];
  let parameters = (ins EnumParameter<Gsa_Engine>:$engine, "int64_t":$block_q,
                        "int64_t":$block_k, "int64_t":$span, "int64_t":$stages,
                        "int64_t":$producers, "int64_t":$consumers,
                        DefaultValuedParameter<"int64_t", "2">:$pairs,
                        DefaultValuedParameter<"bool", "false">:$boxes);
  let assemblyFormat = [{
    `<` struct($engine, $block_q, $block_k, $span, $stages, $producers,
               $consumers, $pairs, $boxes) `>`
  }];
  let extraClassDeclaration = [{
    /// Queries of a warp, 16 or 8.
    int64_t getWarpQueries() const { return getBlockQ() / getConsumers(); }
    /// Heads whose products a fragment of 16 rows has.
    int64_t getFragmentHeads() const { return 16 / getWarpQueries(); }
    /// The same with other spans.
    ScoreScheduleAttr withSpan(int64_t span) const;
    /// The same with tiles that threads copy.
    ScoreScheduleAttr withoutBoxes() const;
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
    is `select`.

    Constraints: (C1) `1 <= warps <= 32`; (C2) `bins` is a power of two from 256
    to 8192; (C3) `capacity` is from 32 to 16384; (C4) `chunk >= 1`.

    Example: `#gsa.topk_schedule<warps = 8, bins = 2048, capacity = 4096,
    chunk = 2048>`.
  }];
  let parameters = (ins "int64_t":$warps, "int64_t":$bins, "int64_t":$capacity,
                        "int64_t":$chunk);
  let assemblyFormat = "`<` struct($warps, $bins, $capacity, $chunk) `>`";
}

def Gsa_SelectScheduleAttr
    : Gsa_ScheduleAttr<"SelectSchedule", "select_schedule",
                       ["getCost", "getParts", "takesLengths", "takesPages"]> {
  let summary = "schedules of the parts of select";
  let description = [{
    Scores are written to memory as `scores` says, and each row of them is
    selected as `topk` says.

    Example: `#gsa.select_schedule<scores = <engine = mma_sync, block_q = 64,
    block_k = 64, span = 16, stages = 3, producers = 4, consumers = 4>,
    topk = <warps = 8, bins = 2048, capacity = 4096, chunk = 2048>>`.
  }];
  let parameters = (ins "::mlir::gsa::ScoreScheduleAttr":$scores,
                        "::mlir::gsa::TopKScheduleAttr":$topk);
  let assemblyFormat = "`<` struct($scores, $topk) `>`";
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

    Constraints: (C1) `rows` is from 1 to 32; (C2) `cells` is from 0 to 32.

    Example: `#gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores =
    <engine = mma_sync, block_q = 64, block_k = 64, span = 16, stages = 3,
    producers = 4, consumers = 4>, topk = <warps = 8, bins = 2048,
    capacity = 4096, chunk = 2048>>>`.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cells,
                        "::mlir::gsa::SelectScheduleAttr":$exact);
  let assemblyFormat = "`<` struct($rows, $cells, $exact) `>`";
  let extraClassDeclaration = [{
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
    0 they have that. A lane stages hits in shared memory and appends them when it
    has more than `staged`. The selection among candidates holds at most
    `thread_candidates` in a thread, and finds the worst that it takes by a
    histogram of `candidate_bins`.

    Constraints: (C1) `2 <= sample <= 1024`; (C2) `rank >= 1`; (C3) `capacity` is
    from 32 to 16384 and at least `rank * sample`; (C4) `chunk >= 1`; (C5) the
    engine of `scores` is mma_sync or wgmma, its `block_k` is at most 64; (C6)
    `sm_blocks` is from 0 to 64; (C7) `staged` is an even number from 4 to 64; (C8)
    `thread_candidates` is from 1 to 32, and 32 warps hold `capacity`; (C9)
    `candidate_bins` is a power of two from 256 to 8192.

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
                            :$candidate_bins);
  let assemblyFormat = [{
    `<` struct($scores, $exact, $sample, $rank, $capacity, $chunk, $sm_blocks,
               $staged, $thread_candidates, $candidate_bins) `>`
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
    the sampled keys of a sequence, in tiles of 256 by 8 warps, wait for each other,
    and have a row each to find the bound of. With 0 these are two kernels.

    Registers are such that an SM holds `sm_blocks` blocks that score keys.

    With `deferred`, a block keeps the scores of its span in shared memory and
    writes them once it has all: the bounds are not waited for before, so that keys
    are scored while the kernel before samples.

    No number changes a result: scores do not depend on tiles, and selections are
    exact.

    Constraints: (C1) `engine` is fma or mma_sync, `block_k` from 32 to 256 and a
    multiple of 32 `consumers`; (C2) as attention_schedule C2, and
    `producers + consumers <= 32`; (C3) `span >= 1`; (C4) `rank`, `sample` and
    `capacity` are 0; or `rank >= 1`, `2 <= sample <= 1024`, and `capacity` is
    from 32 to 16384 and at least `rank * sample`; (C5) the warps of `rows` hold
    `capacity`, 512 each; (C6) `cluster` is 0, or 2, 4 or 8 with lists; (C7)
    `staged` is an even number from 2 to 256; (C8) `sm_blocks` is from 1 to 16;
    (C9) `deferred` with lists, and a span of at most 16384 keys.

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
                        DefaultValuedParameter<"bool", "false">:$deferred);
  let assemblyFormat = [{
    `<` struct($engine, $block_k, $span, $stages, $producers, $consumers,
               $sample, $rank, $capacity, $rows, $cluster, $staged, $sm_blocks,
               $deferred) `>`
  }];
  let extraClassDeclaration = [{
    bool hasLists() const { return getRank() > 0; }
    /// Keys and warps of a tile of the sample where a cluster has it.
    static constexpr int64_t kClusterKeys = 256, kClusterWarps = 8;
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
    some rows each; with 0 another kernel does. That is gsa.partial_attention for
    each range and gsa.merge_attention.

    `entries` and `part` decide in which order a row is summed up, and so the last
    bits of its output; `per_block`, `cluster`, the batch and the number of queries
    do not.

    Constraints: (C1) `entries` is a positive multiple of the part's `block_k`;
    (C2) `per_block` is from 1 to 64; (C3) `cluster` is 0, 2, 4, 8 or 16. A list
    has as many blocks as a cluster; 16 are more than every device has room for.

    Example: `#gsa.split_attention_schedule<entries = 128, per_block = 4, part =
    <engine = mma_sync, block_q = 16, block_k = 64, stages = 2, producers = 4,
    consumers = 4>>`.
  }];
  let parameters = (ins "int64_t":$entries,
                        DefaultValuedParameter<"int64_t", "1">:$per_block,
                        "::mlir::gsa::AttentionScheduleAttr":$part,
                        DefaultValuedParameter<"int64_t", "0">:$cluster);
  let assemblyFormat = "`<` struct($entries, $per_block, $part, $cluster) `>`";
}

#endif  // GSA_DIALECT_GSASCHEDULEATTRS_TD
