// A comparison that fails is seen: the report says which result, where and how
// far, and the exit code is 1, also without a report. What is compared is a
// right run; only the limit is set below the rounding of bf16. Wrong runs of
// every kind are in test/unit/interpreter_criterion_test.cc.

// RUN: gsa-run %s --compare | FileCheck %s --check-prefix=PASS
// RUN: %expect-exit 1 gsa-run %s --compare --tolerance 1e-5 | FileCheck %s --check-prefix=FAIL
// RUN: %expect-exit 1 gsa-run %s --compare --tolerance 1e-5 -q | FileCheck %s --check-prefix=QUIET --allow-empty
// RUN: %expect-exit 1 gsa-run %s --compare --tolerance 1e-5 --json 2>/dev/null | FileCheck %s --check-prefix=JSON

// PASS: Comparison with the float64 reference: passed
// PASS-NOT: FAILED

// FAIL: Comparison with the float64 reference: FAILED
// FAIL-NEXT: output tensor<1x40x2x32xbf16>: max error {{.*}} (limit 1e-05), first at element {{[0-9]+}}  FAILED
// FAIL-NEXT: whole tensor<1x40xi32>: 0 of 40 elements differ{{$}}

// QUIET-NOT: Comparison

// JSON: "comparison": {
// JSON: "passed": false
// JSON: "name": "output"
// JSON: "passed": false

func.func @main(%q: tensor<1x40x2x32xbf16> {gsa.name = "query"},
                %k: tensor<1x40x2x32xbf16> {gsa.name = "key"},
                %v: tensor<1x40x2x32xbf16> {gsa.name = "value"})
    -> (tensor<1x40x2x32xbf16> {gsa.name = "output"},
        tensor<1x40xi32> {gsa.name = "whole"}) {
  %whole = arith.constant dense<7> : tensor<1x40xi32>
  %o, %lse = gsa.dense_attention %q, %k, %v
      : (tensor<1x40x2x32xbf16>, tensor<1x40x2x32xbf16>, tensor<1x40x2x32xbf16>)
      -> (tensor<1x40x2x32xbf16>, tensor<1x2x40xf32>)
  return %o, %whole : tensor<1x40x2x32xbf16>, tensor<1x40xi32>
}
