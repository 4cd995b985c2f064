//===- gate_only.mlir - the two gates of a GSA layer ----------------------===//
//
// The value gate scales the values of a token before they are cached; the
// output gate scales what attention returns. Both are elementwise here. The
// third gate has one logit per head instead.
// H = 8, G = 2, D = 64.
//
//   gsa-run examples/gate_only.mlir --seq 1024 --compare
//
//===----------------------------------------------------------------------===//

func.func @main(
    %v: tensor<?x?x2x64xf32> {gsa.name = "value"},
    %value_gate: tensor<?x?x2x64xf32> {gsa.name = "value_gate"},
    %o: tensor<?x?x8x64xf32> {gsa.name = "attended"},
    %output_gate: tensor<?x?x8x64xf32> {gsa.name = "output_gate"},
    %head_gate: tensor<?x?x8xf32> {gsa.name = "head_gate"})
    -> (tensor<?x?x2x64xf32> {gsa.name = "gated_value"},
        tensor<?x?x8x64xf32> {gsa.name = "output"},
        tensor<?x?x8x64xf32> {gsa.name = "output_per_head"}) {
  %gated_value = gsa.gate %v, %value_gate
      : (tensor<?x?x2x64xf32>, tensor<?x?x2x64xf32>) -> tensor<?x?x2x64xf32>
  %output = gsa.gate %o, %output_gate
      : (tensor<?x?x8x64xf32>, tensor<?x?x8x64xf32>) -> tensor<?x?x8x64xf32>
  %output_per_head = gsa.gate %o, %head_gate
      : (tensor<?x?x8x64xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8x64xf32>
  return %gated_value, %output, %output_per_head
      : tensor<?x?x2x64xf32>, tensor<?x?x8x64xf32>, tensor<?x?x8x64xf32>
}
