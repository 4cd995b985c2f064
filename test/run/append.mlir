// A step's tokens in the caches that it reads, against the float64 reference: on a
// CPU by loops and by definition, and as emulated kernels. Keys and values lie side
// by side in one pool; index keys have rows of their own. Of three sequences with 3
// rows one has a single new token, one is short of a row in front, and one has a page
// that is none; the last row of another has no place behind it.

// RUN: gsa-run %s --compare | FileCheck %s
// RUN: gsa-run %s --compare --reference | FileCheck %s
// RUN: %if host-cxx %{ gsa-run %s --target emu --arch sm_80 --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %s --target emu --arch sm_90a --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %s --target emu --arch sm_90a --stop-after program | FileCheck %s --check-prefix=PROGRAM %}
// RUN: gsa-run %s --stop-after llvm --dump-dir %t.dumps -q

// CHECK: Comparison with the float64 reference: passed

// The pool is copied where its result is another memory, and nowhere else.
// PROGRAM: copy
// PROGRAM-SAME: output
// PROGRAM: append_rows

func.func @main(
    %q: tensor<3x3x4x32xbf16> {gsa.name = "query"},
    %k: tensor<3x3x2x32xbf16> {gsa.name = "key"},
    %v: tensor<3x3x2x32xbf16> {gsa.name = "value"},
    %iq: tensor<3x3x2x16xbf16> {gsa.name = "index_query"},
    %ik: tensor<3x3x16xbf16> {gsa.name = "index_key"},
    %p: tensor<11x8x2x64xbf16> {gsa.name = "pool"},
    %ip: tensor<3x24x16xbf16> {gsa.name = "index_cache"})
    -> (tensor<3x3x9xi32> {gsa.name = "indices"},
        tensor<3x3x4x32xbf16> {gsa.name = "output"},
        tensor<11x8x2x64xbf16> {gsa.name = "pool", gsa.updates = "pool"},
        tensor<3x24x16xbf16> {gsa.name = "index_cache",
                              gsa.updates = "index_cache"}) {
  %lengths = arith.constant dense<[19, 2, 25]> : tensor<3xi32>
  %new = arith.constant dense<[1, 7, 3]> : tensor<3xi32>
  %table = arith.constant dense<[[3, 0, 8], [7, -1, 99], [1, 9, 2]]>
      : tensor<3x3xi32>
  %ks = tensor.extract_slice %p[0, 0, 0, 0][11, 8, 2, 32][1, 1, 1, 1]
      : tensor<11x8x2x64xbf16> to tensor<11x8x2x32xbf16>
  %k1 = gsa.append_rows %k to %ks, %table lengths %lengths counts %new
      : (tensor<3x3x2x32xbf16>, tensor<11x8x2x32xbf16>, tensor<3x3xi32>,
         tensor<3xi32>, tensor<3xi32>) -> tensor<11x8x2x32xbf16>
  %p1 = tensor.insert_slice %k1 into %p[0, 0, 0, 0][11, 8, 2, 32][1, 1, 1, 1]
      : tensor<11x8x2x32xbf16> into tensor<11x8x2x64xbf16>
  %vs = tensor.extract_slice %p1[0, 0, 0, 32][11, 8, 2, 32][1, 1, 1, 1]
      : tensor<11x8x2x64xbf16> to tensor<11x8x2x32xbf16>
  %v1 = gsa.append_rows %v to %vs, %table lengths %lengths counts %new
      : (tensor<3x3x2x32xbf16>, tensor<11x8x2x32xbf16>, tensor<3x3xi32>,
         tensor<3xi32>, tensor<3xi32>) -> tensor<11x8x2x32xbf16>
  %p2 = tensor.insert_slice %v1 into %p1[0, 0, 0, 32][11, 8, 2, 32][1, 1, 1, 1]
      : tensor<11x8x2x32xbf16> into tensor<11x8x2x64xbf16>
  %ic = gsa.append_rows %ik to %ip lengths %lengths counts %new
      : (tensor<3x3x16xbf16>, tensor<3x24x16xbf16>, tensor<3xi32>,
         tensor<3xi32>) -> tensor<3x24x16xbf16>
  %kr = tensor.extract_slice %p2[0, 0, 0, 0][11, 8, 2, 32][1, 1, 1, 1]
      : tensor<11x8x2x64xbf16> to tensor<11x8x2x32xbf16>
  %vr = tensor.extract_slice %p2[0, 0, 0, 32][11, 8, 2, 32][1, 1, 1, 1]
      : tensor<11x8x2x64xbf16> to tensor<11x8x2x32xbf16>
  %keys = gsa.paged_rows %kr, %table
      : (tensor<11x8x2x32xbf16>, tensor<3x3xi32>) -> tensor<3x24x2x32xbf16>
  %values = gsa.paged_rows %vr, %table
      : (tensor<11x8x2x32xbf16>, tensor<3x3xi32>) -> tensor<3x24x2x32xbf16>
  %indices, %counts, %status = gsa.select %iq, %ic lengths %lengths
      policy <fixed, base = 9>
      : (tensor<3x3x2x16xbf16>, tensor<3x24x16xbf16>, tensor<3xi32>)
      -> (tensor<3x3x9xi32>, tensor<3x3xi32>, tensor<3x3xi32>)
  %output, %lse = gsa.gather_attention %q, %keys, %values
      indices %indices, %counts lengths %lengths
      : (tensor<3x3x4x32xbf16>, tensor<3x24x2x32xbf16>, tensor<3x24x2x32xbf16>,
         tensor<3x3x9xi32>, tensor<3x3xi32>, tensor<3xi32>)
      -> (tensor<3x3x4x32xbf16>, tensor<3x4x3xf32>)
  return %indices, %output, %p2, %ic
      : tensor<3x3x9xi32>, tensor<3x3x4x32xbf16>, tensor<11x8x2x64xbf16>,
        tensor<3x24x16xbf16>
}
