// RUN: gsa-opt %s --gsa-cpu-schedule | FileCheck %s
// RUN: gsa-opt %s --gsa-cpu-schedule --remarks-filter="gsa.*" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: gsa-opt %s --gsa-to-cpu="entry=wide_query tasks=2" -o %t

// Attention loops are unrolled over a head: compiling heads of 2^32 elements
// would not end. Such an op gets no schedule and runs by its definition.

// CHECK-LABEL: @wide_query
// CHECK-NOT: gsa.schedule
// REMARK: [Missed] NotScheduled
// REMARK-SAME: gsa.gather_attention: head size 4294967296 > 2048: loops are unrolled over its elements
func.func @wide_query(%q: tensor<1x3x4x4294967296xf32>,
                      %k: tensor<1x5x2x4294967296xf32>,
                      %v: tensor<1x5x2x6xf32>, %i: tensor<1x3x7xi32>,
                      %c: tensor<1x3xi32>)
    -> (tensor<1x3x4x6xf32>, tensor<1x4x3xf32>) {
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<1x3x4x4294967296xf32>, tensor<1x5x2x4294967296xf32>,
       tensor<1x5x2x6xf32>, tensor<1x3x7xi32>, tensor<1x3xi32>)
    -> (tensor<1x3x4x6xf32>, tensor<1x4x3xf32>)
  return %0#0, %0#1 : tensor<1x3x4x6xf32>, tensor<1x4x3xf32>
}

// CHECK-LABEL: @wide_value
// CHECK-NOT: gsa.schedule
// REMARK: [Missed] NotScheduled
// REMARK-SAME: gsa.dense_attention: head size 2049 > 2048
func.func private @wide_value(%q: tensor<1x3x4x8xf32>, %k: tensor<1x5x2x8xf32>,
                              %v: tensor<1x5x2x2049xf32>)
    -> tensor<1x3x4x2049xf32> {
  %0:2 = gsa.dense_attention %q, %k, %v
    : (tensor<1x3x4x8xf32>, tensor<1x5x2x8xf32>, tensor<1x5x2x2049xf32>)
    -> (tensor<1x3x4x2049xf32>, tensor<1x4x3xf32>)
  return %0#0 : tensor<1x3x4x2049xf32>
}

// CHECK-LABEL: @widest
// CHECK: gsa.schedule
// REMARK: [Passed] Scheduled
func.func private @widest(%q: tensor<1x3x4x2048xf32>, %k: tensor<1x5x2x2048xf32>)
    -> tensor<1x3x4x2048xf32> {
  %0:2 = gsa.dense_attention %q, %k, %k
    : (tensor<1x3x4x2048xf32>, tensor<1x5x2x2048xf32>,
       tensor<1x5x2x2048xf32>)
    -> (tensor<1x3x4x2048xf32>, tensor<1x4x3xf32>)
  return %0#0 : tensor<1x3x4x2048xf32>
}
