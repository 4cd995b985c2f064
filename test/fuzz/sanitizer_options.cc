// -----------------------------------------------------------------------------
// File: sanitizer_options.cc
// -----------------------------------------------------------------------------
//
// What AddressSanitizer is told in a fuzz target. libMLIR.so and libLLVM.so are
// not instrumented, so that containers and bump allocators which they share
// with our code look poisoned: two checks that are false alarms there.

// NOLINTBEGIN(readability-identifier-naming): the name is the sanitizer's
extern "C" const char* __asan_default_options();

extern "C" const char* __asan_default_options() {
  return "detect_container_overflow=0:allow_user_poisoning=0";
}
// NOLINTEND(readability-identifier-naming)
