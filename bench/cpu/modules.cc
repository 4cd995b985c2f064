// -----------------------------------------------------------------------------
// File: modules.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/modules.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace gsa::bench {
namespace {

// Replaces $S, $H, $G, $D, $I (index heads), $J (index dim), $K (slots), $M
// (H D) and $T (element type) in `text`.
std::string Fill(const Dims& dims, int64_t slots, const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"$S", absl::StrCat(dims.tokens)},
                              {"$H", absl::StrCat(dims.heads)},
                              {"$G", absl::StrCat(dims.kv_heads)},
                              {"$D", absl::StrCat(dims.head_dim)},
                              {"$I", absl::StrCat(dims.index_heads)},
                              {"$J", absl::StrCat(dims.index_dim)},
                              {"$K", absl::StrCat(slots)},
                              {"$M", absl::StrCat(dims.heads * dims.head_dim)},
                              {"$T", DTypeName(dims.dtype)}});
}

std::string PolicyText(const Dims& dims, Policy policy) {
  if (policy == Policy::kFixed) {
    return absl::StrCat("<fixed, base = ", dims.k, ">");
  }
  return absl::StrCat("<upstream_variance, base = ", dims.k,
                      ", min = ", dims.k / 4, ", max = ", dims.k * 3 / 2, ">");
}

constexpr char kIndexArguments[] = R"(
    %iq: tensor<1x$Sx$Ix$Jx$T> {gsa.name = "index_query"},
    %ik: tensor<1x$Sx$Jx$T> {gsa.name = "index_key"},
    %iw: tensor<1x$Sx$Ix$T> {gsa.name = "index_weights"},
    %ib: tensor<$Ix$T> {gsa.name = "index_bias"})";

constexpr char kSelectResults[] = R"(
    tensor<1x$Sx$Kxi32> {gsa.name = "indices"},
    tensor<1x$Sxi32> {gsa.name = "counts"},
    tensor<1x$Sxi32> {gsa.name = "status"})";

constexpr char kSelect[] = R"(
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw bias %ib
      policy $POLICY
      : (tensor<1x$Sx$Ix$Jx$T>, tensor<1x$Sx$Jx$T>, tensor<1x$Sx$Ix$T>,
         tensor<$Ix$T>)
      -> (tensor<1x$Sx$Kxi32>, tensor<1x$Sxi32>, tensor<1x$Sxi32>))";

constexpr char kAttentionArguments[] = R"(
    %q: tensor<1x$Sx$Hx$Dx$T> {gsa.name = "query"},
    %k: tensor<1x$Sx$Gx$Dx$T> {gsa.name = "key"},
    %v: tensor<1x$Sx$Gx$Dx$T> {gsa.name = "value"})";

constexpr char kAttentionResults[] = R"(
    tensor<1x$Sx$Hx$Dx$T> {gsa.name = "output"},
    tensor<1x$Hx$Sxf32> {gsa.name = "lse"})";

constexpr char kGather[] = R"(
  %output, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts
      : (tensor<1x$Sx$Hx$Dx$T>, tensor<1x$Sx$Gx$Dx$T>,
         tensor<1x$Sx$Gx$Dx$T>, tensor<1x$Sx$Kxi32>, tensor<1x$Sxi32>)
      -> (tensor<1x$Sx$Hx$Dx$T>, tensor<1x$Hx$Sxf32>))";

std::string SelectText(const Dims& dims, Policy policy) {
  return absl::StrReplaceAll(kSelect, {{"$POLICY", PolicyText(dims, policy)}});
}

}  // namespace

std::string Dims::ToString() const {
  return absl::StrCat("S", tokens, " H", heads, " G", kv_heads, " D", head_dim,
                      " Hi", index_heads, " Di", index_dim, " k", k, " ",
                      DTypeName(dtype));
}

const char* PolicyName(Policy policy) {
  return policy == Policy::kFixed ? "fixed" : "upstream_variance";
}

int64_t Slots(const Dims& dims, Policy policy) {
  return policy == Policy::kFixed ? dims.k : dims.k * 3 / 2;
}

std::string SelectModule(const Dims& dims, Policy policy) {
  return Fill(dims, Slots(dims, policy),
              absl::StrCat("func.func @main(", kIndexArguments, ") -> (",
                           kSelectResults, ") {", SelectText(dims, policy), R"(
  return %indices, %counts, %status
      : tensor<1x$Sx$Kxi32>, tensor<1x$Sxi32>, tensor<1x$Sxi32>
}
)"));
}

std::string GatherModule(const Dims& dims) {
  return Fill(dims, dims.k,
              absl::StrCat("func.func @main(", kAttentionArguments, R"(,
    %indices: tensor<1x$Sx$Kxi32> {gsa.name = "indices"},
    %counts: tensor<1x$Sxi32> {gsa.name = "counts"}) -> ()",
                           kAttentionResults, ") {", kGather, R"(
  return %output, %lse : tensor<1x$Sx$Hx$Dx$T>, tensor<1x$Hx$Sxf32>
}
)"));
}

std::string DenseModule(const Dims& dims) {
  return Fill(dims, dims.k,
              absl::StrCat("func.func @main(", kAttentionArguments, ") -> (",
                           kAttentionResults, R"() {
  %output, %lse = gsa.dense_attention %q, %k, %v
      : (tensor<1x$Sx$Hx$Dx$T>, tensor<1x$Sx$Gx$Dx$T>,
         tensor<1x$Sx$Gx$Dx$T>)
      -> (tensor<1x$Sx$Hx$Dx$T>, tensor<1x$Hx$Sxf32>)
  return %output, %lse : tensor<1x$Sx$Hx$Dx$T>, tensor<1x$Hx$Sxf32>
}
)"));
}

std::string CoreModule(const Dims& dims) {
  return Fill(dims, dims.k,
              absl::StrCat("func.func @main(", kAttentionArguments, ",",
                           kIndexArguments, ") -> (", kAttentionResults, ",",
                           kSelectResults, ") {",
                           SelectText(dims, Policy::kFixed), kGather, R"(
  return %output, %lse, %indices, %counts, %status
      : tensor<1x$Sx$Hx$Dx$T>, tensor<1x$Hx$Sxf32>, tensor<1x$Sx$Kxi32>,
        tensor<1x$Sxi32>, tensor<1x$Sxi32>
}
)"));
}

std::string RopeModule(const Dims& dims) {
  return Fill(dims, dims.k, R"(func.func @main(
    %x: tensor<1x$Sx$Hx$Dx$T> {gsa.name = "query"},
    %positions: tensor<1x$Sxi64> {gsa.name = "positions"})
    -> (tensor<1x$Sx$Hx$Dx$T> {gsa.name = "output"}) {
  %y = gsa.rope %x, %positions
      : (tensor<1x$Sx$Hx$Dx$T>, tensor<1x$Sxi64>) -> tensor<1x$Sx$Hx$Dx$T>
  return %y : tensor<1x$Sx$Hx$Dx$T>
}
)");
}

std::string GateModule(const Dims& dims) {
  return Fill(dims, dims.k, R"(func.func @main(
    %x: tensor<1x$Sx$Hx$Dx$T> {gsa.name = "query"},
    %logits: tensor<1x$Sx$Hx$Dx$T> {gsa.name = "output_gate"})
    -> (tensor<1x$Sx$Hx$Dx$T> {gsa.name = "output"}) {
  %y = gsa.gate %x, %logits
      : (tensor<1x$Sx$Hx$Dx$T>, tensor<1x$Sx$Hx$Dx$T>)
      -> tensor<1x$Sx$Hx$Dx$T>
  return %y : tensor<1x$Sx$Hx$Dx$T>
}
)");
}

// Sums are in f32 whatever the element type, as in a layer.
std::string ProjectionModule(const Dims& dims) {
  std::string head = R"(
#x = affine_map<(b, s, n, m) -> (b, s, m)>
#w = affine_map<(b, s, n, m) -> (n, m)>
#y = affine_map<(b, s, n, m) -> (b, s, n)>
func.func @main(
    %x: tensor<1x$Sx$Mx$T> {gsa.name = "query"},
    %w: tensor<$Mx$Mx$T> {gsa.name = "weight"})
    -> (tensor<1x$Sx$Mxf32> {gsa.name = "output"}) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x$Sx$Mxf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x$Sx$Mxf32>)
      -> tensor<1x$Sx$Mxf32>
  %y = linalg.contract indexing_maps = [#x, #w, #y]
      ins(%x, %w : tensor<1x$Sx$Mx$T>, tensor<$Mx$Mx$T>)
      outs(%start : tensor<1x$Sx$Mxf32>) -> tensor<1x$Sx$Mxf32>
  return %y : tensor<1x$Sx$Mxf32>
}
)";
  return Fill(dims, dims.k, head);
}

std::string ElementwiseModule(const std::string& function, int64_t elements) {
  std::string body = function == "exp" ? R"(
    %r = math.exp %a : f32)"
                                       : R"(
    %one = arith.constant 1.0 : f32
    %n = arith.negf %a : f32
    %e = math.exp %n : f32
    %d = arith.addf %one, %e : f32
    %r = arith.divf %one, %d : f32)";
  std::string type = absl::StrCat("tensor<", elements, "xf32>");
  return absl::StrReplaceAll(R"(
#id = affine_map<(i) -> (i)>
func.func @main(%x: $T {gsa.name = "x"}) -> ($T {gsa.name = "y"}) {
  %empty = tensor.empty() : $T
  %y = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel"]}
      ins(%x : $T) outs(%empty : $T) {
  ^bb0(%a: f32, %unused: f32):$BODY
    linalg.yield %r : f32
  } -> $T
  return %y : $T
}
)",
                             {{"$T", type}, {"$BODY", body}});
}

}  // namespace gsa::bench
