func.func @main(%q: tensor<1x8192x32x128xbf16>, %k: tensor<1x8192x8x128xbf16>,
    %i: tensor<1x8192x512xi32>, %c: tensor<1x8192xi32>)
    -> tensor<1x8192x32x128xbf16> {
  %out, %lse = gsa.gather_attention %q, %k, %k indices %i, %c
    : (tensor<1x8192x32x128xbf16>, tensor<1x8192x8x128xbf16>,
       tensor<1x8192x8x128xbf16>, tensor<1x8192x512xi32>, tensor<1x8192xi32>)
    -> (tensor<1x8192x32x128xbf16>, tensor<1x32x8192xf32>)
  return %out : tensor<1x8192x32x128xbf16>
}
