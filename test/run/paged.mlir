// Keys, values and index keys in pages, against the float64 reference: on a CPU
// by loops and by definition, and as emulated kernels. Pages are of 11 rows and
// heads come before rows; values are a slice of their pool. Two sequences have a
// page in common, and a number of the table is no page of the pool: its keys are
// seen by no selection, and attention over all keys is NaN where it sees them.

// RUN: gsa-run %s --compare | FileCheck %s
// RUN: gsa-run %s --compare --reference | FileCheck %s
// RUN: %if host-cxx %{ gsa-run %s --target emu --arch sm_80 --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %s --target emu --arch sm_90a --compare | FileCheck %s %}
// RUN: %if host-cxx %{ gsa-run %s --target emu --arch sm_90a --stop-after program | FileCheck %s --check-prefix=PROGRAM %}

// CHECK: Comparison with the float64 reference: passed

// PROGRAM-NOT: paged_rows<<<
// PROGRAM: paged_rows<11, 11, 1>(

func.func @main(
    %q: tensor<3x4x4x32xbf16> {gsa.name = "query"},
    %kp: tensor<9x2x11x32xbf16> {gsa.name = "key_pool"},
    %vp: tensor<9x2x11x48xbf16> {gsa.name = "value_pool"},
    %iq: tensor<3x4x2x16xbf16> {gsa.name = "index_query"},
    %ip: tensor<9x11x16xbf16> {gsa.name = "index_keys"})
    -> (tensor<3x4x44xf32> {gsa.name = "scores"},
        tensor<3x4x9xi32> {gsa.name = "indices"},
        tensor<3x4xi32> {gsa.name = "counts"},
        tensor<3x4xi32> {gsa.name = "status"},
        tensor<3x4x4x24xbf16> {gsa.name = "output"},
        tensor<3x4x4xf32> {gsa.name = "lse"},
        tensor<3x4x4x24xbf16> {gsa.name = "dense"}) {
  %lengths = arith.constant dense<[44, 17, 30]> : tensor<3xi32>
  %table = arith.constant dense<[[3, 0, 8, 5], [7, 3, 9, -1], [1, -6, 2, 77]]>
      : tensor<3x4xi32>
  %vs = tensor.extract_slice %vp[0, 0, 0, 24][9, 2, 11, 24][1, 1, 1, 1]
      : tensor<9x2x11x48xbf16> to tensor<9x2x11x24xbf16>
  %k = gsa.paged_rows %kp, %table {heads_first}
      : (tensor<9x2x11x32xbf16>, tensor<3x4xi32>) -> tensor<3x44x2x32xbf16>
  %v = gsa.paged_rows %vs, %table {heads_first}
      : (tensor<9x2x11x24xbf16>, tensor<3x4xi32>) -> tensor<3x44x2x24xbf16>
  %ik = gsa.paged_rows %ip, %table
      : (tensor<9x11x16xbf16>, tensor<3x4xi32>) -> tensor<3x44x16xbf16>
  %scores = gsa.index_scores %iq, %ik lengths %lengths
      : (tensor<3x4x2x16xbf16>, tensor<3x44x16xbf16>, tensor<3xi32>)
      -> tensor<3x4x44xf32>
  %indices, %counts, %status = gsa.select %iq, %ik lengths %lengths
      policy <fixed, base = 9>
      : (tensor<3x4x2x16xbf16>, tensor<3x44x16xbf16>, tensor<3xi32>)
      -> (tensor<3x4x9xi32>, tensor<3x4xi32>, tensor<3x4xi32>)
  %output, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts
      lengths %lengths
      : (tensor<3x4x4x32xbf16>, tensor<3x44x2x32xbf16>, tensor<3x44x2x24xbf16>,
         tensor<3x4x9xi32>, tensor<3x4xi32>, tensor<3xi32>)
      -> (tensor<3x4x4x24xbf16>, tensor<3x4x4xf32>)
  %dense, %dense_lse = gsa.dense_attention %q, %k, %v lengths %lengths
      : (tensor<3x4x4x32xbf16>, tensor<3x44x2x32xbf16>, tensor<3x44x2x24xbf16>,
         tensor<3xi32>)
      -> (tensor<3x4x4x24xbf16>, tensor<3x4x4xf32>)
  return %scores, %indices, %counts, %status, %output, %lse, %dense
      : tensor<3x4x44xf32>, tensor<3x4x9xi32>, tensor<3x4xi32>,
        tensor<3x4xi32>, tensor<3x4x4x24xbf16>, tensor<3x4x4xf32>,
        tensor<3x4x4x24xbf16>
}
