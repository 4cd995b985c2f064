// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// Textual IR that nobody would write by hand: each line must end in a located
// diagnostic.

func.func @segments_missing(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{operand count (2) does not match with the total size (0) specified in attribute 'operandSegmentSizes'}}
  %0 = "gsa.index_scores"(%q, %k)
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @segments_too_many(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{operand count (2) does not match with the total size (3) specified in attribute 'operandSegmentSizes'}}
  %0 = "gsa.index_scores"(%q, %k) <{
      operandSegmentSizes = array<i32: 2, 1, 0, 0, 0>}>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @segments_negative(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{'operandSegmentSizes' attribute cannot have negative elements}}
  %0 = "gsa.index_scores"(%q, %k) <{
      operandSegmentSizes = array<i32: 3, -1, 0, 0, 0>}>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

// The query's segment is empty, the key's holds both.
func.func @segments_shifted(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{operand #0 must be 3D tensor}}
  %0 = "gsa.index_scores"(%q, %k) <{
      operandSegmentSizes = array<i32: 0, 2, 0, 0, 0>}>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @segments_too_short(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error @+1 {{size mismatch in attribute conversion: 2 vs 5}}
  %0 = "gsa.index_scores"(%q, %k) <{operandSegmentSizes = array<i32: 1, 1>}>
    : (tensor<2x3x4x8xf32>, tensor<2x5x8xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @no_operands() {
  // expected-error @+1 {{requires a single operand}}
  %0 = "gsa.stat_mean"() : () -> tensor<f32>
  return
}

// -----

func.func @no_results(%v: tensor<2x3xf32>) {
  // expected-error @+1 {{requires one result}}
  "gsa.stat_mean"(%v) : (tensor<2x3xf32>) -> ()
  return
}

// -----

func.func @one_result_of_three(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{operation defines 3 results but was provided 1 to bind}}
  %0 = gsa.topk %s, %k slots 4
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @unranked(%v: tensor<*xf32>) {
  // expected-error @+1 {{operand #0 must be 2D tensor of 32-bit float or 64-bit float values, but got 'tensor<*xf32>'}}
  %0 = gsa.stat_mean %v : (tensor<*xf32>) -> tensor<f32>
  return
}

// -----

func.func @unranked_result(%v: tensor<2x3xf32>) {
  // expected-error @+1 {{result #0 must be 0D tensor of 32-bit float or 64-bit float values, but got 'tensor<*xf32>'}}
  %0 = gsa.stat_mean %v : (tensor<2x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @memref(%v: memref<2x3xf32>) {
  // expected-error @+1 {{operand #0 must be 2D tensor of 32-bit float or 64-bit float values, but got 'memref<2x3xf32>'}}
  %0 = gsa.stat_mean %v : (memref<2x3xf32>) -> tensor<f32>
  return
}

// -----

func.func @eight_bit_floats(%x: tensor<2x3x4x8xf8E4M3FN>) {
  // expected-error @+1 {{operand #0 must be 4D tensor of 16-bit float or bfloat16 type or 32-bit float or 64-bit float values}}
  %0 = gsa.gate %x, %x
    : (tensor<2x3x4x8xf8E4M3FN>, tensor<2x3x4x8xf8E4M3FN>)
    -> tensor<2x3x4x8xf8E4M3FN>
  return
}

// -----

func.func @wrong_rank(%x: tensor<2x3x4x8xf32>, %l: tensor<2x3xf32>) {
  // expected-error @+1 {{operand #1 must be 3D/4D tensor}}
  %0 = gsa.gate %x, %l
    : (tensor<2x3x4x8xf32>, tensor<2x3xf32>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @positions_of_32_bits(%x: tensor<2x3x4x8xf32>, %p: tensor<2x3xi32>) {
  // expected-error @+1 {{operand #1 must be 2D tensor of 64-bit signless integer values, but got 'tensor<2x3xi32>'}}
  %0 = gsa.rope %x, %p
    : (tensor<2x3x4x8xf32>, tensor<2x3xi32>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @indices_of_64_bits(%q: tensor<2x3x4x8xf32>, %k: tensor<2x5x2x8xf32>,
                              %i: tensor<2x3x7xi64>, %c: tensor<2x3xi32>) {
  // expected-error @+1 {{operand #3 must be 3D tensor of 32-bit signless integer values, but got 'tensor<2x3x7xi64>'}}
  %0:2 = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<2x3x4x8xf32>, tensor<2x5x2x8xf32>, tensor<2x5x2x8xf32>,
       tensor<2x3x7xi64>, tensor<2x3xi32>)
    -> (tensor<2x3x4x8xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @no_slots(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{requires attribute 'slots'}}
  %0:3 = "gsa.topk"(%s, %k)
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @slots_of_another_type(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{attribute 'slots' failed to satisfy constraint: 64-bit signless integer attribute}}
  %0:3 = "gsa.topk"(%s, %k) <{slots = 4 : i32}>
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @slots_as_text(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{Invalid attribute `slots` in property conversion: "4"}}
  %0:3 = "gsa.topk"(%s, %k) <{slots = "4"}>
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @slots_past_64_bits(%s: tensor<2x3x5xf32>, %k: tensor<2x3xi32>) {
  // expected-error @+1 {{integer constant out of range for attribute}}
  %0:3 = gsa.topk %s, %k slots 99999999999999999999
    : (tensor<2x3x5xf32>, tensor<2x3xi32>)
    -> (tensor<2x3x4xi32>, tensor<2x3xi32>, tensor<2x3xi32>)
  return
}

// -----

func.func @no_policy(%n: tensor<2x3xi32>) {
  // expected-error @+1 {{requires attribute 'policy'}}
  %0 = "gsa.adaptive_k"(%n) <{operandSegmentSizes = array<i32: 1, 0, 0>}>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @unknown_policy(%n: tensor<2x3xi32>) {
  // expected-error @+2 {{expected ::mlir::gsa::KPolicyKind to be one of: fixed, upstream_variance, paper_ema, entropy, orth}}
  // expected-error @+1 {{failed to parse Gsa_KPolicyAttr parameter 'kind'}}
  %0 = gsa.adaptive_k %n policy <median, base = 3>
    : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @unknown_enum_number(%x: tensor<2x3x4x8xf32>) {
  // expected-error @+1 {{Invalid attribute `activation` in property conversion: 7 : i32}}
  %0 = "gsa.gate"(%x, %x) <{activation = 7 : i32}>
    : (tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @unknown_enum(%x: tensor<2x3x4x8xf32>) {
  // expected-error @+2 {{expected ::mlir::gsa::GateActivation to be one of: sigmoid, tanh, silu}}
  // expected-error @+1 {{failed to parse Gsa_GateActivationAttr parameter 'value'}}
  %0 = gsa.gate %x, %x {activation = #gsa.gate_activation<gelu>}
    : (tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @attribute_of_another_kind(%x: tensor<2x3x4x8xf32>) {
  // expected-error @+1 {{attribute 'activation' failed to satisfy constraint: activation of a gate}}
  %0 = gsa.gate %x, %x {activation = #gsa.mask<none>}
    : (tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>) -> tensor<2x3x4x8xf32>
  return
}

// -----

func.func @unknown_attribute() attributes {
  // expected-error @+1 {{unknown attribute `bogus` in dialect `gsa`}}
  a = #gsa.bogus<1>} { return }

// -----

func.func @unknown_op(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{unregistered operation 'gsa.bogus' found in dialect ('gsa')}}
  "gsa.bogus"(%x) : (tensor<2x3xf32>) -> ()
  return
}

// -----

func.func @policy_parameter_twice() attributes {
  // expected-error @+1 {{'base' is given twice}}
  a = #gsa.k_policy<fixed, base = 3, base = 4>} { return }

// -----

func.func @policy_without_base() attributes {
  // expected-error @+1 {{a budget policy must state 'base'}}
  a = #gsa.k_policy<entropy, max = 4>} { return }

// -----

func.func @policy_past_64_bits() attributes {
  // expected-error @+1 {{integer value too large}}
  a = #gsa.k_policy<fixed, base = 99999999999999999999>} { return }

// -----

func.func @temperature_as_integer() attributes {
  // expected-note @+2 {{add a trailing dot to make the literal a float}}
  // expected-error @+1 {{unexpected decimal integer literal for a floating point value}}
  a = #gsa.k_policy<entropy, base = 3, max = 4, temperature = 1>} { return }

// -----

func.func @wrong_region(%v: tensor<2x3xf32>) {
  // expected-error @+1 {{requires zero regions}}
  %0 = "gsa.stat_mean"(%v) ({}) : (tensor<2x3xf32>) -> tensor<f32>
  return
}
