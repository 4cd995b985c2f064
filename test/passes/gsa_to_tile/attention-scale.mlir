// Online softmax takes a positive scale: for another sign the scores are
// changed, before the mask makes hidden cells -inf.

// RUN: gsa-opt %s --split-input-file --gsa-to-tile --canonicalize --cse | FileCheck %s

#schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16,
    block_k = 16, stages = 1, producers = 0, consumers = 1>

// CHECK-LABEL: gsa_tile.kernel @gather_attention
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[FLIP:.*]] = arith.constant -1.000000e+00 : f32
// CHECK-DAG: %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: gsa_tile.mma_nt %[[SCORES:[^,]*]],
// CHECK-NEXT: gsa_tile.affine %[[SCORES]], %[[FLIP]], %[[ZERO]]
// CHECK-NEXT: arith.addi
// CHECK-NEXT: gsa_tile.listed_rows
// CHECK-NEXT: gsa_tile.mask_rows %[[SCORES]]
// CHECK-NEXT: gsa_tile.softmax_update %[[SCORES]], {{.*}} scale %[[SCALE]]
func.func @negative(%q: tensor<1x3x2x16xbf16>, %k: tensor<1x9x1x16xbf16>,
                    %v: tensor<1x9x1x16xbf16>, %i: tensor<1x3x4xi32>,
                    %c: tensor<1x3xi32>)
    -> (tensor<1x3x2x16xbf16>, tensor<1x2x3xf32>) {
  %o, %l = gsa.gather_attention %q, %k, %v indices %i, %c
      {scale = -0.5, gsa.schedule = #schedule}
      : (tensor<1x3x2x16xbf16>, tensor<1x9x1x16xbf16>, tensor<1x9x1x16xbf16>,
         tensor<1x3x4xi32>, tensor<1x3xi32>)
      -> (tensor<1x3x2x16xbf16>, tensor<1x2x3xf32>)
  return %o, %l : tensor<1x3x2x16xbf16>, tensor<1x2x3xf32>
}

// -----

#schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16,
    block_k = 16, stages = 1, producers = 0, consumers = 1>

// All logits are 0: the scale that remains is 1.
// CHECK-LABEL: gsa_tile.kernel @dense_attention
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK: gsa_tile.affine %[[SCORES:[^,]*]], %[[ZERO]], %[[ZERO]]
// CHECK: gsa_tile.softmax_update %[[SCORES]], {{.*}} scale %[[ONE]]
func.func @zero(%q: tensor<1x9x2x16xbf16>, %k: tensor<1x9x1x16xbf16>,
                %v: tensor<1x9x1x16xbf16>)
    -> (tensor<1x9x2x16xbf16>, tensor<1x2x9xf32>) {
  %o, %l = gsa.dense_attention %q, %k, %v {scale = 0.0, gsa.schedule = #schedule}
      : (tensor<1x9x2x16xbf16>, tensor<1x9x1x16xbf16>, tensor<1x9x1x16xbf16>)
      -> (tensor<1x9x2x16xbf16>, tensor<1x2x9xf32>)
  return %o, %l : tensor<1x9x2x16xbf16>, tensor<1x2x9xf32>
}

// -----

#schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16,
    block_k = 16, stages = 1, producers = 0, consumers = 1>

// CHECK-LABEL: gsa_tile.kernel @dense_attention
// CHECK-NOT: gsa_tile.affine
// CHECK: gsa_tile.softmax_update %[[SCORES:[^,]*]], {{.*}}, %[[SUM:[^,]*]] scale {{.*}} {bounded = true}
// CHECK-NEXT: gsa_tile.softmax_weights %[[SCORES]], %[[SUM]] to
// CHECK: gsa_tile.softmax_finish {{.*}} {bounded = true}
func.func @positive(%q: tensor<1x9x2x16xbf16>, %k: tensor<1x9x1x16xbf16>,
                    %v: tensor<1x9x1x16xbf16>)
    -> (tensor<1x9x2x16xbf16>, tensor<1x2x9xf32>) {
  %o, %l = gsa.dense_attention %q, %k, %v {scale = 2.0, gsa.schedule = #schedule}
      : (tensor<1x9x2x16xbf16>, tensor<1x9x1x16xbf16>, tensor<1x9x1x16xbf16>)
      -> (tensor<1x9x2x16xbf16>, tensor<1x2x9xf32>)
  return %o, %l : tensor<1x9x2x16xbf16>, tensor<1x2x9xf32>
}

// -----

#schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16,
    block_k = 16, stages = 1, producers = 0, consumers = 1>

// scale * log2(e) shall be finite: half the scale of twice the scores. Sums of
// f16 values cannot overflow and are not bounded.
// CHECK-LABEL: gsa_tile.kernel @dense_attention
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[TWICE:.*]] = arith.constant -2.000000e+00 : f32
// CHECK-DAG: %[[HALF:.*]] = arith.constant 1.500000e+38 : f32
// CHECK: gsa_tile.affine %[[SCORES:[^,]*]], %[[TWICE]], %[[ZERO]]
// CHECK: gsa_tile.softmax_update %[[SCORES]], {{.*}} scale %[[HALF]] :
// CHECK-NEXT: gsa_tile.convert %[[SCORES]] to
// CHECK: gsa_tile.softmax_finish {{.*}} scale %[[HALF]] :
func.func @large(%q: tensor<1x9x2x16xf16>, %k: tensor<1x9x1x16xf16>,
                 %v: tensor<1x9x1x16xf16>)
    -> (tensor<1x9x2x16xf16>, tensor<1x2x9xf32>) {
  %o, %l = gsa.dense_attention %q, %k, %v {scale = -3.0e38, gsa.schedule = #schedule}
      : (tensor<1x9x2x16xf16>, tensor<1x9x1x16xf16>, tensor<1x9x1x16xf16>)
      -> (tensor<1x9x2x16xf16>, tensor<1x2x9xf32>)
  return %o, %l : tensor<1x9x2x16xf16>, tensor<1x2x9xf32>
}
