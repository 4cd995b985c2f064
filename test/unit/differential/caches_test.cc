//===- caches_test.cc - decoding against caches ---------------------------===//
//
// A prompt whole, in chunks and token by token: the same bits, whatever else is
// in the batch and wherever keys lie. The prompt is computed by a plan for its
// sizes that knows no lengths; steps by one plan for bounds, and by a plan for
// one token, over caches with room, one row behind the other or in pages. What
// belongs to nobody is hostile: cells behind a length are NaN, and so are those
// of pages that no sequence has; numbers of pages behind a sequence are
// anything.
//
// Steps that append their own rows to the caches, in place.
//
// Steps of a plan that RandomOptions describes, against float64.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/unit/differential/Check.h"
#include "test/unit/differential/Testing.h"

namespace gsa::differential {
namespace {

using reference::KPolicy;
using reference::KPolicyKind;
using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Inputs with a row for each query, and with one for each key.
const std::set<std::string> kPerQuery = {"query",         "index_query",
                                         "index_weights", "gate",
                                         "output_gate",   "positions"};
const std::set<std::string> kPerKey = {"key", "value", "index_key",
                                       "value_gate", "key_positions"};

/// How many rows a page of a cache has (0: there are no pages), and how many
/// rows there are at most.
struct Cache {
  int64_t page = 0, rows = 0;
  /// The plan takes lengths; otherwise a step of one sequence has as many rows
  /// as there are tokens.
  bool has_room = true;

  /// Pages of the pool: with some that nobody has.
  int64_t pages(int64_t batch, int64_t rows_of_each) const {
    return batch * (rows_of_each / page) + 3;
  }
};

/// What one step does with one sequence of a batch: its number among those that
/// there is data for, and how many of its tokens the cache then holds. The
/// queries are the last of them.
struct Slot {
  int64_t sequence, length;
};

/// The bytes of row (b, t) of a tensor [B, S, ...].
int64_t RowSize(const HostTensor& tensor) {
  return static_cast<int64_t>(tensor.byte_size()) /
         (tensor.shape()[0] * tensor.shape()[1]);
}
char* RowAt(HostTensor& tensor, int64_t b, int64_t t) {
  return static_cast<char*>(tensor.raw_data()) +
         (b * tensor.shape()[1] + t) * RowSize(tensor);
}
const char* RowAt(const HostTensor& tensor, int64_t b, int64_t t) {
  return RowAt(const_cast<HostTensor&>(tensor), b, t);
}

HostTensor Filled(const std::string& name, DType dtype,
                  std::vector<int64_t> shape, int byte) {
  HostTensor tensor = HostTensor::Create(name, dtype, std::move(shape)).value();
  std::memset(tensor.raw_data(), byte, tensor.byte_size());
  return tensor;
}

/// `text` with its keys in `pages` pages of pools, whose arguments are
/// "key_pool" and so on, beside "table".
std::string WithPages(std::string text, const Cache& cache, int64_t pages) {
  const std::string table = "tensor<?x?xi32>";
  std::string rows;
  for (const char* name : {"key", "value", "index_key"}) {
    std::string begin = absl::StrCat("    %", name, ": ");
    std::string attribute = absl::StrCat(" {gsa.name = \"", name, "\"}");
    size_t at = text.find(begin), end = text.find(attribute);
    std::string type = text.substr(at + begin.size(), end - at - begin.size());
    // tensor<?x?x...> has pages in the place of its first two sizes.
    size_t rest = type.find('x', type.find('x') + 1);
    std::string pool =
        absl::StrCat("tensor<", pages, "x", cache.page, type.substr(rest));
    text.replace(at, end + attribute.size() - at,
                 absl::StrCat("    %", name, "_pool: ", pool, " {gsa.name = \"",
                              name, "_pool\"}"));
    absl::StrAppend(&rows, "  %", name, " = gsa.paged_rows %", name,
                    "_pool, %table : (", pool, ", ", table, ") -> ", type,
                    "\n");
  }
  text.insert(text.find("    %"), absl::StrCat("    %table: ", table,
                                               " {gsa.name = \"table\"},\n"));
  text.insert(text.find(") {\n") + 4, rows);
  return text;
}

/// `text` whose keys, values and index keys are "key_new" and so on, appended
/// to the caches "key_cache", or to the pools that WithPages made, which
/// results update. Of each sequence only the last `new` rows are appended.
std::string WithAppends(std::string text, bool pages) {
  std::string body, results, values, types;
  for (const char* name : {"key", "value", "index_key"}) {
    const std::string cache = absl::StrCat(name, pages ? "_pool" : "_cache");
    const std::string argument =
        absl::StrCat("    %", pages ? cache : name, ": ");
    size_t at = text.find(argument), end = text.find(" {", at);
    const std::string type =
        text.substr(at + argument.size(), end - at - argument.size());
    end = text.find('}', end) + 1;
    const std::string rows = absl::StrCat(
        "tensor<?x?x", type.substr(type.find('x', type.find('x') + 1) + 1));
    text.replace(at, end - at,
                 absl::StrCat("    %", cache, ": ", type, " {gsa.name = \"",
                              cache, "\"},\n    %", name, "_new: ", rows,
                              " {gsa.name = \"", name, "_new\"}"));
    const std::string updated = absl::StrCat(name, pages ? "_now" : "");
    absl::StrAppend(&body, "  %", updated, " = gsa.append_rows %", name,
                    "_new to %", cache, pages ? ", %table" : "",
                    " lengths %lengths counts %new : (", rows, ", ", type, ", ",
                    pages ? "tensor<?x?xi32>, " : "",
                    "tensor<?xi32>, tensor<?xi32>) -> ", type, "\n");
    absl::StrAppend(&results, type, " {gsa.name = \"", cache,
                    "\", gsa.updates = \"", cache, "\"},\n        ");
    absl::StrAppend(&values, "%", updated, ", ");
    absl::StrAppend(&types, type, ", ");
    if (!pages) continue;
    at = text.find(absl::StrCat("paged_rows %", cache));
    text.replace(at, 12 + cache.size(), absl::StrCat("paged_rows %", updated));
  }
  text.insert(text.find("    %"),
              "    %new: tensor<?xi32> {gsa.name = \"new\"},\n");
  text.insert(text.find("-> (") + 4, results);
  size_t at = text.rfind("  return ") + 9;
  text.insert(text.find(" : ", at) + 3, types);
  text.insert(at, values);
  text.insert(text.find(") {\n") + 4, body);
  return text;
}

/// A plan for steps of at most `spec.b` sequences, `spec.sq` queries and
/// `cache.rows` keys.
class Decoder {
 public:
  /// With `fixed` the plan is for these sizes alone; with `appends` its steps
  /// take new rows, and caches that they update.
  Decoder(Spec spec, const Cache& cache, bool fixed = false,
          bool appends = false)
      : spec_(spec), cache_(cache), fixed_(fixed), appends_(appends) {
    spec_.dynamic = true;
    spec_.lengths = cache.has_room;
    spec_.sk = cache.rows;
    Module module = WriteModule(spec_);
    if (cache.page > 0)
      module.text =
          WithPages(module.text, cache, cache.pages(spec_.b, cache.rows));
    if (appends) module.text = WithAppends(module.text, cache.page > 0);
    CompileOptions options;
    options.opt_level = 1;
    options.num_threads = spec.threads;
    (fixed ? options.shapes : options.bounds) = ShapesOf(module.inputs);
    auto plan = Plan::Compile(module.text, "step.mlir", options);
    if (!plan.ok())
      throw std::runtime_error(plan.status().ToString() + module.text);
    plan_ = *plan;
  }

  /// Rows of the caches of a step: of a plan for bounds as few as do.
  int64_t RowsFor(const std::vector<Slot>& batch) const {
    if (fixed_) return cache_.rows;
    int64_t most = 1;
    for (const Slot& slot : batch) most = std::max(most, slot.length);
    if (!cache_.has_room) return batch[0].length;
    if (cache_.page == 0) return std::min(cache_.rows, most + 3);
    return (most + cache_.page - 1) / cache_.page * cache_.page;
  }

  /// The inputs of a step of `queries` queries over caches of `rows` rows.
  /// Rows come from `data`, whose inputs are [sequences, tokens, ...]; those in
  /// front of a sequence are 0.
  Tensors Inputs(const Tensors& data, const std::vector<Slot>& batch,
                 int64_t queries, int64_t rows) const {
    Tensors inputs;
    int64_t many = static_cast<int64_t>(batch.size());
    HostTensor lengths =
        HostTensor::Create("lengths", DType::kI32, {many}).value();
    for (int64_t b = 0; b < many; ++b)
      lengths.values<int32_t>()[b] = static_cast<int32_t>(batch[b].length);
    inputs["lengths"] = std::move(lengths);
    for (const auto& [name, tensor] : data) {
      std::vector<int64_t> shape = tensor.shape();
      bool query = kPerQuery.count(name) > 0, key = kPerKey.count(name) > 0;
      if (!query && !key) {
        if (name != "lengths") inputs[name] = tensor.Clone().value();
        continue;
      }
      shape[0] = many;
      shape[1] = query ? queries : rows;
      // Cells of a cache that nobody wrote are NaN.
      HostTensor made = Filled(name, tensor.dtype(), shape, query ? 0 : 0xff);
      for (int64_t b = 0; b < many; ++b) {
        int64_t first = query ? batch[b].length - queries : 0;
        for (int64_t i = 0; i < shape[1]; ++i) {
          if (first + i < 0 || first + i >= batch[b].length) continue;
          std::memcpy(RowAt(made, b, i),
                      RowAt(tensor, batch[b].sequence, first + i),
                      RowSize(tensor));
        }
      }
      inputs[name] = std::move(made);
    }
    if (cache_.page > 0) AddPages(batch, rows, &inputs);
    return inputs;
  }

  const Plan& plan() const { return *plan_; }

  Tensors Run(const Tensors& inputs, int threads = 1) const {
    int64_t b = inputs.at("lengths").shape()[0];
    int64_t sq = inputs.at("query").shape()[1];
    std::vector<TensorSpec> outputs(plan_->outputs().begin(),
                                    plan_->outputs().end());
    for (TensorSpec& output : outputs) {
      output.shape[0] = b;
      output.shape[output.name == "lse" ? 2 : 1] = sq;
    }
    auto results = differential::Run(*plan_, inputs, threads, 0xff, &outputs);
    if (!results.ok()) throw std::runtime_error(results.status().ToString());
    return *std::move(results);
  }

 private:
  Shapes ShapesOf(const std::vector<TensorSpec>& inputs) const {
    Shapes shapes;
    for (const TensorSpec& input : inputs) {
      bool pooled = input.name == "key" || input.name == "value" ||
                    input.name == "index_key";
      std::string name = input.name;
      std::vector<int64_t> shape = input.shape;
      if (appends_ && pooled) {
        shapes[name + "_new"] = shape;
        shapes[name + "_new"][1] = spec_.sq;
        if (cache_.page == 0) name += "_cache";
      }
      if (cache_.page > 0 && pooled) {
        name += "_pool";
        shape[0] = cache_.pages(spec_.b, cache_.rows);
        shape[1] = cache_.page;
      }
      shapes[name] = shape;
    }
    int64_t pages = cache_.page > 0 ? cache_.rows / cache_.page : 0;
    if (cache_.page > 0) shapes["table"] = {spec_.b, pages};
    if (appends_) shapes["new"] = {spec_.b};
    for (auto it = shapes.begin(); it != shapes.end();)
      it = it->second.empty() || it->first == "index_bias" ? shapes.erase(it)
                                                           : std::next(it);
    return shapes;
  }

  /// Pools and a table beside the rows one behind the other.
  void AddPages(const std::vector<Slot>& batch, int64_t room,
                Tensors* inputs) const {
    int64_t many = static_cast<int64_t>(batch.size());
    int64_t pages = cache_.pages(spec_.b, cache_.rows);
    int64_t columns = room / cache_.page;
    std::vector<int32_t> order(static_cast<size_t>(pages));
    std::iota(order.begin(), order.end(), 0);
    Rng rng(static_cast<uint64_t>(many), "pages");
    for (int64_t i = pages - 1; i > 0; --i)
      std::swap(order[i], order[rng.Int(0, i)]);
    HostTensor table =
        HostTensor::Create("table", DType::kI32, {many, columns}).value();
    for (int64_t i = 0; i < many * columns; ++i) {
      bool used = i % columns * cache_.page < batch[i / columns].length;
      table.values<int32_t>()[i] =
          used ? order[i]
               : rng.Pick<int32_t>({-1, INT32_MIN, INT32_MAX, order[0]});
    }
    for (const char* name : {"key", "value", "index_key"}) {
      const HostTensor& rows = inputs->at(name);
      std::vector<int64_t> shape = rows.shape();
      shape[0] = pages;
      shape[1] = cache_.page;
      HostTensor pool =
          Filled(absl::StrCat(name, "_pool"), rows.dtype(), shape, 0xff);
      for (int64_t b = 0; b < many; ++b)
        for (int64_t s = 0; s < batch[b].length; ++s)
          std::memcpy(RowAt(pool, order[b * columns + s / cache_.page],
                            s % cache_.page),
                      RowAt(rows, b, s), RowSize(rows));
      (*inputs)[pool.name()] = std::move(pool);
    }
    (*inputs)["table"] = std::move(table);
  }

  Spec spec_;
  Cache cache_;
  bool fixed_, appends_;
  std::shared_ptr<const Plan> plan_;
};

/// Caches of as many sequences as a decoder is for, and steps that append to
/// them: the memory of a cache is both an input and an output of a run.
class Engine {
 public:
  Engine(const Decoder& decoder, const Cache& cache, const Tensors& data)
      : decoder_(decoder), cache_(cache), data_(data) {
    for (const TensorSpec& spec : decoder.plan().outputs())
      if (!spec.updates.empty())
        caches_[spec.name] = Filled(spec.name, spec.dtype, spec.shape, 0xff);
    for (const TensorSpec& spec : decoder.plan().inputs()) {
      if (spec.name == "lengths") lengths_.resize(spec.shape[0]);
      if (spec.name != "table") continue;
      table_ = HostTensor::Create("table", DType::kI32, spec.shape).value();
      // Pages from the last one on; some of the first ones are nobody's.
      int64_t next = cache.pages(spec.shape[0], cache.rows);
      for (int32_t& page : table_.values<int32_t>())
        page = static_cast<int32_t>(--next);
    }
  }

  /// The sequences with their lengths.
  std::vector<Slot> batch() const {
    std::vector<Slot> slots;
    for (size_t i = 0; i < lengths_.size(); ++i)
      slots.push_back({static_cast<int64_t>(i), lengths_[i]});
    return slots;
  }

  /// The outputs of `queries` queries, of which the last added[b] are of new
  /// tokens of sequence b.
  Tensors Step(const std::vector<int64_t>& added, int64_t queries,
               int threads) {
    for (size_t b = 0; b < added.size(); ++b) lengths_[b] += added[b];
    Tensors inputs = decoder_.Inputs(data_, batch(), queries, cache_.rows);
    const auto many = static_cast<int64_t>(added.size());
    HostTensor fresh = HostTensor::Create("new", DType::kI32, {many}).value();
    for (size_t b = 0; b < added.size(); ++b)
      fresh.values<int32_t>()[b] = static_cast<int32_t>(added[b]);
    inputs["new"] = std::move(fresh);
    for (const char* name : {"key", "value", "index_key"}) {
      const HostTensor& rows = inputs.at(name);
      std::vector<int64_t> shape = rows.shape();
      shape[1] = queries;
      HostTensor news =
          Filled(absl::StrCat(name, "_new"), rows.dtype(), shape, 0xff);
      for (int64_t b = 0; b < many; ++b)
        for (int64_t i = queries - added[b]; i < queries; ++i)
          std::memcpy(RowAt(news, b, i),
                      RowAt(rows, b, lengths_[b] - queries + i), RowSize(rows));
      inputs[news.name()] = std::move(news);
    }
    if (cache_.page > 0) inputs["table"] = table_.Clone().value();
    return Run(inputs, queries, threads);
  }

  /// Whether cells that no token of a sequence has are what they were.
  bool IsRestUntouched() const {
    for (const auto& [name, tensor] : caches_) {
      std::set<const char*> written;
      for (size_t b = 0; b < lengths_.size(); ++b)
        for (int64_t s = 0; s < lengths_[b]; ++s)
          written.insert(PlaceOf(tensor, static_cast<int64_t>(b), s));
      for (int64_t i = 0; i < tensor.shape()[0]; ++i)
        for (int64_t s = 0; s < tensor.shape()[1]; ++s)
          if (written.count(RowAt(tensor, i, s)) == 0 &&
              RowBytes(tensor, i, s) != std::string(RowSize(tensor), '\xff'))
            return false;
    }
    return true;
  }

 private:
  const char* PlaceOf(const HostTensor& tensor, int64_t b, int64_t s) const {
    if (cache_.page == 0) return RowAt(tensor, b, s);
    const int64_t columns = table_.shape()[1];
    return RowAt(tensor,
                 table_.values<int32_t>()[b * columns + s / cache_.page],
                 s % cache_.page);
  }

  Tensors Run(const Tensors& inputs, int64_t queries, int threads) {
    const Plan& plan = decoder_.plan();
    std::vector<TensorView> in;
    for (const TensorSpec& spec : plan.inputs())
      in.push_back(caches_.count(spec.name) > 0 ? caches_.at(spec.name).view()
                                                : inputs.at(spec.name).view());
    Tensors outputs;
    std::vector<MutableTensorView> out;
    for (TensorSpec spec : plan.outputs()) {
      bool is_cache = !spec.updates.empty();
      if (!is_cache) {
        spec.shape[spec.name == "lse" ? 2 : 1] = queries;
        outputs[spec.name] = Filled(spec.name, spec.dtype, spec.shape, 0xff);
      }
      HostTensor& to = is_cache ? caches_.at(spec.name) : outputs.at(spec.name);
      out.push_back({to.dtype(), to.shape(), to.raw_data()});
    }
    HostTensor scratch =
        Filled("workspace", DType::kU8, {plan.workspace_bytes()}, 0xff);
    auto pool = ThreadPool::Create(threads).value();
    RunOptions options;
    options.pool = pool.get();
    absl::Status status =
        plan.Run(in, out,
                 absl::MakeSpan(static_cast<char*>(scratch.raw_data()),
                                scratch.byte_size()),
                 options);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    return outputs;
  }

  const Decoder& decoder_;
  Cache cache_;
  const Tensors& data_;
  Tensors caches_;
  HostTensor table_;
  std::vector<int64_t> lengths_;
};

//===----------------------------------------------------------------------===//
// Whole, in chunks, token by token
//===----------------------------------------------------------------------===//

struct Equivalence {
  const char* name;
  KPolicy policy;
  DType dtype;
  Family family;
  int64_t tokens;
  Cache cache;
};

class Caches : public ::testing::TestWithParam<Equivalence> {
 protected:
  static constexpr int64_t kSequences = 3;

  Caches() {
    const Equivalence& p = GetParam();
    spec_ = BlockSpec(p.dtype, p.policy, 1, p.tokens, p.tokens);
    spec_.family = p.family;
    spec_.d = 16;
    spec_.dv = 24;
    spec_.di = 8;
    spec_.fused_gate = p.family == Family::kSelectGather;
    spec_.select.sink = 1;
    spec_.select.local = 2;
    if (p.family == Family::kBlock) spec_.dv = 16;
    Spec all = spec_;
    all.b = kSequences;
    data_ = MakeInputs(all, WriteModule(all).inputs, Workload::kAr1, 7);
    Program whole(spec_);
    for (int64_t i = 0; i < kSequences; ++i) {
      for (auto& [name, tensor] : whole.inputs)
        if (kPerQuery.count(name) + kPerKey.count(name) > 0)
          std::memcpy(tensor.raw_data(), RowAt(data_.at(name), i, 0),
                      tensor.byte_size());
        else
          tensor = data_.at(name).Clone().value();
      expected_.push_back(whole.Run());
    }
  }

  /// Each row of a step is that of the prompt, and a row of no token is empty.
  void ExpectRows(const Tensors& outputs, const std::vector<Slot>& batch) {
    int64_t queries = outputs.at("counts").shape()[1];
    for (int64_t b = 0; b < static_cast<int64_t>(batch.size()); ++b) {
      for (int64_t i = 0; i < queries; ++i) {
        int64_t token = batch[b].length - queries + i;
        if (token < 0) {
          EXPECT_EQ(RowBytes(outputs.at("output"), b, i),
                    std::string(RowSize(outputs.at("output")), '\0'));
          EXPECT_TRUE(Keys(outputs, b, i).empty());
          continue;
        }
        ++compared_;
        for (const auto& [name, tensor] : outputs)
          ASSERT_EQ(RowBytes(tensor, b, i),
                    RowBytes(expected_[batch[b].sequence].at(name), 0, token))
              << name << " of token " << token << " of slot " << b << ", "
              << queries << " queries";
      }
    }
  }

  /// Sequence 0 alone: all at once, then chunks of each of `sizes` in turn.
  void ExpectChunks(const Decoder& decoder, int64_t first,
                    const std::vector<int64_t>& sizes) {
    int64_t done = first;
    Step(decoder, {{0, done}}, done);
    for (size_t i = 0; done < GetParam().tokens; ++i) {
      int64_t size =
          std::min(sizes[i % sizes.size()], GetParam().tokens - done);
      done += size;
      Step(decoder, {{0, done}}, size);
    }
  }
  void Step(const Decoder& decoder, const std::vector<Slot>& batch,
            int64_t queries) {
    ExpectRows(decoder.Run(decoder.Inputs(data_, batch, queries,
                                          decoder.RowsFor(batch)),
                           1 + static_cast<int>(compared_ % 2)),
               batch);
  }

  /// One plan, 64 threads, each with a length of its own.
  void ExpectThreads(const Decoder& decoder) {
    constexpr int kThreads = 64;
    std::vector<std::vector<Slot>> batches;
    std::vector<Tensors> outputs(kThreads);
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < kThreads; ++i) {
      int64_t n = GetParam().tokens;
      batches.push_back({{i % kSequences, n - i % 20}, {0, i % n}});
    }
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        int64_t queries = 1 + i % 3;
        outputs[i] = decoder.Run(decoder.Inputs(data_, batches[i], queries,
                                                decoder.RowsFor(batches[i])),
                                 1 + i % 2);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (int i = 0; i < kThreads; ++i) ExpectRows(outputs[i], batches[i]);
  }

  Spec spec_;
  Tensors data_;
  std::vector<Tensors> expected_;
  int64_t compared_ = 0;
};

TEST_P(Caches, ChunksAndTokensHaveTheBitsOfThePrompt) {
  const Equivalence& p = GetParam();
  Spec bounds = spec_;
  bounds.b = 5;
  Decoder decoder(bounds, p.cache);
  int64_t n = p.tokens;
  ExpectChunks(decoder, n, {1});
  ExpectChunks(decoder, n - 7, {7});
  ExpectChunks(decoder, n / 2, {3, 1, 8});
  // Token by token, from none; of many tokens those around the page's end.
  for (int64_t length = n > 100 ? n - 18 : 0; length <= n; ++length)
    Step(decoder, {{0, length}}, 1);
  if (!p.cache.has_room) return;
  // In batches of other lengths, with sequences that have nothing yet.
  for (int64_t queries : {1, 4}) {
    Step(decoder, {{0, n}, {1, 0}, {2, 1}, {1, n - 1}, {0, n / 3}}, queries);
    Step(decoder, {{1, 0}, {0, 2}, {2, n}}, queries);
  }
  Step(decoder, {{2, 5}, {0, n}}, n);
  EXPECT_GT(compared_, 3 * n);
  ExpectThreads(decoder);

  Spec one = spec_;
  one.b = 2;
  one.sq = 1;
  Decoder fixed(one, p.cache, /*fixed=*/true);
  for (int64_t length = n - 18; length <= n; ++length)
    Step(fixed, {{0, length}, {1, n - length}}, 1);
}

/// Sequences of other lengths that grow by other numbers of tokens, some by
/// none.
TEST_P(Caches, StepsThatAppendHaveTheBitsOfThePrompt) {
  const Equivalence& p = GetParam();
  // The block turns the keys that it is given, so a cache is none of its keys.
  if (!p.cache.has_room || p.family == Family::kBlock)
    GTEST_SKIP() << "there is nothing to append to";
  Spec bounds = spec_;
  bounds.b = kSequences;
  Decoder decoder(bounds, p.cache, /*fixed=*/false, /*appends=*/true);
  Engine engine(decoder, p.cache, data_);
  Rng rng(11, "appends");
  bool grows = true;
  for (int step = 0; grows; ++step) {
    // Prompts first, which fill the step from its end.
    const int64_t queries = step == 0   ? p.tokens - 20
                            : step == 1 ? 7
                                        : rng.Pick<int64_t>({1, 1, 2, 5});
    std::vector<int64_t> added;
    grows = false;
    for (const Slot& slot : engine.batch()) {
      int64_t most = std::min(queries, p.tokens - slot.length);
      added.push_back(step == 0 ? most - 3 * slot.sequence : rng.Int(0, most));
      grows |= slot.length + added.back() < p.tokens;
    }
    SCOPED_TRACE(absl::StrCat("step ", step));
    Tensors outputs = engine.Step(added, queries, 1 + step % 2);
    ExpectRows(outputs, engine.batch());
    EXPECT_TRUE(engine.IsRestUntouched());
  }
  EXPECT_GT(compared_, 3 * p.tokens / 2);
}

constexpr Cache kRows = {0, 53}, kPages = {16, 64}, kOddPages = {784, 1568};
INSTANTIATE_TEST_SUITE_P(
    All, Caches,
    ::testing::Values(Equivalence{"Fixed", KPolicy::Fixed(7), DType::kF32,
                                  Family::kSelectGather, 45, kRows},
                      Equivalence{"FixedWithoutRoom",
                                  KPolicy::Fixed(7),
                                  DType::kF32,
                                  Family::kSelectGather,
                                  45,
                                  {0, 53, false}},
                      Equivalence{"FixedInPages", KPolicy::Fixed(7),
                                  DType::kBF16, Family::kSelectGather, 45,
                                  kPages},
                      Equivalence{"FixedInOddPages", KPolicy::Fixed(20),
                                  DType::kF32, Family::kSelectGather, 793,
                                  kOddPages},
                      Equivalence{"EntropyInPages",
                                  {KPolicyKind::kEntropy, 8, 2, 12, 1.0},
                                  DType::kF32,
                                  Family::kSelectGather,
                                  45,
                                  kPages},
                      Equivalence{"OrthInPages",
                                  {KPolicyKind::kOrth, 8, 2, 12, 1.0},
                                  DType::kBF16,
                                  Family::kSelectGather,
                                  45,
                                  kPages},
                      Equivalence{"Block",
                                  {KPolicyKind::kEntropy, 8, 2, 12, 1.0},
                                  DType::kF32,
                                  Family::kBlock,
                                  45,
                                  kRows}),
    [](const ::testing::TestParamInfo<Equivalence>& info) {
      return std::string(info.param.name);
    });

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// What a list has behind its count is not looked at, and no key that is in
/// none.
TEST(Lists, WhatNobodyReadsChangesNoBit) {
  Spec spec = BlockSpec(DType::kF32, KPolicy::Fixed(1), 2, 9, 40);
  spec.family = Family::kGather;
  spec.topk.slots = 12;
  Program program(spec, Workload::kNormal);
  HostTensor& lists = program.inputs.at("indices");
  HostTensor& counts = program.inputs.at("counts");
  Rng rng(3, "lists");
  // Keys from 30 on are in no list.
  for (int32_t& entry : lists.values<int32_t>()) entry %= 30;
  for (int32_t& count : counts.values<int32_t>())
    count = static_cast<int32_t>(rng.Int(0, spec.topk.slots));
  Tensors clean = program.Run();
  for (const char* name : {"key", "value"})
    for (int64_t b = 0; b < spec.b; ++b)
      for (int64_t s = 30; s < spec.sk; ++s)
        std::memset(RowAt(program.inputs.at(name), b, s), 0xff,
                    RowSize(program.inputs.at(name)));
  for (int64_t i = 0; i < lists.num_elements(); ++i)
    if (i % spec.topk.slots >= counts.values<int32_t>()[i / spec.topk.slots])
      lists.values<int32_t>()[i] =
          rng.Pick<int32_t>({0, 29, 35, 40, -1, INT32_MIN, INT32_MAX});
  EXPECT_EQ(FirstDifference(clean, program.Run()), "");
}

//===----------------------------------------------------------------------===//
// Random steps
//===----------------------------------------------------------------------===//

class RandomSteps : public ::testing::TestWithParam<int> {};

TEST_P(RandomSteps, AgreeWithTheReference) {
  constexpr int kSteps = 100;
  auto seed = static_cast<uint64_t>(GetParam());
  Rng rng(seed, "decoding");
  bool pages = GetParam() % 2 == 1;
  Cache cache{pages ? rng.Pick<int64_t>({7, 16, 49}) : 0, 98};
  if (pages) cache.rows = 2 * 49 / cache.page * cache.page;
  Spec spec;
  spec.seed = seed;
  spec.family = Family::kSelectGather;
  spec.dtype = rng.Pick({DType::kF32, DType::kBF16, DType::kF16});
  spec.h = 6;
  spec.g = 2;
  spec.d = spec.dv = rng.Int(3, 40);
  spec.hi = 3;
  spec.di = rng.Int(3, 20);
  RandomOptions(rng, spec, 30);
  spec.lengths = true;
  spec.fused_gate = rng.Chance(0.5);
  spec.threads = static_cast<int>(rng.Int(1, 3));
  spec.b = 4;
  spec.sq = 8;
  spec.sk = cache.rows;
  Decoder decoder(spec, cache);
  for (int step = 0; step < kSteps; ++step) {
    Spec run = spec;
    run.b = rng.Int(1, spec.b);
    run.sq = rng.Chance(0.5) ? 1 : rng.Int(1, spec.sq);
    int64_t least = std::max<int64_t>(1, cache.page);
    run.sk = rng.Int(1, cache.rows / least) * least;
    Workload workload = RandomWorkload(run, rng);
    SCOPED_TRACE(absl::StrCat(run.ToString(), ", step ", step, ", ",
                              WorkloadName(workload)));
    Tensors clean = MakeInputs(run, WriteModule(run).inputs, workload,
                               seed * kSteps + step);
    std::vector<Slot> batch;
    for (int64_t b = 0; b < run.b; ++b)
      batch.push_back({b, rng.Chance(0.3) ? rng.Pick<int64_t>({0, 1, 2, run.sk})
                                          : rng.Int(0, run.sk)});
    // The same queries whatever the length: of the decoder's inputs the keys.
    Tensors inputs = decoder.Inputs(clean, batch, run.sq, run.sk);
    for (auto& [name, tensor] : clean)
      if (kPerQuery.count(name) > 0) inputs[name] = tensor.Clone().value();
    clean["lengths"] = inputs["lengths"].Clone().value();
    Tensors outputs = decoder.Run(inputs, static_cast<int>(rng.Int(1, 3)));
    Findings findings = Check(run, workload, clean, outputs);
    EXPECT_TRUE(findings.errors.empty()) << findings.ToString();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomSteps, ::testing::Range(0, 4));

}  // namespace
}  // namespace gsa::differential
