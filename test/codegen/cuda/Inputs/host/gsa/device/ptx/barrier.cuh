#pragma once
namespace gsa::dev::ptx {
template <int Barrier, int Threads>
void barrier_sync() {
  host::sync(Threads);
}
template <int Count, bool Grow>
void setmaxnreg();
}  // namespace gsa::dev::ptx
