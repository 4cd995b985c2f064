//===- GsaTrainingSchedule.td - how an indexer trains on a GPU -*- tablegen -*-===//

#ifndef GSA_DIALECT_GSATRAININGSCHEDULE_TD
#define GSA_DIALECT_GSATRAININGSCHEDULE_TD

include "dialect/Gsa/GsaScheduleAttrs.td"

def Gsa_TrainingScheduleAttr
    : Gsa_ScheduleAttr<"TrainingSchedule", "training_schedule",
                       ["takesLengths"]> {
  let summary = "how index_kl, index_kl_grad and index_scores_grad run on a GPU";
  let description = [{
    A block handles a query: its heads are the rows of products, the keys of its
    list, or those that it sees, their columns. Keys stream by in tiles of `block_k`
    through a ring of `stages` buffers filled by `producers` warps (0: one team, no
    ring); each of `consumers` warps has an equal part of a tile. Products are
    mma.sync, of f32 elements FFMA.

    The loss and its gradient are kernels one behind the other for `chunk` queries
    at a time: the weights of attention of each key, in logarithms, scores, sums of
    rows of both by blocks of `row_warps` warps, and cells that follow from these.
    Two numbers of f32 for each key of a chunk are in memory, and one more for each
    16 heads of the indexer behind the first ones, which have products of their own.
    Gradients of keys are added in f32 in no order and differ in rounding from run to
    run; other results do not.

    Constraints: (C1) `block_k` is from 32 to 256 and a multiple of 32 `consumers`;
    (C2) as attention_schedule C2; (C3) `consumers >= 1`,
    `producers + consumers <= 32`; (C4) `row_warps` is from 1 to 32; (C5)
    `chunk >= 1`.

    Example: `#gsa.training_schedule<block_k = 128, stages = 2, producers = 4,
    consumers = 4, row_warps = 8, chunk = 4096>`.
  }];
  let parameters = (ins "int64_t":$block_k, "int64_t":$stages,
                        "int64_t":$producers, "int64_t":$consumers,
                        "int64_t":$row_warps, "int64_t":$chunk);
  let assemblyFormat = [{
    `<` struct($block_k, $stages, $producers, $consumers, $row_warps, $chunk) `>`
  }];
  let extraClassDeclaration = [{
    /// Keys of a tile that a warp has.
    int64_t getWarpKeys() const { return getBlockK() / getConsumers(); }
    /// Heads of the indexer that kernels have room for: rows of a product.
    static constexpr int64_t kMostHeads = 16;
  }];
}

#endif  // GSA_DIALECT_GSATRAININGSCHEDULE_TD
