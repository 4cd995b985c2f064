// What docs/spec.md says of products and sums that are two ops: NVRTC makes one
// instruction of them, which rounds once; code for CPUs rounds twice. Either is
// right.

// RUN: gsa-run %s --stop-after=codegen | FileCheck %s --check-prefix=CPU
// CPU-NOT: llvm.fma
// CPU: = fmul <{{[0-9]+}} x float>
// CPU-NOT: llvm.fma
// CPU: = fadd <{{[0-9]+}} x float>
// CPU-NOT: llvm.fma
// RUN: %if nvrtc %{ gsa-run %s --target=cuda --arch=sm_90a --stop-after=code | FileCheck %s --check-prefix=CUDA %}
// CUDA: fma.rn.f32

// RUN: gsa-run %s --compare -q
// RUN: %if host-cxx %{ gsa-run %s --target=emu --compare -q %}

func.func @main(%a: tensor<1x64xf32> {gsa.name = "a"}, %b: tensor<1x64xf32> {gsa.name = "b"},
                %c: tensor<1x64xf32> {gsa.name = "c"}) -> tensor<1x64xf32> {
  %0 = arith.mulf %a, %b : tensor<1x64xf32>
  %1 = arith.addf %0, %c : tensor<1x64xf32>
  return %1 : tensor<1x64xf32>
}
