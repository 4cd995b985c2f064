// RUN: gsa-opt %s --gsa-mark-zones=entry=main --split-input-file --verify-diagnostics

// expected-error @+1 {{gsa-mark-zones: option 'entry': the module has no function with a body, got 'main'}}
module {
  func.func private @main()
}

// -----

// expected-error @+1 {{gsa-mark-zones: option 'entry': expected one of other, got 'main'}}
module {
  func.func @other() {
    return
  }
}
