// RUN: gsa-opt %s -split-input-file -verify-diagnostics

// Names of attributes that an op, a function, an argument or a result does not
// have: misspelt options must not be defaults in silence.

func.func @misspelt_option(%q: tensor<1x5x2x4xf32>, %k: tensor<1x5x4xf32>) {
  // expected-error @+1 {{'gsa.select' op has no attribute 'score_activaton', did you mean 'score_activation'?}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 3>
      {score_activaton = #gsa.score_activation<identity>}
      : (tensor<1x5x2x4xf32>, tensor<1x5x4xf32>)
     -> (tensor<1x5x3xi32>, tensor<1x5xi32>, tensor<1x5xi32>)
  return
}

// -----

func.func @plural(%q: tensor<1x5x2x4xf32>, %k: tensor<1x5x4xf32>) {
  // expected-error @+1 {{'gsa.select' op has no attribute 'sinks', did you mean 'sink'?}}
  %i, %c, %s = gsa.select %q, %k policy <fixed, base = 3> {sinks = 2 : i64}
      : (tensor<1x5x2x4xf32>, tensor<1x5x4xf32>)
     -> (tensor<1x5x3xi32>, tensor<1x5xi32>, tensor<1x5xi32>)
  return
}

// -----

func.func @foreign_option(%x: tensor<1x2x3x4xf32>, %l: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'gsa.gate' op has no attribute 'temperature', it takes 'activation'}}
  %0 = gsa.gate %x, %l {temperature = 2.0}
      : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

func.func @no_options(%x: tensor<1x5xf32>) {
  // expected-error @+1 {{'gsa.stat_mean' op has no attribute 'scale', it takes none}}
  %0 = gsa.stat_mean %x {scale = 2.0} : (tensor<1x5xf32>) -> tensor<f32>
  return
}

// -----

// The generic form: a discardable attribute, and a property.

func.func @generic(%x: tensor<1x2x3x4xf32>, %l: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'gsa.gate' op has no attribute 'activaton', did you mean 'activation'?}}
  %0 = "gsa.gate"(%x, %l) {activaton = #gsa.gate_activation<tanh>}
      : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

func.func @property(%x: tensor<1x2x3x4xf32>, %l: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'gsa.gate' op has no attribute 'activaton', did you mean 'activation'?}}
  %0 = "gsa.gate"(%x, %l) <{activaton = #gsa.gate_activation<tanh>}>
      : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

// With the prefix of the dialect, on its own ops and on others.

func.func @prefixed_option(%x: tensor<1x2x3x4xf32>, %l: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'gsa.gate' op has no attribute 'gsa.activation', did you mean 'activation'?}}
  %0 = gsa.gate %x, %l {gsa.activation = #gsa.gate_activation<tanh>}
      : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

func.func @misspelt_schedule(%q: tensor<1x5x2x4xf32>, %k: tensor<1x5x4xf32>) {
  // expected-error @+1 {{'gsa.index_scores' op has no attribute 'gsa.schedul', did you mean 'gsa.schedule'?}}
  %0 = gsa.index_scores %q, %k {gsa.schedul = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
      : (tensor<1x5x2x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x5xf32>
  return
}

// -----

func.func @kind_of_schedule(%q: tensor<1x5x2x4xf32>, %k: tensor<1x5x4xf32>) {
  // expected-error @+1 {{'gsa.index_scores' op expected a #gsa.cpu_schedule or #gsa.score_schedule as 'gsa.schedule', got #gsa.topk_schedule<warps = 1, bins = 256, capacity = 32, chunk = 1>}}
  %0 = gsa.index_scores %q, %k {gsa.schedule = #gsa.topk_schedule<warps = 1, bins = 256, capacity = 32, chunk = 1>}
      : (tensor<1x5x2x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x5xf32>
  return
}

// -----

func.func @schedule_of_topk(%s: tensor<1x5x5xf32>, %k: tensor<1x5xi32>) {
  // expected-error @+1 {{'gsa.topk' op expected a #gsa.topk_schedule as 'gsa.schedule', got #gsa.cpu_schedule<}}
  %0:3 = gsa.topk %s, %k slots 3 {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
      : (tensor<1x5x5xf32>, tensor<1x5xi32>)
     -> (tensor<1x5x3xi32>, tensor<1x5xi32>, tensor<1x5xi32>)
  return
}

// -----

func.func @schedule_of_none(%x: tensor<1x2x3x4xf32>, %l: tensor<1x2x3xf32>) {
  // expected-error @+1 {{'gsa.gate' op cannot have the attribute 'gsa.schedule', which is for gsa.index_scores, row_statistics, topk, select, gather_attention, dense_attention, partial_attention and gradients of attention}}
  %0 = gsa.gate %x, %l {gsa.schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 2, vectors = 2>}
      : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

// expected-error @+1 {{'func.func' op has no attribute 'gsa.output', did you mean 'gsa.outputs'?}}
func.func @function() attributes {gsa.output = 1 : i64} { return }

// -----

// expected-error @+1 {{'func.func' op expected an i64 that is not negative as 'gsa.outputs', got "two"}}
func.func @kind() attributes {gsa.outputs = "two"} { return }

// -----

// expected-error @+1 {{'func.func' op cannot have the attribute 'gsa.name', which is for an argument or a result of a function}}
func.func @name_of_function() attributes {gsa.name = "main"} { return }

// -----

// expected-error @+1 {{'builtin.module' op has no attribute 'gsa.target', it takes none}}
module attributes {gsa.target = "cpu"} {}

// -----

func.func @other_op(%a: f32) {
  // expected-error @+1 {{'arith.negf' op has no attribute 'gsa.fast', it takes none}}
  %0 = arith.negf %a {gsa.fast} : f32
  return
}

// -----

// Names of arguments and results.

// expected-error @+1 {{'func.func' op argument #0 has no attribute 'gsa.nmae', did you mean 'gsa.name'?}}
func.func @misspelt_name(%a: tensor<4xf32> {gsa.nmae = "x"}) { return }

// -----

// expected-error @+1 {{'func.func' op argument #0 has no attribute 'gsa.layout', it takes 'gsa.name'}}
func.func @argument(%a: tensor<4xf32> {gsa.layout = "x"}) { return }

// -----

// expected-error @+1 {{'func.func' op argument #1 expected a string that is not empty as 'gsa.name', got 3 : i64}}
func.func @name_is_number(%a: tensor<4xf32> {gsa.name = "a"},
                          %b: tensor<4xf32> {gsa.name = 3}) { return }

// -----

// expected-error @+1 {{'func.func' op result #0 expected a string that is not empty as 'gsa.name', got ""}}
func.func @name_is_empty(%a: tensor<4xf32>)
    -> (tensor<4xf32> {gsa.name = ""}) { return %a : tensor<4xf32> }

// -----

// expected-error @+1 {{'func.func' op argument #0 expected a string without zero bytes as 'gsa.name', got "a\00b"}}
func.func @name_with_zero(%a: tensor<4xf32> {gsa.name = "a\00b"}) { return }

// -----

// expected-error @+1 {{'func.func' op argument #2: the name 'a' is used twice}}
func.func @names_of_arguments(%a: tensor<4xf32> {gsa.name = "a"},
                              %b: tensor<4xf32> {gsa.name = "b"},
                              %c: tensor<4xf32> {gsa.name = "a"},
                              %d: tensor<4xf32>) { return }

// -----

// expected-error @+1 {{'func.func' op result #1: the name 'a' is used twice}}
func.func private @names_of_results()
    -> (tensor<4xf32> {gsa.name = "a"}, tensor<4xf32> {gsa.name = "a"})

// -----

// What is legal: an input and an output of one name, attributes of other
// dialects anywhere, and those that passes set.

func.func @legal(%x: tensor<1x2x3x4xf32> {gsa.name = "x", my.note = "y"},
                 %l: tensor<1x2x3xf32> {gsa.name = "l"})
    -> (tensor<1x2x3x4xf32> {gsa.name = "x"})
    attributes {my.note = 1, gsa.outputs = 0 : i64, gsa.zones = ["gates"]} {
  %0 = gsa.gate %x, %l {my.note = "z"}
      : (tensor<1x2x3x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x4xf32>
  return %0 : tensor<1x2x3x4xf32>
}

// On buffers an output is an argument, and may have the name of an input.

func.func @buffers(%x: memref<4xf32> {gsa.name = "x"},
                   %y: memref<4xf32> {gsa.name = "x"})
    attributes {gsa.outputs = 1 : i64} {
  return
}

// -----

func.func @schedule_without_prefix(%q: tensor<1x4x2x8xf32>, %k: tensor<1x4x8xf32>) -> tensor<1x4x4xf32> {
  // expected-error @+1 {{'gsa.index_scores' op has no attribute 'schedule', did you mean 'gsa.schedule'?}}
  %0 = gsa.index_scores %q, %k {schedule = #gsa.cpu_schedule<tasks = 1, lanes = 4, rows = 1, vectors = 1>}
    : (tensor<1x4x2x8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x4xf32>
  return %0 : tensor<1x4x4xf32>
}

// -----

// expected-error @+1 {{'func.func' op expected an array of strings as 'gsa.zones', got [1]}}
func.func @zones() attributes {gsa.zones = [1]} { return }

// -----

// expected-error @+1 {{'func.func' op expected an array of arrays of i64 as 'gsa.bounds', got [1]}}
func.func @bounds() attributes {gsa.bounds = [1]} { return }

// -----

// A result is the new value of one argument, of its type, and no other result is.

// expected-error @+1 {{'func.func' op argument #0 has no attribute 'gsa.updates', it takes 'gsa.name'}}
func.func @updates_of_argument(%a: tensor<4xf32> {gsa.updates = "a"}) { return }

// -----

// expected-error @+1 {{'func.func' op result #0 has no attribute 'gsa.update', did you mean 'gsa.updates'?}}
func.func @misspelt_updates(%a: tensor<4xf32> {gsa.name = "a"})
    -> (tensor<4xf32> {gsa.update = "a"}) { return %a : tensor<4xf32> }

// -----

// expected-error @+1 {{'func.func' op result #0 expected a string that is not empty as 'gsa.updates', got unit}}
func.func @updates_without_name(%a: tensor<4xf32> {gsa.name = "a"})
    -> (tensor<4xf32> {gsa.updates}) { return %a : tensor<4xf32> }

// -----

// expected-error @+1 {{'func.func' op result #0 expected the 'gsa.name' of an argument as 'gsa.updates', got 'cahce', did you mean 'cache'?}}
func.func @updates_nothing(%a: tensor<4xf32> {gsa.name = "cache"})
    -> (tensor<4xf32> {gsa.updates = "cahce"}) { return %a : tensor<4xf32> }

// -----

// expected-error @+1 {{'func.func' op result #1 expected the type of 'a', which it updates, 'tensor<4xf32>', got 'tensor<5xf32>'}}
func.func private @updates_other_type(%a: tensor<4xf32> {gsa.name = "a"})
    -> (tensor<4xf32>, tensor<5xf32> {gsa.updates = "a"})

// -----

// expected-error @+1 {{'func.func' op result #0 expected the type of 'a', which it updates, 'tensor<4xf32>', got 'tensor<4xf16>'}}
func.func private @updates_other_element(%a: tensor<4xf32> {gsa.name = "a"})
    -> (tensor<4xf16> {gsa.updates = "a"})

// -----

// expected-error @+1 {{'func.func' op result #2 updates 'a', as result #0 does; expected one result in its memory}}
func.func private @updates_twice(%a: tensor<4xf32> {gsa.name = "a"})
    -> (tensor<4xf32> {gsa.updates = "a"}, tensor<4xf32>,
        tensor<4xf32> {gsa.updates = "a"})

// -----

// expected-error @+1 {{'func.func' op cannot have the attribute 'gsa.updates', which is for a result of a function}}
func.func @updates_of_function() attributes {gsa.updates = "a"} { return }
