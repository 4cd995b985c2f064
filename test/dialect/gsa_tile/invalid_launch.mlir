// RUN: gsa-opt %s --split-input-file --verify-diagnostics

// What a launch may not pass for a tensor map.

gsa_tile.kernel @load(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}
func.func @launch_c1(%a: memref<64x64xf16>) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{argument 0 of kernel @load: expected '!gsa_tile.tensormap<64x64xbf16, swizzle_128b>', got 'memref<64x64xf16>'}}
  gsa_tile.launch @load grid(%c1) args(%a) : memref<64x64xf16>
  return
}

// -----

gsa_tile.kernel @load(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}
func.func @launch_c1_no_dimension(%a: memref<bf16>) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{argument 0 of kernel @load: expected '!gsa_tile.tensormap<64x64xbf16, swizzle_128b>', got 'memref<bf16>'}}
  gsa_tile.launch @load grid(%c1) args(%a) : memref<bf16>
  return
}

// -----

gsa_tile.kernel @load(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}
func.func @launch_c1_scalar(%a: i64) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{argument 0 of kernel @load: expected '!gsa_tile.tensormap<64x64xbf16, swizzle_128b>', got 'i64'}}
  gsa_tile.launch @load grid(%c1) args(%a) : i64
  return
}

// -----

gsa_tile.kernel @load(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}
func.func @launch_c3(%a: memref<64x64xbf16, strided<[128, 1]>>) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{argument 0: expected a dense row-major memref, got 'memref<64x64xbf16, strided<[128, 1]>>'}}
  gsa_tile.launch @load grid(%c1) args(%a) : memref<64x64xbf16, strided<[128, 1]>>
  return
}

// -----

gsa_tile.kernel @pairs(%n: index) attributes {warps = 1 : i64, cluster = 2 : i64} {
  gsa_tile.cluster_sync 2
  gsa_tile.return
}
func.func @kernel_c3() {
  %c3 = arith.constant 3 : index
  // expected-error @below {{expected a multiple of 2 blocks, the cluster of kernel @pairs, got 3}}
  gsa_tile.launch @pairs grid(%c3) args(%c3) : index
  return
}

// -----

// expected-error @below {{cluster: expected 1, 2, 4, 8 or 16 blocks, got 3}}
gsa_tile.kernel @kernel_c3_blocks() attributes {warps = 1 : i64, cluster = 3 : i64} {
  gsa_tile.return
}

// -----

gsa_tile.kernel @cluster_sync_c1() attributes {warps = 1 : i64, cluster = 4 : i64} {
  // expected-error @below {{expected the blocks of a cluster of the kernel, 4 and more than 1, got 2}}
  gsa_tile.cluster_sync 2
  gsa_tile.return
}

// -----

// A wait that not every block runs is none.
gsa_tile.kernel @may_wait(%y: !gsa_tile.global<f32, write>, %n: index)
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %some = arith.cmpi slt, %c0, %n : index
  scf.if %some {
    gsa_tile.launch_wait
  }
  gsa_tile.return
}
func.func @launch_c4(%a: memref<64xf32>) {
  %c1 = arith.constant 1 : index
  // expected-error @below {{is dependent, but kernel @may_wait has no launch_wait in its body or that of a role}}
  gsa_tile.launch @may_wait dependent grid(%c1) args(%a, %c1) : memref<64xf32>, index
  return
}
