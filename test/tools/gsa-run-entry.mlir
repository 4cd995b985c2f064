// A module may have several public functions: one is chosen, the others are
// helpers at most. Names that the compiler uses itself are refused.

// RUN: split-file %s %t
// RUN: gsa-run %t/several.mlir --entry silu --compare | FileCheck %s --check-prefix=SILU
// RUN: gsa-run %t/several.mlir --entry twice --compare -q
// RUN: gsa-run %t/several.mlir --entry twice --reference --compare -q
// RUN: gsa-run %t/several.mlir --entry silu --target=cuda --arch=sm_90a --stop-after=program | FileCheck %s --check-prefix=PROGRAM
// SILU: @silu
// SILU: Comparison with the float64 reference: passed
// PROGRAM: 1 kernels

// RUN: %expect-exit 2 gsa-run %t/several.mlir 2>&1 | FileCheck %s --check-prefix=CHOOSE
// CHOOSE: the module has 2 public functions (silu, twice): say which is the entry, by the option 'entry'
// RUN: %expect-exit 2 gsa-run %t/several.mlir --entry silo 2>&1 | FileCheck %s --check-prefix=NEAR
// NEAR: no public function 'silo', the module has: silu, twice; did you mean 'silu'?
// RUN: %expect-exit 2 gsa-run %t/several.mlir --entry half 2>&1 | FileCheck %s --check-prefix=PRIVATE
// PRIVATE: no public function 'half'
// RUN: %expect-exit 2 gsa-run %t/none.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: the module has no public function with a body to run

// RUN: sed s/@silu/@gsa_cpu_zone/ %t/several.mlir > %t/zone.mlir
// RUN: %expect-exit 2 gsa-run %t/zone.mlir --entry gsa_cpu_zone 2>&1 | FileCheck %s --check-prefix=ZONE
// ZONE: zone.mlir:{{.*}}: error: 'func.func' op 'gsa_cpu_zone': names that begin with 'gsa_cpu_' are the compiler's own
// RUN: sed s/@half/@gsa_cpu_entry/ %t/several.mlir > %t/entry.mlir
// RUN: %expect-exit 2 gsa-run %t/entry.mlir --entry twice 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: entry.mlir:{{.*}}: error: 'func.func' op 'gsa_cpu_entry'

//--- several.mlir
func.func @silu(%x: tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32> {
  %y = gsa.gate %x, %x {activation = #gsa.gate_activation<silu>}
      : (tensor<1x4x2x3xf32>, tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
  return %y : tensor<1x4x2x3xf32>
}
func.func private @half(%x: tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32> {
  %y = gsa.gate %x, %x
      : (tensor<1x4x2x3xf32>, tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
  return %y : tensor<1x4x2x3xf32>
}
func.func @twice(%x: tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32> {
  %y = call @silu(%x) : (tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
  %z = call @half(%y) : (tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32>
  return %z : tensor<1x4x2x3xf32>
}
//--- none.mlir
func.func private @helper(%x: tensor<1xf32>) -> tensor<1xf32> {
  return %x : tensor<1xf32>
}
