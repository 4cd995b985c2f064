// RUN: gsa-opt %s --gsa-mark-zones=entry=main --split-input-file --verify-diagnostics

// expected-error @+1 {{gsa-mark-zones: no function 'main' with a body in the module}}
module {
  func.func private @main()
}

// -----

// expected-error @+1 {{gsa-mark-zones: no function 'main' with a body in the module}}
module {
  func.func @other() {
    return
  }
}
