// Finite logits of any size: the largest weighs 1, whatever rounding its size
// brings. Beyond 2^24 / log2(e) neighbouring f32 logits differ by more than the
// exponent of a weight can say, so all weights here are those of equal logits,
// and every row is the mean of the values that it sees.

// RUN: gsa-run %s --compare | FileCheck %s
// RUN: %if host-cxx %{ gsa-run %s --target=emu --compare | FileCheck %s %}
// CHECK: Comparison with the float64 reference: passed

func.func @main(%v: tensor<1x40x1x16xf32> {gsa.name = "value"},
                %w: tensor<1x40x1x16xf16> {gsa.name = "value_f16"},
                %x: tensor<1x40x1x16xbf16> {gsa.name = "value_bf16"})
    -> (tensor<1x40x1x16xf32> {gsa.name = "negative"}, tensor<1x1x40xf32> {gsa.name = "negative_lse"},
        tensor<1x40x1x16xf16> {gsa.name = "f16"}, tensor<1x1x40xf32> {gsa.name = "f16_lse"},
        tensor<1x40x1x16xbf16> {gsa.name = "bf16"}, tensor<1x1x40xf32> {gsa.name = "bf16_lse"},
        tensor<1x40x1x16xf32> {gsa.name = "scaled"}, tensor<1x1x40xf32> {gsa.name = "scaled_lse"},
        tensor<1x40x1x16xf32> {gsa.name = "largest"}, tensor<1x1x40xf32> {gsa.name = "largest_lse"}) {
  // 16 * 1e28 / 16
  %q = arith.constant dense<1.0> : tensor<1x40x1x16xf32>
  %k = arith.constant dense<-1.0e28> : tensor<1x40x1x16xf32>
  %o0, %l0 = gsa.dense_attention %q, %k, %v {scale = 0.0625 : f64}
      : (tensor<1x40x1x16xf32>, tensor<1x40x1x16xf32>, tensor<1x40x1x16xf32>)
      -> (tensor<1x40x1x16xf32>, tensor<1x1x40xf32>)
  // 29168 * 12760 = 372183680
  %qh = arith.constant dense<29168.0> : tensor<1x40x1x1xf16>
  %kh = arith.constant dense<12760.0> : tensor<1x40x1x1xf16>
  %o1, %l1 = gsa.dense_attention %qh, %kh, %w {scale = 1.0 : f64}
      : (tensor<1x40x1x1xf16>, tensor<1x40x1x1xf16>, tensor<1x40x1x16xf16>)
      -> (tensor<1x40x1x16xf16>, tensor<1x1x40xf32>)
  %qb = arith.constant dense<3.0e18> : tensor<1x40x1x1xbf16>
  %kb = arith.constant dense<-3.0e18> : tensor<1x40x1x1xbf16>
  %o2, %l2 = gsa.dense_attention %qb, %kb, %x {scale = -1.0 : f64}
      : (tensor<1x40x1x1xbf16>, tensor<1x40x1x1xbf16>, tensor<1x40x1x16xbf16>)
      -> (tensor<1x40x1x16xbf16>, tensor<1x1x40xf32>)
  // A scale that is finite, while scale * log2(e) is not.
  %q1 = arith.constant dense<0.5> : tensor<1x40x1x1xf32>
  %k1 = arith.constant dense<-1.25> : tensor<1x40x1x1xf32>
  %o3, %l3 = gsa.dense_attention %q1, %k1, %v {scale = 3.0e38 : f64}
      : (tensor<1x40x1x1xf32>, tensor<1x40x1x1xf32>, tensor<1x40x1x16xf32>)
      -> (tensor<1x40x1x16xf32>, tensor<1x1x40xf32>)
  // A logit that is finite, while its product with log2(e) is not.
  %k2 = arith.constant dense<2.0> : tensor<1x40x1x1xf32>
  %o4, %l4 = gsa.dense_attention %q1, %k2, %v {scale = -3.0e38 : f64}
      : (tensor<1x40x1x1xf32>, tensor<1x40x1x1xf32>, tensor<1x40x1x16xf32>)
      -> (tensor<1x40x1x16xf32>, tensor<1x1x40xf32>)
  return %o0, %l0, %o1, %l1, %o2, %l2, %o3, %l3, %o4, %l4
      : tensor<1x40x1x16xf32>, tensor<1x1x40xf32>, tensor<1x40x1x16xf16>, tensor<1x1x40xf32>,
        tensor<1x40x1x16xbf16>, tensor<1x1x40xf32>, tensor<1x40x1x16xf32>, tensor<1x1x40xf32>,
        tensor<1x40x1x16xf32>, tensor<1x1x40xf32>
}
