"""Modules of the gsa dialect that benchmarks and GPU tests compile, and the
commit that their records name.

    python3 bench/gpu/modules.py 8192 > core.mlir

prints the layer core for that many tokens, and

    python3 bench/gpu/modules.py decode 131072 8 > decode.mlir

that of one query for each of 8 sequences in a cache of that many keys.
"""

import os
import subprocess
import sys


def commit():
    """The commit of this checkout, or what GSA_COMMIT says where there is no
    repository."""
    if os.environ.get("GSA_COMMIT"):
        return os.environ["GSA_COMMIT"]
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(["git", "-C", here, "rev-parse", "--short", "HEAD"],
                          capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def _scheduled(schedule):
    return f" {{gsa.schedule = #gsa.{schedule}}}" if schedule else ""


def _core_types(batch, queries, keys, heads, groups, dim, index_heads, index_dim,
                slots, dtype):
    """Types of q, k, iq, ik, iw, bias, indices, counts and lse of a core."""
    return (f"tensor<{batch}x{queries}x{heads}x{dim}x{dtype}>",
            f"tensor<{batch}x{keys}x{groups}x{dim}x{dtype}>",
            f"tensor<{batch}x{queries}x{index_heads}x{index_dim}x{dtype}>",
            f"tensor<{batch}x{keys}x{index_dim}x{dtype}>",
            f"tensor<{batch}x{queries}x{index_heads}x{dtype}>",
            f"tensor<{index_heads}xf32>",
            f"tensor<{batch}x{queries}x{slots}xi32>",
            f"tensor<{batch}x{queries}xi32>",
            f"tensor<{batch}x{heads}x{queries}xf32>")


def sparse_core(n, heads=32, groups=8, dim=128, index_heads=4, index_dim=64,
                slots=2048, dtype="bf16", batch=1, policy=None, gate=True,
                select_schedule=None, attention_schedule=None, lanes=None,
                normaliser=False):
    """Selection, sparse attention over it and the output gate.

    Inputs: q [B,N,H,D], k, v [B,N,G,D], iq [B,N,Hi,Di], ik [B,N,Di],
    iw [B,N,Hi] (logits), bias [Hi] f32, gate [B,N,H,D] and normaliser [] f32,
    what the policy divides a row's statistic by (each if asked for).
    The schedules are attributes without "#gsa.", and lanes a number, chosen by
    the compiler if absent.
    Outputs: attended [B,N,H,D], lse [B,H,N] f32, indices [B,N,K] i32, counts
    and status [B,N] i32.
    """
    policy = policy or f"<fixed, base = {slots}>"
    q, kv, iq, ik, iw, bias, idx, row, lse = _core_types(
        batch, n, n, heads, groups, dim, index_heads, index_dim, slots, dtype)
    gate_argument = f', %gate: {q} {{gsa.name = "gate"}}' if gate else ""
    gate_op = (f"  %result = gsa.gate %out, %gate : ({q}, {q}) -> {q}\n"
               if gate else "")
    result = "%result" if gate else "%out"
    mean_argument, mean, mean_type = (
        (', %normaliser: tensor<f32> {gsa.name = "normaliser"}',
         " normaliser %normaliser", ", tensor<f32>") if normaliser
        else ("", "", ""))
    attributes = (f" attributes {{gsa.lanes = {lanes} : i64}}" if lanes
                  else "")

    return f"""
func.func @main(%q: {q} {{gsa.name = "q"}}, %k: {kv} {{gsa.name = "k"}},
                %v: {kv} {{gsa.name = "v"}}, %iq: {iq} {{gsa.name = "iq"}},
                %ik: {ik} {{gsa.name = "ik"}}, %iw: {iw} {{gsa.name = "iw"}},
                %bias: {bias} {{gsa.name = "bias"}}{gate_argument}{mean_argument})
    -> ({q} {{gsa.name = "attended"}}, {lse} {{gsa.name = "lse"}},
        {idx} {{gsa.name = "indices"}}, {row} {{gsa.name = "counts"}},
        {row} {{gsa.name = "status"}}){attributes} {{
  %indices, %counts, %status = gsa.select %iq, %ik weights %iw bias %bias{mean}
      policy {policy}{_scheduled(select_schedule)} : ({iq}, {ik}, {iw}, {bias}{mean_type}) -> ({idx}, {row}, {row})
  %out, %lse = gsa.gather_attention %q, %k, %v indices %indices, %counts{_scheduled(attention_schedule)}
      : ({q}, {kv}, {kv}, {idx}, {row}) -> ({q}, {lse})
{gate_op}  return {result}, %lse, %indices, %counts, %status
      : {q}, {lse}, {idx}, {row}, {row}
}}
"""


def dense(n, keys=None, heads=32, groups=8, dim=128, dtype="bf16", batch=1,
          mask="causal", schedule=None):
    """Dense attention. Inputs: q [B,N,H,D], k, v [B,M,G,D]; outputs: attended
    [B,N,H,D], lse [B,H,N] f32."""
    q = f"tensor<{batch}x{n}x{heads}x{dim}x{dtype}>"
    kv = f"tensor<{batch}x{keys or n}x{groups}x{dim}x{dtype}>"
    lse = f"tensor<{batch}x{heads}x{n}xf32>"
    scheduled = f", gsa.schedule = #gsa.{schedule}" if schedule else ""
    return f"""
func.func @main(%q: {q} {{gsa.name = "q"}}, %k: {kv} {{gsa.name = "k"}},
                %v: {kv} {{gsa.name = "v"}})
    -> ({q} {{gsa.name = "attended"}}, {lse} {{gsa.name = "lse"}}) {{
  %out, %lse = gsa.dense_attention %q, %k, %v
      {{mask = #gsa.mask<{mask}>{scheduled}}} : ({q}, {kv}, {kv}) -> ({q}, {lse})
  return %out, %lse : {q}, {lse}
}}
"""


def sparse_backward(n, heads=32, groups=8, dim=128, slots=2048, dtype="bf16",
                    batch=1, keys=None, schedule=None):
    """Gradients of attention over lists.

    Inputs: q [B,N,H,D], k, v [B,M,G,D], indices [B,N,K], counts [B,N],
    output_grad [B,N,H,D], lse and row_sums [B,H,N] f32. Outputs: the gradients
    of q, k and v.
    """
    q, kv, _, _, _, _, idx, row, lse = _core_types(
        batch, n, keys or n, heads, groups, dim, 1, 1, slots, dtype)
    types = ", ".join((q, kv, kv, idx, row, q, lse, lse))
    results = ", ".join((q, kv, kv))
    return f"""
func.func @main(%q: {q} {{gsa.name = "q"}}, %k: {kv} {{gsa.name = "k"}},
                %v: {kv} {{gsa.name = "v"}}, %indices: {idx} {{gsa.name = "indices"}},
                %counts: {row} {{gsa.name = "counts"}},
                %grad: {q} {{gsa.name = "output_grad"}},
                %lse: {lse} {{gsa.name = "lse"}},
                %sums: {lse} {{gsa.name = "row_sums"}})
    -> ({q} {{gsa.name = "query_grad"}}, {kv} {{gsa.name = "key_grad"}},
        {kv} {{gsa.name = "value_grad"}}) {{
  %dq, %dk, %dv = gsa.gather_attention_grad %q, %k, %v indices %indices, %counts
      output_grad %grad lse %lse row_sums %sums{_scheduled(schedule)}
      : ({types}) -> ({results})
  return %dq, %dk, %dv : {results}
}}
"""


def decode(keys, batch=1, queries=1, heads=32, groups=8, dim=128, index_heads=4,
           index_dim=64, slots=2048, dtype="bf16", policy=None, lengths=True,
           select_schedule=None, attention_schedule=None, pages=None):
    """A few queries against a cache with room for `keys` keys: selection, sparse
    attention and the output gate.

    Inputs: q [B,S,H,D], k, v [B,N,G,D], iq [B,S,Hi,Di], ik [B,N,Di], iw [B,S,Hi]
    (logits), bias [Hi] f32, gate [B,S,H,D], lengths [B] i32 (if asked for).
    With `pages`, a pair (page, P), k, v and ik lie in pages: [P,page,G,D] twice,
    [P,page,Di], and a table [B,keys/page] i32 comes last.
    Outputs as sparse_core.
    """
    policy = policy or f"<fixed, base = {slots}>"
    q, kv, iq, ik, iw, bias, idx, row, lse = _core_types(
        batch, queries, keys, heads, groups, dim, index_heads, index_dim, slots,
        dtype)
    length = f"tensor<{batch}xi32>"
    names, rows, last = ("%k", "%v", "%ik"), "", ""
    cache, index_cache = kv, ik
    if pages:
        page, count = pages
        cache = f"tensor<{count}x{page}x{groups}x{dim}x{dtype}>"
        index_cache = f"tensor<{count}x{page}x{index_dim}x{dtype}>"
        table = f"tensor<{batch}x{keys // page}xi32>"
        last = f', %table: {table} {{gsa.name = "table"}}'
        for name, pool, tensor in zip(names, (cache, cache, index_cache),
                                      (kv, kv, ik)):
            rows += (f"  {name}_rows = gsa.paged_rows {name}, %table : ({pool}, "
                     f"{table}) -> {tensor}\n")
        names = [name + "_rows" for name in names]
    k, v, index = names
    argument = f', %lengths: {length} {{gsa.name = "lengths"}}' if lengths else ""
    clause = " lengths %lengths" if lengths else ""
    more = f", {length}" if lengths else ""

    return f"""
func.func @main(%q: {q} {{gsa.name = "q"}}, %k: {cache} {{gsa.name = "k"}},
                %v: {cache} {{gsa.name = "v"}}, %iq: {iq} {{gsa.name = "iq"}},
                %ik: {index_cache} {{gsa.name = "ik"}}, %iw: {iw} {{gsa.name = "iw"}},
                %bias: {bias} {{gsa.name = "bias"}},
                %gate: {q} {{gsa.name = "gate"}}{argument}{last})
    -> ({q} {{gsa.name = "attended"}}, {lse} {{gsa.name = "lse"}},
        {idx} {{gsa.name = "indices"}}, {row} {{gsa.name = "counts"}},
        {row} {{gsa.name = "status"}}) {{
{rows}  %indices, %counts, %status = gsa.select %iq, {index} weights %iw bias %bias{clause}
      policy {policy}{_scheduled(select_schedule)} : ({iq}, {ik}, {iw}, {bias}{more}) -> ({idx}, {row}, {row})
  %out, %lse = gsa.gather_attention %q, {k}, {v} indices %indices, %counts
      gate %gate{clause}{_scheduled(attention_schedule)}
      : ({q}, {kv}, {kv}, {idx}, {row}, {q}{more}) -> ({q}, {lse})
  return %out, %lse, %indices, %counts, %status : {q}, {lse}, {idx}, {row}, {row}
}}
"""


if __name__ == "__main__":
    if sys.argv[1:2] == ["decode"]:
        print(decode(*map(int, sys.argv[2:])))
    else:
        print(sparse_core(int(sys.argv[1]) if len(sys.argv) > 1 else 8192))
