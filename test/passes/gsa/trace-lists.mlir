// What attention knows of the lists of a selection.

// RUN: gsa-opt %s --gsa-trace-lists --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %t --gsa-trace-lists --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @some_rows(
// CHECK: gsa.gather_attention {{.*}} {gsa.lists = #gsa.lists<mask = causal, least = 5>}
// REMARK: [Passed] TracedLists {{.*}}rows that take every visible key, whose attention is dense unless a score is not finite{{.*}}of=9, rows=5
func.func @some_rows(%q: tensor<2x9x4x8xbf16>, %k: tensor<2x9x2x8xbf16>,
    %v: tensor<2x9x2x8xbf16>, %iq: tensor<2x9x2x4xbf16>, %ik: tensor<2x9x4xbf16>)
    -> tensor<2x9x4x8xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 5>
    : (tensor<2x9x2x4xbf16>, tensor<2x9x4xbf16>)
    -> (tensor<2x9x5xi32>, tensor<2x9xi32>, tensor<2x9xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x9x4x8xbf16>, tensor<2x9x2x8xbf16>, tensor<2x9x2x8xbf16>,
       tensor<2x9x5xi32>, tensor<2x9xi32>)
    -> (tensor<2x9x4x8xbf16>, tensor<2x4x9xf32>)
  return %out : tensor<2x9x4x8xbf16>
}

// A budget of a row is at least `min`. No row sees so few keys.
// CHECK-LABEL: @least(
// CHECK: {gsa.lists = #gsa.lists<mask = none, least = 3>}
// REMARK: [Passed] TracedLists {{.*}}of=9, rows=0
func.func @least(%q: tensor<2x9x4x8xbf16>, %k: tensor<2x7x2x8xbf16>,
    %v: tensor<2x7x2x8xbf16>, %iq: tensor<2x9x2x4xbf16>, %ik: tensor<2x7x4xbf16>)
    -> tensor<2x9x4x8xbf16> {
  %i, %c, %s = gsa.select %iq, %ik
      policy <orth, base = 4, min = 3, max = 6> {mask = #gsa.mask<none>}
    : (tensor<2x9x2x4xbf16>, tensor<2x7x4xbf16>)
    -> (tensor<2x9x6xi32>, tensor<2x9xi32>, tensor<2x9xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x9x4x8xbf16>, tensor<2x7x2x8xbf16>, tensor<2x7x2x8xbf16>,
       tensor<2x9x6xi32>, tensor<2x9xi32>)
    -> (tensor<2x9x4x8xbf16>, tensor<2x4x9xf32>)
  return %out : tensor<2x9x4x8xbf16>
}

// Lists of other origin, and lists over other keys.
// CHECK-LABEL: @unknown(
// CHECK-NOT: gsa.lists
// REMARK-NOT: TracedLists
func.func @unknown(%q: tensor<2x9x4x8xbf16>, %k: tensor<2x9x2x8xbf16>,
    %v: tensor<2x9x2x8xbf16>, %i: tensor<2x9x5xi32>, %c: tensor<2x9xi32>,
    %iq: tensor<2x9x2x4xbf16>, %ik: tensor<2x8x4xbf16>)
    -> (tensor<2x9x4x8xbf16>, tensor<2x9x4x8xbf16>) {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x9x4x8xbf16>, tensor<2x9x2x8xbf16>, tensor<2x9x2x8xbf16>,
       tensor<2x9x5xi32>, tensor<2x9xi32>)
    -> (tensor<2x9x4x8xbf16>, tensor<2x4x9xf32>)
  %j, %d, %s = gsa.select %iq, %ik policy <fixed, base = 5>
    : (tensor<2x9x2x4xbf16>, tensor<2x8x4xbf16>)
    -> (tensor<2x9x5xi32>, tensor<2x9xi32>, tensor<2x9xi32>)
  %other, %lse_2 = gsa.gather_attention %q, %k, %v indices %j, %d
    : (tensor<2x9x4x8xbf16>, tensor<2x9x2x8xbf16>, tensor<2x9x2x8xbf16>,
       tensor<2x9x5xi32>, tensor<2x9xi32>)
    -> (tensor<2x9x4x8xbf16>, tensor<2x4x9xf32>)
  return %out, %other : tensor<2x9x4x8xbf16>, tensor<2x9x4x8xbf16>
}

// Counts of other origin; lengths, of attention or of the selection.
// CHECK-LABEL: @other_ends(
// CHECK-NOT: gsa.lists
// REMARK-NOT: TracedLists
func.func @other_ends(%q: tensor<2x9x4x8xbf16>, %k: tensor<2x9x2x8xbf16>,
    %v: tensor<2x9x2x8xbf16>, %c: tensor<2x9xi32>, %n: tensor<2xi32>,
    %iq: tensor<2x9x2x4xbf16>, %ik: tensor<2x9x4xbf16>)
    -> (tensor<2x9x4x8xbf16>, tensor<2x9x4x8xbf16>, tensor<2x9x4x8xbf16>) {
  %i, %d, %s = gsa.select %iq, %ik policy <fixed, base = 5>
    : (tensor<2x9x2x4xbf16>, tensor<2x9x4xbf16>)
    -> (tensor<2x9x5xi32>, tensor<2x9xi32>, tensor<2x9xi32>)
  %0, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x9x4x8xbf16>, tensor<2x9x2x8xbf16>, tensor<2x9x2x8xbf16>,
       tensor<2x9x5xi32>, tensor<2x9xi32>)
    -> (tensor<2x9x4x8xbf16>, tensor<2x4x9xf32>)
  %1, %lse_1 = gsa.gather_attention %q, %k, %v indices %i, %d lengths %n
    : (tensor<2x9x4x8xbf16>, tensor<2x9x2x8xbf16>, tensor<2x9x2x8xbf16>,
       tensor<2x9x5xi32>, tensor<2x9xi32>, tensor<2xi32>)
    -> (tensor<2x9x4x8xbf16>, tensor<2x4x9xf32>)
  %j, %e, %t = gsa.select %iq, %ik lengths %n policy <fixed, base = 5>
    : (tensor<2x9x2x4xbf16>, tensor<2x9x4xbf16>, tensor<2xi32>)
    -> (tensor<2x9x5xi32>, tensor<2x9xi32>, tensor<2x9xi32>)
  %2, %lse_2 = gsa.gather_attention %q, %k, %v indices %j, %e
    : (tensor<2x9x4x8xbf16>, tensor<2x9x2x8xbf16>, tensor<2x9x2x8xbf16>,
       tensor<2x9x5xi32>, tensor<2x9xi32>)
    -> (tensor<2x9x4x8xbf16>, tensor<2x4x9xf32>)
  return %0, %1, %2
    : tensor<2x9x4x8xbf16>, tensor<2x9x4x8xbf16>, tensor<2x9x4x8xbf16>
}
