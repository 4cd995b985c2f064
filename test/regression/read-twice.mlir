// Two ops of a CPU read the same rotated queries, with a gate of their shape in
// between. The reads were made one (CSE of bufferization.to_buffer), so nothing
// seemed to read the queries behind the gate, whose result took their memory: the
// second op attended with the gated output.

// RUN: gsa-run %s --compare | FileCheck %s
// RUN: gsa-run %s --stop-after=loops | FileCheck %s --check-prefix=LOOPS
// CHECK: Comparison with the float64 reference: passed
// LOOPS: bufferization.to_buffer %[[R:.*]] read_only : tensor<1x16x8x64xf32>
// LOOPS: bufferization.to_buffer %[[R]] read_only {gsa.read = 1 : i64} : tensor<1x16x8x64xf32>

!t = tensor<1x16x8x64xf32>
!l = tensor<1x8x16xf32>
func.func @main(%q: !t, %k: !t, %v: !t, %z: !t) -> (!t, !t) {
  %p = arith.constant dense<5> : tensor<1x16xi64>
  %r = gsa.rope %q, %p : (!t, tensor<1x16xi64>) -> !t
  %o, %m = gsa.dense_attention %r, %k, %v : (!t, !t, !t) -> (!t, !l)
  %g = gsa.gate %o, %z : (!t, !t) -> !t
  %o2, %m2 = gsa.dense_attention %r, %g, %v : (!t, !t, !t) -> (!t, !l)
  return %g, %o2 : !t, !t
}
