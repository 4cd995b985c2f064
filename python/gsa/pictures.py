"""Pictures of what a layer does: which keys its queries keep, how much attention
goes to the first tokens, how far its gates are open.

    seen = gsa.pictures.observe_layer(layer, hidden_states)
    gsa.pictures.save(seen, "pictures")

Needs matplotlib to draw, and NumPy alone to observe. Nothing of matplotlib's
state is touched: a figure is made, written and gone.
"""

import collections
import os

from gsa import _capi, _functions

__all__ = ["Observation", "observe", "observe_layer", "observe_random",
           "Recall", "recall", "recall_layer", "draw_selection",
           "draw_sink_mass", "draw_gates", "save"]

Observation = collections.namedtuple(
    "Observation", "indices topk_length keys sink dense sparse gates")
Observation.__doc__ = """What pictures are drawn of, as NumPy arrays.

indices:     int32 [B, Sq, K] and topk_length: int32 [B, Sq], a Selection's.
keys:        how many keys there are, Sk.
sink:        how many first tokens `dense` and `sparse` are about.
dense, sparse: float64 [B, H, Sq], the share (0 to 1) of a query's attention on
             them, over all keys that it sees, and over those that it keeps.
gates:       {name: array}, what gates multiply by, any shape.
"""


def _array(tensor, dtype="float64"):
    import numpy
    if hasattr(tensor, "detach"):
        tensor = tensor.detach()
        tensor = tensor.double().cpu().numpy() if tensor.is_floating_point() \
            else tensor.cpu().numpy()
    return numpy.asarray(tensor, dtype)


def _sink_mass(q, k, lse, scale, seen):
    """[B, H, Sq] of q [B, Sq, H, D], the first keys k [B, n, G, D], and which of
    them a query sees, [B, Sq, n]."""
    import numpy
    keys = numpy.repeat(k, q.shape[2] // k.shape[2], axis=2)
    logits = scale * numpy.einsum("bthd,bshd->bhts", q, keys)
    with numpy.errstate(over="ignore", invalid="ignore"):
        share = numpy.exp(logits - lse[..., None])
    return numpy.where(seen[:, None], share, 0.0).sum(-1)


def observe(q, k, v, indices, topk_length, *, gates=None, sink=1,
            softmax_scale=None):
    """An Observation of attention over lists of keys.

    q [B, Sq, H, D], k and v [B, Sk, G, D], indices int32 [B, Sq, K] and
    topk_length int32 [B, Sq] as in sparse_attention; causal, the last query
    sees all keys. gates: {name: what a gate multiplies by}. sink: how many first
    tokens to sum the attention on.
    """
    import numpy
    where = "observe"
    _functions.whole(where, "sink", sink, 1)
    _, dense = _functions.dense_attention(q, k, v, return_lse=True,
                                          softmax_scale=softmax_scale)
    _, sparse = _functions.sparse_attention(
        q, k, v, indices, topk_length=topk_length, return_lse=True,
        softmax_scale=softmax_scale)
    queries, scale = _array(q), softmax_scale
    if scale is None:
        scale = queries.shape[3] ** -0.5
    lists, counts = _array(indices, "int32"), _array(topk_length, "int32")
    b, sq, slots = lists.shape
    sk = k.shape[1]
    first = numpy.arange(min(sink, sk))
    keys = _array(k)[:, first]
    visible = first[None] <= (numpy.arange(sq) + sk - sq)[:, None]
    listed = numpy.arange(slots) < counts[..., None]
    kept = ((lists[..., None] == first) & listed[..., None]).any(2)
    return Observation(
        lists, counts, sk, int(sink),
        _sink_mass(queries, keys, _array(dense), scale,
                   numpy.broadcast_to(visible, (b, sq, len(first)))),
        _sink_mass(queries, keys, _array(sparse), scale, kept),
        {name: _array(gate) for name, gate in (gates or {}).items()})


def observe_layer(layer, hidden_states, positions=None, *, sink=1):
    """An Observation of a gsa.GatedSparseAttention on hidden states
    [B, S, d_model], computed apart from its forward."""
    q, k, v, kept, gates = _attention_of(layer, hidden_states, positions)
    return observe(q, k, v, kept.indices, kept.topk_length, gates=gates,
                   sink=sink)


def _attention_of(layer, hidden_states, positions):
    """(q, k, v as attention sees them, the Selection, {name: gate}) of a layer,
    tensors of torch without gradients."""
    import torch

    from gsa import hf, nn
    if not hasattr(layer, "_project"):
        raise _capi.InvalidArgument(
            f"pictures: layer: got {type(layer).__name__}, expected a "
            f"gsa.GatedSparseAttention; gsa.pictures.observe takes the tensors "
            f"of any attention")
    with torch.no_grad():
        q, k, v, *logits = layer._project(hidden_states)
        gates = {name: hf._gate(torch.ones_like(x), x,
                                layer.config.gate_activation)
                 for name, x in zip(("value_gate", "output_gate"), logits)
                 if x is not None}
        q, k, v = layer._turn(q, k, v, logits[0],
                              nn._positions(hidden_states, positions))
        index = layer.indexer(hidden_states)
        kept = nn.select(layer.config, index, layer.indexer.bias.to(q.dtype))
    return q, k, v, _functions.Selection(*kept), gates


Recall = collections.namedtuple("Recall", "recall mass best chose")
Recall.__doc__ = """How a selection compares with an oracle's that keeps, of each
query, as many keys, those with the largest attention, summed over heads; NumPy
arrays.

recall: float64 [B, Sq], the share (0 to 1) of the oracle's keys that are kept.
mass:   float64 [B, Sq], the share of the query's attention, over all keys that it
        sees and as a mean over heads, on the kept keys; best: on the oracle's.
chose:  bool [B, Sq], whether the query sees more keys than it keeps: elsewhere
        there is nothing to choose, and recall is 1.
"""


def recall(q, k, indices, topk_length, *, softmax_scale=None):
    """The Recall of lists of keys; arguments as in observe, causal. Holds the
    attention of 64 queries at a time."""
    import numpy
    q, k = _array(q), _array(k)
    lists, counts = _array(indices, "int32"), _array(topk_length, "int32")
    b, sq, heads, depth = q.shape
    sk, slots = k.shape[1], lists.shape[2]
    scale = depth ** -0.5 if softmax_scale is None else softmax_scale
    k = numpy.repeat(k, heads // k.shape[2], axis=2)
    seen = numpy.minimum(numpy.arange(sq) + sk - sq + 1, sk)
    result = Recall(*(numpy.zeros((b, sq)) for _ in range(3)),
                    counts < seen[None])
    key = numpy.arange(sk)
    for batch in range(b):
        for first in range(0, sq, 64):
            rows = slice(first, min(first + 64, sq))
            logits = scale * numpy.einsum("thd,shd->hts", q[batch, rows],
                                          k[batch])
            logits[:, key >= seen[rows, None]] = -numpy.inf
            top = logits.max(-1, keepdims=True)
            weights = numpy.exp(logits - numpy.where(top > -numpy.inf, top, 0))
            weights /= numpy.maximum(weights.sum(-1, keepdims=True), 1e-300)
            weights = weights.mean(0)
            kept = numpy.zeros((rows.stop - first, sk), bool)
            listed = numpy.arange(slots) < counts[batch, rows, None]
            row, slot = numpy.nonzero(listed & (lists[batch, rows] >= 0))
            kept[row, lists[batch, rows][row, slot]] = True
            # Equal attention: the smaller key, as selection does. Keys that a
            # query does not see are behind all others.
            order = numpy.argsort(numpy.where(key < seen[rows, None], -weights,
                                              1), axis=1, kind="stable")
            rank = numpy.argsort(order, axis=1)
            oracle = rank < kept.sum(1)[:, None]
            result.recall[batch, rows] = (kept & oracle).sum(1) / \
                numpy.maximum(kept.sum(1), 1)
            result.mass[batch, rows] = (weights * kept).sum(1)
            result.best[batch, rows] = (weights * oracle).sum(1)
    return result


def recall_layer(layer, hidden_states, positions=None):
    """The Recall of the indexer of a gsa.GatedSparseAttention on hidden states
    [B, S, d_model]."""
    q, k, _, kept, _ = _attention_of(layer, hidden_states, positions)
    return recall(q, k, kept.indices, kept.topk_length)


def observe_random(config, tokens, *, correlation=0.98, sink=1, seed=0):
    """An Observation of a layer of that GSAConfig with weights drawn as published,
    on one sequence of hidden states each of which has `correlation` (0 to 1) with
    the one before it. Needs NumPy alone; the same arguments give the same
    numbers. What a trained layer does, it does not show."""
    import numpy
    c, where = config, "observe_random"
    _functions.whole(where, "tokens", tokens, 1)
    if not 0 <= correlation <= 1:
        raise _capi.InvalidArgument(f"{where}: correlation: got {correlation}, "
                                    f"expected 0 to 1")
    rng = numpy.random.default_rng(seed)
    x = rng.standard_normal((tokens, c.d_model))
    for t in range(1, tokens):
        x[t] = correlation * x[t - 1] + (1 - correlation ** 2) ** 0.5 * x[t]

    def project(width, gain=1.0, bias=0.0):
        limit = gain * (6 / (c.d_model + width)) ** 0.5
        weight = rng.uniform(-limit, limit, (c.d_model, width))
        return (x @ weight + bias).astype(numpy.float32)[None]

    def heads(count, size, gain=1.0, bias=0.0):
        return project(count * size, gain, bias).reshape(1, tokens, count, size)
    q, k, v = (heads(n, c.d_head, 0.5 ** 0.5)
               for n in (c.n_heads, c.n_kv_heads, c.n_kv_heads))
    index = (heads(c.n_indexer_heads, c.d_indexer), project(c.d_indexer),
             project(c.n_indexer_heads, 0.1))
    logits = {}
    for name, count in (("value_gate", c.n_kv_heads),
                        ("output_gate", c.n_heads)):
        if getattr(c, "use_" + name):
            logits[name] = heads(count, c.d_head, 0.1, c.gate_bias_init)
    q, k, v = _functions.prepare(
        q, k, v, positions=numpy.arange(tokens)[None],
        value_gate=logits.get("value_gate"), gate_activation=c.gate_activation,
        rope_base=c.rope_base, rope_dim=c.rope_dim,
        rope_interleaved=c.rope_interleaved, rope_scaling=c.rope_scaling)
    kept = _functions.index_topk(
        index[0], index[1], k=c.k_base, weights=index[2],
        act=c.indexer_activation, policy=c.policy, sink=c.sink, local=c.local,
        **_budget(c))
    act = {"sigmoid": lambda z: 1 / (1 + numpy.exp(-z)),
           "tanh": lambda z: (numpy.tanh(z) + 1) / 2,
           "silu": lambda z: z / (1 + numpy.exp(-z))}[c.gate_activation]
    return observe(q, k, v, kept.indices, kept.topk_length, sink=sink,
                   gates={name: act(z) for name, z in logits.items()})


def _budget(config):
    return {} if config.policy == "fixed" else {
        "k_min": config.k_min, "k_max": config.k_max,
        "temperature": float(config.adaptive_k_temperature)}


def _figure(width=6.0, height=4.0):
    """(figure, axes) of matplotlib, without pyplot and its list of figures."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise _capi.Unavailable(
            "pictures: there is no matplotlib, expected it for drawing: pip "
            "install matplotlib") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _share_kept(observation, batch, cells):
    """[rows, columns], the share of a cell's keys that its queries keep; a cell
    is some queries and some keys, at most `cells` each way."""
    import numpy
    lists = observation.indices[batch]
    counts = observation.topk_length[batch]
    sq, slots = lists.shape
    rows, columns = min(cells, sq), min(cells, observation.keys)
    row = numpy.repeat(numpy.arange(sq)[:, None] * rows // sq, slots, 1)
    listed = numpy.arange(slots) < counts[:, None]
    column = lists[listed].astype(numpy.int64) * columns // observation.keys
    grid = numpy.zeros((rows, columns))
    numpy.add.at(grid, (row[listed], column), 1)
    queries = numpy.bincount(numpy.arange(sq) * rows // sq, minlength=rows)
    keys = numpy.bincount(
        numpy.arange(observation.keys) * columns // observation.keys,
        minlength=columns)
    return grid / numpy.outer(queries, keys)


def draw_selection(observation, batch=0, cells=512):
    """A figure of matplotlib: queries from top to bottom, keys from left to
    right, darker where more of a cell's keys are kept."""
    figure, axes = _figure(5.0, 5.0)
    share = _share_kept(observation, batch, cells)
    axes.imshow(share, cmap="Greys", vmin=0, aspect="auto",
                interpolation="nearest",
                extent=(0, observation.keys, observation.indices.shape[1], 0))
    mean = observation.topk_length[batch].mean()
    axes.set(xlabel="key", ylabel="query",
             title=f"keys that are kept, {mean:.1f} a query")
    return figure


def draw_sink_mass(observation, batch=0):
    """A figure of matplotlib: the share of attention on the first tokens by
    query, mean over heads, dense and over the kept keys, as far up as queries
    behind the first eighth go."""
    import numpy
    figure, axes = _figure()
    count = observation.dense.shape[2]
    at, late = numpy.arange(count), 0.01
    for name, mass in (("all visible keys", observation.dense),
                       ("kept keys", observation.sparse)):
        share = mass[batch].mean(0)
        axes.plot(at, share, label=name, linewidth=1)
        # The first queries have few keys, whatever a layer does.
        late = max(late, 1.2 * share[count // 8:].max())
    tokens = "first token" if observation.sink == 1 else \
        f"first {observation.sink} tokens"
    axes.set(xlabel="query", ylabel="share of attention", ylim=(0, min(1, late)),
             title=f"attention on the {tokens}")
    axes.legend()
    return figure


def draw_gates(observation, bins=50):
    """A figure of matplotlib: how often a gate multiplies by how much."""
    if not observation.gates:
        raise _capi.InvalidArgument(
            "draw_gates: got an observation without gates, expected some")
    figure, axes = _figure()
    for name, values in observation.gates.items():
        axes.hist(values.ravel(), bins=bins, histtype="step", density=True,
                  label=f"{name.replace('_', ' ')}, mean {values.mean():.3f}")
    axes.set(xlabel="factor", ylabel="density", title="gates")
    axes.legend()
    return figure


def save(observation, folder, batch=0):
    """Writes selection.png, sink_mass.png and, if there are gates, gates.png
    into a folder, which is made; returns their paths."""
    if not isinstance(observation, Observation):
        raise _capi.InvalidArgument(
            f"pictures.save: got {type(observation).__name__}, expected what "
            f"observe or observe_layer returned")
    if 0 in observation.topk_length.shape:
        raise _capi.InvalidArgument(
            "pictures.save: got an observation without queries, expected some")
    os.makedirs(folder, exist_ok=True)
    figures = {"selection": draw_selection(observation, batch),
               "sink_mass": draw_sink_mass(observation, batch)}
    if observation.gates:
        figures["gates"] = draw_gates(observation)
    paths = []
    for name, figure in figures.items():
        paths.append(os.path.join(folder, name + ".png"))
        # Without its version in the file, that pictures are the same each time.
        figure.savefig(paths[-1], dpi=110, metadata={"Software": None})
    return paths
