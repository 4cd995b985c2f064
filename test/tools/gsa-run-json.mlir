// The report is JSON whatever names a module or a path has: bytes that are not
// UTF-8 become the replacement character.

// RUN: gsa-run %s --json -q > %t.json
// RUN: %python -c "import json, sys; r = json.load(open(sys.argv[1], encoding='utf-8')); assert r['inputs'][0]['name'] == chr(0xfffd), r; print('one object')" %t.json | FileCheck %s
// RUN: %python -c "import shutil, sys; shutil.copy(sys.argv[1].encode(), sys.argv[2].encode() + bytes([0xff]))" %s %t.module
// RUN: sh -c '%gsa_build_dir/bin/gsa-run %t.module?* --json -q' > %t.json
// RUN: %python -c "import json, sys; r = json.load(open(sys.argv[1], encoding='utf-8')); assert r['module'].endswith('.module' + chr(0xfffd)), r; print('one object')" %t.json | FileCheck %s
// CHECK: one object

// The name of a tensor in a file must be UTF-8.
// RUN: not gsa-run %s --output %t.out 2>&1 | FileCheck %s --check-prefix=OUTPUT
// OUTPUT: a tensor name or metadata text is not UTF-8
// RUN: not test -e %t.out

func.func @main(%a: tensor<1x2x1x2xf32> {gsa.name = "\FF"},
                %b: tensor<1x2x1xf32>)
    -> (tensor<1x2x1x2xf32> {gsa.name = "\FE"}) {
  %0 = gsa.gate %a, %b
      : (tensor<1x2x1x2xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1x2xf32>
  return %0 : tensor<1x2x1x2xf32>
}
