// Dense attention by warpgroups, as emulated kernels against the reference:
// both formats, head sizes of one and of two panels, two and three warpgroups,
// with turns and without, lengths that are no multiples of tiles, fewer queries
// than keys and more (rows without a key), and a gate that is fused.

// REQUIRES: host-cxx
// RUN: sed 's/TYPE/bf16/g;s/HEADS/8/g;s/DEPTH/128/g;s/WIDTH/128/g;s/QUERIES/70/g;s/KEYS/333/g;s/MASK/causal/g;s/ROWS/192/g;s/TILE/80/g;s/ORDER/free/g;s/SCALE/0.09/g' %s > %t.0.mlir
// RUN: sed 's/TYPE/f16/g;s/HEADS/2/g;s/DEPTH/64/g;s/WIDTH/128/g;s/QUERIES/201/g;s/KEYS/129/g;s/MASK/causal/g;s/ROWS/128/g;s/TILE/128/g;s/ORDER/ping_pong/g;s/SCALE/0.125/g' %s > %t.1.mlir
// RUN: sed 's/TYPE/bf16/g;s/HEADS/6/g;s/DEPTH/128/g;s/WIDTH/64/g;s/QUERIES/130/g;s/KEYS/257/g;s/MASK/none/g;s/ROWS/128/g;s/TILE/48/g;s/ORDER/ping_pong/g;s/SCALE/-0.2/g' %s > %t.2.mlir
// RUN: sed 's/TYPE/f16/g;s/HEADS/2/g;s/DEPTH/192/g;s/WIDTH/64/g;s/QUERIES/64/g;s/KEYS/16/g;s/MASK/none/g;s/ROWS/64/g;s/TILE/16/g;s/ORDER/free/g;s/SCALE/0.0/g' %s > %t.3.mlir
// RUN: gsa-run %t.0.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.1.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.2.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.3.mlir --target emu --arch sm_90a --compare | FileCheck %s
// RUN: gsa-run %t.0.mlir --target emu --arch sm_90a --stop-after program | FileCheck %s --check-prefix=PROGRAM

// CHECK: Comparison with the float64 reference: passed

// The heads of a group are neighbours; keys of both batches are one matrix.
// PROGRAM: group_attention<<<4x2x2, 512, {{[0-9]+}}>>>({{.*}}map of bf16 666x256 every 512 bytes at input 1 + 0 bytes, box 80x64 swizzle 128
// PROGRAM: dense_again<<<

func.func @main(
    %q: tensor<2xQUERIESxHEADSxDEPTHxTYPE> {gsa.name = "query"},
    %k: tensor<2xKEYSx2xDEPTHxTYPE> {gsa.name = "key"},
    %v: tensor<2xKEYSx2xWIDTHxTYPE> {gsa.name = "value"},
    %g: tensor<2xQUERIESxHEADSxWIDTHxTYPE> {gsa.name = "gate"})
    -> (tensor<2xQUERIESxHEADSxWIDTHxTYPE> {gsa.name = "output"},
        tensor<2xHEADSxQUERIESxf32> {gsa.name = "lse"}) {
  %o, %l = gsa.dense_attention %q, %k, %v
      {mask = #gsa.mask<MASK>, scale = SCALE : f64,
       gsa.schedule = #gsa.dense_schedule<engine = wgmma, block_q = ROWS,
           block_k = TILE, key_stages = 2, value_stages = 2, order = ORDER,
           per_row = <engine = mma_sync, block_q = 16, block_k = 32,
           stages = 2, producers = 2, consumers = 2>>}
      : (tensor<2xQUERIESxHEADSxDEPTHxTYPE>, tensor<2xKEYSx2xDEPTHxTYPE>,
         tensor<2xKEYSx2xWIDTHxTYPE>)
      -> (tensor<2xQUERIESxHEADSxWIDTHxTYPE>, tensor<2xHEADSxQUERIESxf32>)
  %gated = gsa.gate %o, %g
      : (tensor<2xQUERIESxHEADSxWIDTHxTYPE>, tensor<2xQUERIESxHEADSxWIDTHxTYPE>)
      -> tensor<2xQUERIESxHEADSxWIDTHxTYPE>
  return %gated, %l : tensor<2xQUERIESxHEADSxWIDTHxTYPE>, tensor<2xHEADSxQUERIESxf32>
}
