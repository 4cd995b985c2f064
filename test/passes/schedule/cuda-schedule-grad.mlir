// How gradients of attention over lists run: by unions where blocks of several
// queries fill the GPU and it multiplies by warpgroups, by query elsewhere.

// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_90a --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %t --gsa-cuda-schedule=arch=sm_90a | FileCheck %s
// RUN: gsa-opt %s --gsa-cuda-schedule=arch=sm_80 --remarks-filter="gsa.schedule" -o %t.80 2>&1 | FileCheck %s --check-prefix=AMPERE
// RUN: FileCheck %s --input-file %t.80 --check-prefix=BY-QUERY
// BY-QUERY-NOT: union_grad_schedule

// 32 queries of 4 heads are the rows of two warpgroups.
// CHECK-LABEL: @shared(
// CHECK: gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 32, groups = 2, key_stages = 2, value_stages = 1, producers = 4, table = 16384, chunk = {{[0-9]+}}, per_query = <engine = mma_sync, block_k = 16, columns = 64>>
// REMARK: [Missed] Costlier {{.*}}#gsa.gather_grad_schedule<{{.*}}best_us={{[0-9.]+}}, cost_us={{[0-9.]+}}
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention_grad heuristic #gsa.union_grad_schedule<
// AMPERE: [Missed] NoCandidate {{.*}}#gsa.union_grad_schedule: engine wgmma needs sm_90a, not sm_80
// AMPERE: [Passed] Scheduled {{.*}}gsa.gather_attention_grad heuristic #gsa.gather_grad_schedule<
func.func @shared(%q: tensor<1x8192x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %v: tensor<1x8192x8x128xbf16>, %i: tensor<1x8192x2048xi32>, %c: tensor<1x8192xi32>,
    %o: tensor<1x8192x32x128xbf16>, %l: tensor<1x32x8192xf32>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>) {
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
    : (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x2048xi32>, tensor<1x8192xi32>, tensor<1x8192x32x128xbf16>,
       tensor<1x32x8192xf32>, tensor<1x32x8192xf32>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>
}

// Values that are wider than keys: one group makes both sums.
// CHECK-LABEL: @values(
// CHECK: gsa.schedule = #gsa.union_grad_schedule<engine = wgmma, queries = 16, key_stages =
func.func @values(%q: tensor<1x8192x32x64xbf16>, %k: tensor<1x8192x8x64xbf16>,
    %v: tensor<1x8192x8x128xbf16>, %i: tensor<1x8192x512xi32>, %c: tensor<1x8192xi32>,
    %o: tensor<1x8192x32x128xbf16>, %l: tensor<1x32x8192xf32>)
    -> (tensor<1x8192x32x64xbf16>, tensor<1x8192x8x64xbf16>, tensor<1x8192x8x128xbf16>) {
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
    : (tensor<1x8192x32x64xbf16>, tensor<1x8192x8x64xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x512xi32>, tensor<1x8192xi32>, tensor<1x8192x32x128xbf16>,
       tensor<1x32x8192xf32>, tensor<1x32x8192xf32>)
    -> (tensor<1x8192x32x64xbf16>, tensor<1x8192x8x64xbf16>, tensor<1x8192x8x128xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x8192x32x64xbf16>, tensor<1x8192x8x64xbf16>, tensor<1x8192x8x128xbf16>
}

// CHECK-LABEL: @few(
// REMARK: [Missed] NoCandidate {{.*}}#gsa.union_grad_schedule: 32 blocks of 16 queries < 2 x 132 SMs: too few to fill the device
// CHECK: gsa.schedule = #gsa.gather_grad_schedule<engine = mma_sync, block_k = 16, columns = 64>
func.func @few(%q: tensor<1x64x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %v: tensor<1x8192x8x128xbf16>, %i: tensor<1x64x2048xi32>, %c: tensor<1x64xi32>,
    %o: tensor<1x64x32x128xbf16>, %l: tensor<1x32x64xf32>)
    -> (tensor<1x64x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>) {
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
    : (tensor<1x64x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x64x2048xi32>, tensor<1x64xi32>, tensor<1x64x32x128xbf16>,
       tensor<1x32x64xf32>, tensor<1x32x64xf32>)
    -> (tensor<1x64x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>)
  return %0#0, %0#1, %0#2 : tensor<1x64x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>
}

// CHECK-LABEL: @floats(
// CHECK: gsa.schedule = #gsa.gather_grad_schedule<engine = fma, block_k = 16, columns = 64>
func.func @floats(%q: tensor<1x8192x32x128xf32>, %k: tensor<1x8192x8x128xf32>,
    %v: tensor<1x8192x8x128xf32>, %i: tensor<1x8192x256xi32>, %c: tensor<1x8192xi32>,
    %o: tensor<1x8192x32x128xf32>, %l: tensor<1x32x8192xf32>)
    -> (tensor<1x8192x32x128xf32>, tensor<1x8192x8x128xf32>, tensor<1x8192x8x128xf32>) {
  %0:3 = gsa.gather_attention_grad %q, %k, %v indices %i, %c output_grad %o
      lse %l row_sums %l
    : (tensor<1x8192x32x128xf32>, tensor<1x8192x8x128xf32>, tensor<1x8192x8x128xf32>,
       tensor<1x8192x256xi32>, tensor<1x8192xi32>, tensor<1x8192x32x128xf32>,
       tensor<1x32x8192xf32>, tensor<1x32x8192xf32>)
    -> (tensor<1x8192x32x128xf32>, tensor<1x8192x8x128xf32>, tensor<1x8192x8x128xf32>)
  return %0#0, %0#1, %0#2 : tensor<1x8192x32x128xf32>, tensor<1x8192x8x128xf32>, tensor<1x8192x8x128xf32>
}
