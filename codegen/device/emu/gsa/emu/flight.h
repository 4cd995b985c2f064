//===- flight.h - fragments that tensor cores use --------------*- C++ -*-===//
//
// Products of a warpgroup run while the warp goes on, and use its registers
// until the warp has waited. A fragment in flight is hidden: it holds poison,
// its value is kept here, and a write to it ends the process at the wait. A
// fragment that a product finds changed since it was named in a fence does,
// too.
//
// Fragments are known by their address; what they hold is bytes here.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_EMU_FLIGHT_H
#define GSA_EMU_FLIGHT_H

#include "gsa/emu/block.h"

namespace gsa::emu {

class Flight {
 public:
  /// wgmma_fence of the fragment.
  void fence(void* fragment, size_t bytes) {
    Entry& entry = find(fragment, bytes);
    if (entry.uses == 0) entry.keep();
  }

  /// One more product uses the fragment. Returns its value: the product reads
  /// and writes that.
  unsigned char* use(const char* function, const char* what, void* fragment,
                     size_t bytes, bool isRead) {
    Entry& entry = find(fragment, bytes);
    if (entry.uses++ > 0) return entry.value.data();
    if (isRead && (entry.value.empty() ||
                   memcmp(entry.value.data(), fragment, bytes) != 0))
      fail(function,
           "the %s was written after its last wgmma_fence, or never named in "
           "one",
           what);
    entry.keep();
    poison(fragment, bytes);
    return entry.value.data();
  }

  /// One product less uses the fragment; after the last it is as it was, or as
  /// the products left it.
  void release(const char* function, const char* what, void* fragment) {
    Entry& entry = *known(fragment);
    if (--entry.uses > 0) return;
    if (!isPoison(entry))
      fail(function,
           "the %s was written while the product was in flight, before a "
           "wgmma_wait",
           what);
    memcpy(fragment, entry.value.data(), entry.value.size());
  }

  bool isUsed(void* fragment) {
    Entry* entry = known(fragment);
    return entry && entry->uses > 0;
  }

  /// The fragment ends.
  void leave(void* fragment) {
    if (entries.empty()) return;
    Entry* entry = known(fragment);
    if (!entry) return;
    if (entry->uses > 0)
      fail("wgmma_wait",
           "a fragment ends while products that use it are in flight");
    if (entry != &entries.back()) *entry = std::move(entries.back());
    entries.pop_back();
  }

 private:
  struct Entry {
    void* fragment;
    size_t bytes;
    int uses;
    std::vector<unsigned char> value;  // in flight, or at the last fence

    void keep() {
      auto* begin = static_cast<const unsigned char*>(fragment);
      value.assign(begin, begin + bytes);
    }
  };

  Entry* known(void* fragment) {
    for (Entry& entry : entries)
      if (entry.fragment == fragment) return &entry;
    return nullptr;
  }
  Entry& find(void* fragment, size_t bytes) {
    if (Entry* entry = known(fragment)) return *entry;
    entries.push_back({fragment, bytes, 0, {}});
    return entries.back();
  }
  static bool isPoison(const Entry& entry) {
    std::vector<unsigned char> expected(entry.bytes);
    poison(expected.data(), entry.bytes);
    return memcmp(expected.data(), entry.fragment, entry.bytes) == 0;
  }

  std::vector<Entry> entries;
};

inline thread_local Flight flight;

}  // namespace gsa::emu

#endif  // GSA_EMU_FLIGHT_H
