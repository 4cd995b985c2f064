// Schedules that were measured come before what the model says, and behind what
// the op says. A record is for a class of shapes.

// RUN: gsa-opt %s --gsa-cuda-schedule="database=%S/Inputs/tuned.jsonl" --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %s --gsa-cuda-schedule="arch=sm_90a shipped=false" | FileCheck %s --check-prefix=MODEL
// RUN: gsa-opt %s --gsa-to-cuda="database=%S/Inputs/tuned.jsonl stop-after=schedule entry=measured" | FileCheck %s --check-prefix=PIPELINE
// PIPELINE: #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 32, stages = 2,
// RUN: not gsa-opt %s --gsa-cuda-schedule="database=%S/Inputs/wrong.jsonl" 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: error: gsa-cuda-schedule: database of schedules: {{.*}}wrong.jsonl:2: "queries": expected a power of two, got 8000; nearest: 8192
// RUN: not gsa-opt %s --gsa-cuda-schedule="database=%t.none" 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: gsa-cuda-schedule: database of schedules: {{.*}}.none: No such file or directory

// 8000 is of the class of 8192.
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention user database {{.*}}tuned.jsonl:1 #gsa.attention_schedule<
// CHECK-LABEL: @measured(
// CHECK: gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 32, stages = 2, producers = 4, consumers = 2>
// MODEL-LABEL: @measured(
// MODEL: gsa.schedule = #gsa.union_schedule<
func.func @measured(%q: tensor<1x8000x32x128xbf16>, %k: tensor<1x8000x8x128xbf16>,
    %i: tensor<1x8000x512xi32>, %c: tensor<1x8000xi32>)
    -> tensor<1x8000x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x8000x32x128xbf16>, tensor<1x8000x8x128xbf16>,
       tensor<1x8000x8x128xbf16>, tensor<1x8000x512xi32>, tensor<1x8000xi32>)
    -> (tensor<1x8000x32x128xbf16>, tensor<1x32x8000xf32>)
  return %out : tensor<1x8000x32x128xbf16>
}

// What is not legal for the op is passed over, and said.
// REMARK: [Missed] RecordRejected {{.*}}tuned.jsonl:3: shared memory {{[0-9]+}} > 232448 bytes on sm_90a
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention heuristic #gsa.union_schedule<
// CHECK-LABEL: @too_large(
// CHECK: gsa.schedule = #gsa.union_schedule<
func.func @too_large(%q: tensor<1x8192x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %i: tensor<1x8192x256xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x8x128xbf16>, tensor<1x8192x256xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x32x8192xf32>)
  return %out : tensor<1x8192x32x128xbf16>
}

// Half as many queries are another class.
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention heuristic #gsa.union_schedule<
// CHECK-LABEL: @other_class(
// CHECK: gsa.schedule = #gsa.union_schedule<
func.func @other_class(%q: tensor<1x4096x32x128xbf16>, %k: tensor<1x4096x8x128xbf16>,
    %i: tensor<1x4096x512xi32>, %c: tensor<1x4096xi32>)
    -> tensor<1x4096x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x4096x32x128xbf16>, tensor<1x4096x8x128xbf16>,
       tensor<1x4096x8x128xbf16>, tensor<1x4096x512xi32>, tensor<1x4096xi32>)
    -> (tensor<1x4096x32x128xbf16>, tensor<1x32x4096xf32>)
  return %out : tensor<1x4096x32x128xbf16>
}

// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention given #gsa.attention_schedule<
// CHECK-LABEL: @given(
// CHECK: gsa.schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64,
func.func @given(%q: tensor<1x8192x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %i: tensor<1x8192x512xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c {gsa.schedule =
      #gsa.attention_schedule<engine = mma_sync, block_q = 16, block_k = 64,
                              stages = 2, producers = 4, consumers = 4>}
    : (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x8x128xbf16>, tensor<1x8192x512xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x32x8192xf32>)
  return %out : tensor<1x8192x32x128xbf16>
}
