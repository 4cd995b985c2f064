// RUN: gsa-opt %s --gsa-lower-to-loops --canonicalize --cse --verify-roundtrip | FileCheck %s
// RUN: gsa-opt %s --gsa-lower-to-loops="ops=index_scores" | FileCheck %s --check-prefix=ONLY
// RUN: gsa-opt %s --gsa-lower-to-loops --remarks-filter="gsa.*" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: gsa-opt %s --gsa-cpu-schedule=tasks=2 --gsa-lower-to-loops | FileCheck %s --check-prefix=ALL
// RUN: not gsa-opt %s --gsa-lower-to-loops="ops=selekt" 2>&1 | FileCheck %s --check-prefix=NAME

// NAME: error: gsa-lower-to-loops: option 'ops': expected one of {{.*}}select, {{.*}}, got 'selekt'; did you mean 'select'?

// REMARK: remark: [Passed] LoweredToLoops | Category:gsa.schedule
// REMARK-SAME: Remark=gsa.select

// ALL-NOT: gsa.select
// ALL-NOT: gsa.index_scores

// Many queries: the keys are packed on all tasks, then each task takes blocks
// of rows. Buffers of a task are created in the task, none in a loop of it; no
// buffer has the size Sq * Sk.

// CHECK-LABEL: @many_queries(
// CHECK-NOT: memref<{{.*}}19x21x
// CHECK: %[[KEYS:.*]] = memref.alloc() : memref<2x2x4x16xf32>
// CHECK: scf.parallel (%[[T0:.*]]) = (%c0) to (%c3) step (%c1)
// CHECK-NEXT: scf.for %{{.*}} = %[[T0]] to %c4 step %c3
// CHECK: memref.store %{{.*}}, %[[KEYS]]
// CHECK: {gsa.tasks}
// CHECK: scf.parallel (%[[T1:.*]]) = (%c0) to (%c3) step (%c1)
// CHECK: %[[STRIP:.*]] = memref.alloc() : memref<4x40xf32>
// CHECK: %[[ROW:.*]] = memref.alloc() : memref<40xi32>
// CHECK: scf.for %{{.*}} = %[[T1]] to %c10 step %c3
// CHECK-NOT: memref.alloc
// The tile: 4 rows of 2 vectors.
// CHECK: %{{.*}}:8 = scf.for
// CHECK-COUNT-2: vector.load %[[KEYS]]
// CHECK-COUNT-8: vector.fma {{.*}} : vector<8xf32>
// CHECK: scf.yield
// CHECK-COUNT-8: math.exp {{.*}} : vector<8xf32>
// Row by row: scan, bisection, compaction.
// CHECK: vector.load %[[STRIP]]
// CHECK: vector.store %{{.*}}, %[[ROW]]
// CHECK: vector.reduction <add>
// CHECK: scf.while
// CHECK: vector.load %[[ROW]]
// CHECK: vector.bitcast %{{.*}} : vector<8xi1> to vector<1xi8>
// CHECK: {gsa.tasks}
// CHECK-NOT: gsa.select
// CHECK-COUNT-3: bufferization.to_tensor %{{.*}} restrict writable

// ONLY-LABEL: @many_queries(
// ONLY: gsa.select
func.func @many_queries(%q: tensor<2x19x2x4xbf16>, %k: tensor<2x21x4xbf16>, %w: tensor<2x19x2xbf16>, %b: tensor<2xf32>)
    -> (tensor<2x19x5xi32>, tensor<2x19xi32>, tensor<2x19xi32>) {
  %0:3 = gsa.select %q, %k weights %w bias %b policy <fixed, base = 5>
    {gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 8, rows = 4, vectors = 2>}
    : (tensor<2x19x2x4xbf16>, tensor<2x21x4xbf16>, tensor<2x19x2xbf16>, tensor<2xf32>)
    -> (tensor<2x19x5xi32>, tensor<2x19xi32>, tensor<2x19xi32>)
  return %0#0, %0#1, %0#2 : tensor<2x19x5xi32>, tensor<2x19xi32>, tensor<2x19xi32>
}

// Few queries: tasks share the keys, one panel at a time, then the rows.

// CHECK-LABEL: @few_queries(
// CHECK: %[[STRIP:.*]] = memref.alloc() : memref<4x72xf32>
// CHECK: scf.parallel
// CHECK: {gsa.tasks}
// CHECK: scf.parallel
// CHECK: memref.alloc() : memref<1x1x4x16xf32>
// CHECK: scf.for %{{.*}} = %{{.*}} to %c8 step %c3
// CHECK: vector.store %{{.*}}, %[[STRIP]]
// CHECK: {gsa.tasks}
// CHECK: scf.parallel
// CHECK: scf.for %{{.*}} = %{{.*}} to %c2 step %c3
// CHECK: vector.load %[[STRIP]]
// CHECK: {gsa.tasks}
func.func @few_queries(%q: tensor<2x1x2x4xf32>, %k: tensor<2x61x4xf32>)
    -> (tensor<2x1x5xi32>, tensor<2x1xi32>, tensor<2x1xi32>) {
  %0:3 = gsa.select %q, %k policy <fixed, base = 5>
    {gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 8, rows = 2, vectors = 2>}
    : (tensor<2x1x2x4xf32>, tensor<2x61x4xf32>)
    -> (tensor<2x1x5xi32>, tensor<2x1xi32>, tensor<2x1xi32>)
  return %0#0, %0#1, %0#2 : tensor<2x1x5xi32>, tensor<2x1xi32>, tensor<2x1xi32>
}

// One task: no parallel loop. Without a normaliser the scores are computed
// twice, once for the variances alone, and the mean between them is a loop in
// the order of rows.

// CHECK-LABEL: @two_passes(
// CHECK-NOT: scf.parallel
// CHECK: %[[VARIANCES:.*]] = memref.alloc() : memref<1x19xf32>
// CHECK: vector.fma
// CHECK: memref.store %{{.*}}, %[[VARIANCES]]
// CHECK: memref.load %[[VARIANCES]]
// CHECK: vector.fma
// CHECK: memref.load %[[VARIANCES]]
// CHECK: scf.while
func.func @two_passes(%q: tensor<1x19x2x4xf32>, %k: tensor<1x19x4xf32>)
    -> (tensor<1x19x6xi32>, tensor<1x19xi32>, tensor<1x19xi32>) {
  %0:3 = gsa.select %q, %k policy <upstream_variance, base = 5, max = 6>
    {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 8, rows = 4, vectors = 2>}
    : (tensor<1x19x2x4xf32>, tensor<1x19x4xf32>)
    -> (tensor<1x19x6xi32>, tensor<1x19xi32>, tensor<1x19xi32>)
  return %0#0, %0#1, %0#2 : tensor<1x19x6xi32>, tensor<1x19xi32>, tensor<1x19xi32>
}

// With a normaliser one pass is enough.

// CHECK-LABEL: @one_pass(
// CHECK-NOT: memref<1x19xf32>
// CHECK-COUNT-2: = scf.for
// CHECK: scf.while
func.func @one_pass(%q: tensor<1x19x2x4xf32>, %k: tensor<1x19x4xf32>, %n: tensor<f32>)
    -> (tensor<1x19x6xi32>, tensor<1x19xi32>, tensor<1x19xi32>) {
  %0:3 = gsa.select %q, %k normaliser %n policy <upstream_variance, base = 5, max = 6>
    {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 8, rows = 4, vectors = 2>}
    : (tensor<1x19x2x4xf32>, tensor<1x19x4xf32>, tensor<f32>)
    -> (tensor<1x19x6xi32>, tensor<1x19xi32>, tensor<1x19xi32>)
  return %0#0, %0#1, %0#2 : tensor<1x19x6xi32>, tensor<1x19xi32>, tensor<1x19xi32>
}

// Keys as wide as the accumulator.

// CHECK-LABEL: @double(
// CHECK: memref.alloc() : memref<{{.*}}xi64>
// CHECK: arith.bitcast {{.*}} : vector<4xf64> to vector<4xi64>
func.func @double(%q: tensor<1x9x2x4xf64>, %k: tensor<1x9x4xf64>)
    -> (tensor<1x9x3xi32>, tensor<1x9xi32>, tensor<1x9xi32>) {
  %0:3 = gsa.select %q, %k policy <fixed, base = 3>
    {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x9x2x4xf64>, tensor<1x9x4xf64>)
    -> (tensor<1x9x3xi32>, tensor<1x9xi32>, tensor<1x9xi32>)
  return %0#0, %0#1, %0#2 : tensor<1x9x3xi32>, tensor<1x9xi32>, tensor<1x9xi32>
}

// CHECK-LABEL: @scores(
// CHECK-NOT: gsa.index_scores
// CHECK: %[[OUT:.*]] = memref.alloc() : memref<1x9x9xf32>
// CHECK: vector.fma
// CHECK: memref.store %{{.*}}, %[[OUT]]
// CHECK: %[[R:.*]] = bufferization.to_tensor %[[OUT]] restrict writable
// CHECK: return %[[R]]

// ONLY-LABEL: @scores(
// ONLY-NOT: gsa.index_scores
// ONLY: bufferization.to_tensor
func.func @scores(%q: tensor<1x9x2x4xf32>, %k: tensor<1x9x4xf32>) -> tensor<1x9x9xf32> {
  %0 = gsa.index_scores %q, %k {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x9x2x4xf32>, tensor<1x9x4xf32>) -> tensor<1x9x9xf32>
  return %0 : tensor<1x9x9xf32>
}

// Without a schedule nothing happens.

// CHECK-LABEL: @unscheduled(
// CHECK-NEXT: gsa.index_scores
// CHECK-NEXT: return
func.func @unscheduled(%q: tensor<1x9x2x4xf32>, %k: tensor<1x9x4xf32>) -> tensor<1x9x9xf32> {
  %0 = gsa.index_scores %q, %k : (tensor<1x9x2x4xf32>, tensor<1x9x4xf32>) -> tensor<1x9x9xf32>
  return %0 : tensor<1x9x9xf32>
}
