// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s --match-full-lines --strict-whitespace
// RUN: gsa-translate --emit-line-map %s | FileCheck %s --check-prefix=MAP
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}

// A kernel with roles, a ring and an online softmax. Names are those of the
// locations where there are any.

#all = #gsa_tile.team<0, 5>
#load = #gsa_tile.team<0, 1>
#mma = #gsa_tile.team<1, 4>

//      CHECK:#include <gsa/device/tile.cuh>
// CHECK-EMPTY:
// CHECK-NEXT:using namespace gsa::dev;
// CHECK-EMPTY:
// CHECK-NEXT:extern "C" __global__ __launch_bounds__(160, 2)
// CHECK-NEXT:void attend(
// CHECK-NEXT:    const bf16* __restrict__ q,
// CHECK-NEXT:    const bf16* __restrict__ k,
// CHECK-NEXT:    const int* __restrict__ list,
// CHECK-NEXT:    bf16* __restrict__ out,
// CHECK-NEXT:    int n) {
// MAP: 5 gsa_tile.kernel loc({{.*}}attend.mlir":[[# @LINE + 1]]:1)
gsa_tile.kernel @attend(%q: !gsa_tile.global<bf16, read> loc("q"),
                        %k: !gsa_tile.global<bf16, read> loc("k"),
                        %list: !gsa_tile.global<i32, read> loc("list"),
                        %out: !gsa_tile.global<bf16, write> loc("out"),
                        %n: index loc("n"))
    attributes {warps = 5 : i64, min_blocks = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.125 : f32
  // CHECK-NEXT:  const int block_id_0 = block_id<0>();
  %t = gsa_tile.block_id 0
  // CHECK-NEXT:  auto indices_0 = smem_alloc<smem<int, 1, 2048, smem_layout::linear>>(0);
  // MAP: 13 gsa_tile.smem_alloc loc("indices")
  %indices = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<1x2048xi32, linear> loc("indices")
  // CHECK-NEXT:  auto keys = smem_alloc<smem_stages<bf16, 4, 64, 64, smem_layout::swizzle>>(8192);
  %keys = gsa_tile.smem_alloc at 8192 : !gsa_tile.smem<4x64x64xbf16, swizzle> loc("keys")
  // CHECK-NEXT:  auto full = ring_alloc<ring<4>, 1, 4>(40960);
  %ring = gsa_tile.ring_alloc producers 1 consumers 4 at 40960 : !gsa_tile.ring<4> loc("full")
  // CHECK-NEXT:  auto at_0 = at(list, indices(block_id_0, 0), sizes(n));
  %from = gsa_tile.at %list[%t, %c0] sizes [%n] : !gsa_tile.global<i32, read>
  // CHECK-NEXT:  copy_rows<team<0, 5>, 4>(indices_0, at_0, 64ll, 1, n);
  gsa_tile.copy_rows %from pitch %pitch rows %c1 columns %n to %indices by #all vector 4 : !gsa_tile.global<i32, read> to !gsa_tile.smem<1x2048xi32, linear>
  // CHECK-NEXT:  copy_wait<team<0, 5>, 0>();
  gsa_tile.copy_wait #all
  // CHECK-NEXT:  if (in_team<team<0, 1>>()) {
  gsa_tile.roles {
    role <"load", team = <0, 1>, registers = 40> {
      // CHECK-NEXT:    for (int i = 0; i < n; ++i) {
      scf.for %i = %c0 to %n step %c1 {
        // CHECK-NEXT:      const int slot = ring_acquire(full, i);
        %slot = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<4>
        // CHECK-NEXT:      auto stage_0 = stage(keys, slot);
        %tile = gsa_tile.stage %keys[%slot] : !gsa_tile.smem<4x64x64xbf16, swizzle>
        %begin = arith.muli %i, %c64 : index
        // CHECK-NEXT:      gather_rows<team<0, 1>, 16>(stage_0, k, 64ll, indices_0, i * 64, n, n, 64);
        gsa_tile.gather_rows %k pitch %pitch list %indices[%begin to %n] limit %n columns %c64 to %tile by #load vector 16 : !gsa_tile.global<bf16, read>, !gsa_tile.smem<1x2048xi32, linear> to !gsa_tile.smem<64x64xbf16, swizzle>
        // CHECK-NEXT:      ring_commit<true>(full, i);
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<4>
      }
    }
    // CHECK-NEXT:    }
    // CHECK-NEXT:  } else if (in_team<team<1, 4>>()) {
    role <"mma", team = <1, 4>> {
      // CHECK-NEXT:    auto scores = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
      %s = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc> loc("scores")
      // CHECK-NEXT:    auto frag_0 = frag_alloc<frag<bf16, 16, 64, frag_layout::lhs>>();
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
      // CHECK-NEXT:    auto rowvec_0 = rowvec_alloc<rowvec<float, 16>>();
      %l = gsa_tile.rowvec_alloc : !gsa_tile.rowvec<16xf32>
      // CHECK-NEXT:    fill_rows(rowvec_0, 0.0f);
      gsa_tile.fill_rows %l, %zero : !gsa_tile.rowvec<16xf32>
      // CHECK-NEXT:    for (int i = 0; i < n; ++i) {
      scf.for %i = %c0 to %n step %c1 {
        // CHECK-NEXT:      const int slot = ring_wait(full, i);
        %slot = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<4>
        %tile = gsa_tile.stage %keys[%slot] : !gsa_tile.smem<4x64x64xbf16, swizzle>
        // CHECK-NEXT:      auto stage_0 = stage(keys, slot);
        // CHECK-NEXT:      mma_nt(scores, frag_0, stage_0, 0);
        // MAP: gsa_tile.mma_nt loc({{.*}}:[[# @LINE + 1]]:9)
        gsa_tile.mma_nt %s, %lhs, %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle>
        // CHECK-NEXT:      activate<activation::sigmoid>(scores);
        gsa_tile.activate %s <sigmoid> : !gsa_tile.frag<16x64xf32, acc>
        // CHECK-NEXT:      gate_rows<activation::silu>(scores, k, 64ll, 64, n, false);
        gsa_tile.gate_rows %s, %k pitch %pitch rows %c64 columns %n <silu> : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.global<bf16, read>
        // CHECK-NEXT:      ring_release(full, i);
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<4>
      }
      // CHECK-NEXT:    }
      // CHECK-NEXT:    store_rows(out, 64ll, scores, 64, 64);
      gsa_tile.store_rows %s to %out pitch %pitch rows %c64 columns %c64 : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.global<bf16, write>
    }
  }
  // CHECK-NEXT:  }
  // CHECK-NEXT:}
  gsa_tile.return
}

// USAGE: sm_80 attend registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_86 attend registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_89 attend registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_90a attend registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_100a attend registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_120 attend registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
