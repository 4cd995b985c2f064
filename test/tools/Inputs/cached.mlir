// One kernel, quickly compiled.
func.func @main(%x: tensor<1x4x2x8xf32> {gsa.name = "x"},
                %g: tensor<1x4x2x8xf32> {gsa.name = "gate"})
    -> (tensor<1x4x2x8xf32> {gsa.name = "y"}) {
  %y = gsa.gate %x, %g
      : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32>
  return %y : tensor<1x4x2x8xf32>
}
