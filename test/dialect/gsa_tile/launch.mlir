// RUN: gsa-opt %s | gsa-opt | FileCheck %s
// RUN: gsa-opt %s --mlir-print-op-generic | gsa-opt | FileCheck %s

// Buffers of any rank and offset, static or not, feed tensor maps of their
// element type.

gsa_tile.kernel @load(%a: !gsa_tile.tensormap<64x64xbf16, swizzle_128b>,
                      %b: !gsa_tile.tensormap<8x32xi8, linear>, %n: index)
    attributes {warps = 1 : i64} {
  gsa_tile.return
}

// CHECK-LABEL: func.func @main
func.func @main(%a: memref<2x75x64xbf16>, %row: memref<64xbf16>,
                %some: memref<?x64xbf16, strided<[64, 1], offset: ?>>,
                %b: memref<4x32xi8>) {
  %c2 = arith.constant 2 : index
  // CHECK: gsa_tile.launch @load grid({{.*}}) args({{.*}}) : memref<2x75x64xbf16>, memref<4x32xi8>, index
  gsa_tile.launch @load grid(%c2) args(%a, %b, %c2) : memref<2x75x64xbf16>, memref<4x32xi8>, index
  // CHECK: gsa_tile.launch @load grid({{.*}}) args({{.*}}) : memref<64xbf16>, memref<4x32xi8>, index
  gsa_tile.launch @load grid(%c2) args(%row, %b, %c2) : memref<64xbf16>, memref<4x32xi8>, index
  // CHECK: gsa_tile.launch @load grid({{.*}}) args({{.*}}) : memref<?x64xbf16, strided<[64, 1], offset: ?>>, memref<4x32xi8>, index
  gsa_tile.launch @load grid(%c2) args(%some, %b, %c2) : memref<?x64xbf16, strided<[64, 1], offset: ?>>, memref<4x32xi8>, index
  return
}

// A launch that begins early, and what its kernel does about it.
// CHECK-LABEL: gsa_tile.kernel @merge(
gsa_tile.kernel @merge(%parts: !gsa_tile.global<f32, read>,
                       %sums: !gsa_tile.global<f32, read>,
                       %gate: !gsa_tile.global<bf16, read>,
                       %out: !gsa_tile.global<bf16, write>,
                       %lse: !gsa_tile.global<f32, write>)
    attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %pitch = arith.constant 64 : i64
  %one = arith.constant 1 : i64
  // CHECK: gsa_tile.launch_next
  gsa_tile.launch_next
  // CHECK: gsa_tile.launch_wait
  gsa_tile.launch_wait
  // CHECK: gsa_tile.launched %{{.*}} : <f32, read>
  %written = gsa_tile.launched %parts : !gsa_tile.global<f32, read>
  %from = gsa_tile.strided_rows %written pitch %pitch count %c4 : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, read>
  %logs = gsa_tile.strided_rows %sums pitch %one count %c4 : !gsa_tile.global<f32, read> to !gsa_tile.rows<f32, strided, read>
  %logits = gsa_tile.strided_rows %gate pitch %one count %c4 : !gsa_tile.global<bf16, read> to !gsa_tile.rows<bf16, strided, read>
  %to = gsa_tile.strided_rows %out pitch %pitch count %c4 : !gsa_tile.global<bf16, write> to !gsa_tile.rows<bf16, strided, write>
  %log = gsa_tile.strided_rows %lse pitch %one count %c4 : !gsa_tile.global<f32, write> to !gsa_tile.rows<f32, strided, write>
  // CHECK: gsa_tile.merge_parts %{{.*}} of %{{.*}} step %{{.*}}, %{{.*}} step %{{.*}} columns %{{.*}} <identity> to %{{.*}}, %{{.*}} by <0, 4> : <f32, strided, read>, <f32, strided, read> to <bf16, strided, write>, <f32, strided, write>
  gsa_tile.merge_parts %c4 of %from step %pitch, %logs step %one columns %c64 <identity> to %to, %log by <0, 4> : !gsa_tile.rows<f32, strided, read>, !gsa_tile.rows<f32, strided, read> to !gsa_tile.rows<bf16, strided, write>, !gsa_tile.rows<f32, strided, write>
  // CHECK: gsa_tile.merge_parts %{{.*}} gate %{{.*}} : !gsa_tile.rows<bf16, strided, read> <sigmoid> to %{{.*}} by <0, 4> {per_row = true} :
  gsa_tile.merge_parts %c4 of %from step %pitch, %logs step %one columns %c64 gate %logits : !gsa_tile.rows<bf16, strided, read> <sigmoid> to %to, %log by <0, 4> {per_row = true} : !gsa_tile.rows<f32, strided, read>, !gsa_tile.rows<f32, strided, read> to !gsa_tile.rows<bf16, strided, write>, !gsa_tile.rows<f32, strided, write>
  gsa_tile.return
}
// CHECK-LABEL: func.func @early
func.func @early(%a: memref<8xf32>, %b: memref<8xbf16>) {
  %c2 = arith.constant 2 : index
  // CHECK: gsa_tile.launch @merge brief grid(
  gsa_tile.launch @merge brief grid(%c2) args(%a, %a, %b, %b, %a) : memref<8xf32>, memref<8xf32>, memref<8xbf16>, memref<8xbf16>, memref<8xf32>
  // CHECK: gsa_tile.launch @merge brief dependent grid(
  gsa_tile.launch @merge brief dependent grid(%c2) args(%a, %a, %b, %b, %a) : memref<8xf32>, memref<8xf32>, memref<8xbf16>, memref<8xbf16>, memref<8xf32>
  return
}
