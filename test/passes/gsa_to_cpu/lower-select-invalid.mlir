// RUN: gsa-opt %s --gsa-lower-to-loops --split-input-file --verify-diagnostics

func.func @dynamic(%q: tensor<1x?x2x4xf32>, %k: tensor<1x9x4xf32>) -> tensor<1x?x9xf32> {
  // expected-error @+1 {{'gsa.index_scores' op cannot be lowered to loops: expected static shapes, or bounds for their sizes, got 'tensor<1x?x2x4xf32>' for operand #0}}
  %0 = gsa.index_scores %q, %k {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x?x2x4xf32>, tensor<1x9x4xf32>) -> tensor<1x?x9xf32>
  return %0 : tensor<1x?x9xf32>
}

// -----

func.func @dynamic_result(%q: tensor<1x9x2x4xf32>, %k: tensor<1x9x4xf32>)
    -> (tensor<1x9x?xi32>, tensor<1x9xi32>, tensor<1x9xi32>) {
  // expected-error @+1 {{'gsa.select' op cannot be lowered to loops: expected static shapes, or bounds for their sizes, got 'tensor<1x9x?xi32>' for result #0; gsa-specialize-shapes gives an entry's inputs their sizes}}
  %0:3 = gsa.select %q, %k policy <fixed, base = 3>
    {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x9x2x4xf32>, tensor<1x9x4xf32>)
    -> (tensor<1x9x?xi32>, tensor<1x9xi32>, tensor<1x9xi32>)
  return %0#0, %0#1, %0#2 : tensor<1x9x?xi32>, tensor<1x9xi32>, tensor<1x9xi32>
}

// -----

func.func @not_a_schedule(%q: tensor<1x9x2x4xf32>, %k: tensor<1x9x4xf32>) -> tensor<1x9x9xf32> {
  // expected-error @+1 {{'gsa.index_scores' op expected a #gsa.cpu_schedule as 'gsa.schedule', got #gsa.score_schedule<}}
  %0 = gsa.index_scores %q, %k {gsa.schedule =
      #gsa.score_schedule<engine = fma, block_q = 16, block_k = 16, span = 1,
                          stages = 1, producers = 0, consumers = 1>}
    : (tensor<1x9x2x4xf32>, tensor<1x9x4xf32>) -> tensor<1x9x9xf32>
  return %0 : tensor<1x9x9xf32>
}

// -----

func.func @depth(%q: tensor<1x9x2x?xf32>, %k: tensor<1x9x?xf32>) -> tensor<1x9x9xf32>
    attributes {gsa.bounds = [array<i64: 1, 9, 2, 4>, array<i64: 1, 9, 4>]} {
  // expected-error @+1 {{'gsa.index_scores' op cannot be lowered to loops: expected a static size for Di, got dimension 3 of 'tensor<1x9x2x?xf32>'}}
  %0 = gsa.index_scores %q, %k {scale = 0.5 : f64, gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x9x2x?xf32>, tensor<1x9x?xf32>) -> tensor<1x9x9xf32>
  return %0 : tensor<1x9x9xf32>
}
