// Without a driver a GPU that was asked for is an error, and a choice left to
// the tool is the CPU, with the reason.
// UNSUPPORTED: gpu

// RUN: %expect-exit 4 gsa-run %s --target cuda 2>&1 | FileCheck %s --check-prefix=CUDA
// CUDA: gsa-run: error: CUDA driver not found
// CUDA: libcuda

// RUN: gsa-run %s --target auto 2>&1 | FileCheck %s --check-prefix=AUTO
// AUTO: (auto: no GPU to use, because {{.*}}libcuda

func.func @main(%x: tensor<1x4x2x8xf32> {gsa.name = "x"},
                %g: tensor<1x4x2x8xf32> {gsa.name = "gate"})
    -> (tensor<1x4x2x8xf32> {gsa.name = "y"}) {
  %y = gsa.gate %x, %g
      : (tensor<1x4x2x8xf32>, tensor<1x4x2x8xf32>) -> tensor<1x4x2x8xf32>
  return %y : tensor<1x4x2x8xf32>
}
