// Two decisions on their way: `stages = 3` and four `producers` of the schedule of
// sparse attention, from the attribute to the lines of CUDA C++. The guide
// docs/guides/follow-a-decision.md walks along these checks.

// RUN: gsa-opt %s --gsa-to-tile --canonicalize --cse -o %t.lowered
// RUN: FileCheck %s --check-prefix=LOWERED --input-file %t.lowered
// RUN: gsa-opt %t.lowered --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-pipeline))' -o %t.ring
// RUN: FileCheck %s --check-prefix=RING --input-file %t.ring
// RUN: gsa-opt %t.ring --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-assign-roles))' -o %t.roles
// RUN: FileCheck %s --check-prefix=ROLES --input-file %t.roles
// RUN: gsa-opt %t.roles --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-check-sync,gsa-tile-plan-smem),gsa-tile-finalize)' -o %t.final
// RUN: FileCheck %s --check-prefix=PLANNED --input-file %t.final
// RUN: gsa-translate --gsa-tile-to-cuda %t.final | FileCheck %s --check-prefix=CUDA
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %t.final | FileCheck %s --check-prefix=USAGE %}

// 1. The op says how it is to run.
#schedule = #gsa.attention_schedule<engine = mma_sync, block_q = 16,
    block_k = 64, stages = 3, producers = 4, consumers = 4>

// 2. gsa-to-tile: a kernel of eight warps, room for three tiles of keys and three
// of values, and a stream that the first four warps fill. The other four, in one
// group, split its 64 keys, 16 each.
// LOWERED-LABEL: gsa_tile.kernel @gather_attention
// LOWERED-SAME: warps = 8
// LOWERED: %[[TILES:.*]] = gsa_tile.tile_ring : <3 by cp_async, !gsa_tile.smem<64x128xbf16, swizzle>, !gsa_tile.smem<64x128xbf16, swizzle>>
// LOWERED: gsa_tile.copy_wait <0, 8>
// LOWERED: gsa_tile.stream below %{{.*}} <loaders = 4> rings(%[[TILES]]
// LOWERED: ^bb0(%[[I:.*]]: index, %[[KEYS:.*]]: !gsa_tile.smem<64x128xbf16, swizzle>, %[[VALUES:.*]]: !gsa_tile.smem
// LOWERED: %[[FIRST:.*]] = arith.muli %[[I]], %c64
// LOWERED: %[[FOUND:.*]] = gsa_tile.find_rows %{{.*}}[%[[FIRST]]] for 64 x 16 by <0, 4>
// LOWERED: gsa_tile.copy_rows %{{.*}}[%[[FOUND]]] {{.*}} to %[[KEYS]] by <0, 4> vector 16
// LOWERED: gsa_tile.copy_rows %{{.*}}[%[[FOUND]]] {{.*}} to %[[VALUES]] by <0, 4> vector 16
// LOWERED: } compute {
// LOWERED: gsa_tile.mma_nt {{.*}} : <16x16xf32, acc>, <16x128xbf16, lhs>, <64x128xbf16, swizzle>
// LOWERED: gsa_tile.sync <4, 4> barrier 1

// 3. gsa-tile-pipeline: each tile becomes three, behind a ring; the stream a loop
// whose body is two roles.
// RING: %[[KEYS:.*]] = gsa_tile.smem_alloc : <3x64x128xbf16, swizzle>
// RING: %[[RING:.*]] = gsa_tile.ring_alloc producers 4 consumers 4 : <3>
// RING: scf.for %[[I:.*]] =
// RING-NEXT: gsa_tile.roles {
// RING-NEXT: role <"load", team = <0, 4>> {
// RING: %[[SLOT:.*]] = gsa_tile.ring_acquire %[[RING]][%[[I]]] : <3>
// RING-NEXT: %[[TILE:.*]] = gsa_tile.stage %[[KEYS]][%[[SLOT]]] : <3x64x128xbf16, swizzle>
// RING: gsa_tile.copy_rows {{.*}} to %[[TILE]] by <0, 4>
// RING: gsa_tile.ring_commit %[[RING]][%[[I]]]
// RING: role <"compute", team = <4, 4>> {
// RING: gsa_tile.ring_wait %[[RING]][%[[I]]]
// RING: gsa_tile.ring_release %[[RING]][%[[I]]]

// 4. gsa-tile-assign-roles: each role has the loop, and of the rest of the kernel
// what its warps run.
// ROLES: gsa_tile.roles {
// ROLES-NEXT: role <"load", team = <0, 4>> {
// ROLES-NOT: gsa_tile.frag_alloc
// ROLES: scf.for
// ROLES: gsa_tile.copy_rows {{.*}} by <0, 4>
// ROLES: role <"compute", team = <4, 4>> {
// ROLES: gsa_tile.frag_alloc
// ROLES: scf.for
// ROLES: gsa_tile.ring_wait

// 5. gsa-tile-plan-smem: 3 * 64 * 128 * 2 bytes each for keys and values.
// PLANNED: shared_bytes = {{[0-9]+}}
// PLANNED: gsa_tile.smem_alloc at 0 : <3x64x128xbf16, swizzle>
// PLANNED: gsa_tile.smem_alloc at 49152 : <3x64x128xbf16, swizzle>

// 6. gsa-translate: the lines of CUDA C++.
// CUDA: smem_alloc<smem_stages<bf16, 3, 64, 128, smem_layout::swizzle>>(0)
// CUDA: ring_alloc<ring<3>, 4, 4>(
// CUDA: if (in_team<team<0, 4>>())
// CUDA: ring_acquire(
// CUDA: copy_rows<team<0, 4>, 16>(
// CUDA: ring_commit<true>(
// CUDA: else if (in_team<team<4, 4>>())
// CUDA: ring_wait(
// CUDA: ring_release(

// 7. NVRTC: every architecture takes them, without local memory.
// USAGE: sm_80 gather_attention registers={{[0-9]+}} stack=0
// USAGE: sm_90a gather_attention registers={{[0-9]+}} stack=0
// USAGE: sm_120 gather_attention registers={{[0-9]+}} stack=0
func.func @main(%q: tensor<1x300x8x128xbf16>, %k: tensor<1x300x2x128xbf16>,
                %v: tensor<1x300x2x128xbf16>, %i: tensor<1x300x256xi32>,
                %c: tensor<1x300xi32>)
    -> (tensor<1x300x8x128xbf16>, tensor<1x8x300xf32>) {
  %out, %lse = gsa.gather_attention %q, %k, %v indices %i, %c
      {gsa.schedule = #schedule}
      : (tensor<1x300x8x128xbf16>, tensor<1x300x2x128xbf16>,
         tensor<1x300x2x128xbf16>, tensor<1x300x256xi32>, tensor<1x300xi32>)
      -> (tensor<1x300x8x128xbf16>, tensor<1x8x300xf32>)
  return %out, %lse : tensor<1x300x8x128xbf16>, tensor<1x8x300xf32>
}
