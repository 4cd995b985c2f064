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
