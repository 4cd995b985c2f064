// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-to-cuda=arch=sm_90a -o /dev/null
// RUN: gsa-opt %s --split-input-file --verify-diagnostics --gsa-to-cpu -o /dev/null

// The old value of an argument that a result updates is read behind the update, on
// both targets: by an op, and by the function itself.

func.func @main(%x: tensor<2x1x4xf32>,
                %c: tensor<2x9x4xf32> {gsa.name = "cache"}, %n: tensor<2xi32>)
    -> (tensor<2x9x4xf32> {gsa.updates = "cache"}, tensor<2x9x4xf32>) {
  %0 = gsa.append_rows %x to %c lengths %n
      : (tensor<2x1x4xf32>, tensor<2x9x4xf32>, tensor<2xi32>)
      -> tensor<2x9x4xf32>
  // expected-error @+1 {{reads 'cache' too late: result #0, which updates it, is in its memory by then; expected the read before the update, or of the new value}}
  %1 = arith.negf %c : tensor<2x9x4xf32>
  return %0, %1 : tensor<2x9x4xf32>, tensor<2x9x4xf32>
}

// -----

func.func @main(%x: tensor<2x1x4xf32>,
                %c: tensor<2x9x4xf32> {gsa.name = "cache"}, %n: tensor<2xi32>)
    -> (tensor<2x9x4xf32>, tensor<2x9x4xf32> {gsa.updates = "cache"}) {
  %0 = gsa.append_rows %x to %c lengths %n
      : (tensor<2x1x4xf32>, tensor<2x9x4xf32>, tensor<2xi32>)
      -> tensor<2x9x4xf32>
  // expected-error @+1 {{reads 'cache' too late: result #1, which updates it}}
  return %c, %0 : tensor<2x9x4xf32>, tensor<2x9x4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>, %c: tensor<4xf32> {gsa.name = "cache"})
    -> (tensor<4xf32> {gsa.updates = "cache"}) {
  %0 = arith.negf %x : tensor<4xf32>
  // expected-error @+1 {{result #0 updates 'cache', but is not in its memory; expected the argument behind gsa.append_rows or tensor.insert_slice into it}}
  return %0 : tensor<4xf32>
}
