// What kernels of select.cuh include, without the headers of other kernels.
#include "gsa/device/global.cuh"
#include "gsa/device/select.cuh"
