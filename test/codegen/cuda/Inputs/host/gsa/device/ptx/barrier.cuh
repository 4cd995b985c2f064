#pragma once
namespace gsa::dev::ptx {
template <int Barrier, int Threads>
void barrier_sync() {
  host::sync(Threads);
}
// Turns, which no kernel here takes.
void barrier_sync(int barrier, int threads);
void barrier_arrive(int barrier, int threads);
void barrier_cluster();
template <int Count, bool Grow>
void setmaxnreg();
}  // namespace gsa::dev::ptx
