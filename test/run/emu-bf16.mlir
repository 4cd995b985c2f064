// Sparse attention in bf16 as emulated kernels with rings and roles; with
// wgmma where the architecture has it. Against the reference.

// REQUIRES: host-cxx
// RUN: gsa-run %s --target emu --arch sm_80 --seq 101 --compare | FileCheck %s
// RUN: gsa-run %s --target emu --arch sm_90a --seq 101 --compare | FileCheck %s

// CHECK: Comparison with the float64 reference: passed

func.func @main(
    %q: tensor<?x?x8x64xbf16> {gsa.name = "query"},
    %k: tensor<?x?x2x64xbf16> {gsa.name = "key"},
    %v: tensor<?x?x2x64xbf16> {gsa.name = "value"},
    %iq: tensor<?x?x4x64xbf16> {gsa.name = "index_query"},
    %ik: tensor<?x?x64xbf16> {gsa.name = "index_key"},
    %iw: tensor<?x?x4xbf16> {gsa.name = "index_weights"},
    %ib: tensor<4xbf16> {gsa.name = "index_bias"})
    -> (tensor<?x?x8x64xbf16> {gsa.name = "output"},
        tensor<?x8x?xf32> {gsa.name = "lse"},
        tensor<?x?x256xi32> {gsa.name = "indices"},
        tensor<?x?xi32> {gsa.name = "counts"}) {
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw bias %ib
      policy <fixed, base = 256> {sink = 4 : i64, local = 32 : i64}
      : (tensor<?x?x4x64xbf16>, tensor<?x?x64xbf16>, tensor<?x?x4xbf16>,
         tensor<4xbf16>)
      -> (tensor<?x?x256xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  %output, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts
      : (tensor<?x?x8x64xbf16>, tensor<?x?x2x64xbf16>, tensor<?x?x2x64xbf16>,
         tensor<?x?x256xi32>, tensor<?x?xi32>)
      -> (tensor<?x?x8x64xbf16>, tensor<?x8x?xf32>)
  return %output, %lse, %indices, %counts
      : tensor<?x?x8x64xbf16>, tensor<?x8x?xf32>, tensor<?x?x256xi32>,
        tensor<?x?xi32>
}
