// Keys shared among neighbouring queries, as emulated kernels against the
// reference: both formats, both head sizes, a number of heads that does not
// divide the 64 rows of a block, two batches of several chunks, of which the
// last is not full, one table and several, and a gate that is fused. Two of
// them by two warpgroups, each over its part of a union; two with other numbers
// of warps and steps in the kernel of unions.

// REQUIRES: host-cxx
// RUN: sed 's/TYPE/bf16/g;s/HEADS/8/g;s/DEPTH/64/g;s/QUERIES/16/g;s/GROUPS/1/g;s/CHUNK/32/g;s/TABLE/1024/g;s/NUMBERS//g' %s > %t.0.mlir
// RUN: sed 's/TYPE/f16/g;s/HEADS/12/g;s/DEPTH/128/g;s/QUERIES/10/g;s/GROUPS/1/g;s/CHUNK/20/g;s/TABLE/2048/g;s/NUMBERS/, list_warps = 4, list_entries = 32, list_words = 64, again_sm_blocks = 1/g' %s > %t.1.mlir
// RUN: sed 's/TYPE/bf16/g;s/HEADS/12/g;s/DEPTH/72/g;s/QUERIES/7/g;s/GROUPS/1/g;s/CHUNK/7/g;s/TABLE/1024/g;s/NUMBERS//g' %s > %t.2.mlir
// RUN: sed 's/TYPE/bf16/g;s/HEADS/8/g;s/DEPTH/64/g;s/QUERIES/32/g;s/GROUPS/2/g;s/CHUNK/32/g;s/TABLE/1024/g;s/NUMBERS/, list_warps = 32, list_entries = 64, list_words = 32/g' %s > %t.3.mlir
// RUN: sed 's/TYPE/f16/g;s/HEADS/16/g;s/DEPTH/72/g;s/QUERIES/16/g;s/GROUPS/2/g;s/CHUNK/48/g;s/TABLE/2048/g;s/NUMBERS//g' %s > %t.4.mlir
// RUN: gsa-run %t.0.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.1.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.2.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.3.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.4.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.2.mlir --target emu --arch sm_90a --stop-after program | FileCheck %s --check-prefix=PROGRAM

// CHECK: Comparison with the float64 reference: passed

// Six chunks of each of two batches; a list of what is done again for each.
// PROGRAM-COUNT-12: union_lists<<<1x1x1, 512,
// PROGRAM-NOT: union_lists<<<
// PROGRAM: {{^}}void union_attention(
// PROGRAM: bf16* __restrict__ gate,

func.func @main(
    %q: tensor<2x37xHEADSxDEPTHxTYPE> {gsa.name = "query"},
    %k: tensor<2x1200x2xDEPTHxTYPE> {gsa.name = "key"},
    %v: tensor<2x1200x2xDEPTHxTYPE> {gsa.name = "value"},
    %iq: tensor<2x37x2x16xTYPE> {gsa.name = "index_query"},
    %ik: tensor<2x1200x16xTYPE> {gsa.name = "index_key"},
    %g: tensor<2x37xHEADSxDEPTHxTYPE> {gsa.name = "gate"})
    -> (tensor<2x37xHEADSxDEPTHxTYPE> {gsa.name = "output"},
        tensor<2xHEADSx37xf32> {gsa.name = "lse"}) {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 90>
      {mask = #gsa.mask<none>, sink = 4 : i64}
      : (tensor<2x37x2x16xTYPE>, tensor<2x1200x16xTYPE>)
      -> (tensor<2x37x90xi32>, tensor<2x37xi32>, tensor<2x37xi32>)
  %o, %l = gsa.gather_attention %q, %k, %v indices %i, %c
      {gsa.schedule = #gsa.union_schedule<engine = wgmma, queries = QUERIES,
           groups = GROUPS, block_k = 64, key_stages = 2, value_stages = 2, producers = 4,
           table = TABLE, chunk = CHUNK, per_query = <engine = mma_sync,
           block_q = 16, block_k = 32, stages = 2, producers = 2,
           consumers = 2>NUMBERS>}
      : (tensor<2x37xHEADSxDEPTHxTYPE>, tensor<2x1200x2xDEPTHxTYPE>,
         tensor<2x1200x2xDEPTHxTYPE>, tensor<2x37x90xi32>, tensor<2x37xi32>)
      -> (tensor<2x37xHEADSxDEPTHxTYPE>, tensor<2xHEADSx37xf32>)
  %gated = gsa.gate %o, %g
      : (tensor<2x37xHEADSxDEPTHxTYPE>, tensor<2x37xHEADSxDEPTHxTYPE>)
      -> tensor<2x37xHEADSxDEPTHxTYPE>
  return %gated, %l : tensor<2x37xHEADSxDEPTHxTYPE>, tensor<2xHEADSx37xf32>
}
