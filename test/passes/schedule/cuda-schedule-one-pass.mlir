// Why a select has its scores in memory: a reason for each op, and both costs
// where one pass is legal.

// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t

// REMARK: [Missed] NoCandidate {{.*}}#gsa.one_pass_schedule: keys 4096 < 4 x {{[0-9]+}} candidates: scores in memory are faster
// CHECK-LABEL: @short_rows(
// CHECK: gsa.schedule = #gsa.select_schedule<
func.func @short_rows(%q: tensor<1x4096x4x64xbf16>, %k: tensor<1x4096x64xbf16>)
    -> tensor<1x4096x512xi32> {
  %0:3 = gsa.select %q, %k policy <fixed, base = 512>
    : (tensor<1x4096x4x64xbf16>, tensor<1x4096x64xbf16>)
    -> (tensor<1x4096x512xi32>, tensor<1x4096xi32>, tensor<1x4096xi32>)
  return %0#0 : tensor<1x4096x512xi32>
}

// REMARK: [Missed] NoCandidate {{.*}}#gsa.one_pass_schedule: candidates of a row {{[0-9]+}} > 16384
// CHECK-LABEL: @many_slots(
// CHECK: gsa.schedule = #gsa.select_schedule<
func.func @many_slots(%q: tensor<1x64x4x64xf16>, %k: tensor<1x1048576x64xf16>)
    -> tensor<1x64x14000xi32> {
  %0:3 = gsa.select %q, %k policy <fixed, base = 14000>
    : (tensor<1x64x4x64xf16>, tensor<1x1048576x64xf16>)
    -> (tensor<1x64x14000xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0 : tensor<1x64x14000xi32>
}

// REMARK: [Missed] NoCandidate {{.*}}#gsa.one_pass_schedule: one pass has kernels for elements of f16 and bf16, got f32; use #gsa.select_schedule
// CHECK-LABEL: @f32(
// CHECK: gsa.schedule = #gsa.select_schedule<
func.func @f32(%q: tensor<1x4096x4x64xf32>, %k: tensor<1x131072x64xf32>)
    -> tensor<1x4096x2048xi32> {
  %0:3 = gsa.select %q, %k policy <fixed, base = 2048>
    : (tensor<1x4096x4x64xf32>, tensor<1x131072x64xf32>)
    -> (tensor<1x4096x2048xi32>, tensor<1x4096xi32>, tensor<1x4096xi32>)
  return %0#0 : tensor<1x4096x2048xi32>
}

// REMARK: [Missed] NoCandidate {{.*}}#gsa.one_pass_schedule: one pass has no kernel for budgets that depend on entropy; use #gsa.select_schedule
// CHECK-LABEL: @entropy(
// CHECK: gsa.schedule = #gsa.select_schedule<
func.func @entropy(%q: tensor<1x4096x4x64xbf16>, %k: tensor<1x131072x64xbf16>)
    -> tensor<1x4096x2048xi32> {
  %0:3 = gsa.select %q, %k policy <entropy, base = 1024, max = 2048>
    : (tensor<1x4096x4x64xbf16>, tensor<1x131072x64xbf16>)
    -> (tensor<1x4096x2048xi32>, tensor<1x4096xi32>, tensor<1x4096xi32>)
  return %0#0 : tensor<1x4096x2048xi32>
}

// REMARK: [Missed] Costlier {{.*}}#gsa.select_schedule<{{.*}}best_us={{[0-9.]+}}, cost_us={{[0-9.]+}}
// CHECK-LABEL: @long_rows(
// CHECK: gsa.schedule = #gsa.one_pass_schedule<
func.func @long_rows(%q: tensor<1x4096x4x64xbf16>, %k: tensor<1x131072x64xbf16>)
    -> tensor<1x4096x2048xi32> {
  %0:3 = gsa.select %q, %k policy <fixed, base = 2048>
    : (tensor<1x4096x4x64xbf16>, tensor<1x131072x64xbf16>)
    -> (tensor<1x4096x2048xi32>, tensor<1x4096xi32>, tensor<1x4096xi32>)
  return %0#0 : tensor<1x4096x2048xi32>
}

// A budget that takes the mean of all rows: scores of what is selected are kept,
// and keys are scored once, by a block of queries less at a time.
// CHECK-LABEL: @mean(
// CHECK: gsa.schedule = #gsa.one_pass_schedule<{{.*}}block_q = 128, {{.*}}chunk = 3968, sm_blocks = 2, keep = true>
func.func @mean(%q: tensor<1x4096x4x64xbf16>, %k: tensor<1x131072x64xbf16>)
    -> tensor<1x4096x2048xi32> {
  %0:3 = gsa.select %q, %k policy <upstream_variance, base = 1366, min = 256, max = 2048>
    : (tensor<1x4096x4x64xbf16>, tensor<1x131072x64xbf16>)
    -> (tensor<1x4096x2048xi32>, tensor<1x4096xi32>, tensor<1x4096xi32>)
  return %0#0 : tensor<1x4096x2048xi32>
}

// More than 1 GiB of them: keys are scored twice.
// CHECK-LABEL: @mean_of_many(
// CHECK: gsa.schedule = #gsa.one_pass_schedule<
// CHECK-NOT: keep = true
func.func @mean_of_many(%q: tensor<2x131072x4x64xbf16>, %k: tensor<2x131072x64xbf16>)
    -> tensor<2x131072x2048xi32> {
  %0:3 = gsa.select %q, %k policy <upstream_variance, base = 1366, min = 256, max = 2048>
    : (tensor<2x131072x4x64xbf16>, tensor<2x131072x64xbf16>)
    -> (tensor<2x131072x2048xi32>, tensor<2x131072xi32>, tensor<2x131072xi32>)
  return %0#0 : tensor<2x131072x2048xi32>
}

// A mean that is given is no mean to be made.
// CHECK-LABEL: @given_mean(
// CHECK: gsa.schedule = #gsa.one_pass_schedule<
// CHECK-NOT: keep = true
func.func @given_mean(%q: tensor<1x4096x4x64xbf16>, %k: tensor<1x131072x64xbf16>,
    %m: tensor<f32>) -> tensor<1x4096x2048xi32> {
  %0:3 = gsa.select %q, %k normaliser %m policy <upstream_variance, base = 1366, min = 256, max = 2048>
    : (tensor<1x4096x4x64xbf16>, tensor<1x131072x64xbf16>, tensor<f32>)
    -> (tensor<1x4096x2048xi32>, tensor<1x4096xi32>, tensor<1x4096xi32>)
  return %0#0 : tensor<1x4096x2048xi32>
}
