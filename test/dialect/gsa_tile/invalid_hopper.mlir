// RUN: gsa-opt %s --split-input-file --verify-diagnostics

gsa_tile.kernel @wgmma_fence_c1() attributes {warps = 4 : i64} {
  %a = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xbf16, acc>
  // expected-error @+1 {{expected an accumulator of f32 or a left operand of 16 bits, got '!gsa_tile.frag<16x64xbf16, acc>'}}
  gsa_tile.wgmma_fence %a : !gsa_tile.frag<16x64xbf16, acc>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_fence_c1_operand() attributes {warps = 4 : i64} {
  %a = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, lhs>
  // expected-error @+1 {{expected an accumulator of f32 or a left operand of 16 bits}}
  gsa_tile.wgmma_fence %a : !gsa_tile.frag<16x64xf32, lhs>
  gsa_tile.return
}

// -----

gsa_tile.kernel @wgmma_wait_c1() attributes {warps = 4 : i64} {
  %a = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf32, acc>
  %b = gsa_tile.frag_alloc : !gsa_tile.frag<16x64xf16, acc>
  // expected-error @+1 {{expected an accumulator of f32 or a left operand of 16 bits, got '!gsa_tile.frag<16x64xf16, acc>'}}
  gsa_tile.wgmma_wait 0, %a, %b : !gsa_tile.frag<16x64xf32, acc>, !gsa_tile.frag<16x64xf16, acc>
  gsa_tile.return
}
