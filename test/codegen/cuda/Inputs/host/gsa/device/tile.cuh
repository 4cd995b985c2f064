// What kernels of select.cuh include, without the headers of other kernels.
// Of the compiler of CUDA C++.
struct alignas(16) int4 {
  int x, y, z, w;
};

#include "gsa/device/global.cuh"
#include "gsa/device/select.cuh"
