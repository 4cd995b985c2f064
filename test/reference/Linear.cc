//===- Linear.cc - linear projection --------------------------------------===//
//
//   y[n, o] = sum_i x[n, i] W[o, i] + b[o]
//
//===----------------------------------------------------------------------===//

#include "test/reference/Linear.h"

#include "test/reference/Math.h"
#include "test/reference/Parallel.h"

namespace gsa::reference {

Tensor<double> Linear(const Tensor<double>& input, const Tensor<double>& weight,
                      const Tensor<double>* bias, int num_threads) {
  RequireRank("weight", weight, 2);
  Require(input.rank() >= 1, "the input of a projection is a scalar");
  int64_t out = weight.dim(0), in = weight.dim(1);
  Shape shape = input.shape();
  Require(shape.back() == in,
          "the input of a projection has shape " + ShapeToString(shape) +
              ", expected a last dimension of " + std::to_string(in));
  if (bias) RequireShape("bias", *bias, {out});
  shape.back() = out;
  Tensor<double> output(shape);
  int64_t rows = ElementCount({shape.begin(), shape.end() - 1});
  // The rows of a piece are the inner loop so that a row of W stays in cache.
  ParallelFor(rows, num_threads, [&](int64_t begin, int64_t end) {
    for (int64_t o = 0; o < out; ++o) {
      double constant = bias ? (*bias)[o] : 0.0;
      for (int64_t n = begin; n < end; ++n) {
        output[n * out + o] =
            Dot(input.data() + n * in, weight.data() + o * in, in) + constant;
      }
    }
  });
  return output;
}

}  // namespace gsa::reference
