// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-ablate{drop=products,mask_rows}))' --remarks-filter='gsa.*' 2>&1 | FileCheck %s --check-prefix=OPS
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-ablate{drop=fills,write_back}))' | FileCheck %s --check-prefix=KINDS
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-ablate{drop-roles=load}))' | FileCheck %s --check-prefix=ROLE
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-ablate{drop=products only=other}))' | FileCheck %s --check-prefix=OTHER
// RUN: not gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-ablate{drop=copies}))' 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-ablate{drop-roles=store}))' 2>&1 | FileCheck %s --check-prefix=NOROLE
// RUN: not gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-ablate{drop=ring_wait}))' 2>&1 | FileCheck %s --check-prefix=USED

// OPS: Ablated{{.*}}product, without products{{.*}}ops=1
// OPS: Ablated{{.*}}product, without mask_rows{{.*}}ops=1
// OPS: gsa_tile.copy_rows
// OPS-NOT: gsa_tile.mma_nt
// OPS-NOT: gsa_tile.mask_rows
// OPS: gsa_tile.store_rows

// KINDS-NOT: gsa_tile.copy_rows
// KINDS: gsa_tile.ring_commit
// KINDS: gsa_tile.mma_nt
// KINDS-NOT: gsa_tile.store_rows

// Without the warps that fill it, nobody waits for the ring.
// ROLE: role <"load", team = <0, 1>> {
// ROLE-NEXT: }
// ROLE-NOT: gsa_tile.ring_wait
// ROLE: %[[SLOT:.*]] = arith.remui %{{.*}}, %c2
// ROLE: gsa_tile.stage %{{.*}}[%[[SLOT]]]
// ROLE-NOT: gsa_tile.ring_release
// ROLE: gsa_tile.mma_nt

// OTHER: gsa_tile.mma_nt

// UNKNOWN: error: gsa-tile-ablate: option 'drop': expected one of fills, products, write_back, {{.*}}copy_rows, {{.*}}, got 'copies'
// NOROLE: error: gsa-tile-ablate: option 'drop-roles': expected one of load, compute, got 'store'
// USED: error: 'gsa_tile.ring_wait' op cannot be left out: its result is used

#load = #gsa_tile.team<0, 1>
!tile = !gsa_tile.smem<16x16xbf16, swizzle>
!tiles = !gsa_tile.smem<2x16x16xbf16, swizzle>
!rows = !gsa_tile.rows<bf16, strided, read>
!out = !gsa_tile.rows<f32, strided, write>
!acc = !gsa_tile.frag<16x16xf32, acc>
!lhs = !gsa_tile.frag<16x16xbf16, lhs>

gsa_tile.kernel @product(%a: !gsa_tile.global<bf16, read>,
                         %out: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %p16 = arith.constant 16 : i64
  %zero = arith.constant 0.0 : f32
  %buffer = gsa_tile.smem_alloc : !tiles
  %ring = gsa_tile.ring_alloc producers 1 consumers 1 : !gsa_tile.ring<2>
  %view = gsa_tile.strided_rows %a pitch %p16 count %n : !gsa_tile.global<bf16, read> to !rows
  %to = gsa_tile.strided_rows %out pitch %p16 count %c16 : !gsa_tile.global<f32, write> to !out
  gsa_tile.sync <0, 2>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %tile = gsa_tile.stage %buffer[%slot] : !tiles
        gsa_tile.copy_rows %view[%i] columns %c16 to %tile by #load vector 16 : !rows, index to !tile
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 1>> {
      %acc = gsa_tile.frag_alloc : !acc
      %lhs = gsa_tile.frag_alloc : !lhs
      gsa_tile.fill %acc, %zero : !acc
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %tile = gsa_tile.stage %buffer[%slot] : !tiles
        gsa_tile.load_lhs %tile[%c0] to %lhs : !tile to !lhs
        gsa_tile.mma_nt %acc, %lhs, %tile[%c0] : !acc, !lhs, !tile
        gsa_tile.mask_rows %acc, %view[%i] : !acc, !rows
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
      gsa_tile.store_rows %acc columns %c16 to %to[%c0] : !acc to !out
    }
  }
  gsa_tile.return
}
