// RUN: gsa-opt %s --gsa-dependent-launches=arch=sm_90a --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-dependent-launches=arch=sm_90a --gsa-dependent-launches=arch=sm_90a --split-input-file | FileCheck %s
// RUN: gsa-opt %s --gsa-dependent-launches=arch=sm_90a --split-input-file --remarks-filter=gsa.host -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: gsa-opt %s --gsa-dependent-launches=arch=sm_80 --split-input-file | FileCheck %s --check-prefix=OLD
// RUN: gsa-opt %s --gsa-dependent-launches=arch=sm_80 --split-input-file --remarks-filter=gsa.host -o /dev/null 2>&1 | FileCheck %s --check-prefix=OLD-REMARK
// RUN: not gsa-opt %s --gsa-dependent-launches=arch=sm_1 --split-input-file -o /dev/null 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: gsa-dependent-launches: architecture: expected one of

// Three launches of which the second and the third begin early. What is read of
// the input comes before the wait, what touches the workspace behind it.

// OLD-NOT: gsa_tile.launch_wait
// OLD-NOT: gsa_tile.launch_next
// OLD-NOT: dependent
// OLD-REMARK: NotDependent{{.*}}first: the architecture has no dependent launches

// CHECK-LABEL: gsa_tile.kernel @first(
// CHECK: gsa_tile.launch_next
// CHECK-NOT: gsa_tile.launch_wait
// CHECK: gsa_tile.return
gsa_tile.kernel @first(%x: !gsa_tile.global<f32, read>,
                       %y: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %v = gsa_tile.load %x[%c0] : !gsa_tile.global<f32, read>, index
  gsa_tile.store %v, %y[%c0] : !gsa_tile.global<f32, write>, index
  gsa_tile.return
}
// CHECK-LABEL: gsa_tile.kernel @second(
// CHECK: gsa_tile.launch_next
// CHECK: gsa_tile.load
// CHECK-NEXT: gsa_tile.launch_wait
// CHECK-NEXT: %[[Y:.*]] = gsa_tile.launched
// CHECK-NEXT: %[[Z:.*]] = gsa_tile.launched
// CHECK-NEXT: gsa_tile.load %[[Y]]
// CHECK: gsa_tile.store %{{.*}}, %[[Z]]
gsa_tile.kernel @second(%x: !gsa_tile.global<f32, read>,
                        %y: !gsa_tile.global<f32, read>,
                        %z: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %v = gsa_tile.load %x[%c0] : !gsa_tile.global<f32, read>, index
  %w = gsa_tile.load %y[%c0] : !gsa_tile.global<f32, read>, index
  %u = arith.addf %v, %w : f32
  gsa_tile.store %u, %z[%c0] : !gsa_tile.global<f32, write>, index
  gsa_tile.return
}
// The last one allows nobody. Each role that touches the workspace waits.
// CHECK-LABEL: gsa_tile.kernel @third(
// CHECK-NOT: gsa_tile.launch_next
// CHECK: role <"load"
// CHECK-NOT: gsa_tile.launch_wait
// CHECK: role <"compute"
// CHECK: gsa_tile.launch_wait
// CHECK-NEXT: gsa_tile.launched
// CHECK-NEXT: gsa_tile.launched
gsa_tile.kernel @third(%x: !gsa_tile.global<f32, read>,
                       %y: !gsa_tile.global<f32, read>,
                       %z: !gsa_tile.global<f32, write>)
    attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      %v = gsa_tile.load %x[%c0] : !gsa_tile.global<f32, read>, index
    }
    role <"compute", team = <1, 1>> {
      %w = gsa_tile.load %y[%c0] : !gsa_tile.global<f32, read>, index
      gsa_tile.store %w, %z[%c0] : !gsa_tile.global<f32, write>, index
    }
  }
  gsa_tile.return
}
// REMARK: NotDependent{{.*}}first: it is the first step of its block
// REMARK: DependentLaunch{{.*}}second
// REMARK: DependentLaunch{{.*}}third
// CHECK-LABEL: func.func @main(
// CHECK: gsa_tile.launch @first brief grid
// CHECK: gsa_tile.launch @second brief dependent grid
// CHECK: gsa_tile.launch @third brief dependent grid
func.func @main(%in: memref<8xf32>, %out: memref<8xf32>, %work: memref<?xi8>)
    attributes {gsa.outputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.view %work[%c0][] : memref<?xi8> to memref<8xf32>
  gsa_tile.launch @first brief grid(%c1) args(%in, %a) : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @second brief grid(%c1) args(%in, %a, %out) : memref<8xf32>, memref<8xf32>, memref<8xf32>
  gsa_tile.launch @third brief grid(%c1) args(%in, %out, %a) : memref<8xf32>, memref<8xf32>, memref<8xf32>
  return
}

// -----

// A copy between them; and a launch that is not brief, and that a brief one is
// behind.
// REMARK: NotDependent{{.*}}scale: it is the first step of its block
// REMARK: NotDependent{{.*}}scale: the step before is no launch
// REMARK: DependentLaunch{{.*}}scale
// CHECK-LABEL: gsa_tile.kernel @scale(
// CHECK: gsa_tile.launch_next
// CHECK: gsa_tile.launch_wait
// CHECK-LABEL: func.func @main(
// CHECK-COUNT-2: gsa_tile.launch @scale brief grid
// CHECK: gsa_tile.launch @scale grid
// CHECK: gsa_tile.launch @scale brief dependent grid
gsa_tile.kernel @scale(%x: !gsa_tile.global<f32, read>,
                       %y: !gsa_tile.global<f32, write>)
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %v = gsa_tile.load %x[%c0] : !gsa_tile.global<f32, read>, index
  gsa_tile.store %v, %y[%c0] : !gsa_tile.global<f32, write>, index
  gsa_tile.return
}
func.func @main(%in: memref<8xf32>, %out: memref<8xf32>, %work: memref<?xi8>)
    attributes {gsa.outputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.view %work[%c0][] : memref<?xi8> to memref<8xf32>
  gsa_tile.launch @scale brief grid(%c1) args(%in, %a) : memref<8xf32>, memref<8xf32>
  memref.copy %a, %out : memref<8xf32> to memref<8xf32>
  gsa_tile.launch @scale brief grid(%c1) args(%in, %a) : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @scale grid(%c1) args(%in, %a) : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @scale brief grid(%c1) args(%in, %out) : memref<8xf32>, memref<8xf32>
  return
}

// -----

// On lanes: what is behind a launch of its lane, and behind one of any lane in
// the text. Waits for steps of other lanes are ended before it begins.
// REMARK: NotDependent{{.*}}next: it is the first step of its lane
// REMARK: DependentLaunch{{.*}}next
// REMARK: NotDependent{{.*}}next: the step before is no launch
// CHECK-LABEL: gsa_tile.kernel @long(
// CHECK: gsa_tile.launch_next
// CHECK-LABEL: func.func @lanes
// CHECK: gsa_tile.launch @long grid
// CHECK: gsa_tile.launch @next brief grid
// CHECK: gsa_tile.launch @next brief dependent grid
// CHECK: gsa_tile.launch @next brief grid
gsa_tile.kernel @long(%x: !gsa_tile.global<f32, write>) attributes {warps = 1 : i64} {
  gsa_tile.return
}
gsa_tile.kernel @next(%x: !gsa_tile.global<f32, read>) attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %v = gsa_tile.load %x[%c0] : !gsa_tile.global<f32, read>, index
  gsa_tile.return
}
func.func @lanes(%a: memref<4xf32>, %o: memref<4xf32>, %w: memref<?xi8>) attributes {gsa.lanes = 2 : i64, gsa.outputs = 1 : i64} {
  %c1 = arith.constant 1 : index
  gsa_tile.launch @long grid(%c1) args(%o) {gsa_tile.step = #gsa_tile.step<0, lane = 0>} : memref<4xf32>
  gsa_tile.launch @next brief grid(%c1) args(%o) {gsa_tile.step = #gsa_tile.step<1, lane = 1 waits = [0]>} : memref<4xf32>
  gsa_tile.launch @next brief grid(%c1) args(%o) {gsa_tile.step = #gsa_tile.step<2, lane = 0 waits = [1]>} : memref<4xf32>
  memref.copy %a, %o {gsa_tile.step = #gsa_tile.step<3, lane = 1 waits = [2]>} : memref<4xf32> to memref<4xf32>
  gsa_tile.launch @next brief grid(%c1) args(%o) {gsa_tile.step = #gsa_tile.step<4, lane = 0 waits = [3]>} : memref<4xf32>
  return
}

// -----

// REMARK: NotDependent{{.*}}nothing: it is the first step of its block
// REMARK: NotDependent{{.*}}nothing: its kernel touches nothing that steps write
gsa_tile.kernel @nothing(%x: !gsa_tile.global<f32, read>) attributes {warps = 1 : i64} {
  gsa_tile.return
}
// CHECK-LABEL: func.func @untouched
// CHECK-NOT: dependent
func.func @untouched(%a: memref<4xf32>, %w: memref<?xi8>) attributes {gsa.outputs = 0 : i64} {
  %c1 = arith.constant 1 : index
  gsa_tile.launch @nothing brief grid(%c1) args(%a) : memref<4xf32>
  gsa_tile.launch @nothing brief grid(%c1) args(%a) : memref<4xf32>
  return
}

// -----

// Each role waits before its own first use.
// CHECK-LABEL: gsa_tile.kernel @both(
// CHECK: role <"load"
// CHECK: gsa_tile.launch_wait
// CHECK: role <"compute"
// CHECK: gsa_tile.launch_wait
// CHECK: gsa_tile.return
gsa_tile.kernel @both(%x: !gsa_tile.global<f32, read>,
                      %y: !gsa_tile.global<f32, write>)
    attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  gsa_tile.roles {
    role <"load", team = <0, 1>> {
      %v = gsa_tile.load %x[%c0] : !gsa_tile.global<f32, read>, index
      gsa_tile.store %v, %y[%c0] : !gsa_tile.global<f32, write>, index
    }
    role <"compute", team = <1, 1>> {
      %v = gsa_tile.load %x[%c0] : !gsa_tile.global<f32, read>, index
      gsa_tile.store %v, %y[%c0] : !gsa_tile.global<f32, write>, index
    }
  }
  gsa_tile.return
}
func.func @main(%in: memref<8xf32>, %out: memref<8xf32>, %work: memref<?xi8>)
    attributes {gsa.outputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.view %work[%c0][] : memref<?xi8> to memref<8xf32>
  gsa_tile.launch @both brief grid(%c1) args(%in, %a) : memref<8xf32>, memref<8xf32>
  gsa_tile.launch @both brief grid(%c1) args(%a, %out) : memref<8xf32>, memref<8xf32>
  return
}
