// RUN: gsa-opt %s --gsa-decompose --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-decompose --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=NONE

// The structure of each definition: which loops, which comparison, which
// constant. What they compute is checked by running them (test/run).

// NONE-NOT: gsa.{{[a-z]}}

// Scores: a dot product per head inside the sum over heads, only where the
// mask shows the key; -inf elsewhere.
// CHECK-LABEL: @index_scores
func.func @index_scores(%q: tensor<2x3x4x8xbf16>, %k: tensor<2x5x8xbf16>,
                        %w: tensor<2x3x4xbf16>, %b: tensor<4xf32>)
    -> tensor<2x3x5xf32> {
  // CHECK: tensor.empty() : tensor<2x3x5xf32>
  // CHECK: linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel"]
  // CHECK: %[[VISIBLE:.*]] = arith.cmpi
  // CHECK: scf.if %[[VISIBLE]] -> (f32)
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: arith.extf %{{.*}} : bf16 to f32
  // CHECK: arith.extf %{{.*}} : bf16 to f32
  // CHECK: arith.mulf {{.*}} : f32
  // CHECK: arith.constant 0.353553385 : f32
  // CHECK: math.exp
  // CHECK: } else {
  // CHECK: arith.constant 0xFF800000 : f32
  %0 = gsa.index_scores %q, %k weights %w bias %b
    : (tensor<2x3x4x8xbf16>, tensor<2x5x8xbf16>, tensor<2x3x4xbf16>,
       tensor<4xf32>) -> tensor<2x3x5xf32>
  return %0 : tensor<2x3x5xf32>
}

// -----

// f64 data accumulates in f64; without a sigmoid there is no exponential.
// CHECK-LABEL: @index_scores_f64
func.func @index_scores_f64(%q: tensor<2x3x4x8xf64>, %k: tensor<2x5x8xf64>)
    -> tensor<2x3x5xf64> {
  // CHECK-NOT: f32
  // CHECK-NOT: math.exp
  // CHECK: arith.mulf {{.*}} : f64
  // CHECK: arith.maxim
  // CHECK: return
  %0 = gsa.index_scores %q, %k {
      score_activation = #gsa.score_activation<relu>, mask = #gsa.mask<none>}
    : (tensor<2x3x4x8xf64>, tensor<2x5x8xf64>) -> tensor<2x3x5xf64>
  return %0 : tensor<2x3x5xf64>
}

// -----

// Variance in two passes; which cells count is seen in the divisor.
// CHECK-LABEL: @row_variance
func.func @row_variance(%s: tensor<2x3x5xf32>)
    -> (tensor<2x3xf32>, tensor<2x3xi32>) {
  // Visible cells: an ordered comparison with -inf, so NaN is not visible.
  // CHECK: scf.for {{.*}} -> (i32)
  // CHECK: arith.constant 0xFF800000 : f32
  // CHECK: arith.cmpf ogt
  // In f64: scores near the largest f32 have sums too.
  // CHECK: scf.for {{.*}} -> (f64)
  // CHECK: arith.extf %{{.*}} : f32 to f64
  // CHECK: %[[MEAN:.*]] = arith.divf {{.*}} : f64
  // CHECK: scf.for {{.*}} -> (f64)
  // CHECK: arith.subf %{{.*}}, %[[MEAN]] : f64
  // CHECK: arith.truncf %{{.*}} : f64 to f32
  %0:2 = gsa.row_statistics %s
    : (tensor<2x3x5xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return %0#0, %0#1 : tensor<2x3xf32>, tensor<2x3xi32>
}

// -----

// CHECK-LABEL: @row_entropy
func.func @row_entropy(%s: tensor<2x3x5xf64>)
    -> (tensor<2x3xf64>, tensor<2x3xi32>) {
  // CHECK: math.exp
  // CHECK: arith.constant 1.000000e-10 : f64
  // CHECK: math.log
  // CHECK: arith.negf
  %0:2 = gsa.row_statistics %s {statistic = #gsa.statistic<entropy>}
    : (tensor<2x3x5xf64>) -> (tensor<2x3xf64>, tensor<2x3xi32>)
  return %0#0, %0#1 : tensor<2x3xf64>, tensor<2x3xi32>
}

// -----

// Only finite values count: x - x is ordered only for those.
// CHECK-LABEL: @stat_mean
func.func @stat_mean(%v: tensor<?x?xf32>) -> tensor<f32> {
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: %[[D:.*]] = arith.subf %[[X:.*]], %[[X]]
  // CHECK: arith.cmpf ord, %[[D]], %[[X]]
  // CHECK: arith.divf {{.*}} : f64
  %0 = gsa.stat_mean %v : (tensor<?x?xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// A fixed budget is the smaller of base and the visible keys.
// CHECK-LABEL: @fixed
func.func @fixed(%n: tensor<2x3xi32>) -> tensor<2x3xi32> {
  // CHECK: %[[BASE:.*]] = arith.constant 7 : i32
  // CHECK: arith.minsi %[[BASE]], %{{.*}} : i32
  // CHECK-NOT: f32
  // CHECK: return
  %0 = gsa.adaptive_k %n policy <fixed, base = 7>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// -----

// maxnumf and minnumf return the number where the other side is NaN.
// CHECK-LABEL: @upstream_variance
func.func @upstream_variance(%n: tensor<2x3xi32>, %v: tensor<2x3xf32>,
                             %m: tensor<f32>) -> tensor<2x3xi32> {
  // CHECK-DAG: arith.constant 9.99999993E-9 : f32
  // CHECK-DAG: arith.constant 5.000000e-01 : f32
  // CHECK: %[[LOW:.*]] = arith.constant 2.000000e+00 : f32
  // CHECK: %[[HIGH:.*]] = arith.constant 9.000000e+00 : f32
  // CHECK: %[[ABOVE:.*]] = arith.maxnumf %{{.*}}, %[[LOW]]
  // CHECK: %[[CLAMPED:.*]] = arith.minnumf %[[ABOVE]], %[[HIGH]]
  // CHECK: arith.fptosi %[[CLAMPED]] : f32 to i32
  // CHECK: arith.minsi
  %0 = gsa.adaptive_k %n statistic %v normaliser %m
      policy <upstream_variance, base = 7, min = 2, max = 9>
    : (tensor<2x3xi32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// -----

// CHECK-LABEL: @entropy_and_orth
func.func @entropy_and_orth(%n: tensor<2x3xi32>, %v: tensor<2x3xf64>)
    -> (tensor<2x3xi32>, tensor<2x3xi32>) {
  // log(n + 1)
  // CHECK: arith.sitofp
  // CHECK: math.log
  %0 = gsa.adaptive_k %n statistic %v policy <entropy, base = 7, max = 9>
    : (tensor<2x3xi32>, tensor<2x3xf64>) -> tensor<2x3xi32>
  // softplus(v) = log(1 + exp(v))
  // CHECK: math.exp
  // CHECK: math.log
  %1 = gsa.adaptive_k %n statistic %v policy <orth, base = 7, max = 9>
    : (tensor<2x3xi32>, tensor<2x3xf64>) -> tensor<2x3xi32>
  return %0, %1 : tensor<2x3xi32>, tensor<2x3xi32>
}

// -----

// Top-k: indices start at -1; a cell is kept if it is visible and fewer than
// `budget` cells precede it.
// CHECK-LABEL: @topk
func.func @topk(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>) {
  // CHECK: %[[PAD:.*]] = arith.constant -1 : i32
  // CHECK: linalg.fill ins(%[[PAD]] : i32) outs(%{{.*}} : tensor<2x3x4xi32>)
  // CHECK: linalg.fill {{.*}} : tensor<2x3xi32>
  // CHECK: linalg.fill {{.*}} : tensor<2x3xi32>
  // NaN scores are counted.
  // CHECK: arith.cmpf uno
  // CHECK: arith.constant 4 : i32
  // CHECK: %[[BUDGET:.*]] = arith.minsi
  // Equal scores: the smaller index.
  // CHECK: %[[SMALLER:.*]] = arith.cmpi slt
  // CHECK: %[[LARGER:.*]] = arith.cmpf ogt
  // CHECK: %[[EQUAL:.*]] = arith.cmpf oeq
  // CHECK: arith.select %[[EQUAL]], %[[SMALLER]], %[[LARGER]]
  // CHECK: arith.cmpi slt, %{{.*}}, %[[BUDGET]]
  // CHECK: tensor.insert %{{.*}} : tensor<2x3x4xi32>
  %0:3 = gsa.topk %s, %k slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %0#0, %0#1, %0#2
    : tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>
}

// -----

// Forced positions: the first `sink` and the last `local`.
// CHECK-LABEL: @topk_forced
func.func @topk_forced(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>)
    -> tensor<2x3x4xi32> {
  // CHECK: arith.cmpf oeq
  // CHECK: %[[SINK:.*]] = arith.constant 1 : index
  // CHECK: %[[FIRST:.*]] = arith.cmpi slt, %{{.*}}, %[[SINK]] : index
  // CHECK: %[[LAST:.*]] = arith.cmpi sgt
  // CHECK: arith.ori %[[FIRST]], %[[LAST]]
  %0:3 = gsa.topk %s, %k slots 4 {sink = 1 : i64, local = 2 : i64}
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return %0#0 : tensor<2x3x4xi32>
}

// -----

// Attention over a list: a slot at or beyond the count and a key out of range
// have logit -inf; a row whose maximum is -inf has lse -inf and output 0.
// CHECK-LABEL: @gather_attention
func.func @gather_attention(%q: tensor<2x3x4x8xf16>, %k: tensor<2x5x2x8xf16>,
                            %v: tensor<2x5x2x6xf16>, %i: tensor<2x3x7xi32>,
                            %c: tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf16>, tensor<2x4x3xf32>) {
  // r = H / G
  // CHECK: %[[R:.*]] = arith.divui
  // CHECK: tensor.empty() : tensor<2x3x4x7xf32>
  // A count never reaches beyond the list.
  // CHECK: arith.minsi
  // CHECK: arith.cmpi ult
  // CHECK: arith.divui %{{.*}}, %[[R]]
  // CHECK: tensor.empty() : tensor<2x4x3xf32>
  // CHECK: %[[EMPTY:.*]] = arith.cmpf oeq
  // CHECK: math.log
  // CHECK: arith.select %[[EMPTY]]
  // CHECK: tensor.empty() : tensor<2x3x4x7xf32>
  // CHECK: tensor.empty() : tensor<2x3x4x6xf16>
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  %0:2 = gsa.gather_attention %q, %k, %v indices %i, %c
    : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x6xf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>)
    -> (tensor<2x3x4x6xf16>, tensor<2x4x3xf32>)
  return %0#0, %0#1 : tensor<2x3x4x6xf16>, tensor<2x4x3xf32>
}

// -----

// Dense attention lists all Sk keys.
// CHECK-LABEL: @dense_attention
func.func @dense_attention(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>)
    -> tensor<2x3x4x8xf32> {
  // CHECK: tensor.empty() : tensor<2x3x5xi32>
  // CHECK: linalg.index 2
  // CHECK: tensor.empty() : tensor<2x3xi32>
  // CHECK: arith.maxsi
  // CHECK: arith.minsi
  // CHECK: tensor.empty() : tensor<2x3x4x5xf32>
  %0:2 = gsa.dense_attention %q, %k, %k
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  return %0#0 : tensor<2x3x4x8xf32>
}

// -----

// The gate multiplies before the output is rounded; an entry at or beyond the
// length, which lies in [0, Sk], is none.
// CHECK-LABEL: @gather_attention_with_gate
func.func @gather_attention_with_gate(%q: tensor<2x3x4x8xf16>,
    %k: tensor<2x5x2x8xf16>, %i: tensor<2x3x7xi32>, %c: tensor<2x3xi32>,
    %g: tensor<2x3x4xf16>, %n: tensor<2xi32>) -> tensor<2x3x4x8xf16> {
  // CHECK: tensor.empty() : tensor<2x3x4x7xf32>
  // CHECK: %[[GIVEN:.*]] = tensor.extract %{{.*}}[%{{.*}}] : tensor<2xi32>
  // CHECK: arith.index_cast %[[GIVEN]]
  // CHECK: arith.maxsi
  // CHECK: %[[LENGTH:.*]] = arith.minsi
  // CHECK: arith.cmpi ult, %{{.*}}, %[[LENGTH]]
  // CHECK: tensor.empty() : tensor<2x3x4x8xf16>
  // CHECK: tensor.extract %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] : tensor<2x3x4xf16>
  // CHECK: %[[TWICE:.*]] = arith.addf
  // CHECK: math.exp
  // CHECK: %[[FACTOR:.*]] = arith.divf
  // CHECK: %[[GATED:.*]] = arith.mulf %{{.*}}, %[[FACTOR]]
  // CHECK: arith.truncf %[[GATED]] : f32 to f16
  %0:2 = gsa.gather_attention %q, %k, %k indices %i, %c gate %g lengths %n
      {gate_activation = #gsa.gate_activation<tanh>}
    : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x8xf16>,
       tensor<2x3x7xi32>, tensor<2x3xi32>, tensor<2x3x4xf16>, tensor<2xi32>)
    -> (tensor<2x3x4x8xf16>, tensor<2x4x3xf32>)
  return %0#0 : tensor<2x3x4x8xf16>
}

// -----

// A range of all keys is a range of a list of them; its output is not rounded.
// CHECK-LABEL: @partial_attention
func.func @partial_attention(%q: tensor<2x3x4x8xf16>, %k: tensor<2x5x2x8xf16>)
    -> tensor<2x3x4x8xf32> {
  // CHECK: tensor.empty() : tensor<2x3x5xi32>
  // CHECK: tensor.empty() : tensor<2x3xi32>
  // CHECK: tensor.empty() : tensor<2x3x4x5xf32>
  // CHECK: %[[BEHIND:.*]] = arith.constant 3 : index
  // CHECK: %[[END:.*]] = arith.minsi %{{.*}}, %[[BEHIND]]
  // CHECK: %[[BEFORE:.*]] = arith.cmpi slt, %{{.*}}, %[[END]]
  // CHECK: %[[FIRST:.*]] = arith.cmpi sge
  // CHECK: arith.andi %[[FIRST]], %[[BEFORE]]
  // CHECK: tensor.empty() : tensor<2x3x4x8xf32>
  // CHECK-NOT: arith.truncf
  // CHECK: return
  %0:2 = gsa.partial_attention %q, %k, %k first 1 size 2
      {mask = #gsa.mask<causal>}
    : (tensor<2x3x4x8xf16>, tensor<2x5x2x8xf16>, tensor<2x5x2x8xf16>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  return %0#0 : tensor<2x3x4x8xf32>
}

// -----

// A merge is elementwise: its lowering is that of arithmetic. Of parts without
// keys neither the weight nor the output is read.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1)>
// CHECK-DAG: #[[CELL:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-LABEL: @merge_attention
func.func @merge_attention(%o: tensor<2x3x4x6xf32>, %p: tensor<2x3x4x6xf32>,
    %l: tensor<2x4x3xf32>, %m: tensor<2x4x3xf32>, %g: tensor<2x3x4x6xbf16>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>) {
  // CHECK: linalg.generic {indexing_maps = [#[[ROW]], #[[ROW]], #[[CELL]], #[[CELL]], #[[CELL]], #[[CELL]]]
  // CHECK: %[[MAX:.*]] = arith.maximumf
  // CHECK: %[[EMPTY:.*]] = arith.cmpf oeq, %[[MAX]]
  // CHECK: arith.select %[[EMPTY]]
  // CHECK: %[[ABSENT:.*]] = arith.cmpf oeq
  // CHECK: %[[EXP:.*]] = math.exp
  // CHECK: %[[WEIGHT:.*]] = arith.select %[[ABSENT]], %{{.*}}, %[[EXP]]
  // CHECK: %[[QUOTIENT:.*]] = arith.divf
  // CHECK: %[[INVERSE:.*]] = arith.select %[[EMPTY]], %{{.*}}, %[[QUOTIENT]]
  // CHECK: %[[SHARE:.*]] = arith.mulf %[[WEIGHT]], %[[INVERSE]]
  // CHECK: %[[TERM:.*]] = arith.mulf %[[SHARE]]
  // CHECK: arith.select %[[ABSENT]], %{{.*}}, %[[TERM]]
  // CHECK: arith.extf %{{.*}} : bf16 to f32
  // CHECK: arith.truncf %{{.*}} : f32 to bf16
  // CHECK: linalg.generic
  // CHECK: math.log
  %0:2 = gsa.merge_attention %o, %p lse %l, %m gate %g {element_type = bf16}
    : (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>, tensor<2x4x3xf32>,
       tensor<2x4x3xf32>, tensor<2x3x4x6xbf16>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>)
  return %0#0, %0#1 : tensor<2x3x4x6xbf16>, tensor<2x4x3xf32>
}

// -----

// A gate per head reads its logit without the last dimension.
// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[HEAD:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-LABEL: @gate
func.func @gate(%x: tensor<2x3x4x8xf16>, %l: tensor<2x3x4xf32>)
    -> tensor<2x3x4x8xf16> {
  // CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[HEAD]], #[[ALL]]]
  // The gate by tanh is the sigmoid of 2 z.
  // CHECK: arith.addf %[[Z:.*]], %[[Z]] : f32
  // CHECK: math.exp %{{.*}} : f32
  // CHECK: arith.extf %{{.*}} : f16 to f32
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  %0 = gsa.gate %x, %l {activation = #gsa.gate_activation<tanh>}
    : (tensor<2x3x4x8xf16>, tensor<2x3x4xf32>) -> tensor<2x3x4x8xf16>
  return %0 : tensor<2x3x4x8xf16>
}

// -----

// Angles in f64; the two halves of a head are rotated together. A partial
// rotation keeps the tail of the input.
// CHECK-LABEL: @rope(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x4x8xbf16>
func.func @rope(%x: tensor<2x3x4x8xbf16>, %p: tensor<2x3xi64>)
    -> (tensor<2x3x4x8xbf16>, tensor<2x3x4x8xbf16>) {
  // base^(-2i/4) = 1, 0.01
  // CHECK: arith.constant dense<[1.000000e+00, 1.000000e-02]> : tensor<2xf64>
  // CHECK: math.cos %{{.*}} : f64
  // CHECK: math.sin %{{.*}} : f64
  // CHECK: tensor.extract_slice %[[X]][0, 0, 0, 0] [2, 3, 4, 2] [1, 1, 1, 1]
  // CHECK: tensor.extract_slice %[[X]][0, 0, 0, 2] [2, 3, 4, 2] [1, 1, 1, 1]
  // CHECK: arith.subf
  // CHECK: arith.addf
  // CHECK: tensor.insert_slice %{{.*}} into %[[X]][0, 0, 0, 0]
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0, 2]
  %0 = gsa.rope %x, %p {rotary_dim = 4 : i64}
    : (tensor<2x3x4x8xbf16>, tensor<2x3xi64>) -> tensor<2x3x4x8xbf16>
  // CHECK: tensor.extract_slice %{{.*}}[0, 0, 0, 0] [2, 3, 4, 4] [1, 1, 1, 2]
  // CHECK: tensor.extract_slice %{{.*}}[0, 0, 0, 1] [2, 3, 4, 4] [1, 1, 1, 2]
  %1 = gsa.rope %0, %p {interleaved}
    : (tensor<2x3x4x8xbf16>, tensor<2x3xi64>) -> tensor<2x3x4x8xbf16>
  return %0, %1 : tensor<2x3x4x8xbf16>, tensor<2x3x4x8xbf16>
}

// -----

// There is no slice of a tensor without elements that would be legal.
// CHECK-LABEL: @rope_of_nothing(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x0x4x8xf32>
func.func @rope_of_nothing(%x: tensor<?x0x4x8xf32>, %p: tensor<?x0xi64>)
    -> tensor<?x0x4x8xf32> {
  // CHECK-NEXT: return %[[X]]
  %0 = gsa.rope %x, %p : (tensor<?x0x4x8xf32>, tensor<?x0xi64>) -> tensor<?x0x4x8xf32>
  return %0 : tensor<?x0x4x8xf32>
}

// -----

// Scaled frequencies. ntk: base 10000 * 2^(8/6), so f[1] = base^(-1/4).
// yarn with these turns keeps the first and divides the others by 4.
// CHECK-LABEL: @rope_scaling
func.func @rope_scaling(%x: tensor<1x1x1x8xf64>, %p: tensor<1x1xi64>)
    -> (tensor<1x1x1x8xf64>, tensor<1x1x1x8xf64>) {
  // CHECK: dense<[1.000000e+00, 0.07937{{[0-9]+}}, 0.00629{{[0-9]+}}, 5.{{0*}}e-04]> : tensor<4xf64>
  %0 = gsa.rope %x, %p {scaling = #gsa.rope_scaling<ntk, factor = 2.0>}
    : (tensor<1x1x1x8xf64>, tensor<1x1xi64>) -> tensor<1x1x1x8xf64>
  // CHECK: dense<[1.000000e+00, 2.500000e-02, 2.500000e-03, 2.500000e-04]> : tensor<4xf64>
  %1 = gsa.rope %0, %p {scaling = #gsa.rope_scaling<yarn, factor = 4.0,
      original_max_position = 64, beta_fast = 10.0, beta_slow = 5.0>}
    : (tensor<1x1x1x8xf64>, tensor<1x1xi64>) -> tensor<1x1x1x8xf64>
  return %0, %1 : tensor<1x1x1x8xf64>, tensor<1x1x1x8xf64>
}

// -----

// A copy of rows; a page that is not in the pool has rows of NaN, and another one
// is read in its place.
// CHECK-LABEL: @paged_rows
// CHECK-SAME: %[[POOL:[a-z0-9]+]]: tensor<7x2x16x8xbf16>, %[[TABLE:[a-z0-9]+]]: tensor<2x3xi32>
func.func @paged_rows(%pool: tensor<7x2x16x8xbf16>, %table: tensor<2x3xi32>)
    -> tensor<2x48x2x8xbf16> {
  // CHECK: linalg.generic
  // CHECK: %[[ENTRY:.*]] = tensor.extract %[[TABLE]]
  // CHECK: %[[NUMBER:.*]] = arith.index_cast %[[ENTRY]] : i32 to index
  // CHECK: arith.cmpi sge, %[[NUMBER]]
  // CHECK: arith.cmpi slt, %[[NUMBER]]
  // CHECK: %[[EXISTS:.*]] = arith.andi
  // CHECK: %[[ONES:.*]] = arith.constant 32767 : i16
  // CHECK: %[[READ:.*]] = arith.select %[[EXISTS]], %[[NUMBER]]
  // CHECK: %[[CELL:.*]] = tensor.extract %[[POOL]][%[[READ]],
  // CHECK: %[[BITS:.*]] = arith.bitcast %[[CELL]] : bf16 to i16
  // CHECK: %[[COVER:.*]] = arith.select %[[EXISTS]], %{{.*}}, %[[ONES]]
  // CHECK: arith.ori %[[BITS]], %[[COVER]]
  // CHECK: arith.bitcast %{{.*}} : i16 to bf16
  %0 = gsa.paged_rows %pool, %table {heads_first}
    : (tensor<7x2x16x8xbf16>, tensor<2x3xi32>) -> tensor<2x48x2x8xbf16>
  return %0 : tensor<2x48x2x8xbf16>
}

// -----

// Loops over sequences and over those of their rows that are new, not in front of
// the first place and not behind the last; under the test that the pool has the
// page.
// CHECK-LABEL: @append_rows
// CHECK-SAME: %[[ROWS:[a-z0-9]+]]: tensor<2x3x2x8xbf16>, %[[POOL:[a-z0-9]+]]: tensor<7x2x16x8xbf16>, %[[TABLE:[a-z0-9]+]]: tensor<2x4xi32>, %[[LENGTHS:[a-z0-9]+]]: tensor<2xi32>, %[[COUNTS:[a-z0-9]+]]: tensor<2xi32>
func.func @append_rows(%rows: tensor<2x3x2x8xbf16>,
                       %pool: tensor<7x2x16x8xbf16>, %table: tensor<2x4xi32>,
                       %lengths: tensor<2xi32>, %counts: tensor<2xi32>)
    -> tensor<7x2x16x8xbf16> {
  // CHECK: %[[ROOM:.*]] = arith.muli
  // CHECK: scf.for %[[B:[a-z0-9]+]] = {{.*}} iter_args(%[[OUTER:[a-z0-9]+]] = %[[POOL]])
  // CHECK: %[[END:.*]] = tensor.extract %[[LENGTHS]][%[[B]]]
  // CHECK: %[[LENGTH:.*]] = arith.index_cast %[[END]]
  // CHECK: %[[SHIFT:.*]] = arith.subi %[[LENGTH]],
  // CHECK: arith.maxsi
  // CHECK: tensor.extract %[[COUNTS]][%[[B]]]
  // CHECK: %[[FIRST:.*]] = arith.maxsi
  // CHECK: %[[BEHIND:.*]] = arith.subi %[[ROOM]], %[[SHIFT]]
  // CHECK: %[[LAST:.*]] = arith.minsi %{{.*}}, %[[BEHIND]]
  // CHECK: scf.for %[[T:[a-z0-9]+]] = %[[FIRST]] to %[[LAST]] {{.*}} iter_args(%[[CACHE:[a-z0-9]+]] = %[[OUTER]])
  // CHECK: %[[PLACE:.*]] = arith.addi %[[SHIFT]], %[[T]]
  // CHECK: %[[PAGE:.*]] = arith.divui %[[PLACE]]
  // CHECK: tensor.extract %[[TABLE]][%[[B]], %[[PAGE]]]
  // CHECK: arith.cmpi sge, %[[NUMBER:.*]], %
  // CHECK: arith.cmpi slt, %[[NUMBER]]
  // CHECK: %[[EXISTS:.*]] = arith.andi
  // CHECK: scf.if %[[EXISTS]]
  // CHECK: %[[ROW:.*]] = arith.remui %[[PLACE]]
  // CHECK: %[[NEW:.*]] = tensor.extract_slice %[[ROWS]][%[[B]], %[[T]], 0, 0] [1, 1, 2, 8] [1, 1, 1, 1] : tensor<2x3x2x8xbf16> to tensor<2x8xbf16>
  // CHECK: tensor.insert_slice %[[NEW]] into %[[CACHE]][%[[NUMBER]], 0, %[[ROW]], 0] [1, 2, 1, 8] [1, 1, 1, 1]
  // CHECK: else
  // CHECK-NEXT: scf.yield %[[CACHE]]
  %0 = gsa.append_rows %rows to %pool, %table lengths %lengths counts %counts
      {heads_first}
    : (tensor<2x3x2x8xbf16>, tensor<7x2x16x8xbf16>, tensor<2x4xi32>,
       tensor<2xi32>, tensor<2xi32>) -> tensor<7x2x16x8xbf16>
  return %0 : tensor<7x2x16x8xbf16>
}

// -----

// Without a table each sequence has its own rows.
// CHECK-LABEL: @append_rows_of_sequences
// CHECK-SAME: %[[ROWS:[a-z0-9]+]]: tensor<2x3x6xf32>, %[[CACHE:[a-z0-9]+]]: tensor<2x9x6xf32>
func.func @append_rows_of_sequences(%rows: tensor<2x3x6xf32>,
                                    %cache: tensor<2x9x6xf32>,
                                    %lengths: tensor<2xi32>)
    -> tensor<2x9x6xf32> {
  // CHECK: scf.for %[[B:[a-z0-9]+]] =
  // CHECK: scf.for %[[T:[a-z0-9]+]] =
  // CHECK-NOT: scf.if
  // CHECK: %[[PLACE:.*]] = arith.addi %{{.*}}, %[[T]]
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%[[B]], %[[PLACE]], 0] [1, 1, 6] [1, 1, 1] : tensor<6xf32> into tensor<2x9x6xf32>
  %0 = gsa.append_rows %rows to %cache lengths %lengths
    : (tensor<2x3x6xf32>, tensor<2x9x6xf32>, tensor<2xi32>)
    -> tensor<2x9x6xf32>
  return %0 : tensor<2x9x6xf32>
}
