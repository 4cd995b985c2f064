// The same module as kernels; see weights-rounded.mlir.

// REQUIRES: host-cxx
// RUN: gsa-run %S/weights-rounded.mlir --compare --target emu -q
// RUN: gsa-run %S/weights-rounded.mlir --compare --target emu --arch sm_90a -q
// RUN: gsa-run %S/compare-range.mlir --compare --target emu -q
