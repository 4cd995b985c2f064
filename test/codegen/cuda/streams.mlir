// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s --match-full-lines --strict-whitespace
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-emu %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// What views, cursors and turns print as: calls, like everything else.

#load = #gsa_tile.team<0, 4>
#mma = #gsa_tile.team<4, 8>
!in = !gsa_tile.global<bf16, read>
!table = !gsa_tile.global<i32, read>
!list = !gsa_tile.smem<1x128xi32, linear>
!strided = !gsa_tile.rows<bf16, strided, read>
!paged = !gsa_tile.rows<bf16, paged, read>
!found = !gsa_tile.found_rows<64 x 8 by <0, 4>>
!tile = !gsa_tile.smem<64x64xbf16, linear>
!part = !gsa_tile.smem<64x64xf32, linear>
!ring = !gsa_tile.ring<2>
!acc = !gsa_tile.frag<16x64xf32, acc>

// USAGE: sm_90a views registers={{[0-9]+}} stack=0
//      CHECK:void views(const bf16* __restrict__ x, const int* __restrict__ pages, int n) {
gsa_tile.kernel @views(%x: !in loc("x"), %table: !table loc("pages"), %n: index loc("n"))
    attributes {warps = 4 : i64, shared_bytes = 24576 : i64} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %outer = arith.constant 512 : i64
  //      CHECK:  auto list = smem_alloc<smem<int, 1, 128, smem_layout::linear>>(0);
  %list = gsa_tile.smem_alloc at 0 : !list loc("list")
  // CHECK-NEXT:  auto tile = smem_alloc<smem<bf16, 64, 64, smem_layout::linear>>(1024);
  %tile = gsa_tile.smem_alloc at 1024 : !tile loc("tile")
  // CHECK-NEXT:  auto pairs = two_level_rows<8>(x, 512ll, 64ll, n);
  %pairs = gsa_tile.two_level_rows %x pitch %outer, %pitch per 8 count %n : !in to !gsa_tile.rows<bf16, two_level, read> loc("pairs")
  // CHECK-NEXT:  copy_rows<team<0, 4>, 16>(tile, pairs, 0, 64);
  gsa_tile.copy_rows %pairs[%c0] columns %c64 to %tile by #load vector 16 : !gsa_tile.rows<bf16, two_level, read>, index to !tile
  // CHECK-NEXT:  auto turns = interleaved_rows(x, 512ll, 64ll, n);
  %turns = gsa_tile.interleaved_rows %x pitch %outer, %pitch count %n : !in to !gsa_tile.rows<bf16, interleaved, read> loc("turns")
  // CHECK-NEXT:  copy_rows<team<0, 4>, 16>(tile, turns, 0, 64);
  gsa_tile.copy_rows %turns[%c0] columns %c64 to %tile by #load vector 16 : !gsa_tile.rows<bf16, interleaved, read>, index to !tile
  // CHECK-NEXT:  auto cache = paged_rows<16, 16, 1>(x, 64ll, pages, n, n);
  %cache = gsa_tile.paged_rows %x pitch %pitch table %table pages %n of 16 apart 16 step 1 limit %n : !in, !table to !paged loc("cache")
  // CHECK-NEXT:  copy_rows<team<0, 4>, 8>(tile, cache, n, 64);
  gsa_tile.copy_rows %cache[%n] columns %c64 to %tile by #load vector 8 : !paged, index to !tile
  // CHECK-NEXT:  auto chosen = listed_paged_rows<16, 16>(x, 64ll, pages, n, list, n, n);
  %chosen = gsa_tile.listed_paged_rows %x pitch %pitch table %table pages %n of 16 apart 16 list %list end %n limit %n : !in, !table, !list to !paged loc("chosen")
  // CHECK-NEXT:  auto numbers = find_rows<team<0, 4>, 64, 8>(chosen, 0);
  %found = gsa_tile.find_rows %chosen[%c0] for 64 x 8 by #load : !paged to !found loc("numbers")
  // CHECK-NEXT:  copy_rows<team<0, 4>, 16>(tile, chosen, numbers, 64);
  gsa_tile.copy_rows %chosen[%found] columns %c64 to %tile by #load vector 16 : !paged, !found to !tile
  // CHECK-NEXT:  copy_wait<team<0, 4>, 0>();
  gsa_tile.copy_wait #load
  gsa_tile.return
}

// USAGE: sm_90a turns registers={{[0-9]+}} stack=0
//      CHECK:void turns(const bf16* __restrict__ x, float* __restrict__ y, int n) {
gsa_tile.kernel @turns(%x: !in loc("x"), %y: !gsa_tile.global<f32, write> loc("y"),
                       %n: index loc("n"))
    attributes {warps = 12 : i64, shared_bytes = 41504 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %tiles = gsa_tile.smem_alloc at 0 : !gsa_tile.smem<2x64x64xbf16, linear> loc("tiles")
  %words = gsa_tile.smem_alloc at 16384 : !list loc("words")
  %part = gsa_tile.smem_alloc at 16896 : !part loc("part")
  %ring = gsa_tile.ring_alloc producers 4 consumers 8 at 33280 : !ring loc("full")
  %parts = gsa_tile.smem_alloc at 33312 : !gsa_tile.smem<2x16x64xf32, linear> loc("parts")
  //      CHECK:  auto seen = cursor_alloc<ring_cursor>();
  %cursor = gsa_tile.cursor_alloc : !gsa_tile.cursor loc("seen")
  gsa_tile.sync <0, 12>
  gsa_tile.roles {
    role <"load", team = <0, 4>> {
      //      CHECK:    const int base = cursor_get(seen);
      %base = gsa_tile.cursor_get %cursor : !gsa_tile.cursor loc("base")
      %rows = gsa_tile.strided_rows %x pitch %pitch count %n : !in to !strided loc("rows")
      scf.for %i = %c0 to %n step %c1 {
        %at = arith.addi %base, %i : index loc("at")
        //      CHECK:      const int slot = ring_acquire(full, at_0);
        %slot = gsa_tile.ring_acquire %ring[%at] : !ring
        %tile = gsa_tile.stage %tiles[%slot] : !gsa_tile.smem<2x64x64xbf16, linear> loc("to")
        //      CHECK:      bulk_rows<team<0, 4>>(to, rows, i, 64, full, at_0);
        gsa_tile.bulk_rows %rows[%i] columns %c64 to %tile by #load arrives %ring[%at] of !ring : !strided to !tile
        // CHECK-NEXT:      ring_commit<false>(full, at_0);
        gsa_tile.ring_commit %ring[%at] {asynchronous = false} : !ring
      }
      //      CHECK:    cursor_advance(seen, n);
      gsa_tile.cursor_advance %cursor, %n : !gsa_tile.cursor
    }
    role <"compute", team = <4, 8>> {
      %acc = gsa_tile.frag_alloc : !acc loc("scores")
      gsa_tile.fill %acc, %zero : !acc
      //      CHECK:    turn_start<team<4, 8>, 2, 2>();
      gsa_tile.turn_start #mma groups 2 barrier 2
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_wait %ring[%i] : !ring
        //      CHECK:      turn_wait<team<4, 8>, 2, 2>();
        gsa_tile.turn_wait #mma groups 2 barrier 2
        // CHECK-NEXT:      mask_words<4>(scores, words, 0, i, 0);
        gsa_tile.mask_words %acc, %words[%c0, %i] row %c0 {rows_per_bit = 4 : i64} : !acc, !list
        // CHECK-NEXT:      turn_pass<team<4, 8>, 2, 2>();
        gsa_tile.turn_pass #mma groups 2 barrier 2
        gsa_tile.ring_release %ring[%i] : !ring
      }
      //      CHECK:    turn_end<team<4, 8>, 2, 2>();
      gsa_tile.turn_end #mma groups 2 barrier 2
      gsa_tile.put_frag %acc to %part[%c0] : !acc to !part
      gsa_tile.sync #mma barrier 1
      gsa_tile.fence_async
      //      CHECK:    auto sums = strided_rows(y, 64ll, n);
      %sums = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate> loc("sums")
      // CHECK-NEXT:    accumulate_rows(sums, 0, scores, 64);
      gsa_tile.accumulate_rows %acc columns %c64 to %sums[%c0] : !acc to !gsa_tile.rows<f32, strided, accumulate>
      // CHECK-NEXT:    reduce_rows<team<4, 8>>(sums, 0, part, 64);
      gsa_tile.reduce_rows %part columns %c64 to %sums[%c0] by #mma : !part to !gsa_tile.rows<f32, strided, accumulate>
      // CHECK-NEXT:    reduce_wait<team<4, 8>, 1>();
      gsa_tile.reduce_wait #mma barrier 1
      // CHECK-NEXT:    auto own = part_of(parts, n);
      %own = gsa_tile.part_of %parts[%n] : !gsa_tile.smem<2x16x64xf32, linear> loc("own")
      gsa_tile.put_frag %acc to %own[%c0] : !acc to !gsa_tile.smem<16x64xf32, linear>
      gsa_tile.fence_async
      //      CHECK:    reduce_tile(sums, n, own, 0, 64);
      gsa_tile.reduce_tile %own[%c0] columns %c64 to %sums[%n] : !gsa_tile.smem<16x64xf32, linear> to !gsa_tile.rows<f32, strided, accumulate>
      // CHECK-NEXT:    reduce_tile_wait();
      gsa_tile.reduce_tile_wait
    }
  }
  gsa_tile.return
}
