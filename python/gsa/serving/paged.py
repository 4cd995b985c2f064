"""Gated Sparse Attention over a cache whose tokens lie in pages.

Lists of keys may name any row of a tensor, so that keys and values are read
where they lie: the selection's positions become the cache's rows (slots). Keys of
the indexer, 1/32 of a cache of 8 heads of 128 with an indexer of 64, are gathered
for each call, since the kernels of selection read a sequence in order.

Nothing here waits for the device. How many queries a sequence has is known to the
host; how many tokens, to the device alone, with an upper bound for the host.
"""

from typing import NamedTuple, Optional

import torch

from gsa import _capi
from gsa import _torch_ops as ops

__all__ = ["Pages", "Batch", "Queries", "attend", "refuse", "doubled"]

# Shapes grow by doubling from here on, so that a server has few plans.
FIRST_ROOM = 128


class Pages(NamedTuple):
    """A cache of one layer. key: [slots, G, D]; value: [slots, G, Dv]; index:
    [slots, Di], keys of the indexer. All dense, of one element type."""
    key: torch.Tensor
    value: torch.Tensor
    index: torch.Tensor


class Batch(NamedTuple):
    """The sequences of a call, whose new tokens are already in the cache.

    query_lens:  new tokens of each sequence, on the host; the queries of all
                 sequences stand one behind the other.
    seq_lens:    int32 or int64 [B], all tokens of each sequence, on the device.
    max_seq_len: of the largest at least, on the host.
    table:       int32 or int64 [B, W], the page of each page_size tokens; token
                 p of sequence b is in slot
                 table[b, p // page_size] * page_size + p % page_size.
    """
    query_lens: tuple
    seq_lens: torch.Tensor
    max_seq_len: int
    table: torch.Tensor
    page_size: int


class Queries(NamedTuple):
    """T new tokens. query: [T, H, D], turned; index_query: [T, Hi, Di];
    index_weights: [T, Hi]; index_bias: [Hi]; output_gate: logits [T, H, Dv] or
    None."""
    query: torch.Tensor
    index_query: torch.Tensor
    index_weights: torch.Tensor
    index_bias: torch.Tensor
    output_gate: Optional[torch.Tensor] = None


def doubled(count, least=1):
    """The first of least, 2 least, 4 least, ... that is at least count."""
    room = least
    while room < count:
        room *= 2
    return room


def refuse(where, config):
    """Raises Unimplemented for a configuration whose result would depend on how
    a server cuts its batches."""
    if config.policy == "upstream_variance":
        raise _capi.Unimplemented(
            f"{where}: k_policy: got 'upstream_variance', whose budgets depend on "
            f"the other rows of a call; expected use_adaptive_k=False, or "
            f"k_policy 'entropy' or 'orth'")


def _check(where, queries, pages, batch):
    count = queries.query.shape[0]
    if sum(batch.query_lens) > count:
        raise _capi.InvalidArgument(
            f"{where}: query: got {count} rows, expected at least "
            f"{sum(batch.query_lens)}, those of the sequences")
    slots = pages.key.shape[0]
    if slots >= 2**31:
        raise _capi.Unimplemented(f"{where}: got a cache of {slots} tokens, "
                                  f"expected less than 2^31")
    for name, tensor in zip(pages._fields, pages):
        if not tensor.is_contiguous():
            raise _capi.InvalidArgument(
                f"{where}: cache of {name}: got strides {tensor.stride()} of "
                f"shape {tuple(tensor.shape)}, expected a dense one")
        if tensor.shape[0] != slots:
            raise _capi.InvalidArgument(
                f"{where}: cache of {name}: got {tensor.shape[0]} slots, "
                f"expected {slots}, those of the keys")


def attend(where, config, queries, pages, batch, softmax_scale=None):
    """Output [T, H, Dv] of T query rows, of which those beyond the sequences'
    are 0. A query sees the tokens of its sequence up to itself. `where` is for
    messages, `config` a GSAConfig.

    Raises Unimplemented for the policy 'upstream_variance', InvalidArgument for a
    cache that is not dense.
    """
    refuse(where, config)
    _check(where, queries, pages, batch)
    query = queries.query
    output = query.new_zeros((*query.shape[:2], pages.value.shape[2]))
    # Sequences of one doubled count of queries are one call: those that decode,
    # and prompts by their size.
    groups, first = {}, 0
    for b, count in enumerate(batch.query_lens):
        if count:
            groups.setdefault(doubled(count), []).append((b, first, count))
        first += count
    for width, members in sorted(groups.items()):
        _attend_group(config, queries, pages, batch, softmax_scale, width,
                      members, output)
    return output


def _on(device, values):
    return torch.tensor(values, dtype=torch.int64).to(device, non_blocking=True)


def _attend_group(config, queries, pages, batch, softmax_scale, width, members,
                  output):
    device = queries.query.device
    count = doubled(len(members))
    # Sequences that are not there have no tokens.
    which = _on(device, [b for b, _, _ in members] +
                [members[0][0]] * (count - len(members)))
    lengths = batch.seq_lens[which].to(torch.int32)
    lengths[len(members):] = 0
    slots = _slots(batch, which)
    # Queries stand at the end of their row, as the causal mask wants them.
    place = _on(device, [i * width + width - n + j for i, (_, _, n) in
                         enumerate(members) for j in range(n)])
    source = _on(device, [first + j for _, first, n in members
                          for j in range(n)])

    def rows(tensor):
        wide = tensor.new_zeros((count * width, *tensor.shape[1:]))
        wide[place] = tensor[source]
        return wide.view(count, width, *tensor.shape[1:])

    budget = {} if config.policy == "fixed" else {
        "k_min": config.k_min, "k_max": config.k_max,
        "temperature": float(config.adaptive_k_temperature)}
    indices, kept, _ = ops.index_topk(
        rows(queries.index_query), pages.index[slots], config.k_base,
        weights=rows(queries.index_weights),
        bias=queries.index_bias.to(queries.index_query.dtype),
        cache_seqlens=lengths, act=config.indexer_activation,
        policy=config.policy, sink=config.sink, local=config.local, **budget)
    where = slots.gather(1, indices.clamp(min=0).long().flatten(1))
    where = where.view_as(indices).to(torch.int32).masked_fill(indices < 0, -1)
    gate = queries.output_gate

    def one_sequence(tensor):
        """[count, width, ...] as rows of one sequence, the whole cache."""
        return tensor.reshape(1, count * width, *tensor.shape[2:]).contiguous()

    attended, _ = ops.sparse_attention(
        one_sequence(rows(queries.query)), pages.key[None], pages.value[None],
        one_sequence(where), topk_length=one_sequence(kept),
        gate=None if gate is None else one_sequence(rows(gate)),
        softmax_scale=softmax_scale, gate_activation=config.gate_activation)
    output[source] = attended[0, place]


def _slots(batch, which):
    """[B, room] slots of the tokens of sequences, int64. Beyond a sequence's end
    they are some slot of the table, which lengths hide."""
    table = batch.table[which].long()
    pages = table.shape[1]
    room = doubled(batch.max_seq_len, FIRST_ROOM)
    at = torch.arange(room, device=table.device)
    page = (at // batch.page_size).clamp(max=pages - 1)
    return table[:, page].clamp(min=0) * batch.page_size + at % batch.page_size
