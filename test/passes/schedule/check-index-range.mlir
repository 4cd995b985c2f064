// RUN: gsa-opt %s --gsa-check-index-range --split-input-file --verify-diagnostics

// int32 indices and counts name at most 2^31 - 1 keys. Sizes that are not known
// are not judged, and the largest legal ones pass.

func.func @legal(%q: tensor<1x1x1x1xf16>, %k: tensor<1x2147483647x1xf16>,
                 %a: tensor<?x?x1x1xf16>, %b: tensor<?x?x1xf16>,
                 %s: tensor<1x1x2147483647xf32>) {
  %0:3 = gsa.select %q, %k policy <fixed, base = 4>
      : (tensor<1x1x1x1xf16>, tensor<1x2147483647x1xf16>)
     -> (tensor<1x1x4xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  %1:3 = gsa.select %a, %b policy <fixed, base = 4>
      : (tensor<?x?x1x1xf16>, tensor<?x?x1xf16>)
     -> (tensor<?x?x4xi32>, tensor<?x?xi32>, tensor<?x?xi32>)
  return
}

// -----

func.func @select(%q: tensor<1x1x1x1xf16>, %k: tensor<1x2147483664x1xf16>) {
  // expected-error @+1 {{'gsa.select' op has int32 indices and counts, which hold at most 2147483647 keys, got 2147483664}}
  %0:3 = gsa.select %q, %k policy <fixed, base = 4>
      : (tensor<1x1x1x1xf16>, tensor<1x2147483664x1xf16>)
     -> (tensor<1x1x4xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return
}

// -----

func.func @topk(%s: tensor<1x1x2147483648xf32>, %k: tensor<1x1xi32>) {
  // expected-error @+1 {{'gsa.topk' op has int32 indices and counts, which hold at most 2147483647 keys, got 2147483648}}
  %0:3 = gsa.topk %s, %k slots 4
      : (tensor<1x1x2147483648xf32>, tensor<1x1xi32>)
     -> (tensor<1x1x4xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return
}

// -----

func.func @row_statistics(%s: tensor<1x1x2147483648xf32>) {
  // expected-error @+1 {{'gsa.row_statistics' op has int32 indices and counts, which hold at most 2147483647 keys, got 2147483648}}
  %0:2 = gsa.row_statistics %s {statistic = #gsa.statistic<variance>}
      : (tensor<1x1x2147483648xf32>) -> (tensor<1x1xf32>, tensor<1x1xi32>)
  return
}

// -----

func.func @keys_of_gather(%q: tensor<1x1x1x1xf16>,
                          %k: tensor<1x2147483648x1x1xf16>,
                          %i: tensor<1x1x4xi32>, %c: tensor<1x1xi32>) {
  // expected-error @+1 {{'gsa.gather_attention' op has int32 indices and counts, which hold at most 2147483647 keys, got 2147483648}}
  %0:2 = gsa.gather_attention %q, %k, %k indices %i, %c
      : (tensor<1x1x1x1xf16>, tensor<1x2147483648x1x1xf16>,
         tensor<1x2147483648x1x1xf16>, tensor<1x1x4xi32>, tensor<1x1xi32>)
     -> (tensor<1x1x1x1xf16>, tensor<1x1x1xf32>)
  return
}

// -----

func.func @slots_of_gather(%q: tensor<1x1x1x1xf16>, %k: tensor<1x4x1x1xf16>,
                           %i: tensor<1x1x2147483648xi32>,
                           %c: tensor<1x1xi32>) {
  // expected-error @+1 {{'gsa.gather_attention' op has int32 indices and counts, which hold at most 2147483647 slots, got 2147483648}}
  %0:2 = gsa.gather_attention %q, %k, %k indices %i, %c
      : (tensor<1x1x1x1xf16>, tensor<1x4x1x1xf16>, tensor<1x4x1x1xf16>,
         tensor<1x1x2147483648xi32>, tensor<1x1xi32>)
     -> (tensor<1x1x1x1xf16>, tensor<1x1x1xf32>)
  return
}

// -----

func.func @slots_of_gradient(
    %q: tensor<1x1x1x1xf16>, %k: tensor<1x4x1x1xf16>,
    %i: tensor<1x1x2147483648xi32>, %c: tensor<1x1xi32>,
    %l: tensor<1x1x1xf32>) {
  // expected-error @+1 {{'gsa.gather_attention_grad' op has int32 indices and counts, which hold at most 2147483647 slots, got 2147483648}}
  %0:3 = gsa.gather_attention_grad %q, %k, %k indices %i, %c output_grad %q
      lse %l row_sums %l
      : (tensor<1x1x1x1xf16>, tensor<1x4x1x1xf16>, tensor<1x4x1x1xf16>,
         tensor<1x1x2147483648xi32>, tensor<1x1xi32>, tensor<1x1x1x1xf16>,
         tensor<1x1x1xf32>, tensor<1x1x1xf32>)
     -> (tensor<1x1x1x1xf16>, tensor<1x4x1x1xf16>, tensor<1x4x1x1xf16>)
  return
}

// -----

func.func @keys_of_dense_gradient(%q: tensor<1x1x1x1xf16>,
                                  %k: tensor<1x2147483648x1x1xf16>,
                                  %l: tensor<1x1x1xf32>) {
  // expected-error @+1 {{'gsa.dense_attention_grad' op has int32 indices and counts, which hold at most 2147483647 keys, got 2147483648}}
  %0:3 = gsa.dense_attention_grad %q, %k, %k output_grad %q lse %l row_sums %l
      : (tensor<1x1x1x1xf16>, tensor<1x2147483648x1x1xf16>,
         tensor<1x2147483648x1x1xf16>, tensor<1x1x1x1xf16>,
         tensor<1x1x1xf32>, tensor<1x1x1xf32>)
     -> (tensor<1x1x1x1xf16>, tensor<1x2147483648x1x1xf16>,
         tensor<1x2147483648x1x1xf16>)
  return
}

// -----

func.func @slots_of_index_gradient(
    %q: tensor<1x1x1x1xf16>, %k: tensor<1x4x1xf16>,
    %g: tensor<1x1x2147483648xf32>, %i: tensor<1x1x2147483648xi32>,
    %c: tensor<1x1xi32>) {
  // expected-error @+1 {{'gsa.index_scores_grad' op has int32 indices and counts, which hold at most 2147483647 slots, got 2147483648}}
  %0:4 = gsa.index_scores_grad %q, %k scores_grad %g indices %i, %c
      : (tensor<1x1x1x1xf16>, tensor<1x4x1xf16>, tensor<1x1x2147483648xf32>,
         tensor<1x1x2147483648xi32>, tensor<1x1xi32>)
      -> (tensor<1x1x1x1xf16>, tensor<1x4x1xf16>, tensor<1x1x1xf32>,
          tensor<1xf32>)
  return
}

// -----

// Without lists, lengths have to hold the number of keys.
func.func @keys_of_index_loss(
    %q: tensor<1x1x1x1xf16>, %k: tensor<1x2147483648x1xf16>,
    %k4: tensor<1x2147483648x1x1xf16>, %l: tensor<1x1x1xf32>,
    %n: tensor<1xi32>) {
  %0 = gsa.index_kl %q, %k attention %q, %k4 lse %l {mask = #gsa.mask<none>}
      : (tensor<1x1x1x1xf16>, tensor<1x2147483648x1xf16>, tensor<1x1x1x1xf16>,
         tensor<1x2147483648x1x1xf16>, tensor<1x1x1xf32>) -> tensor<1x1xf32>
  // expected-error @+1 {{'gsa.index_kl' op has int32 indices and counts, which hold at most 2147483647 keys, got 2147483648}}
  %1 = gsa.index_kl %q, %k attention %q, %k4 lse %l lengths %n
      {mask = #gsa.mask<none>}
      : (tensor<1x1x1x1xf16>, tensor<1x2147483648x1xf16>, tensor<1x1x1x1xf16>,
         tensor<1x2147483648x1x1xf16>, tensor<1x1x1xf32>, tensor<1xi32>)
      -> tensor<1x1xf32>
  return
}
