// REQUIRES: host-cxx, gsa-opt, gsa-translate
// RUN: gsa-opt %s --pass-pipeline='builtin.module(gsa-to-tile,canonicalize,cse,gsa_tile.kernel(gsa-tile-plan-smem{arch=sm_86}),gsa-tile-finalize)' \
// RUN:   | gsa-translate --gsa-tile-to-cuda \
// RUN:   | sed 's/<\(gsa.*\)>/"\1"/; 0,/void topk(/! s/void topk[^(]*(/void topk_forced(/' > %t.cu
// RUN: %python %gsa_source_dir/test/unit/device/simt/host_headers.py %gsa_source_dir/codegen/device/include %t.include
// RUN: %host-cxx -O1 -w -iquote %t.include -iquote %gsa_source_dir/test/unit/device/simt \
// RUN:   -DKERNELS='"%t.cu"' %S/Inputs/host/topk.cc %gsa_source_dir/test/unit/device/simt/simt.cc -o %t.run
// RUN: %t.run | FileCheck %s
// CHECK: 0 wrong

// The device library's own text of selection runs here, lane by lane
// (test/unit/device/simt): rows that fit into the kept cells and rows that do
// not, ties, infinities, NaN, subnormal scores and ranges that overflow.

func.func @plain(%s: tensor<1x1x4100xf32>, %k: tensor<1x1xi32>)
    -> (tensor<1x1x64xi32>, tensor<1x1xi32>, tensor<1x1xi32>) {
  %i, %c, %n = gsa.topk %s, %k slots 64 {
      gsa.schedule = #gsa.topk_schedule<warps = 4, bins = 256, capacity = 256,
                                        chunk = 1>}
      : (tensor<1x1x4100xf32>, tensor<1x1xi32>)
      -> (tensor<1x1x64xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i, %c, %n : tensor<1x1x64xi32>, tensor<1x1xi32>, tensor<1x1xi32>
}

func.func @forced(%s: tensor<1x1x4100xf32>, %k: tensor<1x1xi32>)
    -> (tensor<1x1x64xi32>, tensor<1x1xi32>, tensor<1x1xi32>) {
  %i, %c, %n = gsa.topk %s, %k slots 64 {sink = 2 : i64, local = 3 : i64,
      gsa.schedule = #gsa.topk_schedule<warps = 4, bins = 256, capacity = 256,
                                        chunk = 1>}
      : (tensor<1x1x4100xf32>, tensor<1x1xi32>)
      -> (tensor<1x1x64xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i, %c, %n : tensor<1x1x64xi32>, tensor<1x1xi32>, tensor<1x1xi32>
}
