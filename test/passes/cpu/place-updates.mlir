// RUN: gsa-opt %s --gsa-place-updates --split-input-file --verify-diagnostics | FileCheck %s
// RUN: gsa-opt %s --gsa-place-updates=tests=false --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=DEVICE
// RUN: not gsa-opt %s --gsa-place-updates --split-input-file --remarks-filter=gsa.host -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The argument's uses are those of what is returned, into which it is copied unless
// the two are one.
// REMARK: remark: {{.*}}UpdatedInPlace{{.*}}number=1
// CHECK-LABEL: func.func @loops(
// CHECK-SAME: %[[X:.*]]: memref<4xf32>, %[[C:.*]]: memref<9x4xf32> {gsa.name = "cache"}
// CHECK-SAME: {gsa.updates = "cache"}
// CHECK: %[[BOTH:.*]] = memref.alloc() : memref<9x4xf32>
// CHECK: %[[FROM:.*]] = memref.extract_aligned_pointer_as_index %[[C]]
// CHECK: %[[TO:.*]] = memref.extract_aligned_pointer_as_index %[[BOTH]]
// CHECK: %[[APART:.*]] = arith.cmpi ne, %[[FROM]], %[[TO]]
// CHECK: scf.if %[[APART]]
// CHECK-NEXT: memref.copy %[[C]], %[[BOTH]]
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[BOTH]])
// CHECK: return %[[X]], %[[BOTH]]
// DEVICE-LABEL: func.func @loops(
// DEVICE-SAME: %[[C:[a-z0-9]+]]: memref<9x4xf32> {gsa.name = "cache"}
// DEVICE-NEXT: %[[BOTH:.*]] = memref.alloc() : memref<9x4xf32>
// DEVICE-NEXT: memref.copy %[[C]], %[[BOTH]]
func.func @loops(%x: memref<4xf32>, %c: memref<9x4xf32> {gsa.name = "cache"},
                 %n: index, %p: i1)
    -> (memref<4xf32>, memref<9x4xf32> {gsa.updates = "cache"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%b = %c) -> memref<9x4xf32> {
    %1 = scf.if %p -> memref<9x4xf32> {
      %row = memref.subview %b[%i, 0][1, 4][1, 1]
          : memref<9x4xf32> to memref<4xf32, strided<[1], offset: ?>>
      memref.copy %x, %row
          : memref<4xf32> to memref<4xf32, strided<[1], offset: ?>>
      scf.yield %b : memref<9x4xf32>
    } else {
      scf.yield %b : memref<9x4xf32>
    }
    scf.yield %1 : memref<9x4xf32>
  }
  %flat = memref.collapse_shape %0 [[0, 1]] : memref<9x4xf32> into memref<36xf32>
  %back = memref.expand_shape %flat [[0, 1]] output_shape [9, 4]
      : memref<36xf32> into memref<9x4xf32>
  return %x, %back : memref<4xf32>, memref<9x4xf32>
}

// -----

// Sizes are asked of the argument.
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME: %[[C:.*]]: memref<?x4xf32>
// CHECK: %[[SIZE:.*]] = memref.dim %[[C]], %{{.*}}
// CHECK: memref.alloc(%[[SIZE]]) : memref<?x4xf32>
func.func @dynamic(%c: memref<?x4xf32> {gsa.name = "cache"})
    -> (memref<?x4xf32> {gsa.updates = "cache"}) {
  return %c : memref<?x4xf32>
}

// -----

// What has no elements may be anywhere.
// CHECK-LABEL: func.func @empty(
// CHECK-NEXT: memref.alloc() : memref<0x4xf32>
// CHECK-NEXT: return
func.func @empty(%c: memref<0x4xf32> {gsa.name = "cache"})
    -> (memref<0x4xf32> {gsa.updates = "cache"}) {
  %0 = memref.alloc() : memref<0x4xf32>
  return %0 : memref<0x4xf32>
}

// -----

// Nothing to place: nothing is changed.
// CHECK-LABEL: func.func @plain(
// CHECK-NEXT: return
func.func @plain(%c: memref<4xf32> {gsa.name = "cache"})
    -> (memref<4xf32> {gsa.name = "cache"}) {
  return %c : memref<4xf32>
}

// -----

// What bufferization makes of a read behind the write.
func.func @late(%c: memref<9x4xf32> {gsa.name = "cache"}, %v: f32)
    -> (f32, memref<9x4xf32> {gsa.updates = "cache"}) {
  %c0 = arith.constant 0 : index
  %copy = memref.alloc() : memref<9x4xf32>
  %first = memref.load %c[%c0, %c0] : memref<9x4xf32>
  memref.copy %c, %copy : memref<9x4xf32> to memref<9x4xf32>
  memref.store %v, %copy[%c0, %c0] : memref<9x4xf32>
  %view = memref.subview %c[2, 0][1, 4][1, 1]
      : memref<9x4xf32> to memref<4xf32, strided<[1], offset: 8>>
  // expected-error @+1 {{reads 'cache' too late: result #1, which updates it, is in its memory by then; expected the read before the update, or of the new value}}
  %old = memref.load %view[%c0] : memref<4xf32, strided<[1], offset: 8>>
  %sum = arith.addf %first, %old : f32
  return %sum, %copy : f32, memref<9x4xf32>
}

// -----

func.func @other(%c: memref<9x4xf32> {gsa.name = "cache"}, %v: f32)
    -> (memref<9x4xf32> {gsa.updates = "cache"}) {
  %new = memref.alloc() : memref<9x4xf32>
  linalg.fill ins(%v : f32) outs(%new : memref<9x4xf32>)
  // expected-error @+1 {{result #0 updates 'cache', but is not in its memory; expected the argument behind gsa.append_rows or tensor.insert_slice into it}}
  return %new : memref<9x4xf32>
}

// -----

// expected-error @+1 {{expected one block where result #0 updates 'cache', got 2}}
func.func @blocks(%c: memref<9x4xf32> {gsa.name = "cache"})
    -> (memref<9x4xf32> {gsa.updates = "cache"}) {
  cf.br ^end
^end:
  return %c : memref<9x4xf32>
}
