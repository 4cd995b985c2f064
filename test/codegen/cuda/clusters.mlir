// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills --arch=sm_90a,sm_100a,sm_120 %s | FileCheck %s --check-prefix=USAGE %}
// RUN: %if host-cxx %{ gsa-translate --gsa-tile-to-cuda %s -o %t.cc %}
// RUN: %if host-cxx %{ %host-cxx -Wall -Wextra -Wno-unused -Werror -fsyntax-only %t.cc %}

// Blocks of a cluster wait for each other; the first one reads what all wrote.

// USAGE: sm_90a exchange registers={{[0-9]+}} stack=0 spill_stores=0
// USAGE: sm_100a exchange registers={{[0-9]+}} stack=0 spill_stores=0
// USAGE: sm_120 exchange registers={{[0-9]+}} stack=0 spill_stores=0

// CHECK: extern "C" __global__ __cluster_dims__(4, 1, 1) __launch_bounds__(64, 1)
// CHECK-NEXT: void exchange(
gsa_tile.kernel @exchange(%out: !gsa_tile.global<f32, write> loc("out"), %x: f32 loc("x"))
    attributes {warps = 2 : i64, cluster = 4 : i64} {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %block = gsa_tile.block_id 0
  gsa_tile.store %x, %out[%block] : !gsa_tile.global<f32, write>, index
  // CHECK: cluster_sync<4>();
  gsa_tile.cluster_sync 4
  %first = arith.cmpi eq, %block, %c0 : index
  scf.if %first {
    %y = gsa_tile.load %out[%c3] : !gsa_tile.global<f32, write>, index
    gsa_tile.store %y, %out[%c0] : !gsa_tile.global<f32, write>, index
  }
  gsa_tile.return
}
