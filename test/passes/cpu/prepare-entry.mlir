// RUN: gsa-opt %s --gsa-cpu-prepare-entry --split-input-file \
// RUN:   --verify-diagnostics | FileCheck %s

// Inputs are read-only unless the module says otherwise.
// CHECK-LABEL: func.func @entry(
// CHECK-SAME: tensor<4xf32> {bufferization.writable = false}
// CHECK-SAME: tensor<4xf32> {bufferization.writable = true}
// CHECK-SAME: i64) -> tensor<4xf32> attributes {llvm.emit_c_interface}
func.func @entry(%a: tensor<4xf32>,
                 %b: tensor<4xf32> {bufferization.writable = true},
                 %c: i64) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}

// -----

// expected-error @+1 {{expected static shapes in the entry's signature, got 'tensor<?xf32>' for argument #0}}
func.func @dynamic(%a: tensor<?xf32>) {
  return
}

// -----

func.func @first() {
  return
}
// expected-error @+1 {{expected one public function with a body, got 'first' and 'second'}}
func.func @second() {
  return
}

// -----

// expected-error @+1 {{expected one public function with a body, got none}}
module {
  func.func private @hidden() {
    return
  }
}

// -----

// What a result updates may be written.
// CHECK-LABEL: func.func @updates(
// CHECK-SAME: tensor<4xf32> {bufferization.writable = true, gsa.name = "a"}
// CHECK-SAME: tensor<4xf32> {bufferization.writable = false, gsa.name = "b"}
func.func @updates(%a: tensor<4xf32> {gsa.name = "a"},
                   %b: tensor<4xf32> {gsa.name = "b"})
    -> (tensor<4xf32> {gsa.updates = "a"}) {
  return %a : tensor<4xf32>
}
