// Schedules that have no kernel for a number of keys that the device alone
// knows say so, and another one is taken.

// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %t --gsa-cuda-schedule=arch=sm_90a | FileCheck %s

// Without lengths these share keys, and are selected in one pass.
// CHECK-LABEL: @none(
// CHECK: gsa.select {{.*}} #gsa.one_pass_schedule<
// CHECK: gsa.gather_attention {{.*}} #gsa.union_schedule<
func.func @none(%iq: tensor<1x65536x4x64xbf16>, %ik: tensor<1x65536x64xbf16>,
    %q: tensor<1x65536x32x128xbf16>, %k: tensor<1x65536x8x128xbf16>)
    -> tensor<1x65536x32x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 2048>
    : (tensor<1x65536x4x64xbf16>, tensor<1x65536x64xbf16>)
    -> (tensor<1x65536x2048xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x65536x32x128xbf16>, tensor<1x65536x8x128xbf16>,
       tensor<1x65536x8x128xbf16>, tensor<1x65536x2048xi32>,
       tensor<1x65536xi32>)
    -> (tensor<1x65536x32x128xbf16>, tensor<1x32x65536xf32>)
  return %out : tensor<1x65536x32x128xbf16>
}

// CHECK-LABEL: @lengths(
// CHECK: gsa.select {{.*}} lengths {{.*}}gsa.schedule = #gsa.select_schedule<
// CHECK: gsa.gather_attention {{.*}} lengths {{.*}}gsa.schedule = #gsa.attention_schedule<
// REMARK: [Missed] NoCandidate {{.*}}#gsa.one_pass_schedule: #gsa.one_pass_schedule has no kernel for a number of keys that the device alone knows
// REMARK: [Passed] Scheduled {{.*}}gsa.select heuristic #gsa.select_schedule<
// REMARK: [Missed] NoCandidate {{.*}}#gsa.union_schedule: #gsa.union_schedule has no kernel for a number of keys that the device alone knows
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention heuristic #gsa.attention_schedule<
func.func @lengths(%iq: tensor<1x65536x4x64xbf16>, %ik: tensor<1x65536x64xbf16>,
    %q: tensor<1x65536x32x128xbf16>, %k: tensor<1x65536x8x128xbf16>,
    %n: tensor<1xi32>) -> tensor<1x65536x32x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik lengths %n policy <fixed, base = 2048>
    : (tensor<1x65536x4x64xbf16>, tensor<1x65536x64xbf16>, tensor<1xi32>)
    -> (tensor<1x65536x2048xi32>, tensor<1x65536xi32>, tensor<1x65536xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c lengths %n
    : (tensor<1x65536x32x128xbf16>, tensor<1x65536x8x128xbf16>,
       tensor<1x65536x8x128xbf16>, tensor<1x65536x2048xi32>,
       tensor<1x65536xi32>, tensor<1xi32>)
    -> (tensor<1x65536x32x128xbf16>, tensor<1x32x65536xf32>)
  return %out : tensor<1x65536x32x128xbf16>
}

// A schedule is for the keys of a range: tiles are no larger.
// CHECK-LABEL: @range(
// CHECK: gsa.partial_attention {{.*}}gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 64, block_k = 16, stages = 2,
func.func @range(%q: tensor<1x256x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>)
    -> tensor<1x256x32x128xf32> {
  %out, %lse = gsa.partial_attention %q, %k, %k first 8170 size 100
      {mask = #gsa.mask<none>}
    : (tensor<1x256x32x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x8x128xbf16>)
    -> (tensor<1x256x32x128xf32>, tensor<1x32x256xf32>)
  return %out : tensor<1x256x32x128xf32>
}
