// The CPU made code for rows of more keys than int32 indices can name; it
// refuses them as GPUs do, before code is made, and so does the reference.

// RUN: %expect-exit 3 gsa-run %s --stop-after=llvm 2>&1 | FileCheck %s
// RUN: %expect-exit 3 gsa-run %s --reference --stop-after=llvm 2>&1 | FileCheck %s
// RUN: %expect-exit 3 gsa-run %s --target=emu --stop-after=program 2>&1 | FileCheck %s --check-prefix=EMU
// CHECK: 'gsa.select' op has int32 indices and counts, which hold at most 2147483647 keys, got 2147483664
// EMU: 'gsa.select' op has no legal schedule on sm_80: scores of a row 2147483664 > 2147459071
// The op in its generic form is for compiler engineers: gsa-opt prints it.
// EMU-NOT: see current operation

func.func @main(%iq: tensor<1x1x1x1xf16>) -> tensor<1x1x4xi32> {
  %one = arith.constant 1.0 : f16
  %e = tensor.empty() : tensor<1x2147483664x1xf16>
  %ik = linalg.fill ins(%one : f16) outs(%e : tensor<1x2147483664x1xf16>)
      -> tensor<1x2147483664x1xf16>
  %i, %c, %st = gsa.select %iq, %ik policy <fixed, base = 4>
      : (tensor<1x1x1x1xf16>, tensor<1x2147483664x1xf16>)
     -> (tensor<1x1x4xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  return %i : tensor<1x1x4xi32>
}
