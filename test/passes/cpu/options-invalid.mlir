// RUN: not gsa-opt %s --gsa-cpu-distribute-parallel=tasks=0 2>&1 | FileCheck %s --check-prefix=TASKS
// TASKS: error: expected tasks >= 1, got 0
// RUN: not gsa-opt %s --gsa-cpu-tile-contractions='tasks=0 vector-bits=128' 2>&1 | FileCheck %s --check-prefix=TILES
// TILES: error: expected tasks >= 1 and vector-bits a power of two >= 128, got 0 and 128
// RUN: not gsa-opt %s --gsa-cpu-vectorize-elementwise=vector-bits=96 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: expected vector-bits a power of two >= 128, got 96
// RUN: not gsa-opt %s --gsa-plan-workspace=alignment=3 2>&1 | FileCheck %s --check-prefix=ALIGNMENT
// ALIGNMENT: error: gsa-plan-workspace: expected an alignment that is a power of two, got 3

func.func @main() {
  return
}
