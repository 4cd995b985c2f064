// What goes wrong is named, with what was expected and what was given; the exit
// code says whose fault it is: 2 usage and input, 3 unsupported.

// RUN: %expect-exit 2 gsa-run %s --seq 4 --entry nowhere 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: no public function 'nowhere', the module has: main

// RUN: %expect-exit 2 gsa-run %t.missing 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: cannot read '{{.*}}missing': No such file

// RUN: %expect-exit 2 gsa-run %s 2>&1 | FileCheck %s --check-prefix=LENGTH
// LENGTH: input 'query' has shape [-1, -1, 4, 8] (-1 is free): give --seq, --shape or a file

// RUN: %expect-exit 2 gsa-run %s --seq 4 --shape query=1x4x5x8 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: input 'query': expected shape [-1, -1, 4, 8] (-1 is free), got [1, 4, 5, 8]

// RUN: %expect-exit 2 gsa-run %s --seq 4 --shape quary=1x4x4x8 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: shape given for 'quary', but the inputs are key, query, value

// RUN: %expect-exit 2 gsa-run %s --seq 4 --shape query=1xfour 2>&1 | FileCheck %s --check-prefix=SYNTAX
// SYNTAX: --shape: expected name=1x4096x512, got 'query=1xfour'

// RUN: %expect-exit 2 gsa-run %s --seq 4 --workload rho42 2>&1 | FileCheck %s --check-prefix=WORKLOAD
// WORKLOAD: rho42

// RUN: %expect-exit 2 gsa-run %s --seq 4 --target tpu 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: target: expected 'cpu', 'cuda', 'cuda:<ordinal>', 'emu' or 'auto', got 'tpu'

// RUN: %expect-exit 2 gsa-run %s --seq 4 --target cuda:-1 2>&1 | FileCheck %s --check-prefix=ORDINAL
// ORDINAL: target: expected {{.*}}, got 'cuda:-1'

// RUN: %expect-exit 3 gsa-run %s --seq 4 --target cuda --arch sm_35 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: architecture: expected one of sm_80, {{.*}}, got 'sm_35'

// RUN: %expect-exit 2 gsa-run %s --seq 4 --vector-bits 100 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: --vector-bits

// RUN: %expect-exit 2 gsa-run %s --seq 4 --no-such-option 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: no-such-option

// A truncated weight file: nothing runs and no output appears.
// RUN: printf '\377\377\377\377\377\377\377\377{}' > %t.safetensors
// RUN: %expect-exit 2 gsa-run %s --seq 4 --inputs %t.safetensors --output %t.out 2>&1 | FileCheck %s --check-prefix=FILE
// FILE: safetensors
// RUN: not test -e %t.out

// RUN: %expect-exit 2 gsa-run %S/Inputs/not-a-module.txt 2>&1 | FileCheck %s --check-prefix=PARSE
// PARSE: reading the module: {{.*}}not-a-module.txt:1:1: error:

func.func @main(%q: tensor<?x?x4x8xf32> {gsa.name = "query"},
                %k: tensor<?x?x2x8xf32> {gsa.name = "key"},
                %v: tensor<?x?x2x8xf32> {gsa.name = "value"})
    -> (tensor<?x?x4x8xf32> {gsa.name = "output"}) {
  %output, %lse = gsa.dense_attention %q, %k, %v
      : (tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x2x8xf32>)
      -> (tensor<?x?x4x8xf32>, tensor<?x4x?xf32>)
  return %output : tensor<?x?x4x8xf32>
}
