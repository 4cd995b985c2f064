"""The definitions of docs/spec.md in NumPy, everything in float64, one row at a
time. Shares nothing with the package that is tested."""

import math

import numpy as np

ACTIVATION = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "identity": lambda x: x,
    "tanh": lambda x: (np.tanh(x) + 1) / 2,
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def wide(array):
    return None if array is None else np.asarray(array, np.float64)


def lengths_of(batch, keys, lengths):
    if lengths is None:
        return np.full(batch, keys)
    return np.clip(np.asarray(lengths), 0, keys)


def scores(q, k, weights=None, bias=None, act="sigmoid", weight_act="sigmoid",
           scale=None, causal=True, lengths=None):
    """[B, Sq, Sk], -inf where a key is not visible."""
    q, k, weights, bias = map(wide, (q, k, weights, bias))
    b, sq, heads, di = q.shape
    sk = k.shape[1]
    z = np.einsum("btjd,bsd->btjs", q, k) * (
        1 / math.sqrt(di) if scale is None else scale)
    if bias is not None:
        z = z + bias[None, None, :, None]
    w = np.ones((b, sq, heads)) if weights is None else \
        ACTIVATION[weight_act](weights)
    i = np.einsum("btj,btjs->bts", w, ACTIVATION[act](z))
    n = lengths_of(b, sk, lengths)
    t, s = np.arange(sq)[:, None], np.arange(sk)[None]
    for batch in range(b):
        visible = s < n[batch]
        if causal:
            visible = visible & (s <= t + n[batch] - sq)
        i[batch][~np.broadcast_to(visible, (sq, sk))] = -np.inf
    return np.where(np.isnan(i), -np.inf, i)


def raw_budgets(i, policy, k, k_min, k_max, temperature, normaliser):
    """The budgets of the rows before they are rounded and limited."""
    visible = i > -np.inf
    n = visible.sum(-1)
    sk = i.shape[-1]
    filled = np.where(visible, i, 0.0)
    if policy == "fixed":
        return np.full(n.shape, float(k))
    if policy == "upstream_variance":
        mean = filled.mean(-1, keepdims=True)
        v = ((filled - mean) ** 2).sum(-1) / (sk - 1) if sk > 1 else \
            np.zeros(n.shape)
        vbar = v.mean() if normaliser is None else float(normaliser)
        raw = k * (0.5 + 1 / (1 + temperature * v / (vbar + 1e-8)))
    elif policy == "entropy":
        with np.errstate(all="ignore"):
            top = np.where(n > 0, i.max(-1), 0.0)[..., None]
            e = np.where(visible, np.exp(np.where(visible, i, top) - top), 0.0)
            p = e / np.maximum(e.sum(-1, keepdims=True), 1e-300)
        v = -(p * np.log(p + 1e-10)).sum(-1)
        raw = k * (0.5 + temperature * v / (np.log(n + 1) + 1e-8))
    else:
        count = np.maximum(n, 1)[..., None]
        mean = filled.sum(-1, keepdims=True) / count
        v = np.where(visible, (i - mean) ** 2, 0.0).sum(-1) / count[..., 0] \
            if visible.any() else np.zeros(n.shape)
        if policy == "paper_ema":
            raw = k * v / (float(normaliser) + 1e-8)
        else:
            raw = k * (1 + temperature * np.log1p(np.exp(v)))
    return np.clip(raw, k_min, k_max)


def top(row, count, sink=0, local=0):
    """The keys that a row of scores keeps, ascending."""
    visible = np.flatnonzero(row > -np.inf)
    forced = []
    if len(visible) and (sink or local):
        last = visible[-1]
        forced = [s for s in range(min(sink, last + 1)) if row[s] > -np.inf]
        forced += [s for s in range(max(0, last - local + 1), last + 1)
                   if row[s] > -np.inf and s not in forced]
        forced = sorted(forced)[:count]
    order = sorted((s for s in visible if s not in forced),
                   key=lambda s: (-row[s], s))
    return sorted(forced + order[:max(0, count - len(forced))])


def attention(q, k, v, lists, gate=None, gate_activation="sigmoid", scale=None):
    """(output [B,Sq,H,Dv], lse [B,H,Sq]) over lists[b][t] of keys."""
    q, k, v, gate = map(wide, (q, k, v, gate))
    b, sq, h, d = q.shape
    r = h // k.shape[2]
    scale = 1 / math.sqrt(d) if scale is None else scale
    out, lse = np.zeros((b, sq, h, v.shape[3])), np.full((b, h, sq), -np.inf)
    for batch in range(b):
        for t in range(sq):
            keys = lists[batch][t]
            if not len(keys):
                continue
            logits = scale * np.einsum(
                "hd,shd->hs", q[batch, t], np.repeat(k[batch, keys], r, 1))
            most = logits.max(-1, keepdims=True)
            p = np.exp(logits - most)
            lse[batch, :, t] = (most[:, 0] + np.log(p.sum(-1)))
            out[batch, t] = np.einsum("hs,shd->hd",
                                      p / p.sum(-1, keepdims=True),
                                      np.repeat(v[batch, keys], r, 1))
    if gate is not None:
        g = ACTIVATION[gate_activation](gate)
        out *= g if g.ndim == 4 else g[..., None]
    return out, lse


def rope(x, positions, base=10000.0, rotary_dim=0, interleaved=False):
    x = wide(x)
    r = rotary_dim or x.shape[-1]
    angle = np.asarray(positions)[..., None] * base ** (
        -2 * np.arange(r // 2) / r)
    cos, sin = np.cos(angle)[:, :, None], np.sin(angle)[:, :, None]
    out = x.copy()
    first, second = (slice(0, r, 2), slice(1, r, 2)) if interleaved else (
        slice(0, r // 2), slice(r // 2, r))
    a, b = x[..., first], x[..., second]
    out[..., first], out[..., second] = a * cos - b * sin, b * cos + a * sin
    return out


def lists_of(indices, counts):
    """Lists as `attention` takes them, of a selection."""
    return [[[int(s) for s in row[:c]] for row, c in zip(rows, cs)]
            for rows, cs in zip(np.asarray(indices), np.asarray(counts))]


def check_selection(i, selection, raw, slots, sink=0, local=0, margin=0.0):
    """Complaints about a selection for scores i: counts within `margin` of a
    budget's rounding, lists that keep the best within `margin`."""
    indices, counts, status = map(np.asarray, selection)
    if indices.dtype != np.int32 or indices.shape != (*i.shape[:2], slots):
        yield f"indices: {indices.dtype} {indices.shape}, slots {slots}"
        return
    if status.any():
        yield f"status: {status}"
    n = (i > -np.inf).sum(-1)
    for b in range(i.shape[0]):
        for t in range(i.shape[1]):
            count, row = int(counts[b, t]), i[b, t]
            kept = indices[b, t, :count].tolist()
            # As a row that sees a key keeps one.
            slack = margin * (1 + raw[b, t]) + 1e-9 * (1 + raw[b, t])
            allowed = {min(int(n[b, t]), int(max(1, math.floor(x))), slots)
                       for x in (raw[b, t] - slack, raw[b, t] + slack)}
            if count not in allowed:
                yield f"row {b},{t}: count {count}, allowed {allowed}"
                continue
            if kept != sorted(set(kept)) or (indices[b, t, count:] != -1).any():
                yield f"row {b},{t}: list {indices[b, t].tolist()}"
                continue
            wanted = top(row, count, sink, local)
            if kept == wanted:
                continue
            missing = [row[s] for s in wanted if s not in kept]
            extra = [row[s] for s in kept if s not in wanted]
            if not extra or max(missing) - min(extra) > margin:
                yield f"row {b},{t}: kept {kept}, wanted {wanted}"
