// RUN: gsa-opt %s --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-plan-smem{limit=65536}))' \
// RUN:   | FileCheck %s
// RUN: not gsa-opt %s --split-input-file --remarks-filter=gsa.smem -o /dev/null \
// RUN:   --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-plan-smem{limit=65536}))' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// A barrier of all warps lies between the last use of %a and the first of %b.
// REMARK: SmemPlan{{.*}}Function=reuse{{.*}}bytes=4096{{.*}}bytes_without_reuse=6144{{.*}}limit=65536
// CHECK-LABEL: @reuse
// CHECK-SAME: shared_bytes = 4096
gsa_tile.kernel @reuse(%f: f32) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  // CHECK: smem_alloc at 0 : <16x64xf32
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  // CHECK: smem_alloc at 0 : <8x64xf32
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<8x64xf32, linear>
  gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
  gsa_tile.sync #gsa_tile.team<0, 4>
  gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<8x64xf32, linear>
  gsa_tile.return
}

// -----

// A barrier of three of four warps does not keep the fourth from reading %a.
// CHECK-LABEL: @barrier_of_some
// CHECK-SAME: shared_bytes = 6144
gsa_tile.kernel @barrier_of_some(%f: f32) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  // CHECK: smem_alloc at 0
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  // CHECK: smem_alloc at 4096
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<8x64xf32, linear>
  gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
  gsa_tile.sync #gsa_tile.team<0, 3> barrier 1
  gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<8x64xf32, linear>
  gsa_tile.return
}

// -----

// Both live in the loop. %a and %b share: one barrier lies between them and
// one between %b and the next iteration's %a. %c has no barrier before %b.
// CHECK-LABEL: @loop
// CHECK-SAME: shared_bytes = 5120
gsa_tile.kernel @loop(%f: f32, %n: index) attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    // CHECK: smem_alloc at 0 : <16x64xf32
    %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
    // CHECK: smem_alloc at 0 : <8x64xf32
    %b = gsa_tile.smem_alloc : !gsa_tile.smem<8x64xf32, linear>
    // CHECK: smem_alloc at 4096 : <4x64xf32
    %c = gsa_tile.smem_alloc : !gsa_tile.smem<4x64xf32, linear>
    gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
    gsa_tile.store_shared %f, %c[%c0, %c0] : !gsa_tile.smem<4x64xf32, linear>
    gsa_tile.sync #gsa_tile.team<0, 2>
    %0 = gsa_tile.load_shared %c[%c0, %c0] : !gsa_tile.smem<4x64xf32, linear>
    gsa_tile.store_shared %0, %b[%c0, %c0] : !gsa_tile.smem<8x64xf32, linear>
    gsa_tile.sync #gsa_tile.team<0, 2>
  }
  gsa_tile.return
}

// -----

// Without the barrier at the end of the body, a fast warp would write the next
// iteration's %a over a slow one's %b.
// CHECK-LABEL: @loop_without_last_barrier
// CHECK-SAME: shared_bytes = 6144
gsa_tile.kernel @loop_without_last_barrier(%f: f32, %n: index)
    attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
    %b = gsa_tile.smem_alloc : !gsa_tile.smem<8x64xf32, linear>
    gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
    gsa_tile.sync #gsa_tile.team<0, 2>
    gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<8x64xf32, linear>
  }
  gsa_tile.return
}

// -----

// A tile made before the loop keeps what an iteration wrote.
// CHECK-LABEL: @carried
// CHECK-SAME: shared_bytes = 6144
gsa_tile.kernel @carried(%f: f32, %n: index) attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  scf.for %i = %c0 to %n step %c1 {
    %b = gsa_tile.smem_alloc : !gsa_tile.smem<8x64xf32, linear>
    %0 = gsa_tile.load_shared %a[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
    gsa_tile.store_shared %0, %a[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
    gsa_tile.sync #gsa_tile.team<0, 2>
    gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<8x64xf32, linear>
    gsa_tile.sync #gsa_tile.team<0, 2>
  }
  gsa_tile.return
}

// -----

// The bytes of a copy that nothing waits for arrive after the barrier.
// CHECK-LABEL: @copy_in_flight
// CHECK-SAME: shared_bytes = 6144
gsa_tile.kernel @copy_in_flight(%x: !gsa_tile.global<f32, read>, %f: f32,
                                %n: index) attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %pitch = arith.constant 64 : i64
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<8x64xf32, linear>
  %view = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, read>
  gsa_tile.copy_rows %view[%c0] columns %n to %a by #gsa_tile.team<0, 2> vector 16 : !gsa_tile.rows<f32, strided, read>, index to !gsa_tile.smem<16x64xf32, linear>
  gsa_tile.sync #gsa_tile.team<0, 2>
  gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<8x64xf32, linear>
  gsa_tile.return
}

// -----

// A product reads its operands until wgmma_wait, not only up to the barrier.
// CHECK-LABEL: @product_in_flight
// CHECK-SAME: shared_bytes = 24576
gsa_tile.kernel @product_in_flight(%f: f32) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %acc = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  // CHECK: smem_alloc at 0
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<64x64xbf16, swizzle_128b>
  // CHECK: smem_alloc at 8192
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<32x64xf32, linear>
  // CHECK: smem_alloc at 16384
  %d = gsa_tile.smem_alloc : !gsa_tile.smem<32x64xf32, linear>
  // CHECK: smem_alloc at 0
  %c = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  gsa_tile.wgmma_nt %acc, %a[%c0], %a[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.smem<64x64xbf16, swizzle_128b>, !gsa_tile.smem<64x64xbf16, swizzle_128b>
  gsa_tile.sync #gsa_tile.team<0, 4>
  gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<32x64xf32, linear>
  gsa_tile.wgmma_wait 1
  gsa_tile.sync #gsa_tile.team<0, 4>
  gsa_tile.store_shared %f, %d[%c0, %c0] : !gsa_tile.smem<32x64xf32, linear>
  gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<32x64xf32, linear>
  gsa_tile.wgmma_wait 0
  gsa_tile.sync #gsa_tile.team<0, 4>
  gsa_tile.store_shared %f, %c[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
  gsa_tile.return
}

// -----

// The bulk engine reads a tile until reduce_wait, not only up to the barrier.
// CHECK-LABEL: @sums_in_flight
// CHECK-SAME: shared_bytes = 8192
gsa_tile.kernel @sums_in_flight(%y: !gsa_tile.global<f32, write>, %f: f32,
                                %n: index) attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %pitch = arith.constant 64 : i64
  // CHECK: smem_alloc at 0
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  // CHECK: smem_alloc at 4096
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  // CHECK: smem_alloc at 0
  %c = gsa_tile.smem_alloc : !gsa_tile.smem<8x64xf32, linear>
  %sums = gsa_tile.strided_rows %y pitch %pitch count %n : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.reduce_rows %a columns %n to %sums[%c0] by <0, 2> : !gsa_tile.smem<16x64xf32, linear> to !gsa_tile.rows<f32, strided, accumulate>
  gsa_tile.sync #gsa_tile.team<0, 2>
  gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
  gsa_tile.reduce_wait #gsa_tile.team<0, 2>
  gsa_tile.store_shared %f, %c[%c0, %c0] : !gsa_tile.smem<8x64xf32, linear>
  gsa_tile.return
}

// -----

// A list lives as long as a view of it is used.
// CHECK-LABEL: @list_of_a_view
// CHECK-SAME: shared_bytes = 5120
gsa_tile.kernel @list_of_a_view(%x: !gsa_tile.global<f32, read>, %f: f32,
                                %n: index) attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  %pitch = arith.constant 64 : i64
  // CHECK: smem_alloc at 4096
  %list = gsa_tile.smem_alloc : !gsa_tile.smem<1x256xi32, linear>
  // CHECK: smem_alloc at 0
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  %scores = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %view = gsa_tile.listed_rows %x pitch %pitch list %list end %n limit %n : !gsa_tile.global<f32, read>, !gsa_tile.smem<1x256xi32, linear> to !gsa_tile.rows<f32, listed, read>
  gsa_tile.sync #gsa_tile.team<0, 2>
  gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
  gsa_tile.mask_rows %scores, %view[%c0] : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.rows<f32, listed, read>
  gsa_tile.return
}

// -----

// Roles run at the same time: their tiles never share. Within a role the
// role's own barrier is enough. Rings share with nothing; stages are used
// through gsa_tile.stage.
// CHECK-LABEL: @roles
// CHECK-SAME: shared_bytes = 39008
gsa_tile.kernel @roles(%f: f32) attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  // CHECK: smem_alloc at 0 : <4x32x64xf32, swizzle_128b>
  %stages = gsa_tile.smem_alloc : !gsa_tile.smem<4x32x64xf32, swizzle_128b>
  // CHECK: ring_alloc producers 1 consumers 2 at 38912
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<4>
  // CHECK: ring_alloc producers 1 consumers 2 at 38976
  %other = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<2>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      // CHECK: smem_alloc at 32768 : <16x64xf32
      %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
      %s = gsa_tile.stage %stages[%c0] : !gsa_tile.smem<4x32x64xf32, swizzle_128b>
      gsa_tile.store_shared %f, %s[%c0, %c0] : !gsa_tile.smem<32x64xf32, swizzle_128b>
      gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
    }
    role <"mma", team = <1, 2>> {
      // CHECK: smem_alloc at 36864 : <8x64xf32
      %b = gsa_tile.smem_alloc : !gsa_tile.smem<8x64xf32, linear>
      // CHECK: smem_alloc at 36864 : <4x64xf32
      %c = gsa_tile.smem_alloc : !gsa_tile.smem<4x64xf32, linear>
      gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<8x64xf32, linear>
      gsa_tile.sync #gsa_tile.team<1, 2> barrier 1
      gsa_tile.store_shared %f, %c[%c0, %c0] : !gsa_tile.smem<4x64xf32, linear>
      // CHECK: smem_alloc at 37888 : <4x64xf32
      %d = gsa_tile.smem_alloc : !gsa_tile.smem<4x64xf32, linear>
      gsa_tile.store_shared %f, %d[%c0, %c0] : !gsa_tile.smem<4x64xf32, linear>
    }
  }
  gsa_tile.return
}

// -----

// A role that has read a ring to the end, and all that was copied before the
// roles, puts its own tile over both, behind a barrier of its own. Without one
// (@early) it does not, nor over buffers that another role has for itself.
// CHECK-LABEL: @late
// CHECK-SAME: shared_bytes = 49216
gsa_tile.kernel @late(%f: f32, %n: index) attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: smem_alloc at 32768 : <16x64xf32
  %queries = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
  gsa_tile.store_shared %f, %queries[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
  // CHECK: smem_alloc at 0 : <4x32x64xf32, linear>
  %stages = gsa_tile.smem_alloc : !gsa_tile.smem<4x32x64xf32, linear>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<4>
  // CHECK: smem_alloc at 40960 : <32x64xf32
  %own = gsa_tile.smem_alloc : !gsa_tile.smem<32x64xf32, linear>
  gsa_tile.sync #gsa_tile.team<0, 3>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<4>
        %s = gsa_tile.stage %stages[%slot] : !gsa_tile.smem<4x32x64xf32, linear>
        gsa_tile.store_shared %f, %s[%c0, %c0] : !gsa_tile.smem<32x64xf32, linear>
        gsa_tile.store_shared %f, %own[%c0, %c0] : !gsa_tile.smem<32x64xf32, linear>
        gsa_tile.ring_commit %ring[%i] {asynchronous = false} : !gsa_tile.ring<4>
      }
    }
    role <"mma", team = <1, 2>> {
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<4>
        %s = gsa_tile.stage %stages[%slot] : !gsa_tile.smem<4x32x64xf32, linear>
        %x = gsa_tile.load_shared %s[%c0, %c0] : !gsa_tile.smem<32x64xf32, linear>
        %y = gsa_tile.load_shared %queries[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<4>
      }
      gsa_tile.sync #gsa_tile.team<1, 2> barrier 1
      // CHECK: smem_alloc at 0 : <160x64xf32
      %a = gsa_tile.smem_alloc : !gsa_tile.smem<160x64xf32, linear>
      gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<160x64xf32, linear>
    }
  }
  gsa_tile.return
}

// -----

// CHECK-LABEL: @early
gsa_tile.kernel @early(%f: f32, %n: index) attributes {warps = 3 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: smem_alloc at 0 : <4x32x64xf32, linear>
  %stages = gsa_tile.smem_alloc : !gsa_tile.smem<4x32x64xf32, linear>
  %ring = gsa_tile.ring_alloc producers 1 consumers 2 : !gsa_tile.ring<4>
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_acquire %ring[%i] : !gsa_tile.ring<4>
        %s = gsa_tile.stage %stages[%slot] : !gsa_tile.smem<4x32x64xf32, linear>
        gsa_tile.store_shared %f, %s[%c0, %c0] : !gsa_tile.smem<32x64xf32, linear>
        gsa_tile.ring_commit %ring[%i] {asynchronous = false} : !gsa_tile.ring<4>
      }
    }
    role <"mma", team = <1, 2>> {
      scf.for %i = %c0 to %n step %c1 {
        %slot = gsa_tile.ring_wait %ring[%i] : !gsa_tile.ring<4>
        %s = gsa_tile.stage %stages[%slot] : !gsa_tile.smem<4x32x64xf32, linear>
        %x = gsa_tile.load_shared %s[%c0, %c0] : !gsa_tile.smem<32x64xf32, linear>
        gsa_tile.ring_release %ring[%i] : !gsa_tile.ring<4>
      }
      // CHECK: smem_alloc at 32768 : <16x64xf32
      %a = gsa_tile.smem_alloc : !gsa_tile.smem<16x64xf32, linear>
      gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<16x64xf32, linear>
    }
  }
  gsa_tile.return
}

// -----

// expected-error @below {{'gsa_tile.kernel' op needs 73728 bytes of shared memory, but a block may use 65536}}
gsa_tile.kernel @too_much(%f: f32) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  // expected-note @below {{8192 bytes for '!gsa_tile.smem<32x64xf32, linear>'}}
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<32x64xf32, linear>
  // expected-note @below {{65536 bytes for '!gsa_tile.smem<256x64xf32, linear>'}}
  %b = gsa_tile.smem_alloc : !gsa_tile.smem<256x64xf32, linear>
  gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<32x64xf32, linear>
  gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<256x64xf32, linear>
  gsa_tile.return
}
