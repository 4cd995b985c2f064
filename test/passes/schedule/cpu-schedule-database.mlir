// On a CPU, too, schedules that were measured come before the usual ones. They
// are used with as many tasks as there are.

// RUN: gsa-opt %s --gsa-cpu-schedule="tasks=3 vector-bits=512 database=%S/Inputs/tuned-cpu.jsonl" --remarks-filter="gsa.schedule" -o %t 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s --input-file %t
// RUN: gsa-opt %s --gsa-cpu-schedule="tasks=3 vector-bits=256 database=%S/Inputs/tuned-cpu.jsonl" | FileCheck %s --check-prefix=NARROW
// RUN: gsa-opt %s --gsa-to-cpu="database=%S/Inputs/tuned-cpu.jsonl stop-after=schedule entry=measured" | FileCheck %s --check-prefix=PIPELINE
// PIPELINE: #gsa.cpu_schedule<tasks = 1, lanes = 16, rows = 4, vectors = 4>
// RUN: not gsa-opt %s --gsa-cpu-schedule="database=%S/Inputs/wrong.jsonl" 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: error: gsa-cpu-schedule: database of schedules: {{.*}}wrong.jsonl:2: "queries": expected a power of two, got 8000; nearest: 8192
// RUN: not gsa-opt %s --gsa-cpu-schedule="database=%S/Inputs/wrong-cpu.jsonl" 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: wrong-cpu.jsonl:1: "arch": expected one of sm_80, {{.*}}; of a CPU cpu128, cpu256 or cpu512

// 60 is of the class of 64; of narrower vectors there is no record.
// REMARK: [Passed] Scheduled {{.*}}gsa.index_scores user database {{.*}}tuned-cpu.jsonl:1
// CHECK-LABEL: @measured(
// CHECK: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 16, rows = 4, vectors = 4>
// NARROW-LABEL: @measured(
// NARROW: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 8, rows = 4, vectors = 2>
func.func @measured(%q: tensor<1x60x2x4xf32>, %k: tensor<1x64x4xf32>) -> tensor<1x60x64xf32> {
  %0 = gsa.index_scores %q, %k : (tensor<1x60x2x4xf32>, tensor<1x64x4xf32>) -> tensor<1x60x64xf32>
  return %0 : tensor<1x60x64xf32>
}

// Vectors that no register holds, and a tile that has no room in them, are
// passed over.
// REMARK: [Missed] RecordRejected {{.*}}tuned-cpu.jsonl:2: lanes 8, expected the 16 of a register of 512 bits
// REMARK: [Passed] Scheduled {{.*}}gsa.index_scores heuristic
// CHECK-LABEL: @other_lanes(
// CHECK: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 16, rows = 8, vectors = 2>
func.func @other_lanes(%q: tensor<1x64x3x4xf32>, %k: tensor<1x64x4xf32>) -> tensor<1x64x64xf32> {
  %0 = gsa.index_scores %q, %k : (tensor<1x64x3x4xf32>, tensor<1x64x4xf32>) -> tensor<1x64x64xf32>
  return %0 : tensor<1x64x64xf32>
}

// REMARK: [Missed] RecordRejected {{.*}}tuned-cpu.jsonl:3: vector registers of a tile 37 > 32
// CHECK-LABEL: @large_tile(
// CHECK: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 16, rows = 8, vectors = 2>
func.func @large_tile(%q: tensor<1x64x4x4xf32>, %k: tensor<1x64x4xf32>) -> tensor<1x64x64xf32> {
  %0 = gsa.index_scores %q, %k : (tensor<1x64x4x4xf32>, tensor<1x64x4xf32>) -> tensor<1x64x64xf32>
  return %0 : tensor<1x64x64xf32>
}

// A class is of sizes: of those that are not known there is no record.
// CHECK-LABEL: @dynamic(
// CHECK: gsa.schedule = #gsa.cpu_schedule<tasks = 3, lanes = 16, rows = 8, vectors = 2>
func.func @dynamic(%q: tensor<1x?x2x4xf32>, %k: tensor<1x64x4xf32>) -> tensor<1x?x64xf32> {
  %0 = gsa.index_scores %q, %k : (tensor<1x?x2x4xf32>, tensor<1x64x4xf32>) -> tensor<1x?x64xf32>
  return %0 : tensor<1x?x64xf32>
}
