// Nothing to translate is an error and not an empty file. What gsa-translate
// decides itself has the exit codes of gsa-run: 2 for what is wrong, 3 for what
// is not supported, 4 for a missing compiler; what MLIR's driver decides is 1.

// REQUIRES: gsa-translate
// RUN: %expect-exit 2 gsa-translate --gsa-tile-to-cuda %s 2>&1 | FileCheck %s
// RUN: %expect-exit 2 gsa-translate --gsa-tile-to-emu %s 2>&1 | FileCheck %s
// RUN: %expect-exit 2 gsa-translate --emit-line-map %s 2>&1 | FileCheck %s
// RUN: %expect-exit 2 gsa-translate --gsa-tile-to-ptx --arch=sm_90a %s 2>&1 | FileCheck %s
// RUN: %expect-exit 2 gsa-translate --resource-usage %s 2>&1 | FileCheck %s
// CHECK-NOT: #include
// CHECK: error: the module has no gsa_tile.kernel to translate; gsa-opt --gsa-to-cuda makes kernels of gsa ops

// RUN: %expect-exit 2 gsa-translate --gsa-tile-to-ptx %S/Inputs/kernel.mlir 2>&1 | FileCheck %s --check-prefix=ARCHS
// ARCHS: expected one architecture in --arch, got 0
// RUN: %expect-exit 3 gsa-translate --gsa-tile-to-ptx --arch=sm_90 %S/Inputs/kernel.mlir 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: architecture: expected one of {{.*}}, got 'sm_90'; did you mean 'sm_90a'?
// RUN: %expect-exit 2 gsa-translate --dump-device-headers=%s/none 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: gsa-translate: cannot write {{.*}}: Not a directory
// RUN: %expect-exit 1 gsa-translate --gsa-tile-to-codu %s 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: Did you mean '--gsa-tile-to-cuda'?
// RUN: %expect-exit 2 gsa-translate %s 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: %expect-exit 2 gsa-translate --arch=sm_90a < %s 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: gsa-translate: error: expected a translation: --gsa-tile-to-cuda, --gsa-tile-to-emu, {{.*}}
// NONE-NOT: {{.}}
// RUN: %expect-exit 1 gsa-translate --gsa-tile-to-cuda %t.none 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: No such file or directory

func.func @main(%x: tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32> {
  return %x : tensor<1x4x2x3xf32>
}
