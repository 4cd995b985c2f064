//===- wgmma_tests.cuh - products of a warpgroup -*- CUDA -*-===//
//
// Every width, both types and every form of wgmma_nt and wgmma_nn.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_GPU_SELFTEST_WGMMA_TESTS_CUH
#define GSA_TEST_GPU_SELFTEST_WGMMA_TESTS_CUH

#include "test/gpu/selftest/harness.cuh"
#include "test/gpu/selftest/wgmma_cases.cuh"

#if defined(GSA_SELFTEST_SM90A)

// clang-format off
#define GSA_WGMMA_BOTH(n) GSA_WGMMA(n, bf16); GSA_WGMMA(n, f16)
GSA_WGMMA_BOTH(8); GSA_WGMMA_BOTH(16); GSA_WGMMA_BOTH(24);
GSA_WGMMA_BOTH(32); GSA_WGMMA_BOTH(40); GSA_WGMMA_BOTH(48);
GSA_WGMMA_BOTH(56); GSA_WGMMA_BOTH(64); GSA_WGMMA_BOTH(72);
GSA_WGMMA_BOTH(80); GSA_WGMMA_BOTH(88); GSA_WGMMA_BOTH(96);
GSA_WGMMA_BOTH(104); GSA_WGMMA_BOTH(112); GSA_WGMMA_BOTH(120);
GSA_WGMMA_BOTH(128); GSA_WGMMA_BOTH(136); GSA_WGMMA_BOTH(144);
GSA_WGMMA_BOTH(152); GSA_WGMMA_BOTH(160); GSA_WGMMA_BOTH(168);
GSA_WGMMA_BOTH(176); GSA_WGMMA_BOTH(184); GSA_WGMMA_BOTH(192);
GSA_WGMMA_BOTH(200); GSA_WGMMA_BOTH(208); GSA_WGMMA_BOTH(216);
GSA_WGMMA_BOTH(224); GSA_WGMMA_BOTH(232); GSA_WGMMA_BOTH(240);
GSA_WGMMA_BOTH(248); GSA_WGMMA_BOTH(256);
// clang-format on

namespace selftest {

/// Runs a form of a shape on the GPU; see check_wgmma.
template <class Shape, class T>
struct wgmma_on_gpu {
  void operator()(int form, const std::vector<T>& a, const std::vector<T>& b,
                  std::vector<float>* out, int a_row, int b_row) const {
    Array<T> left(a.size()), right(b.size());
    Array<float> sums(out->size());
    std::memcpy(left.data(), a.data(), a.size() * sizeof(T));
    std::memcpy(right.data(), b.data(), b.size() * sizeof(T));
    launch("wgmma", wgmma_kernel<Shape, T>, 1, 4,
           Shape::shared_bytes(form < kNnRegisters), left.data(), right.data(),
           sums.data(), form, a_row, b_row);
    std::memcpy(out->data(), sums.data(), out->size() * sizeof(float));
  }
};

using wgmma_results = std::vector<std::vector<float>>;

template <class T, int N, int K, int Columns, smem_layout L>
void test_wgmma(Suite& suite, wgmma_results* results = nullptr,
                const wgmma_results* wide = nullptr) {
  using Shape = wgmma_shape<T, N, K, Columns, L>;
  check_shape<Shape, T>(wgmma_on_gpu<Shape, T>(), suite, results, wide);
}

/// N, N - 8, ... 8; on the host few of them.
inline constexpr int kWidthStep = kCaseStep > 1 ? 112 : 8;
template <class T, int N>
void test_widths(Suite& suite, const wgmma_results& wide) {
  test_wgmma<T, N, 64, 256, swizzle_128b>(suite, nullptr, &wide);
  if constexpr (N > kWidthStep) test_widths<T, N - kWidthStep>(suite, wide);
}

/// Runs a kernel of one block on a and b.
template <class T, class Kernel>
auto run_on_gpu(const char* name, Kernel* kernel, int shared_bytes) {
  return [=](const std::vector<T>& a, const std::vector<T>& b,
             std::vector<float>* out) {
    Array<T> left(a.size()), right(b.size());
    Array<float> sums(out->size());
    std::memcpy(left.data(), a.data(), a.size() * sizeof(T));
    std::memcpy(right.data(), b.data(), b.size() * sizeof(T));
    launch(name, kernel, 1, 4, shared_bytes, left.data(), right.data(),
           sums.data());
    std::memcpy(out->data(), sums.data(), out->size() * sizeof(float));
  };
}

template <class T, int N, int Piece>
void test_pieces(Suite& suite) {
  check_pieces<T, N>(
      run_on_gpu<T>("wgmma_pieces", wgmma_pieces<T, N, Piece>, (64 + N) * 256),
      suite);
}

template <class T, int N, int K, bool InRegisters>
void test_pipeline(Suite& suite) {
  constexpr int steps = 4;
  check_pipeline<T, N, K, steps>(
      run_on_gpu<T>("wgmma_pipeline",
                    wgmma_pipeline<T, N, K, steps, InRegisters>,
                    (64 + steps * N) * K * 2),
      suite);
}

template <class T>
void test_wgmmas() {
  Suite suite(std::string("wgmma ") + format<T>::name);
  wgmma_results wide;
  test_wgmma<T, 256, 64, 256, swizzle_128b>(suite, &wide);
  test_widths<T, 248>(suite, wide);
  // Several panels of k.
  test_wgmma<T, 64, 128, 64, swizzle_128b>(suite);
  test_wgmma<T, 128, 128, 128, swizzle_128b>(suite);
  test_wgmma<T, 64, 256, 128, swizzle_128b>(suite);
  test_pieces<T, 128, 64>(suite);
  test_pieces<T, 192, 8>(suite);
  test_pieces<T, 192, 64>(suite);
  // Panels of 128, 64 and 32 bytes.
  test_wgmma<T, 64, 64, 64, swizzle>(suite);
  test_wgmma<T, 32, 32, 32, swizzle>(suite);
  test_wgmma<T, 16, 16, 16, swizzle>(suite);
}

template <class T>
void test_pipelines() {
  Suite suite(std::string("wgmma pipeline ") + format<T>::name);
  test_pipeline<T, 64, 64, false>(suite);
  test_pipeline<T, 64, 64, true>(suite);
  test_pipeline<T, 64, 128, false>(suite);
  test_pipeline<T, 64, 128, true>(suite);
  test_pipeline<T, 128, 128, false>(suite);
  test_pipeline<T, 128, 128, true>(suite);
}

inline void run_wgmma_tests() {
  test_wgmmas<bf16>();
  test_wgmmas<f16>();
  test_pipelines<bf16>();
  test_pipelines<f16>();
}

}  // namespace selftest

#else

namespace selftest {
inline void run_wgmma_tests() {}
}  // namespace selftest

#endif  // GSA_SELFTEST_SM90A

#endif  // GSA_TEST_GPU_SELFTEST_WGMMA_TESTS_CUH
