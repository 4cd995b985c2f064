// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-cuda-schedule=arch=sm_90a

// What no kernel trains.

func.func @indexer_depth(%q: tensor<1x8x2x264xbf16>, %k: tensor<1x9x264xbf16>,
                         %g: tensor<1x8x9xf32>) -> tensor<1x9x264xbf16> {
  // expected-error @+1 {{has no legal schedule on sm_90a: indexer depth 264 > 256}}
  %0:4 = gsa.index_scores_grad %q, %k scores_grad %g {mask = #gsa.mask<none>}
      : (tensor<1x8x2x264xbf16>, tensor<1x9x264xbf16>, tensor<1x8x9xf32>)
      -> (tensor<1x8x2x264xbf16>, tensor<1x9x264xbf16>, tensor<1x8x2xf32>, tensor<2xf32>)
  return %0#1 : tensor<1x9x264xbf16>
}

// -----

func.func @head_size(%iq: tensor<1x8x2x16xbf16>, %ik: tensor<1x9x16xbf16>,
                     %q: tensor<1x8x4x264xbf16>, %k: tensor<1x9x2x264xbf16>,
                     %l: tensor<1x4x8xf32>) -> tensor<1x8xf32> {
  // expected-error @+1 {{has no legal schedule on sm_90a: head size 264 > 256}}
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l {mask = #gsa.mask<none>}
      : (tensor<1x8x2x16xbf16>, tensor<1x9x16xbf16>, tensor<1x8x4x264xbf16>,
         tensor<1x9x2x264xbf16>, tensor<1x4x8xf32>) -> tensor<1x8xf32>
  return %0 : tensor<1x8xf32>
}

// -----

func.func @f64(%q: tensor<1x8x2x16xf64>, %k: tensor<1x9x16xf64>,
               %g: tensor<1x8x9xf64>) -> tensor<1x9x16xf64> {
  // expected-error @+1 {{has no legal schedule on sm_90a: has no kernel for elements of f64; expected f16, bf16 or f32}}
  %0:4 = gsa.index_scores_grad %q, %k scores_grad %g {mask = #gsa.mask<none>}
      : (tensor<1x8x2x16xf64>, tensor<1x9x16xf64>, tensor<1x8x9xf64>)
      -> (tensor<1x8x2x16xf64>, tensor<1x9x16xf64>, tensor<1x8x2xf64>, tensor<2xf64>)
  return %0#1 : tensor<1x9x16xf64>
}

// -----

func.func @cells(%iq: tensor<1x4096x2x16xbf16>, %ik: tensor<1x65536x16xbf16>,
                 %q: tensor<1x4096x4x32xbf16>, %k: tensor<1x65536x2x32xbf16>,
                 %l: tensor<1x4x4096xf32>) -> tensor<1x4096xf32> {
  // expected-error @+1 {{has an illegal schedule: cells of a chunk 2147483648 > 536870912 bytes}}
  %0 = gsa.index_kl %iq, %ik attention %q, %k lse %l {mask = #gsa.mask<none>,
      gsa.schedule = #gsa.training_schedule<block_k = 64, stages = 1,
          producers = 0, consumers = 2, row_warps = 8, chunk = 4096>}
      : (tensor<1x4096x2x16xbf16>, tensor<1x65536x16xbf16>,
         tensor<1x4096x4x32xbf16>, tensor<1x65536x2x32xbf16>,
         tensor<1x4x4096xf32>) -> tensor<1x4096xf32>
  return %0 : tensor<1x4096xf32>
}
