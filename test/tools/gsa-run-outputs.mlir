// Outputs, dumps and the JSON report.

// RUN: rm -rf %t.dump
// RUN: gsa-run %examples/sparse_only.mlir --seq 40 --seed 7 --output %t.a --dump-dir %t.dump --json 2>%t.text >%t.json
// RUN: ls %t.dump | FileCheck %s --check-prefix=DUMP
// DUMP: 00-parse.mlir
// DUMP: 01-specialize.mlir
// DUMP: 02-gsa.mlir
// DUMP: 03-schedule.mlir
// DUMP: 04-loops.mlir
// DUMP: 05-llvm.mlir
// DUMP: 06-codegen.ll
// DUMP: 07-assembly.s

// RUN: FileCheck %s --check-prefix=FUSED --input-file=%t.dump/02-gsa.mlir
// FUSED: gsa.select
// RUN: FileCheck %s --check-prefix=LLVM --input-file=%t.dump/06-codegen.ll
// LLVM: target triple

// RUN: %python -c "import json, sys; r = json.load(open(sys.argv[1])); assert r['schema_version'] == 1 and r['runs'] == 1; print(r['outputs'][0]['name'], [s['name'] for s in r['stages']])" %t.json | FileCheck %s --check-prefix=JSON
// JSON: output ['{{.*}}select
// RUN: FileCheck %s --check-prefix=TEXT --input-file=%t.text
// TEXT: module

// Equal seeds give equal files, others do not.
// RUN: gsa-run %examples/sparse_only.mlir --seq 40 --seed 7 --output %t.b -q --threads 1
// RUN: cmp %t.a %t.b
// RUN: gsa-run %examples/sparse_only.mlir --seq 40 --seed 8 --output %t.c -q
// RUN: not cmp -s %t.a %t.c

// The outputs of one run are inputs of the next by name and shape; those that it
// has no use for must be named.
// RUN: gsa-run %s --inputs %t.a --ignore-weights "*" --output %t.d -q
// RUN: %expect-exit 2 gsa-run %s --inputs %t.a 2>&1 | FileCheck %s --check-prefix=UNUSED
// UNUSED: tensor 'counts' (i32[1, 40]): no input of the module takes it; nor 'indices', 'lse'
// RUN: not gsa-run %s --inputs %t.a --ignore-weights "*" --shape output=1x39x8x64 2>&1 | FileCheck %s --check-prefix=MISMATCH
// MISMATCH: tensor 'output' for input 'output': expected f32[1, 39, 8, 64], got f32[1, 40, 8, 64]

func.func @main(%x: tensor<?x?x8x64xf32> {gsa.name = "output"})
    -> (tensor<?x?x8x64xf32> {gsa.name = "gated"}) {
  %y = gsa.gate %x, %x {activation = #gsa.gate_activation<silu>}
      : (tensor<?x?x8x64xf32>, tensor<?x?x8x64xf32>) -> tensor<?x?x8x64xf32>
  return %y : tensor<?x?x8x64xf32>
}
