//===- wgmma.cuh - products of a warpgroup (host) --------------*- C++ -*-===//
//
// The four warps of a warpgroup compute their 16 rows each, without meeting.
// Products happen as late as allowed, when they are waited for. Until then
//
// - the fragments that they use are hidden (emu/flight.h): reads give NaN, a
//   write ends the process at the wait;
// - a tile that they read must stay as it is: one that was overwritten ends the
//   process at the wait, or is a race.
//
// A fragment that was written, and then used without a wgmma_fence, ends the
// process as well, and so does a product after a wgmma_wait with no wgmma_fence
// between them.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_WGMMA_CUH
#define GSA_DEVICE_WGMMA_CUH

#include "gsa/device/mma.cuh"
#include "gsa/emu/flight.h"

namespace gsa::dev {

/// True for the products that a kernel named: they are declared, and a
/// declaration may be repeated by other kernels of the program.
template <int N>
struct wgmma_width {};
template <int N, class T>
concept has_wgmma =
    requires(wgmma_width<N> width, T* element) { named_wgmma(width, element); };

}  // namespace gsa::dev

#define GSA_WGMMA(n, T)                 \
  namespace gsa::dev {                  \
  void named_wgmma(wgmma_width<n>, T*); \
  }                                     \
  static_assert(n >= 8 && n <= 256 && n % 8 == 0)

namespace gsa::dev {

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

struct wgmma_product {
  virtual ~wgmma_product() = default;
  virtual void run() = 0;
  bool committed = false;
  int group = 0;
};

/// Products of a warp, from the first that was issued.
struct wgmma_queue {
  std::vector<wgmma_product*> products;
  int groups = 0;       // committed and not waited for
  bool fenced = false;  // since the last wait

  ~wgmma_queue() {
    for (wgmma_product* product : products) delete product;
  }
};
/// Emptied with the thread.
inline thread_local wgmma_queue wgmma_in_flight;

template <class... Frags>
void wgmma_fence(Frags&... frags) {
  wgmma_in_flight.fenced = true;
  (emu::flight.fence(&frags, sizeof(frags)), ...);
}

inline void wgmma_commit() {
  wgmma_queue& queue = wgmma_in_flight;
  for (wgmma_product* product : queue.products)
    if (!product->committed) {
      product->committed = true;
      product->group = queue.groups;
    }
  ++queue.groups;
}

template <int Pending, class... Frags>
void wgmma_wait(Frags&... frags) {
  wgmma_queue& queue = wgmma_in_flight;
  queue.fenced = false;
  int done = queue.groups - Pending;  // groups that complete now
  if (done > 0) {
    size_t count = 0;
    for (; count < queue.products.size(); ++count) {
      wgmma_product* product = queue.products[count];
      if (!product->committed || product->group >= done) break;
      product->run();
      delete product;
    }
    queue.products.erase(queue.products.begin(),
                         queue.products.begin() + count);
    for (wgmma_product* product : queue.products) product->group -= done;
    queue.groups = Pending;
  }
  auto check = [](void* fragment) {
    if (emu::flight.isUsed(fragment))
      emu::fail("wgmma_wait",
                "a fragment that it names is in flight in a later group than "
                "it waits for");
  };
  (check(&frags), ...);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// First row of this warp among the 64 of its warpgroup.
inline int warpgroup_row() { return 16 * (emu::self->index & 3); }

/// Fails if the hardware cannot read a tile of this place, or from `first` on,
/// which must be a multiple of `unit`.
template <class T, int Rows, int Columns, smem_layout Layout>
void check_wgmma_tile(const char* function, const char* what,
                      smem<T, Rows, Columns, Layout> tile, int first,
                      int unit) {
  static_assert(is_half<T>, "wgmma multiplies bf16 and f16");
  constexpr int panel = Layout == swizzle_128b ? 128 : 2 * Columns;
  static_assert(
      Layout == swizzle_128b ||
          (Layout == swizzle && (panel == 128 || panel == 64 || panel == 32)),
      "wgmma reads tiles of swizzle_128b, or of swizzle with rows of "
      "128, 64 or 32 bytes");
  static_assert(Rows % 8 == 0, "the swizzle of wgmma has groups of 8 rows");
  if (tile.offset() % (8 * panel) != 0)
    emu::fail(function,
              "the %s operand is at offset %d, no multiple of %d, the size of "
              "a group of the swizzle",
              what, tile.offset(), 8 * panel);
  if (first % unit != 0)
    emu::fail(function,
              "row %d of the %s operand is no multiple of %d, a %s of the "
              "swizzle",
              first, what, unit, unit == 8 ? "group" : "panel");
}

/// 16 rows of a left operand in registers.
template <class T, int K>
struct wgmma_registers {
  static_assert(is_half<T>, "wgmma multiplies bf16 and f16");
  static constexpr bool in_memory = false;
  frag<T, 16, K, lhs>* fragment;
  const unsigned char* value = nullptr;

  void acquire(const char* function) {
    value = emu::flight.use(function, "left operand", fragment,
                            sizeof(*fragment), true);
  }
  void release(const char* function) {
    emu::flight.release(function, "left operand", fragment);
  }
  void read(const char*, float* out) const {
    frag<T, 16, K, lhs> copy;
    memcpy(copy.v, value, sizeof(copy.v));
    widen(out, copy);
  }
};

/// The same in shared memory. `Transposed`: a row of the tile is one k.
template <bool Transposed, class T, int Rows, int Columns, smem_layout Layout>
struct wgmma_left {
  static constexpr bool in_memory = true;
  static constexpr int K = Transposed ? Rows : Columns;
  static_assert(!Transposed || Layout == swizzle_128b || Columns == 64,
                "64 rows of a transposed operand are one panel");
  smem<T, Rows, Columns, Layout> tile;
  int row;

  void acquire(const char* function) {
    check_wgmma_tile(function, "left", tile, row, Transposed ? 64 : 8);
  }
  void release(const char*) {}
  void read(const char* function, float* out) const {
    int first = row + warpgroup_row();
    if constexpr (Transposed) {
      float line[16];
      for (int k = 0; k < K; ++k) {
        tile.get_row(function, k, first, 16, line);
        for (int m = 0; m < 16; ++m) out[m * K + k] = line[m];
      }
    } else {
      for (int m = 0; m < 16; ++m)
        tile.get_row(function, first + m, 0, K, out + size_t(m) * K);
    }
  }
};

/// K by N of a right operand. `AlongRows`: a row of the tile is one k, else one
/// n.
template <bool AlongRows, int K, int N, class T, int Rows, int Columns,
          smem_layout Layout>
struct wgmma_right {
  smem<T, Rows, Columns, Layout> tile;
  int row;

  void read(const char* function, float* out) const {
    if constexpr (AlongRows) {
      for (int k = 0; k < K; ++k)
        tile.get_row(function, row + k, 0, N, out + size_t(k) * N);
    } else {
      float line[K];
      for (int n = 0; n < N; ++n) {
        tile.get_row(function, row + n, 0, K, line);
        for (int k = 0; k < K; ++k) out[k * N + n] = line[k];
      }
    }
  }
};

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

template <bool Accumulate, int N, int K, class Left, class Right>
struct wgmma_product_of : wgmma_product {
  wgmma_product_of(const char* name, frag<float, 16, N, acc>& to, Left a,
                   Right b)
      : function(name), sum(&to), left(a), right(b) {
    wgmma_queue& queue = wgmma_in_flight;
    if (!queue.fenced && !emu::flight.isUsed(sum))
      emu::fail(function,
                "no wgmma_fence between the last wgmma_wait and the product");
    left.acquire(function);
    check_wgmma_tile(function, "right", right.tile, right.row, 8);
    value =
        emu::flight.use(function, "accumulator", sum, sizeof(*sum), Accumulate);
    left.read(function, read_left.data());
    right.read(function, read_right.data());
  }

  void run() override {
    check_unchanged("left", left, read_left);
    check_unchanged("right", right, read_right);
    float result[16 * N];
    static_assert(sizeof(result) == sizeof(sum->v));
    if constexpr (Accumulate)
      memcpy(result, value, sizeof(result));
    else
      memset(result, 0, sizeof(result));
    add_product(result, read_left.data(), read_right.data(), N, K);
    memcpy(value, result, sizeof(result));
    left.release(function);
    emu::flight.release(function, "accumulator", sum);
  }

  template <class Operand>
  void check_unchanged(const char* what, const Operand& operand,
                       const std::vector<float>& before) {
    if constexpr (requires { operand.tile; }) {
      std::vector<float> now(before.size());
      operand.read(function, now.data());
      if (memcmp(now.data(), before.data(), now.size() * sizeof(float)) != 0)
        emu::fail(function,
                  "the %s operand at offset %d was overwritten before a "
                  "wgmma_wait for the product",
                  what, operand.tile.offset());
    }
  }

  const char* function;
  frag<float, 16, N, acc>* sum;
  unsigned char* value;  // of the accumulator
  Left left;
  Right right;
  std::vector<float> read_left = std::vector<float>(16 * K);
  std::vector<float> read_right = std::vector<float>(K * N);
};

template <bool Accumulate, int K, class T, int N, class Left, class Right>
void wgmma_issue(const char* function, frag<float, 16, N, acc>& sum, Left left,
                 Right right) {
  static_assert(has_wgmma<N, T>,
                "a kernel names the products that it uses, behind the include: "
                "GSA_WGMMA(columns, type);");
  static_assert(K % 16 == 0, "wgmma takes 16 k at once");
  wgmma_in_flight.products.push_back(
      new wgmma_product_of<Accumulate, N, K, Left, Right>(function, sum, left,
                                                          right));
}

template <bool Accumulate = true, int N, int K, class T, int RowsB,
          smem_layout LayoutB>
void wgmma_nt(frag<float, 16, N, acc>& sum, frag<T, 16, K, lhs>& a,
              smem<T, RowsB, K, LayoutB> b, int b_row) {
  static_assert(N <= RowsB, "the tile holds the right operand");
  wgmma_issue<Accumulate, K, T>(
      "wgmma_nt", sum, wgmma_registers<T, K>{&a},
      wgmma_right<false, K, N, T, RowsB, K, LayoutB>{b, b_row});
}

template <bool Accumulate = true, bool Transposed = false, int N, class T,
          int RowsA, int ColumnsA, smem_layout LayoutA, int RowsB, int ColumnsB,
          smem_layout LayoutB>
void wgmma_nt(frag<float, 16, N, acc>& sum, smem<T, RowsA, ColumnsA, LayoutA> a,
              int a_row, smem<T, RowsB, ColumnsB, LayoutB> b, int b_row) {
  using left = wgmma_left<Transposed, T, RowsA, ColumnsA, LayoutA>;
  static_assert(left::K == ColumnsB, "the operands have the same k");
  static_assert(N <= RowsB, "the tile holds the right operand");
  wgmma_issue<Accumulate, ColumnsB, T>(
      "wgmma_nt", sum, left{a, a_row},
      wgmma_right<false, ColumnsB, N, T, RowsB, ColumnsB, LayoutB>{b, b_row});
}

template <bool Accumulate = true, int N, int K, class T, int RowsB,
          int ColumnsB, smem_layout LayoutB>
void wgmma_nn(frag<float, 16, N, acc>& sum, frag<T, 16, K, lhs>& a,
              smem<T, RowsB, ColumnsB, LayoutB> b, int b_row) {
  static_assert(K <= RowsB && N <= ColumnsB,
                "the tile holds the right operand");
  wgmma_issue<Accumulate, K, T>(
      "wgmma_nn", sum, wgmma_registers<T, K>{&a},
      wgmma_right<true, K, N, T, RowsB, ColumnsB, LayoutB>{b, b_row});
}

template <bool Accumulate = true, bool Transposed = false, int N, class T,
          int RowsA, int ColumnsA, smem_layout LayoutA, int RowsB, int ColumnsB,
          smem_layout LayoutB>
void wgmma_nn(frag<float, 16, N, acc>& sum, smem<T, RowsA, ColumnsA, LayoutA> a,
              int a_row, smem<T, RowsB, ColumnsB, LayoutB> b, int b_row) {
  using left = wgmma_left<Transposed, T, RowsA, ColumnsA, LayoutA>;
  static_assert(left::K <= RowsB && N <= ColumnsB,
                "the tile holds the right operand");
  wgmma_issue<Accumulate, left::K, T>(
      "wgmma_nn", sum, left{a, a_row},
      wgmma_right<true, left::K, N, T, RowsB, ColumnsB, LayoutB>{b, b_row});
}

}  // namespace gsa::dev

#endif  // GSA_DEVICE_WGMMA_CUH
