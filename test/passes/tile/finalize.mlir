// RUN: gsa-opt %s --gsa-tile-finalize --split-input-file --verify-diagnostics \
// RUN:   | FileCheck %s

// CHECK-LABEL: gsa_tile.kernel @layer_0_gate(
// CHECK-NEXT: gsa_tile.return
gsa_tile.kernel @"layer.0/gate"(%n: index) attributes {warps = 1 : i64} {
  %c2 = arith.constant 2 : index
  %0 = arith.muli %n, %c2 : index
  %1 = gsa_tile.block_id 0
  %2 = arith.addi %0, %1 : index
  %f = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %l = gsa_tile.lanes_alloc : !gsa_tile.lanes<2xi32>
  gsa_tile.return
}
// The name of a device function, of a C++ word, of a function of C, one that is
// taken.
// CHECK: gsa_tile.kernel @fill_0(
gsa_tile.kernel @fill() attributes {warps = 1 : i64} {
  gsa_tile.return
}
// CHECK: gsa_tile.kernel @float_0(
gsa_tile.kernel @float() attributes {warps = 1 : i64} {
  gsa_tile.return
}
// CHECK: gsa_tile.kernel @select_0(
gsa_tile.kernel @select() attributes {warps = 1 : i64} {
  gsa_tile.return
}
// CHECK: gsa_tile.kernel @layer_0_gate_0(
gsa_tile.kernel @"layer.0.gate"(%n: index) attributes {warps = 1 : i64} {
  gsa_tile.return
}
// CHECK: gsa_tile.kernel @good(
gsa_tile.kernel @good() attributes {warps = 1 : i64} {
  gsa_tile.return
}
// CHECK-LABEL: func.func @main
func.func @main(%n: index) {
  // CHECK-NEXT: gsa_tile.launch @layer_0_gate grid
  gsa_tile.launch @"layer.0/gate" grid(%n) args(%n) : index
  // CHECK-NEXT: gsa_tile.launch @layer_0_gate_0 grid
  gsa_tile.launch @"layer.0.gate" grid(%n) args(%n) : index
  return
}

// -----

gsa_tile.kernel @vector(%x: f32, %out: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'vector.broadcast' op has no CUDA C++ emission}}
  %0 = vector.broadcast %x : f32 to vector<4xf32>
  // expected-error @below {{'vector.extract' op has no CUDA C++ emission}}
  %1 = vector.extract %0[1] : f32 from vector<4xf32>
  gsa_tile.store %1, %out[%c0] : !gsa_tile.global<f32, write>, index
  gsa_tile.return
}

// -----

gsa_tile.kernel @types(%n: i64, %out: !gsa_tile.global<i64, write>)
    attributes {warps = 1 : i64} {
  // expected-error @below {{'arith.constant' op index 4294967296 does not fit the 32 bits of device code}}
  %large = arith.constant 4294967296 : index
  // expected-error @below {{'arith.trunci' op result of type 'i16' has no type in CUDA C++}}
  %0 = arith.trunci %n : i64 to i16
  %1 = arith.extsi %0 : i16 to i64
  gsa_tile.store %1, %out[%large] : !gsa_tile.global<i64, write>, index
  gsa_tile.return
}

// -----

gsa_tile.kernel @offsets(%f: f32) attributes {warps = 1 : i64, shared_bytes = 64 : i64} {
  %c0 = arith.constant 0 : index
  // expected-error @below {{'gsa_tile.smem_alloc' op has no offset; gsa-tile-plan-smem gives it one}}
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<1x4xf32, linear>
  // expected-error @below {{'gsa_tile.smem_alloc' op ends at byte 80 of shared memory, but the kernel has 64}}
  %b = gsa_tile.smem_alloc at 64 : !gsa_tile.smem<1x4xf32, linear>
  // expected-error @below {{'gsa_tile.ring_alloc' op has no offset}}
  %r = gsa_tile.ring_alloc producers 1 consumers 1 : !gsa_tile.ring<2>
  gsa_tile.ring_release %r[%c0] : !gsa_tile.ring<2>
  gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<1x4xf32, linear>
  gsa_tile.store_shared %f, %b[%c0, %c0] : !gsa_tile.smem<1x4xf32, linear>
  gsa_tile.return
}

// -----

// A stream that no pass has lowered, and a copy that names no barrier.
gsa_tile.kernel @stream(%x: !gsa_tile.global<bf16, read>, %n: index)
    attributes {warps = 2 : i64} {
  %c16 = arith.constant 16 : index
  %pitch = arith.constant 16 : i64
  // expected-error @below {{'gsa_tile.tile_ring' op is left: gsa-tile-pipeline lowers it}}
  %ring = gsa_tile.tile_ring : !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<16x16xbf16, linear>>
  // expected-error @below {{'gsa_tile.stream' op is left: gsa-tile-pipeline lowers it}}
  gsa_tile.stream below %n <loaders = 1> rings(%ring : !gsa_tile.tile_ring<2 by bulk, !gsa_tile.smem<16x16xbf16, linear>>) load {
  ^bb0(%i: index, %t: !gsa_tile.smem<16x16xbf16, linear>):
    %view = gsa_tile.strided_rows %x pitch %pitch count %n : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
    // expected-error @below {{'gsa_tile.bulk_rows' op has no ring that its bytes arrive at; expected it in a stream, which gsa-tile-pipeline lowers}}
    gsa_tile.bulk_rows %view[%i] columns %c16 to %t by <0, 1> : !gsa_tile.rows<bf16, strided, read> to !gsa_tile.smem<16x16xbf16, linear>
  } compute {
  ^bb0(%i: index, %t: !gsa_tile.smem<16x16xbf16, linear>):
  }
  gsa_tile.return
}
