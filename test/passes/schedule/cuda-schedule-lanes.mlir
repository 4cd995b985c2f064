// Which functions get lanes: long ones, but where budgets wait for all rows; those
// that a user gave stay.

// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t

// REMARK: [Passed] LanesChosen {{.*}}lanes=2, queries=600
// REMARK: [Missed] LanesRejected {{.*}}budgets wait for a statistic of all rows

// CHECK-LABEL: @long(
// CHECK-SAME: attributes {gsa.lanes = 2 : i64}
func.func @long(%q: tensor<1x600x4x64xbf16>, %k: tensor<1x600x64xbf16>)
    -> tensor<1x600x64xi32> {
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 64>
    : (tensor<1x600x4x64xbf16>, tensor<1x600x64xbf16>)
    -> (tensor<1x600x64xi32>, tensor<1x600xi32>, tensor<1x600xi32>)
  return %i : tensor<1x600x64xi32>
}

// CHECK-LABEL: @short(
// CHECK-NOT: gsa.lanes
// CHECK: return
func.func @short(%q: tensor<1x500x4x64xbf16>, %k: tensor<1x600x64xbf16>)
    -> tensor<1x500x64xi32> {
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 64>
    : (tensor<1x500x4x64xbf16>, tensor<1x600x64xbf16>)
    -> (tensor<1x500x64xi32>, tensor<1x500xi32>, tensor<1x500xi32>)
  return %i : tensor<1x500x64xi32>
}

// CHECK-LABEL: @given(
// CHECK-SAME: attributes {gsa.lanes = 1 : i64}
func.func @given(%q: tensor<1x600x4x64xbf16>, %k: tensor<1x600x64xbf16>)
    -> tensor<1x600x64xi32> attributes {gsa.lanes = 1 : i64} {
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 64>
    : (tensor<1x600x4x64xbf16>, tensor<1x600x64xbf16>)
    -> (tensor<1x600x64xi32>, tensor<1x600xi32>, tensor<1x600xi32>)
  return %i : tensor<1x600x64xi32>
}

// CHECK-LABEL: @statistic(
// CHECK-NOT: gsa.lanes
// CHECK: return
func.func @statistic(%q: tensor<1x600x4x64xbf16>, %k: tensor<1x600x64xbf16>)
    -> tensor<1x600x64xi32> {
  %i, %c, %s = gsa.select %q, %k
    policy <upstream_variance, base = 48, min = 16, max = 64>
    : (tensor<1x600x4x64xbf16>, tensor<1x600x64xbf16>)
    -> (tensor<1x600x64xi32>, tensor<1x600xi32>, tensor<1x600xi32>)
  return %i : tensor<1x600x64xi32>
}
