// The plugin gives a stock mlir-opt the dialect, its passes and pipelines.

// REQUIRES: libGSAPlugin
// An instrumented plugin needs an instrumented host.
// UNSUPPORTED: sanitizer
// RUN: mlir-opt --load-dialect-plugin=%gsa_lib_dir/libGSAPlugin.so \
// RUN:   --load-pass-plugin=%gsa_lib_dir/libGSAPlugin.so \
// RUN:   --pass-pipeline='builtin.module(gsa-decompose)' %s \
// RUN:   | FileCheck %s --check-prefix=DECOMPOSED
// RUN: mlir-opt --load-dialect-plugin=%gsa_lib_dir/libGSAPlugin.so \
// RUN:   --load-pass-plugin=%gsa_lib_dir/libGSAPlugin.so \
// RUN:   --pass-pipeline='builtin.module(gsa-to-cpu{tasks=2})' %s \
// RUN:   | FileCheck %s --check-prefix=LLVM

// Without the plugin the dialect is unknown.
// RUN: not mlir-opt %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// It exports its two entry points only.
// RUN: llvm-nm -D --defined-only --format=just-symbols \
// RUN:   %gsa_lib_dir/libGSAPlugin.so | FileCheck %s --check-prefix=EXPORTS

// DECOMPOSED-LABEL: func.func @main
// DECOMPOSED-NOT:     gsa.gate
// DECOMPOSED:         linalg.generic
// DECOMPOSED:           math.exp

// LLVM: llvm.func @main
// LLVM-NOT: linalg.

// UNKNOWN: Dialect `gsa' not found

// EXPORTS: {{^}}mlirGetDialectPluginInfo{{$}}
// EXPORTS-NEXT: {{^}}mlirGetPassPluginInfo{{$}}
// EXPORTS-NOT: {{.}}

func.func @main(%x: tensor<1x4x2x3xf32>, %l: tensor<1x4x2x3xf32>)
    -> tensor<1x4x2x3xf32> {
  %y = gsa.gate %x, %l : (tensor<1x4x2x3xf32>, tensor<1x4x2x3xf32>)
      -> tensor<1x4x2x3xf32>
  return %y : tensor<1x4x2x3xf32>
}
