// Rows that see no more keys than their budget, and attention over their lists.

// RUN: gsa-opt %s --gsa-trace-lists --gsa-cuda-schedule=arch=sm_90a --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %t --gsa-cuda-schedule=arch=sm_90a | FileCheck %s
// RUN: gsa-opt %s --gsa-trace-lists --gsa-cuda-schedule=arch=sm_80 | FileCheck %s --check-prefix=AMPERE

// All rows are short.
// CHECK-LABEL: @all(
// CHECK: gsa.select {{.*}}gsa.schedule = #gsa.short_rows_schedule<rows = 16, cells = 16, exact = <scores =
// CHECK: gsa.gather_attention {{.*}}gsa.lists = #gsa.lists<mask = causal, least = 2048>, gsa.schedule = #gsa.dense_schedule<engine = wgmma,
// CHECK-NOT: masked
// AMPERE-LABEL: @all(
// AMPERE: gsa.short_rows_schedule<
// AMPERE: gsa.gather_attention {{.*}}gsa.schedule = #gsa.attention_schedule<
// REMARK: [Passed] TracedLists {{.*}}of=2048, rows=2048
// REMARK: [Passed] TracedLists {{.*}}of=8192, rows=2048
// REMARK: [Missed] Costlier {{.*}}#gsa.select_schedule<
// REMARK: [Passed] Scheduled {{.*}}gsa.select heuristic #gsa.short_rows_schedule<
// REMARK: [Missed] Costlier {{.*}}#gsa.union_schedule<
// REMARK: [Passed] Scheduled {{.*}}gsa.gather_attention heuristic #gsa.dense_schedule<
func.func @all(%q: tensor<1x2048x32x128xbf16>, %k: tensor<1x2048x8x128xbf16>,
    %v: tensor<1x2048x8x128xbf16>, %iq: tensor<1x2048x4x64xbf16>,
    %ik: tensor<1x2048x64xbf16>) -> tensor<1x2048x32x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 2048>
    : (tensor<1x2048x4x64xbf16>, tensor<1x2048x64xbf16>)
    -> (tensor<1x2048x2048xi32>, tensor<1x2048xi32>, tensor<1x2048xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<1x2048x32x128xbf16>, tensor<1x2048x8x128xbf16>, tensor<1x2048x8x128xbf16>,
       tensor<1x2048x2048xi32>, tensor<1x2048xi32>)
    -> (tensor<1x2048x32x128xbf16>, tensor<1x32x2048xf32>)
  return %out : tensor<1x2048x32x128xbf16>
}

// A quarter of them: tiles of all keys, of which strings of bits hide some, cost
// less than unions. Rows of so many scores are read several times.
// CHECK-LABEL: @quarter(
// CHECK: gsa.schedule = #gsa.short_rows_schedule<rows = 16, cells = 0,
// CHECK: gsa.schedule = #gsa.dense_schedule<engine = wgmma, {{.*}}, masked = true>
// REMARK: [Missed] Costlier {{.*}}#gsa.union_schedule<
func.func @quarter(%q: tensor<1x8192x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %v: tensor<1x8192x8x128xbf16>, %iq: tensor<1x8192x4x64xbf16>,
    %ik: tensor<1x8192x64xbf16>) -> tensor<1x8192x32x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 2048>
    : (tensor<1x8192x4x64xbf16>, tensor<1x8192x64xbf16>)
    -> (tensor<1x8192x2048xi32>, tensor<1x8192xi32>, tensor<1x8192xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x2048xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x32x8192xf32>)
  return %out : tensor<1x8192x32x128xbf16>
}

// Too many keys of no list.
// CHECK-LABEL: @long(
// CHECK: gsa.schedule = #gsa.union_schedule<
// REMARK: [Missed] NoCandidate {{.*}}#gsa.dense_schedule: keys 16384 > 5 x 2048 that a row selects: most products would be of others
func.func @long(%q: tensor<1x16384x32x128xbf16>, %k: tensor<1x16384x8x128xbf16>,
    %v: tensor<1x16384x8x128xbf16>, %iq: tensor<1x16384x4x64xbf16>,
    %ik: tensor<1x16384x64xbf16>) -> tensor<1x16384x32x128xbf16> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 2048>
    : (tensor<1x16384x4x64xbf16>, tensor<1x16384x64xbf16>)
    -> (tensor<1x16384x2048xi32>, tensor<1x16384xi32>, tensor<1x16384xi32>)
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<1x16384x32x128xbf16>, tensor<1x16384x8x128xbf16>, tensor<1x16384x8x128xbf16>,
       tensor<1x16384x2048xi32>, tensor<1x16384xi32>)
    -> (tensor<1x16384x32x128xbf16>, tensor<1x32x16384xf32>)
  return %out : tensor<1x16384x32x128xbf16>
}

// Few rows, and budgets that depend on all rows.
// CHECK-LABEL: @scored(
// CHECK-COUNT-2: gsa.schedule = #gsa.select_schedule<
// REMARK: [Missed] NoCandidate {{.*}}#gsa.short_rows_schedule: keys 4096 > 8 x 400 slots: few rows have no choice
// REMARK: [Missed] NoCandidate {{.*}}#gsa.short_rows_schedule: budgets depend on the scores of all rows; use #gsa.select_schedule
func.func @scored(%iq: tensor<1x4096x4x64xbf16>, %ik: tensor<1x4096x64xbf16>)
    -> (tensor<1x4096x400xi32>, tensor<1x4096x3072xi32>) {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 400>
    : (tensor<1x4096x4x64xbf16>, tensor<1x4096x64xbf16>)
    -> (tensor<1x4096x400xi32>, tensor<1x4096xi32>, tensor<1x4096xi32>)
  %j, %d, %t = gsa.select %iq, %ik
      policy <upstream_variance, base = 2048, min = 1024, max = 4096>
    : (tensor<1x4096x4x64xbf16>, tensor<1x4096x64xbf16>)
    -> (tensor<1x4096x3072xi32>, tensor<1x4096xi32>, tensor<1x4096xi32>)
  return %i, %j : tensor<1x4096x400xi32>, tensor<1x4096x3072xi32>
}

// Rows without a choice, but few of them.
// CHECK-LABEL: @few_rows(
// CHECK: gsa.schedule = #gsa.select_schedule<
// REMARK: [Missed] NoCandidate {{.*}}#gsa.short_rows_schedule: rows without a choice 40 < 512: their scores cost less
func.func @few_rows(%iq: tensor<1x100x4x64xbf16>, %ik: tensor<1x100x64xbf16>)
    -> tensor<1x100x40xi32> {
  %i, %c, %s = gsa.select %iq, %ik policy <fixed, base = 40>
    : (tensor<1x100x4x64xbf16>, tensor<1x100x64xbf16>)
    -> (tensor<1x100x40xi32>, tensor<1x100xi32>, tensor<1x100xi32>)
  return %i : tensor<1x100x40xi32>
}
