// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-cuda %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// Tensor maps are passed by value; a warpgroup multiplies from shared memory.

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 4>

// CHECK:      void product(const __grid_constant__ tensor_map keys, bf16* __restrict__ out, int n) {
// USAGE: sm_90a product registers={{[0-9]+}} stack=0
gsa_tile.kernel @product(%map: !gsa_tile.tensormap<64x64xbf16, swizzle_128b> loc("keys"),
                         %out: !gsa_tile.global<bf16, write> loc("out"),
                         %n: index loc("n")) attributes {warps = 8 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : f32
  %pitch = arith.constant 64 : i64
  %k = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<2x64x64xbf16, swizzle_128b> loc("tiles")
  %ring = gsa_tile.ring_alloc producers 4 consumers 4 at 16384 : !gsa_tile.ring<2> loc("full")
  gsa_tile.sync <0, 8>
  gsa_tile.roles {
    role <"load", team = <0, 4>, registers = 40> {
      // CHECK:      set_max_registers<40, false>();
      gsa_tile.set_max_registers 40 grow = false
      scf.for %i = %c0 to %n step %c1 {
        // CHECK:        auto tile = stage(tiles, slot);
        // CHECK-NEXT:   tma_load<team<0, 4>>(tile, keys, 0, i * 64, full, i);
        // CHECK-NEXT:   ring_commit<false>(full, i);
        %slot = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %tile = gsa_tile.stage %k[%slot] : !gsa_tile.smem<2x64x64xbf16, swizzle_128b>
        %row = arith.muli %i, %c64 : index
        gsa_tile.tma_load %map[%row, %c0] to %tile by #load arrives %ring[%i] of !gsa_tile.ring<2> : !gsa_tile.tensormap<64x64xbf16, swizzle_128b> to !gsa_tile.smem<64x64xbf16, swizzle_128b>
        gsa_tile.ring_commit %ring[%i] {asynchronous = false} : !gsa_tile.ring<2>
      }
    }
    role <"mma", team = <4, 4>, registers = 232> {
      // CHECK:      set_max_registers<232, true>();
      gsa_tile.set_max_registers 232 grow = true
      %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc> loc("sum")
      gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x64xf32, acc>
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %tile = gsa_tile.stage %k[%slot] : !gsa_tile.smem<2x64x64xbf16, swizzle_128b>
        // CHECK:        wgmma_fence(sum);
        // CHECK-NEXT:   wgmma_nt(sum, tile, 0, tile, 0);
        // CHECK-NEXT:   wgmma_commit();
        // CHECK-NEXT:   wgmma_wait<0>();
        gsa_tile.wgmma_fence %acc : !gsa_tile.frag<16x64xf32, acc>
        gsa_tile.wgmma_nt %acc, %tile[%c0], %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
        gsa_tile.wgmma_commit
        gsa_tile.wgmma_wait 0
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
      %rows = gsa_tile.strided_rows %out pitch %pitch count %c64 : !gsa_tile.global<bf16, write> to !gsa_tile.rows<bf16, strided, write>
      gsa_tile.store_rows %acc columns %c64 to %rows[%c0] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.rows<bf16, strided, write>
    }
  }
  gsa_tile.return
}
