// RUN: gsa-opt %s --gsa-cpu-schedule="tasks=3 vector-bits=512" | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: gsa-opt %s --gsa-cpu-schedule="tasks=3 vector-bits=256" | FileCheck %s --check-prefixes=CHECK,NARROW
// RUN: gsa-opt %s --gsa-cpu-schedule="tasks=3 vector-bits=512" --gsa-cpu-schedule="tasks=7 vector-bits=128" | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: gsa-opt %s --gsa-cpu-schedule=tasks=3 --remarks-filter="gsa.*" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: not gsa-opt %s --gsa-cpu-schedule=tasks=0 2>&1 | FileCheck %s --check-prefix=TASKS
// RUN: not gsa-opt %s --gsa-cpu-schedule=vector-bits=500 2>&1 | FileCheck %s --check-prefix=BITS

// TASKS: error: gsa-cpu-schedule: expected 'tasks' in [1, 4096], got 0
// BITS: error: gsa-cpu-schedule: expected 'vector-bits' to be a power of two in [32, 2048], got 500

// REMARK: remark: [Passed] Scheduled | Category:gsa.schedule
// REMARK-SAME: Remark="gsa.select heuristic"
// REMARK-SAME: lanes=16, rows=8, tasks=3, vectors=2

// A choice for each op, of as many lanes as the accumulator (f32 for bf16, f64
// for f64) has in a register; running the pass again changes nothing.

// CHECK-LABEL: @select(
// WIDE: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 16, rows = 8, vectors = 2>
// NARROW: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 8, rows = 4, vectors = 2>
func.func @select(%q: tensor<1x64x2x4xbf16>, %k: tensor<1x64x4xbf16>)
    -> (tensor<1x64x5xi32>, tensor<1x64xi32>, tensor<1x64xi32>) {
  %0:3 = gsa.select %q, %k policy <fixed, base = 5>
    : (tensor<1x64x2x4xbf16>, tensor<1x64x4xbf16>)
    -> (tensor<1x64x5xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  return %0#0, %0#1, %0#2 : tensor<1x64x5xi32>, tensor<1x64xi32>, tensor<1x64xi32>
}

// Fewer queries than rows of the widest tile: more vectors, at most four.

// CHECK-LABEL: @decode(
// WIDE: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 8, rows = 1, vectors = 4>
// NARROW: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 4, rows = 1, vectors = 4>
func.func @decode(%q: tensor<1x1x2x4xf64>, %k: tensor<1x64x4xf64>) -> tensor<1x1x64xf64> {
  %0 = gsa.index_scores %q, %k : (tensor<1x1x2x4xf64>, tensor<1x64x4xf64>) -> tensor<1x1x64xf64>
  return %0 : tensor<1x1x64xf64>
}

// What was written by hand stays.

// CHECK-LABEL: @explicit(
// CHECK: gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 3>
func.func @explicit(%q: tensor<1x9x2x4xf32>, %k: tensor<1x9x4xf32>) -> tensor<1x9x9xf32> {
  %0 = gsa.index_scores %q, %k {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 3>}
    : (tensor<1x9x2x4xf32>, tensor<1x9x4xf32>) -> tensor<1x9x9xf32>
  return %0 : tensor<1x9x9xf32>
}

// CHECK-LABEL: @dynamic(
// CHECK: gsa.schedule = #gsa.cpu_schedule<tasks = 3
func.func @dynamic(%q: tensor<?x?x2x4xf32>, %k: tensor<?x?x4xf32>) -> tensor<?x?x?xf32> {
  %0 = gsa.index_scores %q, %k : (tensor<?x?x2x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// Half of the registers are accumulators: of two heads that share keys, and of
// rows of a dense block.

// CHECK-LABEL: @attention(
// CHECK: gsa.gather_attention
// WIDE-SAME: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 16, rows = 2, vectors = 8>
// NARROW-SAME: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 8, rows = 2, vectors = 4>
// CHECK: gsa.dense_attention
// WIDE-SAME: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 16, rows = 8, vectors = 2, block_rows = 64>
// NARROW-SAME: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 8, rows = 4, vectors = 2, block_rows = 64>
func.func @attention(%q: tensor<1x9x4x8xf32>, %k: tensor<1x9x2x8xf32>, %v: tensor<1x9x2x8xf32>,
                     %i: tensor<1x9x3xi32>, %c: tensor<1x9xi32>)
    -> (tensor<1x9x4x8xf32>, tensor<1x9x4x8xf32>) {
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<1x9x4x8xf32>, tensor<1x9x2x8xf32>, tensor<1x9x2x8xf32>, tensor<1x9x3xi32>, tensor<1x9xi32>)
    -> (tensor<1x9x4x8xf32>, tensor<1x4x9xf32>)
  %1:2 = gsa.dense_attention %q, %k, %v
    : (tensor<1x9x4x8xf32>, tensor<1x9x2x8xf32>, tensor<1x9x2x8xf32>)
    -> (tensor<1x9x4x8xf32>, tensor<1x4x9xf32>)
  return %0#0, %1#0 : tensor<1x9x4x8xf32>, tensor<1x9x4x8xf32>
}

// Of six heads that share keys four are taken together; of sizes that are not
// known, one.

// CHECK-LABEL: @many_heads(
// WIDE: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 16, rows = 4, vectors = 4>
// NARROW: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 8, rows = 4, vectors = 2>
// WIDE: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 16, rows = 1, vectors = 8>
// NARROW: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 8, rows = 1, vectors = 8>
func.func @many_heads(%q: tensor<1x9x12x8xbf16>, %k: tensor<1x9x2x8xbf16>,
                      %i: tensor<1x9x3xi32>, %c: tensor<1x9xi32>,
                      %dq: tensor<1x9x?x8xbf16>, %dk: tensor<1x9x?x8xbf16>)
    -> (tensor<1x9x12x8xbf16>, tensor<1x9x?x8xbf16>) {
  %0:2 = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x9x12x8xbf16>, tensor<1x9x2x8xbf16>, tensor<1x9x2x8xbf16>, tensor<1x9x3xi32>, tensor<1x9xi32>)
    -> (tensor<1x9x12x8xbf16>, tensor<1x12x9xf32>)
  %1:2 = gsa.gather_attention %dq, %dk, %dk indices %i, %c
    : (tensor<1x9x?x8xbf16>, tensor<1x9x?x8xbf16>, tensor<1x9x?x8xbf16>, tensor<1x9x3xi32>, tensor<1x9xi32>)
    -> (tensor<1x9x?x8xbf16>, tensor<1x?x9xf32>)
  return %0#0, %1#0 : tensor<1x9x12x8xbf16>, tensor<1x9x?x8xbf16>
}

// Ops without a choice to make get no schedule.

// CHECK-LABEL: @other(
// CHECK-NOT: gsa.schedule
func.func @other(%x: tensor<1x2x2x4xf32>, %g: tensor<1x2x2x4xf32>) -> tensor<1x2x2x4xf32> {
  %0 = gsa.gate %x, %g : (tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>) -> tensor<1x2x2x4xf32>
  return %0 : tensor<1x2x2x4xf32>
}

// The cache blocks of attention are in the schedule too, and one that is
// written by hand is kept.

// CHECK-LABEL: func @blocks
func.func @blocks(%q: tensor<1x32x4x16xf32>, %k: tensor<1x32x2x16xf32>)
    -> (tensor<1x32x4x16xf32>, tensor<1x32x4x16xf32>) {
  // CHECK: gsa.dense_attention
  // CHECK-SAME: block_rows = 64>
  %0, %l0 = gsa.dense_attention %q, %k, %k
      : (tensor<1x32x4x16xf32>, tensor<1x32x2x16xf32>, tensor<1x32x2x16xf32>)
      -> (tensor<1x32x4x16xf32>, tensor<1x4x32xf32>)
  // CHECK: gsa.dense_attention
  // CHECK-SAME: vectors = 2, block_rows = 8, block_keys = 32, value_vectors = 2>
  %1, %l1 = gsa.dense_attention %q, %k, %k
      {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 4,
                                        vectors = 2, block_rows = 8,
                                        block_keys = 32, value_vectors = 2>}
      : (tensor<1x32x4x16xf32>, tensor<1x32x2x16xf32>, tensor<1x32x2x16xf32>)
      -> (tensor<1x32x4x16xf32>, tensor<1x4x32xf32>)
  return %0, %1 : tensor<1x32x4x16xf32>, tensor<1x32x4x16xf32>
}
