// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-cuda-schedule=arch=sm_90a

func.func @head_size(%q: tensor<1x3x2x320xbf16>, %k: tensor<1x5x2x320xbf16>)
    -> tensor<1x3x2x320xbf16> {
  // expected-error @+1 {{has no legal schedule on sm_90a: head size 320 > 256}}
  %out, %lse = gsa.dense_attention %q, %k, %k
    : (tensor<1x3x2x320xbf16>, tensor<1x5x2x320xbf16>, tensor<1x5x2x320xbf16>)
    -> (tensor<1x3x2x320xbf16>, tensor<1x2x3xf32>)
  return %out : tensor<1x3x2x320xbf16>
}

// -----

func.func @f64(%q: tensor<1x3x2x8xf64>, %k: tensor<1x5x8xf64>)
    -> tensor<1x3x5xf64> {
  // expected-error @+1 {{has no legal schedule on sm_90a: no kernel for elements of f64}}
  %0 = gsa.index_scores %q, %k
    : (tensor<1x3x2x8xf64>, tensor<1x5x8xf64>) -> tensor<1x3x5xf64>
  return %0 : tensor<1x3x5xf64>
}

// -----

func.func @given(%q: tensor<1x3x2x128xf32>, %k: tensor<1x500x2x128xf32>)
    -> tensor<1x3x2x128xf32> {
  // expected-error @+1 {{has an illegal schedule: shared memory 1081408 > 232448 bytes on sm_90a}}
  %out, %lse = gsa.dense_attention %q, %k, %k {gsa.schedule =
      #gsa.attention_schedule<engine = fma, block_q = 64, block_k = 256,
                              stages = 4, producers = 4, consumers = 4>}
    : (tensor<1x3x2x128xf32>, tensor<1x500x2x128xf32>, tensor<1x500x2x128xf32>)
    -> (tensor<1x3x2x128xf32>, tensor<1x2x3xf32>)
  return %out : tensor<1x3x2x128xf32>
}

// -----

func.func @kind(%q: tensor<1x3x2x8xf32>, %k: tensor<1x5x8xf32>)
    -> tensor<1x3x5xf32> {
  // expected-error @+1 {{expected a #gsa.score_schedule as 'gsa.schedule', got}}
  %0 = gsa.index_scores %q, %k {gsa.schedule =
      #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
    : (tensor<1x3x2x8xf32>, tensor<1x5x8xf32>) -> tensor<1x3x5xf32>
  return %0 : tensor<1x3x5xf32>
}

// -----

func.func @dynamic(%q: tensor<1x?x2x8xf32>, %k: tensor<1x5x8xf32>)
    -> tensor<1x?x5xf32> {
  // expected-error @+1 {{cannot be scheduled: expected static shapes, got 'tensor<1x?x2x8xf32>'}}
  %0 = gsa.index_scores %q, %k
    : (tensor<1x?x2x8xf32>, tensor<1x5x8xf32>) -> tensor<1x?x5xf32>
  return %0 : tensor<1x?x5xf32>
}
