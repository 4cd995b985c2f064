// RUN: gsa-opt %s -o /dev/null \
// RUN:   --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-plan-smem{arch=sm_90a}))'
// RUN: not gsa-opt %s -o /dev/null \
// RUN:   --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-plan-smem{arch=sm_86}))' 2>&1 \
// RUN:   | FileCheck %s
// RUN: not gsa-opt %s -o /dev/null \
// RUN:   --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-plan-smem{arch=sm_35}))' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=UNKNOWN

// A block of sm_86 has 99 KiB, one of sm_90a 227.
// CHECK: needs 131072 bytes of shared memory, but a block of sm_86 may use 101376
// UNKNOWN: error: gsa-tile-plan-smem: architecture: expected one of {{.*}}, got 'sm_35'; did you mean 'sm_80'?
// UNKNOWN-NOT: see current operation
gsa_tile.kernel @large(%f: f32) attributes {warps = 4 : i64} {
  %c0 = arith.constant 0 : index
  %a = gsa_tile.smem_alloc : !gsa_tile.smem<512x64xf32, linear>
  gsa_tile.store_shared %f, %a[%c0, %c0] : !gsa_tile.smem<512x64xf32, linear>
  gsa_tile.return
}
