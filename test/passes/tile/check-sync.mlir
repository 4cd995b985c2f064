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

// Products in two groups, waited for one after the other: what a wait ends may be
// used, a left operand in flight may be read, and what is loaded in between belongs
// to no product. The fences stand behind the barrier that shows the data.
// CHECK: [Passed] SyncChecked {{.*}}Remark=products, rings=0, tiles=1
gsa_tile.kernel @products(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  %a = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %b = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, lhs>
  %copy = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.copy_rows %view[%c0] columns %c64 to %tile by #gsa_tile.team<0, 4> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.copy_wait #gsa_tile.team<0, 4>
  gsa_tile.fence_async
  gsa_tile.load_lhs %tile[%c0] to %lhs : !gsa_tile.smem<64x64xbf16, swizzle_128b> to !gsa_tile.frag<16x64xbf16, lhs>
  gsa_tile.wgmma_fence %lhs : !gsa_tile.frag<16x64xbf16, lhs>
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.wgmma_fence %a : !gsa_tile.frag<16x64xf32, acc>
    gsa_tile.wgmma_fence %b : !gsa_tile.frag<16x64xf32, acc>
    gsa_tile.wgmma_nt %a, %tile[%c0], %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
    gsa_tile.wgmma_commit
    gsa_tile.wgmma_nn %b, %lhs, %tile[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xbf16, lhs>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
    gsa_tile.wgmma_commit
    gsa_tile.wgmma_wait 1
    gsa_tile.activate %a <sigmoid> : !gsa_tile.frag<16x64xf32, acc>
    gsa_tile.wgmma_wait 0
    gsa_tile.activate %b <sigmoid> : !gsa_tile.frag<16x64xf32, acc>
  }
  gsa_tile.return
}

// A ring that two loops go through, one after the other and again and again.
// CHECK: [Passed] SyncChecked {{.*}}Remark=counted, rings=1, tiles=0
gsa_tile.kernel @counted(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, linear>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  %cursor = gsa_tile.cursor_alloc : !gsa_tile.cursor
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %round = %c0 to %n step %c1 {
        %base = gsa_tile.cursor_get %cursor : !gsa_tile.cursor
        scf.for %i = %c0 to %n step %c1 {
          %at = arith.addi %base, %i : index
          %s = gsa_tile.ring_acquire %ring[%at] : !gsa_tile.ring<2>
          %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, linear>
          gsa_tile.bulk_rows %view[%c0] columns %c16 to %t by <0, 1> arrives %ring[%at] of !gsa_tile.ring<2> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.smem<16x16xbf16, linear>
          gsa_tile.ring_commit %ring[%at] {asynchronous = false} : !gsa_tile.ring<2>
        }
        gsa_tile.cursor_advance %cursor, %n : !gsa_tile.cursor
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      %rank = gsa_tile.warp_rank #gsa_tile.team<1, 2>
      %first = arith.cmpi eq, %rank, %c0 : index
      scf.for %round = %c0 to %n step %c1 {
        %base = gsa_tile.cursor_get %cursor : !gsa_tile.cursor
        scf.for %i = %c0 to %n step %c1 {
          %at = arith.addi %base, %i : index
          %s = gsa_tile.ring_wait %ring[%at] : !gsa_tile.ring<2>
          %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, linear>
          // One warp skips the work, but not the tile.
          scf.if %first {
            gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, linear> to !gsa_tile.frag<16x16xbf16, lhs>
          }
          gsa_tile.ring_release %ring[%at] : !gsa_tile.ring<2>
        }
        gsa_tile.cursor_advance %cursor, %n : !gsa_tile.cursor
      }
    }
  }
  gsa_tile.return
}

// Outside of loops iterations are numbers: a ring that is filled twice.
// CHECK: [Passed] SyncChecked {{.*}}Remark=twice, rings=1, tiles=0
gsa_tile.kernel @twice() attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = gsa_tile.ring_alloc producers 1 consumers 1 : !gsa_tile.ring<1>
  gsa_tile.sync #gsa_tile.team<0, 2>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      %s = gsa_tile.ring_acquire %ring[%c0] : !gsa_tile.ring<1>
      gsa_tile.ring_commit %ring[%c0] : !gsa_tile.ring<1>
      %t = gsa_tile.ring_acquire %ring[%c1] : !gsa_tile.ring<1>
      gsa_tile.ring_commit %ring[%c1] : !gsa_tile.ring<1>
    }
    role <"compute", team = <1, 1>> {
      %s = gsa_tile.ring_wait %ring[%c0] : !gsa_tile.ring<1>
      gsa_tile.ring_release %ring[%c0] : !gsa_tile.ring<1>
      %t = gsa_tile.ring_wait %ring[%c1] : !gsa_tile.ring<1>
      gsa_tile.ring_release %ring[%c1] : !gsa_tile.ring<1>
    }
  }
  gsa_tile.return
}

// The bulk engine reads a tile when the iteration ends that gave it: the next one,
// and at last the end of the loop, wait before it is overwritten.
// CHECK: [Passed] SyncChecked {{.*}}Remark=sums, rings=0, tiles=2
gsa_tile.kernel @sums(%y: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %zero = arith.constant 0.0 : f32
  %sums = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  %part = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf32, linear>
  %own = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xf32, linear>
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  gsa_tile.fill %acc, %zero : !gsa_tile.frag<16x64xf32, acc>
  %rank = gsa_tile.warp_rank #gsa_tile.team<0, 4>
  %row = arith.muli %rank, %c16 : index
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.reduce_wait #gsa_tile.team<0, 4>
    gsa_tile.put_frag %acc to %part[%row] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.smem<64x64xf32, linear>
    gsa_tile.sync #gsa_tile.team<0, 4>
    gsa_tile.fence_async
    gsa_tile.reduce_rows %part columns %c64 to %sums[%i] by <0, 4> : !gsa_tile.smem<64x64xf32, linear> to !gsa_tile.rows<f32, strided, accumulate>
  }
  gsa_tile.reduce_wait #gsa_tile.team<0, 4>
  // Without a barrier, by each warp of its own rows.
  scf.for %i = %c0 to %n step %c1 {
    gsa_tile.reduce_tile_wait
    gsa_tile.put_frag %acc to %own[%row] : !gsa_tile.frag<16x64xf32, acc> to !gsa_tile.smem<64x64xf32, linear>
    gsa_tile.fence_async
    gsa_tile.reduce_tile %own[%row] columns %c64 to %sums[%i] : !gsa_tile.smem<64x64xf32, linear> to !gsa_tile.rows<f32, strided, accumulate>
  }
  gsa_tile.reduce_tile_wait
  gsa_tile.return
}

// What warps find out at a barrier of the block they agree on: a bound of a ring's
// loop may come from it.
// CHECK: [Passed] SyncChecked {{.*}}Remark=agreed, rings=1, tiles=1
gsa_tile.kernel @agreed(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  %view = gsa_tile.strided_rows %x pitch %pitch count %c16 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  %tile = gsa_tile.smem_alloc : !gsa_tile.smem<16x16xbf16, swizzle>
  %buffer = gsa_tile.smem_alloc : !gsa_tile.smem<2x16x16xbf16, swizzle>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.copy_rows %view[%c0] columns %c16 to %tile by #gsa_tile.team<0, 3> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
  gsa_tile.copy_wait #gsa_tile.team<0, 3>
  %odd = gsa_tile.any_not_finite %tile by <0, 3> : !gsa_tile.smem<16x16xbf16, swizzle>
  %end = arith.select %odd, %c0, %n : index
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %end step %c1 {
        %s = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.copy_rows %view[%c0] columns %c16 to %t by #gsa_tile.team<0, 1> vector 16 : !gsa_tile.rows<bf16, strided, read>, index to !gsa_tile.smem<16x16xbf16, swizzle>
        gsa_tile.ring_commit %ring[%i] : !gsa_tile.ring<2>
      }
    }
    role <"compute", team = <1, 2>> {
      %lhs = gsa_tile.frag_alloc : !gsa_tile.frag<16x16xbf16, lhs>
      scf.for %i = %c0 to %end step %c1 {
        %s = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<2>
        %t = gsa_tile.stage %buffer[%s] : !gsa_tile.smem<2x16x16xbf16, swizzle>
        gsa_tile.load_lhs %t[%c0] to %lhs : !gsa_tile.smem<16x16xbf16, swizzle> to !gsa_tile.frag<16x16xbf16, lhs>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<2>
      }
    }
  }
  gsa_tile.return
}
