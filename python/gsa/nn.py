"""The published layer as a module of torch."""

import json
import math

import torch
from torch import nn

from gsa import _capi, _functions, _modules, _plan
from gsa import _torch_ops as ops
from gsa.config import GSAConfig


class Indexer(nn.Module):
    """Parameters of the indexer: queries of n_indexer_heads heads, one key
    head, a weight and a bias for each head."""

    def __init__(self, d_model, d_indexer, n_heads):
        super().__init__()
        self.n_heads, self.d_indexer = n_heads, d_indexer
        self.q_proj = nn.Linear(d_model, n_heads * d_indexer, bias=False)
        self.k_proj = nn.Linear(d_model, d_indexer, bias=False)
        self.weight_proj = nn.Linear(d_model, n_heads)
        self.bias = nn.Parameter(torch.zeros(n_heads))
        for projection, gain in ((self.q_proj, 1.0), (self.k_proj, 1.0),
                                 (self.weight_proj, 0.1)):
            nn.init.xavier_uniform_(projection.weight, gain=gain)
        nn.init.zeros_(self.weight_proj.bias)

    def forward(self, hidden_states):
        """(queries [B,S,Hi,Di], keys [B,S,Di], logits of weights [B,S,Hi])."""
        b, s, _ = hidden_states.shape
        return (self.q_proj(hidden_states).view(b, s, self.n_heads,
                                                self.d_indexer),
                self.k_proj(hidden_states), self.weight_proj(hidden_states))


class Gate(nn.Module):
    """Logits of an elementwise gate."""

    def __init__(self, d_model, n_heads, d_head, bias):
        super().__init__()
        self.n_heads, self.d_head = n_heads, d_head
        self.gate_proj = nn.Linear(d_model, n_heads * d_head)
        nn.init.xavier_uniform_(self.gate_proj.weight, gain=0.1)
        nn.init.constant_(self.gate_proj.bias, bias)

    def forward(self, hidden_states):
        b, s, _ = hidden_states.shape
        return self.gate_proj(hidden_states).view(b, s, self.n_heads,
                                                  self.d_head)


class KeyCache:
    """Keys of a layer that were seen: turned keys and gated values
    [B, room, G, D], keys of the indexer [B, room, Di], and how many there are.
    The room doubles, so that the plans of a long generation are few.

    Where a gradient is recorded, what it holds is part of the graph, so that
    later calls have gradients of earlier tokens; appending then copies it, and
    the graph lives as long as the cache."""

    FIRST_ROOM = 128

    def __init__(self):
        self.tensors, self.length, self._room = None, 0, 0

    def append(self, *new):
        """Adds key, value and key of the indexer of new tokens."""
        count = new[0].shape[1]
        if self.tensors is not None and new[0].shape[0] != \
                self.tensors[0].shape[0]:
            raise _capi.InvalidArgument(
                f"past_key_value: got a batch of {new[0].shape[0]}, expected "
                f"{self.tensors[0].shape[0]}, the cache's")
        needed, room = self.length + count, max(self.FIRST_ROOM, self._room)
        while room < needed:
            room *= 2
        if torch.is_grad_enabled() and any(
                tensor.requires_grad
                for tensor in (*new, *(self.tensors or ()))):
            # Writing into what an earlier call has read would break its graph.
            self.tensors = [
                torch.cat([*(() if self.tensors is None else
                             (self.tensors[i][:, :self.length],)), tensor,
                           tensor.new_zeros((tensor.shape[0], room - needed,
                                             *tensor.shape[2:]))], 1)
                for i, tensor in enumerate(new)]
            self.length, self._room = needed, room
            return
        if needed > self._room:
            grown = []
            for i, tensor in enumerate(new):
                buffer = tensor.new_zeros((tensor.shape[0], room,
                                           *tensor.shape[2:]))
                if self.length:
                    buffer[:, :self.length] = self.tensors[i][:, :self.length]
                grown.append(buffer)
            self.tensors, self._room = grown, room
        for buffer, tensor in zip(self.tensors, new):
            buffer[:, self.length:needed] = tensor
        self.length = needed

    def exact(self):
        """Dense copies of what there is, without the rest of the room."""
        return [tensor[:, :self.length].contiguous()
                for tensor in self.tensors]

    def __len__(self):
        return self.length


class GatedSparseAttention(nn.Module):
    """The published layer: the same configuration, arguments and names in the
    state dict, on kernels of the gsa compiler.

    On a CPU and on a GPU (.cuda()); the element type is that of the weights
    and of the input: f32, bf16, f16, on a CPU also f64. Plans are compiled for
    a shape at its first call and kept; `gsa.set_options(cache_dir=...)` keeps
    the kernels of a GPU for other processes. On a CPU all parameters but the
    indexer's have gradients of the output; those of the indexer have gradients
    of its own loss, `index_loss` of a call.
    """

    def __init__(self, config):
        super().__init__()
        if not isinstance(config, GSAConfig):
            raise _capi.InvalidArgument(
                f"GatedSparseAttention: config: got {type(config).__name__}, "
                f"expected a GSAConfig")
        self.config = config
        c = config
        self.d_model, self.n_heads = c.d_model, c.n_heads
        self.n_kv_heads, self.d_head = c.n_kv_heads, c.d_head
        width, key_width = c.n_heads * c.d_head, c.n_kv_heads * c.d_head
        self.q_proj = nn.Linear(c.d_model, width, bias=False)
        self.k_proj = nn.Linear(c.d_model, key_width, bias=False)
        self.v_proj = nn.Linear(c.d_model, key_width, bias=False)
        self.o_proj = nn.Linear(width, c.d_model, bias=False)
        for projection in (self.q_proj, self.k_proj, self.v_proj):
            nn.init.xavier_uniform_(projection.weight, gain=math.sqrt(0.5))
        nn.init.xavier_uniform_(self.o_proj.weight,
                                gain=1 / math.sqrt(2 * c.n_layers))
        self.indexer = Indexer(c.d_model, c.d_indexer, c.n_indexer_heads)
        self.value_gate = Gate(c.d_model, c.n_kv_heads, c.d_head,
                               c.gate_bias_init) if c.use_value_gate else None
        self.output_gate = Gate(c.d_model, c.n_heads, c.d_head,
                                c.gate_bias_init) if c.use_output_gate else None

    def forward(self, hidden_states, positions=None, attention_mask=None,
                past_key_value=None, use_cache=False, output_attentions=False,
                index_loss=None):
        """hidden_states [B, S, d_model], positions int64 [B, S] (None: those
        after the cache's) -> (output [B, S, d_model], cache or None).

        past_key_value: the cache that a call with use_cache returned, whose
        tokens stand before these. It grows in place and is returned again.
        A token sees every token up to itself; attention_mask must be None.

        index_loss: how the indexer learns; the call then returns (output, loss
            of each token [B, S] in f32, f64 for f64), without a cache. The loss
            is that of gsa.index_kl with index_loss_temperature and
            index_loss_clip of the configuration, and only the indexer's
            parameters have gradients of it. "all": attention and loss are over
            all keys that a token sees, to warm up an indexer whose selection
            means nothing yet; "selected": both are over the keys it keeps.

        Raises InvalidArgument for a shape, a type or a cache that does not fit,
        and for a loss over a selection that does not depend on scores;
        Unimplemented for a mask, for weights that are asked for, for dropout in
        training, and in a backward pass on a GPU of a layer that attends to all
        keys.
        """
        past = self._check(hidden_states, positions, attention_mask,
                           past_key_value, output_attentions)
        if index_loss is not None:
            self._check_loss(index_loss, hidden_states, past, use_cache)
            return self._forward_with_loss(hidden_states, positions, index_loss)
        q, k, v, value_gate, output_gate = self._project(hidden_states)
        index = self.indexer(hidden_states)
        positions = _positions(hidden_states, positions, past)
        cache = past
        if past is None and not use_cache:
            attended = self._attend(q, k, v, index, positions=positions,
                                    value_gate=value_gate,
                                    output_gate=output_gate)
        else:
            q, k, v = self._turn(q, k, v, value_gate, positions)
            cache = KeyCache() if past is None else past
            cache.append(k, v, index[1].detach())
            attended = self._attend_cache(q, k, v, index, cache, output_gate)
        output = self.o_proj(attended.flatten(2))
        cache = cache if use_cache or past is not None else None
        if self.config.published_tuple:
            return output, cache, None
        return output, cache

    def _project(self, hidden_states):
        """(query [B,S,H,D], key and value [B,S,G,D], logits of the value gate
        and of the output gate, None without one)."""
        b, s, _ = hidden_states.shape
        q = self.q_proj(hidden_states).view(b, s, self.n_heads, self.d_head)
        k = self.k_proj(hidden_states).view(b, s, self.n_kv_heads, self.d_head)
        v = self.v_proj(hidden_states).view(b, s, self.n_kv_heads, self.d_head)
        value_gate = output_gate = None
        if self.value_gate is not None:
            value_gate = self.value_gate(hidden_states)
        if self.output_gate is not None:
            output_gate = self.output_gate(hidden_states)
        return q, k, v, value_gate, output_gate

    def _turn(self, q, k, v, value_gate, positions):
        """Query and key turned by their positions, value gated."""
        return ops.saving("prepare", q, k, v, positions, value_gate,
                          gate_activation=self.config.gate_activation,
                          **self._rope())

    def _forward_with_loss(self, hidden_states, positions, over):
        """(output, loss of each row); see forward."""
        c = self.config
        q, k, v, value_gate, gate = self._project(hidden_states)
        # Nothing but the indexer follows its loss.
        index = self.indexer(hidden_states.detach())
        bias = self.indexer.bias.to(q.dtype)
        q, k, v = self._turn(q, k, v, value_gate,
                             _positions(hidden_states, positions))
        lists = {}
        if over == "all":
            attended, lse = ops.saving(
                "dense_attention", q, k, v, gate,
                gate_activation=c.gate_activation)
        else:
            with torch.no_grad():
                indices, counts, _ = select(c, index, bias)
            lists = {"indices": indices, "topk_length": counts}
            attended, lse = ops.saving(
                "sparse_attention", q, k, v, indices, counts, gate,
                gate_activation=c.gate_activation)
        loss = ops.saving(
            "index_kl", index[0], index[1], q.detach(), k.detach(), lse.detach(),
            weights=index[2], bias=bias, act=c.indexer_activation,
            temperature=float(c.index_loss_temperature),
            clip=c.index_loss_clip, **lists)
        return self.o_proj(attended.flatten(2)), loss

    def _check_loss(self, over, hidden_states, past, use_cache):
        where, c = "GatedSparseAttention: index_loss", self.config
        _functions.choose("GatedSparseAttention", "index_loss", over,
                          ("all", "selected"))
        if past is not None or use_cache:
            raise _capi.InvalidArgument(
                f"{where}: got {over!r} with a cache, expected none: training "
                f"sees all tokens at once")
        if over == "all":
            return
        budget = _modules.Policy(c.policy, c.k_base, c.k_min, c.k_max,
                                 float(c.adaptive_k_temperature), 1 << 30)
        keys, forced = hidden_states.shape[1], c.sink + c.local
        if keys == 0:
            return
        if forced >= min(budget.slots, keys):
            raise _capi.InvalidArgument(
                f"{where}: got 'selected' with sink = {c.sink} and local = "
                f"{c.local}, which fill a budget of at most {budget.slots} keys "
                f"of {keys}: no score decides which keys are kept, and training "
                f"them changes nothing; expected fewer, or 'all'")
        if budget.least >= keys:
            raise _capi.InvalidArgument(
                f"{where}: got 'selected' with a budget of at least "
                f"{budget.least} keys for {keys} tokens: every key is kept "
                f"whatever its score, and training scores changes nothing; "
                f"expected a smaller budget, more tokens, or 'all'")

    def _attend_cache(self, q, k, v, index, cache, output_gate):
        """Over what the cache holds, whose last tokens are these."""
        lengths = None
        if cache.length != q.shape[1]:
            if q.shape[1] > 1 and self.config.policy == "upstream_variance":
                # Its statistic counts the cells that no token has, too.
                k, v, keys = cache.exact()
            else:
                k, v, keys = cache.tensors
                lengths = torch.full((q.shape[0],), cache.length,
                                     dtype=torch.int32, device=q.device)
            index = index[0], keys, index[2]
        return self._attend(q, k, v, index, output_gate=output_gate,
                            cache_seqlens=lengths)

    def _rope(self):
        c = self.config
        return {"rope_base": c.rope_base, "rope_dim": c.rope_dim,
                "rope_interleaved": c.rope_interleaved,
                "rope_scaling": json.dumps(c.rope_scaling)
                if c.rope_scaling else ""}

    def _attend(self, q, k, v, index, **given):
        return attend(self.config, q, k, v, index, self.indexer.bias,
                      **self._rope(), **given)

    def _check(self, hidden_states, positions, attention_mask, past_key_value,
               output_attentions):
        where = "GatedSparseAttention"
        if not isinstance(hidden_states, torch.Tensor):
            raise _capi.InvalidArgument(
                f"{where}: hidden_states: got {type(hidden_states).__name__}, "
                f"expected a torch tensor [B, S, {self.d_model}]")
        if hidden_states.dim() != 3 or hidden_states.shape[2] != self.d_model:
            raise _capi.InvalidArgument(
                f"{where}: hidden_states: got shape "
                f"{list(hidden_states.shape)}, expected [B, S, {self.d_model}]")
        if positions is not None and (
                tuple(positions.shape) != tuple(hidden_states.shape[:2]) or
                positions.dtype not in (torch.int64, torch.int32)):
            raise _capi.InvalidArgument(
                f"{where}: positions: got {positions.dtype} "
                f"{list(positions.shape)}, expected int64 "
                f"{list(hidden_states.shape[:2])}")
        if attention_mask is not None:
            raise _capi.Unimplemented(
                f"{where}: attention_mask: got a tensor, expected None: masks "
                f"of padding and of documents are not implemented (the "
                f"published code takes one and ignores it); causality is built "
                f"in")
        if output_attentions:
            raise _capi.Unimplemented(
                f"{where}: output_attentions: got True, expected False: the "
                f"weights never exist as a tensor")
        if self.training and self.config.attention_dropout:
            raise _capi.Unimplemented(
                f"{where}: attention_dropout: got "
                f"{self.config.attention_dropout} in training, expected 0; "
                f"call .eval()")
        if past_key_value is not None and not isinstance(past_key_value,
                                                         KeyCache):
            raise _capi.InvalidArgument(
                f"{where}: past_key_value: got "
                f"{type(past_key_value).__name__}, expected the KeyCache that "
                f"a call with use_cache=True returned: beside keys and values "
                f"it holds the keys of the indexer")
        return past_key_value

    def load_published(self, state_dict, prefix=""):
        """Loads the parameters under `prefix` ("model.layers.3.self_attn.") of
        a published state dict. Missing and unknown names are errors."""
        own = {name[len(prefix):]: tensor for name, tensor in
               state_dict.items() if name.startswith(prefix)}
        if not own:
            near = sorted({name.rsplit("q_proj", 1)[0] for name in state_dict
                           if "q_proj" in name and "indexer" not in name})
            raise _capi.InvalidArgument(
                f"load_published: got no name under {prefix!r}, expected one "
                f"of {', '.join(map(repr, near[:8])) or 'a prefix'}")
        known = self.state_dict()
        for name in own:
            if name not in known:
                raise _capi.InvalidArgument(
                    _plan.unknown("load_published", name, list(known)))
        self.load_state_dict(own)
        return self


def _positions(hidden_states, positions, past=None):
    """Those that were given, or the ones after the cache's; dense."""
    if positions is None:
        b, s, _ = hidden_states.shape
        first = past.length if past is not None else 0
        positions = torch.arange(first, first + s, device=hidden_states.device)
        positions = positions.unsqueeze(0).expand(b, -1)
    return positions.contiguous()


def _selection(config):
    """What selection takes of a configuration."""
    c = config
    given = {"policy": c.policy, "act": c.indexer_activation, "sink": c.sink,
             "local": c.local}
    if c.policy != "fixed":
        given.update(k_min=c.k_min, k_max=c.k_max,
                     temperature=float(c.adaptive_k_temperature))
    return given


def select(config, index, bias):
    """The selection of a layer of that configuration: indices, counts and
    status, as gsa.index_topk returns them. `index` is what an Indexer
    returns."""
    return ops.index_topk(index[0], index[1], config.k_base, weights=index[2],
                          bias=bias, **_selection(config))


def attend(config, q, k, v, index, bias, **given):
    """The core of a layer of that configuration. `index` is what an Indexer
    returns."""
    return ops.saving(
        "gated_sparse_attention", q, k, v, index[0], index[1], config.k_base,
        index[2], bias.to(q.dtype), gate_activation=config.gate_activation,
        **_selection(config), **given)
