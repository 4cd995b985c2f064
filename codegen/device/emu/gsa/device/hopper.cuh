//===- hopper.cuh - wgmma and tensor maps (host) ---------------*- C++ -*-===//
//
// The four warps of a warpgroup compute their 16 rows each, without meeting.
// Products happen as late as allowed, when they are waited for: until then an
// accumulator is NaN, and a right operand that is overwritten too early gives a
// race or a wrong result. A missing fence is not seen; gsa-tile-check-sync sees
// it. The bulk copy happens at once, before the commit that follows it.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_HOPPER_CUH
#define GSA_DEVICE_HOPPER_CUH

#include "gsa/device/mma.cuh"
#include "gsa/device/ring.cuh"

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Products in flight
//===----------------------------------------------------------------------===//

/// Products of a warp on one accumulator, from the first that was issued.
struct wgmma_product {
  virtual ~wgmma_product() = default;
  virtual void run() = 0;
  virtual void hide() = 0;  // the accumulator, until the product has run
  virtual void show() = 0;
  const void* sum = nullptr;
  bool committed = false;
  int group = 0;
};

struct wgmma_queue {
  std::vector<wgmma_product*> products;
  int groups = 0;  // committed and not waited for

  ~wgmma_queue() {
    for (wgmma_product* product : products) delete product;
  }
};
/// Emptied with the thread, so that a launch starts without products.
inline thread_local wgmma_queue wgmma_in_flight;

template <int N, class Run>
struct wgmma_product_of : wgmma_product {
  wgmma_product_of(frag<float, 16, N, acc>& to, Run what)
      : target(to), compute(what) {
    sum = &to;
  }
  void run() override { compute(target); }
  void hide() override {
    saved = target;
    emu::poison(target.v, sizeof(target.v));
  }
  void show() override { target = saved; }

  frag<float, 16, N, acc>& target;
  frag<float, 16, N, acc> saved;
  Run compute;
};

template <int N, class Run>
void wgmma_issue(frag<float, 16, N, acc>& sum, Run run) {
  auto& products = wgmma_in_flight.products;
  bool first = true;
  for (wgmma_product* other : products) first &= other->sum != &sum;
  products.push_back(new wgmma_product_of<N, Run>(sum, run));
  if (first) products.back()->hide();
}

inline void fence_async() {}
template <class T, int Columns, frag_layout Layout>
void wgmma_fence(frag<T, 16, Columns, Layout>&) {}

inline void wgmma_commit() {
  wgmma_queue& queue = wgmma_in_flight;
  for (wgmma_product* product : queue.products)
    if (!product->committed) {
      product->committed = true;
      product->group = queue.groups;
    }
  ++queue.groups;
}

template <int Pending>
void wgmma_wait() {
  wgmma_queue& queue = wgmma_in_flight;
  int done = queue.groups - Pending;  // groups that complete now
  if (done <= 0) return;
  size_t count = 0;
  for (; count < queue.products.size(); ++count) {
    wgmma_product* product = queue.products[count];
    if (!product->committed || product->group >= done) break;
    product->show();
    product->run();
    // The next product on this accumulator takes over what is hidden.
    for (size_t i = count + 1; i < queue.products.size(); ++i)
      if (queue.products[i]->sum == product->sum) {
        queue.products[i]->hide();
        break;
      }
    delete product;
  }
  queue.products.erase(queue.products.begin(), queue.products.begin() + count);
  for (wgmma_product* product : queue.products) product->group -= done;
  queue.groups = Pending;
}

/// First row of this warp among the 64 of its warpgroup.
inline int warpgroup_row() { return 16 * (emu::self->index & 3); }

inline void check_row(const char* function, int row) {
  if (row % 8 != 0)
    emu::fail(function, "row %d is no multiple of 8, a group of the swizzle",
              row);
}

template <int N, class T, int RowsA, int RowsB, int K>
void wgmma_nt(frag<float, 16, N, acc>& sum, smem<T, RowsA, K, swizzle_128b> a,
              int a_row, smem<T, RowsB, K, swizzle_128b> b, int b_row) {
  static_assert(N % 64 == 0 && sizeof(T) == 2);
  check_row("wgmma_nt", a_row);
  check_row("wgmma_nt", b_row);
  wgmma_issue(sum, [=](frag<float, 16, N, acc>& target) {
    frag<T, 16, K, lhs> left;
    load_lhs(left, a, a_row + warpgroup_row());
    mma_nt(target, left, b, b_row);
  });
}

template <int N, int K, class T, int Rows>
void wgmma_nn(frag<float, 16, N, acc>& sum, const frag<T, 16, K, lhs>& a,
              smem<T, Rows, N, swizzle_128b> b, int row) {
  static_assert(N % 64 == 0 && sizeof(T) == 2);
  check_row("wgmma_nn", row);
  wgmma_issue(
      sum, [=](frag<float, 16, N, acc>& target) { mma_nn(target, a, b, row); });
}

/// A matrix in global memory, in place of CUtensorMap.
struct alignas(64) tensor_map {
  const void* data;
  long long rows;
  long long columns;
  long long pitch;  // in elements
  int box_rows, box_columns;
  int element_bytes;
};

template <class Team, class T, int Rows, int Columns, smem_layout Layout,
          int Stages>
void tma_load(smem<T, Rows, Columns, Layout> target, const tensor_map& map,
              int column, int row, ring<Stages> ring, int iteration) {
  // The copy engine knows the box of the map only.
  if (map.box_rows != Rows || map.box_columns != Columns ||
      map.element_bytes != static_cast<int>(sizeof(T)))
    emu::fail("tma_load",
              "a tile of %dx%d elements of %d bytes by a map with boxes of "
              "%dx%d elements of %d bytes",
              Rows, Columns, static_cast<int>(sizeof(T)), map.box_rows,
              map.box_columns, map.element_bytes);
  check_team<Team>("tma_load");
  ring_check("tma_load", emu::get(&ring.full(iteration % Stages)->word));
  if (warp_rank<Team>() != 0) return;
  const T* data = static_cast<const T*>(map.data);
  for (int r = 0; r < Rows; ++r)
    for (int c = 0; c < Columns; ++c) {
      bool inside = row + r >= 0 && row + r < map.rows && column + c >= 0 &&
                    column + c < map.columns;
      const T* source =
          inside ? data + (row + r) * map.pitch + column + c : nullptr;
      if (inside) emu::checkGlobal("tma_load", source, sizeof(T), false);
      target.set("tma_load", r, c, inside ? *source : T{});
    }
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_HOPPER_CUH
