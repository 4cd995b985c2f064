// RUN: gsa-opt %s --verify-diagnostics --gsa-to-cuda=arch=sm_90a -o /dev/null
// RUN: gsa-opt %s --gsa-to-cpu -o /dev/null

// Rows of pages are no copy in a kernel: attention reads them where it stands, behind
// the update. On a CPU they are one, made before it.

func.func @main(%x: tensor<2x1x1x16xf32>, %q: tensor<2x1x1x16xf32>,
                %p: tensor<7x4x1x16xf32> {gsa.name = "pool"},
                %t: tensor<2x4xi32>, %n: tensor<2xi32>)
    -> (tensor<7x4x1x16xf32> {gsa.updates = "pool"}, tensor<2x1x1x16xf32>) {
  %k = gsa.paged_rows %p, %t
      : (tensor<7x4x1x16xf32>, tensor<2x4xi32>) -> tensor<2x16x1x16xf32>
  %0 = gsa.append_rows %x to %p, %t lengths %n
      : (tensor<2x1x1x16xf32>, tensor<7x4x1x16xf32>, tensor<2x4xi32>,
         tensor<2xi32>) -> tensor<7x4x1x16xf32>
  // expected-error @+1 {{reads 'pool' too late: result #0, which updates it, is in its memory by then}}
  %o, %l = gsa.dense_attention %q, %k, %k lengths %n
      : (tensor<2x1x1x16xf32>, tensor<2x16x1x16xf32>, tensor<2x16x1x16xf32>,
         tensor<2xi32>) -> (tensor<2x1x1x16xf32>, tensor<2x1x1xf32>)
  return %0, %o : tensor<7x4x1x16xf32>, tensor<2x1x1x16xf32>
}
