// REQUIRES: nvrtc
// RUN: not gsa-translate --gsa-tile-to-ptx --arch=sm_80 %s 2>&1 | FileCheck %s
// RUN: not gsa-translate --gsa-tile-to-cubin --arch=sm_35 %s 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ARCH
// RUN: not gsa-translate --gsa-tile-to-cubin %s 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NONE

// What the compiler says of a line is an error at the op that it came from,
// also if it says it of a header.

// ARCH: error: {{.*}}sm_35
// NONE: error: expected one architecture in --arch, got 0

gsa_tile.kernel @rings() attributes {warps = 2 : i64} {
  %c0 = arith.constant 0 : index
  // CHECK: nvrtc-errors.mlir:[[# @LINE + 1]]:8: error: 'gsa_tile.ring_alloc' op in CUDA C++, line 11, gsa/device/ring.cuh:{{[0-9]+}}: static assertion failed with "a ring has at least one producer and one consumer"
  %0 = gsa_tile.ring_alloc producers 0 consumers 1 at 0 : !gsa_tile.ring<2>
  gsa_tile.sync #gsa_tile.team<0, 2>
  gsa_tile.ring_release %0[%c0] : !gsa_tile.ring<2>
  // CHECK: nvrtc-errors.mlir:[[# @LINE + 1]]:3: error: 'gsa_tile.sync' op in CUDA C++, line 14
  gsa_tile.sync #gsa_tile.team<0, 2> barrier 16
  gsa_tile.return
}
