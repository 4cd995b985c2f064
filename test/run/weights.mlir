// Weights come from a safetensors file under the published state-dict names,
// with or without the prefix of a whole model. This module only writes such a
// file: its results are its inputs under the names of layer 3.

// RUN: gsa-run %s --workload conformance --output %t.weights -q
// RUN: gsa-run %examples/gsa_layer_conformance.mlir --inputs %t.weights --compare --output %t.bound -q
// RUN: gsa-run %examples/gsa_layer_conformance.mlir --seq 6 --workload conformance --output %t.generated -q
// RUN: cmp %t.bound %t.generated

// RUN: gsa-run %examples/gsa_layer_conformance.mlir --inputs %t.weights --prefix model.layers.3.self_attn. --compare -q
// RUN: %expect-exit 2 gsa-run %examples/gsa_layer_conformance.mlir --inputs %t.weights --prefix model.layers.4.self_attn. 2>&1 | FileCheck %s --check-prefix=PREFIX
// PREFIX: --prefix: no weight of the module has the prefix 'model.layers.4.self_attn.' in the files; the files have 'model.layers.3.self_attn.'; did you mean 'model.layers.3.self_attn.'?

// With a checkpoint, a weight that is missing is an error, not an invitation to
// generate one. One that has another shape is an error, too.
// RUN: %python %S/Inputs/drop_tensor.py %t.weights v_proj.weight %t.missing
// RUN: %expect-exit 2 gsa-run %examples/gsa_layer_conformance.mlir --inputs %t.missing --output %t.none 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: weight 'v_proj.weight' (f64[4, 8]) is in none of the input files
// RUN: not test -e %t.none
// RUN: %expect-exit 2 gsa-run %examples/gsa_layer.mlir --seq 6 --inputs %t.weights 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: input 'hidden_states'

func.func @main(
    %a0: tensor<1x6x8xf64> {gsa.name = "hidden_states"},
    %a1: tensor<8x8xf64> {gsa.name = "q_proj.weight"},
    %a2: tensor<4x8xf64> {gsa.name = "k_proj.weight"},
    %a3: tensor<4x8xf64> {gsa.name = "v_proj.weight"},
    %a4: tensor<8x8xf64> {gsa.name = "o_proj.weight"},
    %a5: tensor<2xf64> {gsa.name = "indexer.bias"},
    %a6: tensor<8x8xf64> {gsa.name = "indexer.q_proj.weight"},
    %a7: tensor<4x8xf64> {gsa.name = "indexer.k_proj.weight"},
    %a8: tensor<2x8xf64> {gsa.name = "indexer.weight_proj.weight"},
    %a9: tensor<2xf64> {gsa.name = "indexer.weight_proj.bias"},
    %a10: tensor<4x8xf64> {gsa.name = "value_gate.gate_proj.weight"},
    %a11: tensor<4xf64> {gsa.name = "value_gate.gate_proj.bias"},
    %a12: tensor<8x8xf64> {gsa.name = "output_gate.gate_proj.weight"},
    %a13: tensor<8xf64> {gsa.name = "output_gate.gate_proj.bias"})
    -> (tensor<1x6x8xf64> {gsa.name = "hidden_states"},
        tensor<8x8xf64> {gsa.name = "model.layers.3.self_attn.q_proj.weight"},
        tensor<4x8xf64> {gsa.name = "model.layers.3.self_attn.k_proj.weight"},
        tensor<4x8xf64> {gsa.name = "model.layers.3.self_attn.v_proj.weight"},
        tensor<8x8xf64> {gsa.name = "model.layers.3.self_attn.o_proj.weight"},
        tensor<2xf64> {gsa.name = "model.layers.3.self_attn.indexer.bias"},
        tensor<8x8xf64> {gsa.name = "model.layers.3.self_attn.indexer.q_proj.weight"},
        tensor<4x8xf64> {gsa.name = "model.layers.3.self_attn.indexer.k_proj.weight"},
        tensor<2x8xf64> {gsa.name = "model.layers.3.self_attn.indexer.weight_proj.weight"},
        tensor<2xf64> {gsa.name = "model.layers.3.self_attn.indexer.weight_proj.bias"},
        tensor<4x8xf64> {gsa.name = "model.layers.3.self_attn.value_gate.gate_proj.weight"},
        tensor<4xf64> {gsa.name = "model.layers.3.self_attn.value_gate.gate_proj.bias"},
        tensor<8x8xf64> {gsa.name = "model.layers.3.self_attn.output_gate.gate_proj.weight"},
        tensor<8xf64> {gsa.name = "model.layers.3.self_attn.output_gate.gate_proj.bias"}) {
  return %a0, %a1, %a2, %a3, %a4, %a5, %a6, %a7, %a8, %a9, %a10, %a11, %a12, %a13
      : tensor<1x6x8xf64>, tensor<8x8xf64>, tensor<4x8xf64>, tensor<4x8xf64>, tensor<8x8xf64>, tensor<2xf64>, tensor<8x8xf64>, tensor<4x8xf64>, tensor<2x8xf64>, tensor<2xf64>, tensor<4x8xf64>, tensor<4xf64>, tensor<8x8xf64>, tensor<8xf64>
}
