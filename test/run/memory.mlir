// Memory is linear in the number of tokens: neither the scores [S, S] (256 MiB
// at 8192 tokens) nor keys gathered per query and head exist. Doubling the
// length doubles the workspace at most.

// RUN: gsa-run %examples/sparse_only.mlir --seq 4096 --threads 2 --json 2>/dev/null >%t.4096
// RUN: gsa-run %examples/sparse_only.mlir --seq 8192 --threads 2 --json 2>/dev/null >%t.8192
// RUN: %python -c "import json, sys; a, b = (json.load(open(p))['workspace_bytes'] for p in sys.argv[1:]); print('linear' if 0 < b <= 2.1 * a and b < 64 << 20 else f'{a} and {b} bytes')" %t.4096 %t.8192 | FileCheck %s
// CHECK: linear
