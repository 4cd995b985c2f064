// -----------------------------------------------------------------------------
// File: kernels.cc
// -----------------------------------------------------------------------------
//
// Compiled several times, with GSA_BENCH_VARIANT naming the result and
// GSA_BENCH_VECTOR_BYTES its register width. Includes nothing that defines
// inline functions: the linker might keep the copy that needs AVX-512.

#include "bench/cpu/kernels.h"

namespace gsa::bench {
namespace {

constexpr int kBytes = GSA_BENCH_VECTOR_BYTES;
constexpr int kLanes = kBytes / 4;
typedef float Vec __attribute__((vector_size(kBytes), may_alias));
typedef int32_t IntVec __attribute__((vector_size(kBytes), may_alias));

Vec Splat(float x) { return Vec{} + x; }

Vec Load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
void Store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }

float Sum(Vec v) {
  float sum = 0;
  for (int i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}

// Enough chains to hide a latency of 4 to 5 cycles on two or three units, few
// enough for 16 registers together with the factor and the addend.
constexpr int kChains = 12;
constexpr int kUnroll = 8;

int64_t Fma(int64_t iterations, float* sink) {
  Vec chain[kChains];
  for (int c = 0; c < kChains; ++c) chain[c] = Splat(0.125f * (c + 1));
  const Vec factor = Splat(sink[0]), addend = Splat(sink[1]);
  for (int64_t i = 0; i < iterations; ++i) {
#pragma clang loop unroll(full)
    for (int u = 0; u < kUnroll; ++u) {
#pragma clang loop unroll(full)
      for (int c = 0; c < kChains; ++c) {
        chain[c] = chain[c] * factor + addend;
      }
    }
  }
  float sum = 0;
  for (int c = 0; c < kChains; ++c) sum += Sum(chain[c]);
  sink[2] = sum;
  return iterations * kUnroll * kChains * kLanes;
}

// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln(2) / 2: the Taylor
// polynomial of degree 6 leaves r^7 / 5040 < 1.2e-7. Adding and subtracting
// 1.5 * 2^23 rounds to an integer, whose bits are the low bits of the sum.
Vec ExpOf(Vec x) {
  const Vec shift = Splat(12582912.0f);
  Vec shifted = x * Splat(1.44269504f) + shift;
  Vec n = shifted - shift;
  Vec r = x - n * Splat(0.693359375f);
  r = r - n * Splat(-2.12194440e-4f);
  Vec p = Splat(1.0f / 720);
  p = p * r + Splat(1.0f / 120);
  p = p * r + Splat(1.0f / 24);
  p = p * r + Splat(1.0f / 6);
  p = p * r + Splat(0.5f);
  p = p * r + Splat(1.0f);
  p = p * r + Splat(1.0f);
  return (Vec)((IntVec)p + ((IntVec)shifted << 23));
}

void Exp(const float* x, float* y, int64_t n) {
#pragma clang loop unroll_count(4)
  for (int64_t i = 0; i < n; i += kLanes) Store(y + i, ExpOf(Load(x + i)));
}

void Sigmoid(const float* x, float* y, int64_t n) {
  const Vec one = Splat(1.0f);
#pragma clang loop unroll_count(4)
  for (int64_t i = 0; i < n; i += kLanes) {
    Store(y + i, one / (one + ExpOf(-Load(x + i))));
  }
}

float Read(const float* x, int64_t n) {
  constexpr int kStreams = 256 / kLanes < 8 ? 256 / kLanes : 8;
  Vec sum[kStreams];
  for (int s = 0; s < kStreams; ++s) sum[s] = Vec{};
  for (int64_t i = 0; i < n; i += kStreams * kLanes) {
#pragma clang loop unroll(full)
    for (int s = 0; s < kStreams; ++s)
      sum[s] += Load(x + i + int64_t{s} * kLanes);
  }
  Vec total = Vec{};
  for (int s = 0; s < kStreams; ++s) total += sum[s];
  return Sum(total);
}

void Copy(const float* x, float* y, int64_t n) {
#pragma clang loop unroll_count(4)
  for (int64_t i = 0; i < n; i += kLanes) Store(y + i, Load(x + i));
}

}  // namespace

extern const Kernels GSA_BENCH_VARIANT;
const Kernels GSA_BENCH_VARIANT = {kBytes * 8, Fma, Exp, Sigmoid, Read, Copy};

}  // namespace gsa::bench
