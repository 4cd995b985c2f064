"""Attention over tensors of NumPy, torch and whatever speaks DLPack.

Layouts are batch first, sequence before heads: query [B, Sq, H, D], key and
value [B, Sk, G, D] with H a multiple of G. Sums are in f32 (f64 for f64).
Results belong to the library of the first tensor and are on its device; on a
GPU a call is submitted to that library's current stream and waits for nothing.
"""

import collections
import collections.abc
import ctypes
import functools
import math
import re
import sys

from gsa import _capi, _modules, _plan, _tensors

POLICIES = ("fixed", "upstream_variance", "paper_ema", "entropy", "orth")
SCORE_ACTIVATIONS = ("sigmoid", "relu", "identity")
WEIGHT_ACTIVATIONS = ("sigmoid", "identity")
GATE_ACTIVATIONS = ("sigmoid", "tanh", "silu")

Selection = collections.namedtuple("Selection", "indices topk_length status")
Selection.__doc__ = """What index_topk returns.

indices:     int32 [B, Sq, K]; the first topk_length of a row are keys of its
             batch element, ascending, the others -1.
topk_length: int32 [B, Sq].
status:      int32 [B, Sq], scores of the row that are NaN; 0 is good.
"""
AttentionResult = collections.namedtuple(
    "AttentionResult", "output lse indices topk_length status")
AttentionResult.__doc__ = """What gated_sparse_attention returns if it is asked
for the selection: output [B, Sq, H, D], lse [B, H, Sq], and a Selection."""


def choose(where, name, value, allowed):
    if value not in allowed:
        raise _capi.InvalidArgument(
            _plan.unknown(f"{where}: {name}", str(value), allowed))
    return value


# The largest budget, and the most keys that are kept before others.
MOST_KEYS = 2**30


def whole(where, name, value, least, most=None):
    return _plan.whole(f"{where}: {name}", value, least, most)


def flag(where, name, value):
    """True or False, also NumPy's: a word or a number is none."""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    raise _capi.InvalidArgument(
        f"{where}: {name}: got {value!r}, expected True or False")


def finite(where, name, value, positive=False, least=None, above=None):
    """A number that is finite, and positive, at least `least` or more than
    `above` if that is asked for, as a float; None stays."""
    if value is None:
        return None
    expected = "a positive number" if positive else "a finite number"
    if least is not None:
        expected += f" of at least {least}"
    if above is not None:
        expected += f" above {above}"
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or (positive and number <= 0) or (
            least is not None and number < least) or (
            above is not None and number <= above):
        raise _capi.InvalidArgument(
            f"{where}: {name}: got {value!r}, expected {expected}")
    return number


# Of what there is at least one: without it nothing has a score or a result.
_NEVER_EMPTY = ("H", "G", "D", "Dv", "Hi", "Di")


class _Arguments:
    """The tensors of a call: checks shapes, element types and devices against
    each other and remembers the sizes that names stand for."""

    def __init__(self, where):
        self.where, self.sizes = where, {}
        self.names, self.views = [], []

    def add(self, name, tensor, shape, dtypes=None, alias=None):
        """`shape` is a string such as "B Sq H D"; a name that is known by
        then must have its size. None is no argument."""
        if tensor is None:
            return None
        view = _tensors.view(f"{self.where}: {name}", tensor)
        wanted = shape.split()
        fits = len(wanted) == len(view.shape)
        if fits:
            for letter, size in zip(wanted, view.shape):
                if self.sizes.setdefault(letter, size) != size:
                    fits = False
        if not fits:
            raise _capi.InvalidArgument(
                f"{self.where}: {name}: got shape {list(view.shape)}, expected "
                f"[{', '.join(self._size(letter) for letter in wanted)}]")
        empty = [letter for letter in wanted
                 if letter in _NEVER_EMPTY and not self.sizes[letter]]
        if empty:
            raise _capi.InvalidArgument(
                f"{self.where}: {name}: got shape {list(view.shape)}, expected "
                f"[{', '.join(wanted)}] with {empty[0]} of at least 1")
        if dtypes is not None and view.dtype not in dtypes:
            raise _capi.InvalidArgument(
                f"{self.where}: {name}: got element type {view.dtype}, "
                f"expected {' or '.join(dtypes)}")
        if self.views and view.device != self.views[0].device:
            raise _capi.InvalidArgument(
                f"{self.where}: {name}: got a tensor on "
                f"{_device(view)}, expected {_device(self.views[0])}, where "
                f"{self.names[0]} is")
        self.names.append(alias or name)
        self.views.append(view)
        return view

    def _size(self, letter):
        known = self.sizes.get(letter)
        return letter if known is None else f"{letter} = {known}"

    def scale(self, name, value, positive=False):
        """A number that the call multiplies or divides by, in the type of the
        sums; None stays."""
        number = finite(self.where, name, value, positive)
        if number is None or self.views[0].dtype == "f64":
            return number
        rounded = ctypes.c_float(number).value
        if not math.isfinite(rounded) or (positive and rounded == 0):
            raise _capi.InvalidArgument(
                f"{self.where}: {name}: got {value!r}, expected a number that "
                f"is {'positive' if positive else 'finite'} in f32, the type "
                f"of the sums")
        return number

    def heads(self):
        h, g = self.sizes["H"], self.sizes["G"]
        if g == 0 or h % g:
            raise _capi.InvalidArgument(
                f"{self.where}: got {h} query heads over {g} key heads, "
                f"expected a multiple")

    @property
    def shapes(self):
        return tuple((name, view.shape, view.dtype)
                     for name, view in zip(self.names, self.views))

    def run(self, text, out=None):
        return _plan.run_kept(self.where, text, self.names, self.views,
                              out or {}, [])

    def run_forward(self, text, inputs, outputs, save):
        """(the results of the module, what run_backward takes as `saved` with
        these names and `save`)."""
        module = backward_module(text, tuple(inputs), tuple(outputs), save)
        count = len(saved_tensors(module))
        if not count:
            return self.run(text), []
        results = _plan.run_kept(self.where, module, self.names, self.views,
                                 {}, [], "main_forward")
        return results[:-count], results[-count:]

    def run_backward(self, text, wanted, gradients, save="none", saved=()):
        """The gradients of the arguments `wanted`, by their names in the
        module, from those of its results, {name: tensor}."""
        where = self.where + ": backward"
        backward = backward_module(text, tuple(wanted), tuple(gradients), save)
        views = dict(zip(self.names, self.views))
        for i, tensor in enumerate(saved):
            views[f"saved{i}"] = _tensors.view(f"{where}: saved{i}", tensor)
        for name, tensor in gradients.items():
            views[name + "_grad"] = _tensors.view(f"{where}: {name}", tensor)
        target = _plan.target_of(self.views[0])
        try:
            plan, _ = _plan.kept_plan(backward, target, "main_backward")
        except _capi.Unimplemented as error:
            # Of a module that the caller has not seen.
            raise _capi.Unimplemented(f"{where}: {target}: {error}") from error
        names = [spec.name for spec in plan.inputs]
        results = _plan.run_kept(where, backward, names,
                                 [views[name] for name in names], {}, [],
                                 "main_backward")
        return dict(zip(wanted, (dict(zip(
            (spec.name for spec in plan.outputs), results))[name + "_grad"]
            for name in wanted)))


@functools.lru_cache(1024)
def backward_module(text, inputs, outputs, save="none"):
    return _capi.differentiate(text, inputs, outputs, save=save)


def saved_tensors(module):
    """((shape, element type), ...) of what @main_forward of a differentiated
    module saves; none if there is no such function."""
    _, _, forward = module.partition("func.func @main_forward(")
    results = forward.partition("\n")[0].partition(") -> ")[2]
    return tuple(
        (tuple(map(int, sizes.split("x")[:-1])), sizes.split("x")[-1])
        for sizes in re.findall(
            r'tensor<([^<>]*)> {gsa.name = "saved\d+"}', results))


def _device(view):
    return "the CPU" if view.device_type == _capi.CPU else (
        f"GPU {view.device_id}")


_FLOATS = ("f16", "bf16", "f32", "f64")


def _same(view):
    """The element types beside one of T: T itself, or that of its sums."""
    return tuple(dict.fromkeys((view.dtype,
                                _tensors.ACCUMULATOR[view.dtype])))


def _refuse(where, **values):
    for name, (value, reason) in values.items():
        if value is not None:
            raise _capi.Unimplemented(f"{where}: {name}: got a value, expected "
                                      f"None: {reason}")


def _with_gradients(function):
    """Calls the operator of torch of this name where an argument wants a
    gradient. The function itself, which records nothing, is its __wrapped__."""
    @functools.wraps(function)
    def call(*arguments, **given):
        torch = sys.modules.get("torch")
        if torch is None or not torch.is_grad_enabled() or not any(
                getattr(value, "requires_grad", False)
                for value in (*arguments, *given.values())):
            return function(*arguments, **given)
        from gsa import _torch_ops
        return _torch_ops.recorded(function, arguments, given)
    return call


_RAGGED = "ragged batches are not implemented; pad them, with cache_seqlens"
_PAGED = "paged caches are not implemented; give dense keys and values"


def _add_heads(a, q, k, v):
    """Adds what every attention takes; returns the query."""
    query = a.add("q", q, "B Sq H D", _FLOATS, "query")
    a.add("k", k, "B Sk G D", (query.dtype,), "key")
    a.add("v", v, "B Sk G Dv", (query.dtype,), "value")
    a.heads()
    return query


@_with_gradients
def sparse_attention(q, k, v, indices, *, topk_length=None, softmax_scale=None,
                     gate=None, gate_activation="sigmoid", cache_seqlens=None,
                     cu_seqlens_q=None, cu_seqlens_k=None, page_table=None,
                     out=None, return_lse=False):
    """Attention of each query over the keys that its list names.

    q:       [B, Sq, H, D]; k: [B, Sk, G, D]; v: [B, Sk, G, Dv], of one type.
    indices: int32 [B, Sq, K], keys of the same batch element. One outside of
             [0, Sk), -1 for instance, is skipped; one listed twice counts
             twice. Which keys a query may see is the list's business.
    topk_length:   int32 [B, Sq], how many of a row count; None: all K.
    softmax_scale: factor of the logits; None: 1 / sqrt(D).
    gate:          logits [B, Sq, H, Dv] or [B, Sq, H] of a gate of the output;
                   gate_activation: "sigmoid", "tanh" ((tanh + 1) / 2), "silu".
    cache_seqlens: int32 [B], how many of the Sk keys there are; None: all.
    out:           tensor [B, Sq, H, Dv] to write.

    Returns out, and with return_lse also the natural log-sum-exp
    [B, H, Sq] in f32 (f64 for f64). A row without keys gives 0 and -inf.
    Raises InvalidArgument for a shape, an element type, a device or strides that
    do not fit, with the argument's name, and Unimplemented for ragged batches,
    pages, and what the target cannot compile.
    Source: docs/spec.md, gsa.gather_attention.
    """
    _refuse("sparse_attention", cu_seqlens_q=(cu_seqlens_q, _RAGGED),
            cu_seqlens_k=(cu_seqlens_k, _RAGGED),
            page_table=(page_table, _PAGED))
    a, text = describe_sparse_attention(
        q, k, v, indices, topk_length=topk_length, softmax_scale=softmax_scale,
        gate=gate, gate_activation=gate_activation, cache_seqlens=cache_seqlens)
    output, lse = a.run(text, {"output": out})
    return (output, lse) if return_lse else output


def describe_sparse_attention(q, k, v, indices, topk_length=None,
                              softmax_scale=None, gate=None,
                              gate_activation="sigmoid", cache_seqlens=None):
    """(the arguments, the text of the module) of a call. So are all of these
    functions."""
    where = "sparse_attention"
    choose(where, "gate_activation", gate_activation, GATE_ACTIVATIONS)
    a = _Arguments(where)
    query = _add_heads(a, q, k, v)
    lists = a.add("indices", indices, "B Sq K", ("i32",))
    if topk_length is None:
        topk_length = _full(lists)
    a.add("topk_length", topk_length, "B Sq", ("i32",), "counts")
    _add_gate(a, "gate", gate, query)
    a.add("cache_seqlens", cache_seqlens, "B", ("i32",), "lengths")
    return a, _modules.gather(
        a.shapes, a.scale("softmax_scale", softmax_scale),
        gate_activation)


def _add_gate(a, name, gate, query):
    if gate is not None:
        per_head = len(getattr(gate, "shape", ())) == 3
        a.add(name, gate, "B Sq H" if per_head else "B Sq H Dv", _same(query),
              "gate")


def _full(lists):
    """Counts that say that all slots of the lists count."""
    counts = _tensors.empty_like(lists, lists.shape[:2], "i32")
    counts[...] = lists.shape[2]
    return counts


@_with_gradients
def dense_attention(q, k, v, *, softmax_scale=None, causal=True, gate=None,
                    gate_activation="sigmoid", cache_seqlens=None, out=None,
                    return_lse=False):
    """Attention of each query over all keys that it sees.

    Arguments, results and errors as in sparse_attention. causal: query t sees the keys up to
    t + Sk - Sq, the last query all of them; False: every query sees all.
    Source: docs/spec.md, gsa.dense_attention.
    """
    a, text = describe_dense_attention(
        q, k, v, softmax_scale=softmax_scale, causal=causal, gate=gate,
        gate_activation=gate_activation, cache_seqlens=cache_seqlens)
    output, lse = a.run(text, {"output": out})
    return (output, lse) if return_lse else output


def describe_dense_attention(q, k, v, softmax_scale=None, causal=True,
                             gate=None, gate_activation="sigmoid",
                             cache_seqlens=None):
    where = "dense_attention"
    choose(where, "gate_activation", gate_activation, GATE_ACTIVATIONS)
    a = _Arguments(where)
    query = _add_heads(a, q, k, v)
    _add_gate(a, "gate", gate, query)
    a.add("cache_seqlens", cache_seqlens, "B", ("i32",), "lengths")
    return a, _modules.dense(
        a.shapes, a.scale("softmax_scale", softmax_scale),
        gate_activation, flag(where, "causal", causal))


def _budget(where, k, policy, k_min, k_max, temperature, normaliser, name="k"):
    """`name` is what the caller calls k."""
    choose(where, "policy", policy, POLICIES)
    # Without a policy a budget above the keys is all of them.
    k = whole(where, name, k, 1, None if policy == "fixed" else MOST_KEYS)
    if policy == "fixed":
        for other, value in (("k_min", k_min), ("k_max", k_max),
                             ("temperature", temperature)):
            if value is not None:
                raise _capi.InvalidArgument(
                    f"{where}: {other}: got {value!r} beside policy 'fixed', "
                    f"which keeps {name} keys; expected None")
        k_min = k_max = k
        temperature = 1.0
    else:
        k_min = whole(where, "k_min", 1 if k_min is None else k_min, 1)
        k_max = whole(where, "k_max", 2 * k if k_max is None else k_max, k_min)
        temperature = finite(where, "temperature",
                             1 if temperature is None else temperature, least=0)
    if policy == "paper_ema" and normaliser is None:
        raise _capi.InvalidArgument(
            f"{where}: normaliser: got None, expected the running mean of the "
            f"variance, a scalar tensor, for policy 'paper_ema'")
    if normaliser is not None and policy not in ("paper_ema",
                                                 "upstream_variance"):
        raise _capi.InvalidArgument(
            f"{where}: normaliser: got a value beside policy {policy!r}, which "
            f"divides by none; expected None")
    return k, policy, k_min, k_max, temperature


def _index(a, q_idx, k_idx, weights, bias, normaliser, cache_seqlens):
    query = a.add("q_idx", q_idx, "B Sq Hi Di", _FLOATS, "index_query")
    a.add("k_idx", k_idx, "B Sk Di", (query.dtype,), "index_key")
    a.add("weights", weights, "B Sq Hi", _same(query), "index_weights")
    a.add("bias", bias, "Hi", _same(query), "index_bias")
    a.add("normaliser", normaliser, "", (_same(query)[-1],))
    a.add("cache_seqlens", cache_seqlens, "B", ("i32",), "lengths")


def index_topk(q_idx, k_idx, *, k, weights=None, bias=None, act="sigmoid",
               weight_act="sigmoid", scale=None, policy="fixed", k_min=None,
               k_max=None, temperature=None, normaliser=None, causal=True,
               sink=0, local=0, cache_seqlens=None):
    """The keys that each query keeps, by the scores of the indexer

        I[b,t,s] = sum_j weight_act(weights[b,t,j])
                         * act(scale * <q_idx[b,t,j], k_idx[b,s]> + bias[j])

    best first, equal scores the smaller key. The scores never exist as a whole.

    q_idx:   [B, Sq, Hi, Di]; k_idx: [B, Sk, Di], of one type.
    weights: [B, Sq, Hi], before weight_act ("sigmoid", "identity"); None: 1.
    bias:    [Hi]; None: 0. act: "sigmoid", "relu", "identity".
    scale:   None: 1 / sqrt(Di).
    k:       keys that a row keeps, exactly with policy "fixed"; around it with
             "upstream_variance", "paper_ema" (needs normaliser, a scalar of
             the type of the sums), "entropy", "orth", between k_min (1) and
             k_max (2 k); temperature (1) multiplies the statistic.
    causal:  query t sees the keys up to t + Sk - Sq.
    sink, local: the first and the last visible keys that are kept before
             others, within the budget.
    cache_seqlens: int32 [B], how many of the Sk keys there are; None: all.

    Returns a Selection. The same arguments give the same bits. Raises
    InvalidArgument for a tensor that does not fit, a name that is unknown, with
    the nearest, and a setting that the policy does not have.
    Source: docs/spec.md, gsa.select and budget policies.
    """
    where = "index_topk"
    choose(where, "act", act, SCORE_ACTIVATIONS)
    choose(where, "weight_act", weight_act, WEIGHT_ACTIVATIONS)
    k, policy, k_min, k_max, temperature = _budget(
        where, k, policy, k_min, k_max, temperature, normaliser)
    a = _Arguments(where)
    _index(a, q_idx, k_idx, weights, bias, normaliser, cache_seqlens)
    text = _modules.select(
        a.shapes, k, policy, k_min, k_max, temperature, act, weight_act,
        a.scale("scale", scale), flag(where, "causal", causal),
        whole(where, "sink", sink, 0, MOST_KEYS),
        whole(where, "local", local, 0, MOST_KEYS))
    return Selection(*a.run(text))


@_with_gradients
def gated_sparse_attention(
        q, k, v, q_idx, k_idx, *, k_base, weights=None, bias=None,
        act="sigmoid", weight_act="sigmoid", index_scale=None, policy="fixed",
        k_min=None, k_max=None, temperature=None, normaliser=None, sink=0,
        local=0, value_gate=None, output_gate=None, gate_activation="sigmoid",
        positions=None, key_positions=None, rope_base=10000.0, rope_dim=0,
        rope_interleaved=False, rope_scaling=None, softmax_scale=None,
        causal=True, cache_seqlens=None, out=None, return_selection=False):
    """What stands between the projections of a Gated Sparse Attention layer:
    value gate, rotary embedding, selection, attention, output gate, as one
    plan whose stages are fused where that pays.

    q [B, Sq, H, D], k and v [B, Sk, G, D], q_idx [B, Sq, Hi, Di] and k_idx
    [B, Sk, Di], of one type; weights, bias, act, weight_act, policy, k_min,
    k_max, temperature, normaliser, sink, local, causal and cache_seqlens as in
    index_topk, k_base being its k and index_scale its scale; softmax_scale,
    gate_activation and out as in sparse_attention.

    value_gate:  logits [B, Sk, G, D]; output_gate: logits [B, Sq, H, D].
    positions:   int64 [B, Sq] turn q, and key_positions [B, Sk] turn k (None:
                 positions, if Sk = Sq). None: nothing is turned. rope_base,
                 rope_dim (0: all of a head), rope_interleaved as in the
                 configuration of a layer; rope_scaling: None or a dict,
                 {"type": "ntk", "factor": 4.0}.

    Returns the output [B, Sq, H, D], or with return_selection an
    AttentionResult. Errors are those of index_topk and sparse_attention.
    Source: docs/spec.md, gsa.attention.
    """
    a, text = describe_gated_sparse_attention(
        q, k, v, q_idx, k_idx, k_base=k_base, weights=weights, bias=bias,
        act=act, weight_act=weight_act, index_scale=index_scale, policy=policy,
        k_min=k_min, k_max=k_max, temperature=temperature,
        normaliser=normaliser, sink=sink, local=local, value_gate=value_gate,
        output_gate=output_gate, gate_activation=gate_activation,
        positions=positions, key_positions=key_positions, rope_base=rope_base,
        rope_dim=rope_dim, rope_interleaved=rope_interleaved,
        rope_scaling=rope_scaling, softmax_scale=softmax_scale, causal=causal,
        cache_seqlens=cache_seqlens, return_selection=return_selection)
    results = a.run(text, {"output": out})
    return AttentionResult(*results) if return_selection else results[0]


def describe_gated_sparse_attention(
        q, k, v, q_idx, k_idx, k_base, weights=None, bias=None, act="sigmoid",
        weight_act="sigmoid", index_scale=None, policy="fixed", k_min=None,
        k_max=None, temperature=None, normaliser=None, sink=0, local=0,
        value_gate=None, output_gate=None, gate_activation="sigmoid",
        positions=None, key_positions=None, rope_base=10000.0, rope_dim=0,
        rope_interleaved=False, rope_scaling=None, softmax_scale=None,
        causal=True, cache_seqlens=None, return_selection=False):
    where = "gated_sparse_attention"
    choose(where, "act", act, SCORE_ACTIVATIONS)
    choose(where, "weight_act", weight_act, WEIGHT_ACTIVATIONS)
    choose(where, "gate_activation", gate_activation, GATE_ACTIVATIONS)
    k_base, policy, k_min, k_max, temperature = _budget(
        where, k_base, policy, k_min, k_max, temperature, normaliser, "k_base")
    a = _Arguments(where)
    query = _add_heads(a, q, k, v)
    add_positions(a, positions, key_positions)
    a.add("value_gate", value_gate, "B Sk G Dv", _same(query))
    if output_gate is not None:
        a.add("output_gate", output_gate, "B Sq H Dv", _same(query), "gate")
    _index(a, q_idx, k_idx, weights, bias, normaliser, cache_seqlens)
    rope = _rope(a, rope_base, rope_dim, rope_interleaved, rope_scaling)
    return a, _modules.attention(
        a.shapes, rope, a.scale("softmax_scale", softmax_scale),
        gate_activation, k_base, policy, k_min, k_max, temperature, act,
        weight_act, a.scale("index_scale", index_scale),
        flag(where, "causal", causal),
        whole(where, "sink", sink, 0, MOST_KEYS), whole(where, "local", local, 0, MOST_KEYS),
        flag(where, "return_selection", return_selection))


@_with_gradients
def index_kl(q_idx, k_idx, q, k, lse, *, weights=None, bias=None, indices=None,
             topk_length=None, act="sigmoid", weight_act="sigmoid",
             index_scale=None, softmax_scale=None, mean_heads=False,
             temperature=1.0, clip=None, causal=True, cache_seqlens=None):
    """How far the indexer is from the attention that it selects for: for each
    row the KL divergence of the softmax of its scores over temperature from the
    weights of attention, which are a constant.

    q_idx, k_idx, weights, bias, act, weight_act as in index_topk, index_scale
    being its scale; q, k and softmax_scale as in sparse_attention, and lse what
    attention over q and k returned. On a CPU alone.

    indices: int32 [B, Sq, K], the keys that a row is compared over, of which
             topk_length [B, Sq] count (None: all); None: all keys that a query
             sees, with causal those up to t + Sk - Sq.
    mean_heads:  each head counts the same, whatever its share in these keys.
    temperature: divides the scores; those of sigmoids lie so close together
                 that 1/8 is a good choice.
    clip:        the most that the log of a ratio of weights counts; None: all.
    cache_seqlens: int32 [B], how many of the Sk keys there are; None: all.

    Returns the loss of each row, [B, Sq], in f32 (f64 for f64); 0 for a row
    without keys. Errors are those of index_topk, and Unimplemented on a GPU.
    Source: docs/spec.md, gsa.index_kl.
    """
    if indices is None and topk_length is not None:
        raise _capi.InvalidArgument(
            "index_kl: topk_length: got a tensor without indices, expected None")
    a, text = describe_index_kl(
        q_idx, k_idx, q, k, lse, weights=weights, bias=bias, indices=indices,
        topk_length=topk_length, act=act, weight_act=weight_act,
        index_scale=index_scale, softmax_scale=softmax_scale,
        mean_heads=mean_heads, temperature=temperature, clip=clip,
        causal=causal, cache_seqlens=cache_seqlens)
    return a.run(text)[0]


def describe_index_kl(q_idx, k_idx, q, k, lse, weights=None, bias=None,
                      indices=None, topk_length=None, act="sigmoid",
                      weight_act="sigmoid", index_scale=None,
                      softmax_scale=None, mean_heads=False, temperature=1.0,
                      clip=None, causal=True, cache_seqlens=None):
    where = "index_kl"
    choose(where, "act", act, SCORE_ACTIVATIONS)
    choose(where, "weight_act", weight_act, WEIGHT_ACTIVATIONS)
    a = _Arguments(where)
    _index(a, q_idx, k_idx, weights, bias, None, cache_seqlens)
    temperature = a.scale("temperature", temperature, positive=True)
    clip = a.scale("clip", clip, positive=True)
    query = a.add("q", q, "B Sq H D", _FLOATS, "query")
    a.add("k", k, "B Sk G D", (query.dtype,), "key")
    a.heads()
    a.add("lse", lse, "B H Sq", (_same(query)[-1],))
    lists = a.add("indices", indices, "B Sq K", ("i32",))
    if lists is not None:
        if topk_length is None:
            topk_length = _full(lists)
        a.add("topk_length", topk_length, "B Sq", ("i32",), "counts")
    return a, _modules.index_kl(
        a.shapes, a.scale("index_scale", index_scale),
        a.scale("softmax_scale", softmax_scale), act, weight_act,
        flag(where, "mean_heads", mean_heads), temperature, clip,
        flag(where, "causal", causal))


def add_positions(a, positions, key_positions):
    if positions is None:
        if key_positions is not None:
            raise _capi.InvalidArgument(
                f"{a.where}: positions: got None beside key_positions, "
                f"expected int64 [B, Sq]")
        return
    a.add("positions", positions, "B Sq", ("i64", "i32"))
    if key_positions is not None:
        a.add("key_positions", key_positions, "B Sk", ("i64", "i32"))
    elif a.sizes["Sk"] != a.sizes["Sq"]:
        raise _capi.InvalidArgument(
            f"{a.where}: key_positions: got None for {a.sizes['Sk']} keys and "
            f"{a.sizes['Sq']} queries, expected int64 [B, Sk]")


@_with_gradients
def prepare(q, k, v, *, positions=None, value_gate=None,
            gate_activation="sigmoid", rope_base=10000.0, rope_dim=0,
            rope_interleaved=False, rope_scaling=None):
    """q and k turned by their positions and v scaled by its gate: what a
    cache keeps of new tokens. Arguments as in gated_sparse_attention, with
    Sk = Sq. Returns (q, k, v)."""
    a, text = describe_prepare(
        q, k, v, positions=positions, value_gate=value_gate,
        gate_activation=gate_activation, rope_base=rope_base,
        rope_dim=rope_dim, rope_interleaved=rope_interleaved,
        rope_scaling=rope_scaling)
    if positions is None and value_gate is None:
        return q, k, v
    return tuple(a.run(text))


def describe_prepare(q, k, v, positions=None, value_gate=None,
                     gate_activation="sigmoid", rope_base=10000.0, rope_dim=0,
                     rope_interleaved=False, rope_scaling=None):
    where = "prepare"
    choose(where, "gate_activation", gate_activation, GATE_ACTIVATIONS)
    a = _Arguments(where)
    query = a.add("q", q, "B S H D", _FLOATS, "query")
    a.add("k", k, "B S G D", (query.dtype,), "key")
    a.add("v", v, "B S G Dv", (query.dtype,), "value")
    a.add("positions", positions, "B S", ("i64", "i32"))
    a.add("value_gate", value_gate, "B S G Dv", _same(query))
    rope = _rope(a, rope_base, rope_dim, rope_interleaved, rope_scaling)
    return a, _modules.prepare(a.shapes, rope, gate_activation)


def _rope(a, base, rotary_dim, interleaved, scaling):
    base = finite(a.where, "rope_base", base, above=1)
    rotary_dim = whole(a.where, "rope_dim", rotary_dim, 0)
    text = scaling_text(a.where, scaling)
    if "positions" in a.names:
        size = a.sizes["D"]
        least = 4 if text and "<ntk" in text else 2
        turned = rotary_dim or size
        if turned % 2 or not least <= turned <= size:
            got = rotary_dim or f"0, all of a head of {size}"
            expected = (
                f"an even number from {least} to {size // 2 * 2}, or 0 for all "
                f"of an even head" if size >= least else
                f"heads of at least {least} elements, to turn them")
            raise _capi.InvalidArgument(
                f"{a.where}: rope_dim: got {got}, expected {expected}")
    return base, rotary_dim, flag(a.where, "rope_interleaved", interleaved), text


SCALING_DEFAULTS = {"factor": None, "original_max_position_embeddings": 4096,
                    "beta_fast": 32.0, "beta_slow": 1.0}


def scaling_text(where, scaling):
    """#gsa.rope_scaling of the published dict, or None."""
    if scaling is None:
        return None
    if not isinstance(scaling, collections.abc.Mapping):
        raise _capi.InvalidArgument(
            f"{where}: rope_scaling: got {scaling!r}, expected None or a dict, "
            f"{{'type': 'yarn', 'factor': 4.0}} for instance")
    scaling = dict(scaling)
    kind = scaling.pop("type", scaling.pop("rope_type", None))
    if kind == "dynamic_ntk":
        raise _capi.Unimplemented(
            f"{where}: rope_scaling: got type 'dynamic_ntk', which is no "
            f"scaling at all in the published code; expected None, which is "
            f"the same, 'ntk' or 'yarn'")
    choose(where, "rope_scaling type", kind, ("ntk", "yarn"))
    values = dict(SCALING_DEFAULTS)
    for name, value in scaling.items():
        if name not in values:
            raise _capi.InvalidArgument(_plan.unknown(
                f"{where}: rope_scaling", name, list(values)))
        values[name] = value
    if values["factor"] is None:
        raise _capi.InvalidArgument(
            f"{where}: rope_scaling: got no factor, expected one of at least 1")
    finite(where, "rope_scaling factor", values["factor"], least=1)
    for name in ("beta_fast", "beta_slow"):
        finite(where, "rope_scaling " + name, values[name], positive=True)
    if float(values["beta_fast"]) <= float(values["beta_slow"]):
        raise _capi.InvalidArgument(
            f"{where}: rope_scaling: got beta_fast {values['beta_fast']!r} and "
            f"beta_slow {values['beta_slow']!r}, expected the first to be larger")
    name = "original_max_position_embeddings"
    whole(where, "rope_scaling " + name, values[name], 1, 2**63 - 1)
    return _modules.rope_scaling(kind, values["factor"],
                                 values["original_max_position_embeddings"],
                                 values["beta_fast"], values["beta_slow"])
