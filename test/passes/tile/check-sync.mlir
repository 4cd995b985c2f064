// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-check-sync))' --remarks-filter="gsa.tile" -o %t 2>&1 | FileCheck %s
// RUN: gsa-opt %S/assign-roles.mlir --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline,gsa-tile-assign-roles,gsa-tile-check-sync))' -o %t

// What the passes make is right (second RUN line), and so is this.
// CHECK: [Passed] SyncChecked {{.*}}Remark=ring, rings=1, tiles=0
gsa_tile.kernel @ring(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %n step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}

// A tile that one role hands to another, behind a barrier of both.
// CHECK: [Passed] SyncChecked {{.*}}Remark=handed_over, rings=0, tiles=1
gsa_tile.kernel @handed_over() attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %v = arith.constant 1.0 : f32
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xf32, linear>
  gsa_tile.roles {
    role <"a", team = <0, 1>> {
      gsa_tile.store_shared %v, %tile[%c0, %c0] : !gsa_tile.smem<1x4xf32, linear>
      gsa_tile.sync #gsa_tile.team<0, 2> barrier 2
    }
    role <"b", team = <1, 1>> {
      gsa_tile.sync #gsa_tile.team<0, 2> barrier 2
      %x = gsa_tile.load_shared %tile[%c0, %c0] : !gsa_tile.smem<1x4xf32, linear>
    }
  }
  gsa_tile.return
}
