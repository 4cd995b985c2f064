// A record whose schedule is of another op than its own says is an error.

// RUN: gsa-opt %s --gsa-cuda-schedule="database=%S/Inputs/tuned.jsonl" -verify-diagnostics

func.func @other_kind(%q: tensor<1x8192x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %i: tensor<1x8192x128xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x32x128xbf16> {
  // expected-error-re @+1 {{has a record in a database of schedules that is wrong: {{.*}}tuned.jsonl:4: expected a #gsa.attention_schedule or {{.*}}, got #gsa.topk_schedule<}}
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x8x128xbf16>, tensor<1x8192x128xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x32x8192xf32>)
  return %out : tensor<1x8192x32x128xbf16>
}
