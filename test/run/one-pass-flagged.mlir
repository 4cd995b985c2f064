// Rows whose candidates are too few take the exact path. Chunks end at keys that
// no tile ends at: a tile of scores must not reach into the row behind it.
// REQUIRES: host-cxx
// RUN: gsa-run %s --target=emu --arch=sm_90a --compare | FileCheck %s
// CHECK: passed
// CHECK: selection result 0: 600 rows, 600 identical
func.func @main(%q: tensor<2x300x2x64xbf16>, %k: tensor<2x300x64xbf16>)
    -> (tensor<2x300x16xi32>, tensor<2x300xi32>, tensor<2x300xi32>) {
  %i, %c, %n = gsa.select %q, %k policy #gsa.k_policy<fixed, base = 16> {
      gsa.schedule = #gsa.one_pass_schedule<
        scores = <engine = wgmma, block_q = 64, block_k = 64, span = 2,
                  stages = 2, producers = 4, consumers = 4>,
        exact = <
          scores = <engine = mma_sync, block_q = 32, block_k = 64, span = 2,
                    stages = 3, producers = 4, consumers = 2>,
          topk = <warps = 2, bins = 256, capacity = 64, chunk = 70>>,
        sample = 4, rank = 1, capacity = 64, chunk = 96>}
      : (tensor<2x300x2x64xbf16>, tensor<2x300x64xbf16>)
      -> (tensor<2x300x16xi32>, tensor<2x300xi32>, tensor<2x300xi32>)
  return %i, %c, %n : tensor<2x300x16xi32>, tensor<2x300xi32>, tensor<2x300xi32>
}
