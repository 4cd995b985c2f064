// Right results outside of a type's range pass: a gate that is closed so far
// that f32 has no number for it, and an f16 product above 65504, which is
// infinite.

// RUN: gsa-run %s --compare --output %t.safetensors | FileCheck %s
// CHECK: Comparison with the float64 reference: passed

func.func @main(%x: tensor<1x3x1x2xf32> {gsa.name = "x"})
    -> (tensor<1x3x1x2xf32> {gsa.name = "closed"},
        tensor<1x1x1x2xf16> {gsa.name = "beyond"}) {
  %b = arith.constant dense<-170.0> : tensor<1x3x1xf32>
  %0 = gsa.gate %x, %b
      : (tensor<1x3x1x2xf32>, tensor<1x3x1xf32>) -> tensor<1x3x1x2xf32>
  %h = arith.constant dense<[[[[50000.0, -40000.0]]]]> : tensor<1x1x1x2xf16>
  %g = arith.constant dense<2.5> : tensor<1x1x1xf16>
  %1 = gsa.gate %h, %g {activation = #gsa.gate_activation<silu>}
      : (tensor<1x1x1x2xf16>, tensor<1x1x1xf16>) -> tensor<1x1x1x2xf16>
  return %0, %1 : tensor<1x3x1x2xf32>, tensor<1x1x1x2xf16>
}
