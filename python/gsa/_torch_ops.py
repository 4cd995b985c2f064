"""Operators of torch in the namespace `gsa`, with what the compilers of torch
need to know of them. Each one is a function of gsa._functions.

Gradients are those of the backward functions that gsa-differentiate makes of
the modules of the forward functions, where the tensors are; what has no kernels
on a GPU is an error that names its op. Lists are constants: the indexer's arguments get no
gradient from attention. What a backward function needs of the forward one it
computes again, so nothing but the arguments is kept, unless gsa.set_options(
save=...) says otherwise: then `saving` calls operators that return what is saved
behind their results.
"""

import json
from typing import List, Optional

import torch

from gsa import _capi, _functions, _plan, _tensors

Tensor = torch.Tensor


def _op(name):
    return torch.library.custom_op("gsa::" + name, mutates_args=())


def _no_gradient(name, op):
    def backward(ctx, *gradients):
        raise _capi.Unimplemented(
            f"gsa::{name}: got a backward pass, expected none: its results are "
            f"lists, which have no gradient")
    op.register_autograd(backward)


# Of each operator: its results in the module that have gradients, and the names
# there of the arguments that have.
_HEADS = {"q": "query", "k": "key", "v": "value"}
_GRADIENTS = {
    "sparse_attention": (("output", "lse"), {**_HEADS, "gate": "gate"}),
    "dense_attention": (("output", "lse"), {**_HEADS, "gate": "gate"}),
    "gated_sparse_attention": (("output",), {
        **_HEADS, "value_gate": "value_gate", "output_gate": "gate"}),
    "prepare": (("query", "key", "value"), {
        **_HEADS, "value_gate": "value_gate"}),
    "index_kl": (("loss",), {
        "q_idx": "index_query", "k_idx": "index_key",
        "weights": "index_weights", "bias": "index_bias"}),
}


@torch.library.custom_op("gsa::backward", mutates_args=())
def backward(call: str, arguments: List[Tensor],
             gradients: List[Tensor]) -> List[Tensor]:
    """`call`: JSON with the operator, the names of its tensors, its other
    arguments, which results `gradients` are of, and whose gradients are
    `wanted`, and what the forward function was to save: its tensors stand behind
    the arguments."""
    call = json.loads(call)
    a, text = _described(call["function"], dict(
        zip(call["names"], arguments), **call["given"]))
    names = _GRADIENTS[call["function"]][1]
    wanted = [names[name] for name in call["wanted"]]
    save = call["save"]
    # What is saved follows from all that may be asked for.
    inputs = wanted if save == "none" else [
        names[name] for name in call["names"] if name in names]
    results = a.run_backward(text, inputs,
                             dict(zip(call["gradients"], gradients)), save,
                             arguments[len(call["names"]):])
    return [results[name] for name in wanted]


@backward.register_fake
def _(call, arguments, gradients):
    call = json.loads(call)
    tensors = dict(zip(call["names"], arguments))
    return [torch.empty_like(tensors[name], memory_format=torch.contiguous_format)
            for name in call["wanted"]]


def _described(name, given):
    """(the arguments, the module's text) of a call of an operator."""
    if "rope_scaling" in given:
        given["rope_scaling"] = _scaling(given["rope_scaling"])
    return getattr(_functions, "describe_" + name)(**given)


def _parameters(op):
    return [argument.name for argument in op._opoverload._schema.arguments]


def _keep(ctx, parameters, values, saved=()):
    """Keeps the arguments of a call, and what it saved, for _gradients."""
    given = dict(zip(parameters, values))
    tensors = {key: value for key, value in given.items()
               if isinstance(value, Tensor)}
    ctx.names = list(tensors)
    ctx.save_for_backward(*tensors.values(), *saved)
    ctx.given = {key: value for key, value in given.items()
                 if value is not None and key not in tensors}


def _gradients(ctx, name, parameters, needed, gradients, save="none"):
    """The gradient of each parameter, or None, from those of results, {name:
    tensor}; `needed`: of each parameter whether somebody wants it."""
    names = _GRADIENTS[name][1]
    wanted = [key for key, is_needed in zip(parameters, needed)
              if is_needed and key in names]
    results = {}
    if wanted and gradients:
        # Their strides are autograd's choice: those of a sum are 0.
        results = dict(zip(wanted, backward(
            json.dumps({"function": name, "names": ctx.names,
                        "given": ctx.given, "wanted": wanted,
                        "gradients": list(gradients), "save": save}),
            list(ctx.saved_tensors),
            [gradient.contiguous() for gradient in gradients.values()])))
    return tuple(results.get(key) for key in parameters)


def _differentiable(name, op):
    """Registers the gradients of an operator."""
    parameters, outputs = _parameters(op), _GRADIENTS[name][0]

    def setup(ctx, inputs, output):
        _keep(ctx, parameters, inputs)

    def run(ctx, *gradients):
        given = {key: gradient for key, gradient in zip(outputs, gradients)
                 if gradient is not None}
        return _gradients(ctx, name, parameters, ctx.needs_input_grad, given)

    op.register_autograd(run, setup_context=setup)


def _standing_for(tensor):
    """A tensor of the shape and type of a fake one."""
    from torch._subclasses.fake_tensor import unset_fake_temporarily
    with unset_fake_temporarily():
        return torch.empty([int(size) for size in tensor.shape],
                           dtype=tensor.dtype)


def _saving_operator(name, op):
    """gsa::<name>_saving: the operator, whose list of results goes on with what
    the backward function reads. Its first argument says what that may be."""
    parameters = _parameters(op)
    outputs, names = _GRADIENTS[name]
    arguments = str(op._opoverload._schema).partition("(")[2].rpartition(
        ") -> ")[0]

    def described(values):
        given = {key: value for key, value in zip(parameters, values)
                 if value is not None}
        return (*_described(name, given),
                [names[key] for key in given if key in names])

    def forward(save, *values):
        a, text, inputs = described(values)
        results, saved = a.run_forward(text, inputs, outputs, save)
        return [*results[:_RESULTS[name]], *saved]

    saving = torch.library.custom_op(
        f"gsa::{name}_saving", forward, mutates_args=(),
        schema=f"(str save, {arguments}) -> Tensor[]")

    def fake(save, *values, **given):
        given.update(zip(parameters, values))
        values = [given.get(argument.name, argument.default_value)
                  for argument in op._opoverload._schema.arguments]
        results = op(*values)
        results = list(results) if isinstance(results, tuple) else [results]
        _, text, inputs = described([
            _standing_for(value) if isinstance(value, Tensor) else value
            for value in values])
        module = _functions.backward_module(text, tuple(inputs), outputs, save)
        return results + [
            values[0].new_empty(shape, dtype=_tensors.torch_dtype(dtype))
            for shape, dtype in _functions.saved_tensors(module)]
    saving.register_fake(fake)

    def setup(ctx, inputs, output):
        count = _RESULTS[name]
        ctx.save = inputs[0]
        ctx.like = [(list(result.shape), result.dtype)
                    for result in output[:count]]
        _keep(ctx, parameters, inputs[1:], output[count:])

    def run(ctx, gradients):
        # What is saved follows from all results, so all have a gradient.
        first = ctx.saved_tensors[0]
        given = {key: first.new_zeros(shape, dtype=dtype)
                 if gradient is None else gradient
                 for key, gradient, (shape, dtype) in zip(
                     outputs, gradients, ctx.like)}
        return (None, *_gradients(ctx, name, parameters,
                                  ctx.needs_input_grad[1:], given, ctx.save))

    saving.register_autograd(run, setup_context=setup)
    return saving


def saving(name, *arguments, **given):
    """Calls an operator, or the one that saves what set_options(save=...) says
    if something will want a gradient."""
    save = _plan.options()["save"]
    tensors = (*arguments, *given.values())
    if save == "none" or not torch.is_grad_enabled() or not any(
            isinstance(value, Tensor) and value.requires_grad
            for value in tensors):
        return _OPERATORS[name](*arguments, **given)
    results = _SAVING[name](save, *arguments, **given)
    count = _RESULTS[name]
    return results[0] if count == 1 else tuple(results[:count])


def _accumulator(dtype):
    return torch.float64 if dtype == torch.float64 else torch.float32


@_op("sparse_attention")
def sparse_attention(
        q: Tensor, k: Tensor, v: Tensor, indices: Tensor,
        topk_length: Optional[Tensor] = None, gate: Optional[Tensor] = None,
        cache_seqlens: Optional[Tensor] = None,
        softmax_scale: Optional[float] = None,
        gate_activation: str = "sigmoid") -> tuple[Tensor, Tensor]:
    return _functions.sparse_attention.__wrapped__(
        q, k, v, indices, topk_length=topk_length, gate=gate,
        cache_seqlens=cache_seqlens, softmax_scale=softmax_scale,
        gate_activation=gate_activation, return_lse=True)


@sparse_attention.register_fake
def _(q, k, v, indices, topk_length=None, gate=None, cache_seqlens=None,
      softmax_scale=None, gate_activation="sigmoid"):
    return _attention_results(q, v)


def _attention_results(q, v):
    b, sq, h, _ = q.shape
    return (q.new_empty((b, sq, h, v.shape[3])),
            q.new_empty((b, h, sq), dtype=_accumulator(q.dtype)))


@_op("dense_attention")
def dense_attention(
        q: Tensor, k: Tensor, v: Tensor, gate: Optional[Tensor] = None,
        cache_seqlens: Optional[Tensor] = None,
        softmax_scale: Optional[float] = None, causal: bool = True,
        gate_activation: str = "sigmoid") -> tuple[Tensor, Tensor]:
    return _functions.dense_attention.__wrapped__(
        q, k, v, gate=gate, cache_seqlens=cache_seqlens,
        softmax_scale=softmax_scale, causal=causal,
        gate_activation=gate_activation, return_lse=True)


@dense_attention.register_fake
def _(q, k, v, gate=None, cache_seqlens=None, softmax_scale=None, causal=True,
      gate_activation="sigmoid"):
    return _attention_results(q, v)


@_op("index_topk")
def index_topk(
        q_idx: Tensor, k_idx: Tensor, k: int, weights: Optional[Tensor] = None,
        bias: Optional[Tensor] = None, normaliser: Optional[Tensor] = None,
        cache_seqlens: Optional[Tensor] = None, act: str = "sigmoid",
        weight_act: str = "sigmoid", scale: Optional[float] = None,
        policy: str = "fixed", k_min: Optional[int] = None,
        k_max: Optional[int] = None, temperature: Optional[float] = None,
        causal: bool = True, sink: int = 0,
        local: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    return tuple(_functions.index_topk(
        q_idx, k_idx, k=k, weights=weights, bias=bias, normaliser=normaliser,
        cache_seqlens=cache_seqlens, act=act, weight_act=weight_act,
        scale=scale, policy=policy, k_min=k_min, k_max=k_max,
        temperature=temperature, causal=causal, sink=sink, local=local))


@index_topk.register_fake
def _(q_idx, k_idx, k, weights=None, bias=None, normaliser=None,
      cache_seqlens=None, act="sigmoid", weight_act="sigmoid", scale=None,
      policy="fixed", k_min=None, k_max=None, temperature=None, causal=True,
      sink=0, local=0):
    b, sq = q_idx.shape[:2]
    # As _modules.Policy; a length that is not known keeps its own room.
    room = torch.sym_max(1, k_idx.shape[1])
    least = 1 if k_min is None else k_min
    most = 2 * k if k_max is None else k_max
    slots = torch.sym_min(k if policy == "fixed" else most, room)
    if policy == "upstream_variance":
        slots = torch.sym_max(torch.sym_min(least, room),
                              torch.sym_min(slots, k * 3 // 2))
    return (q_idx.new_empty((b, sq, slots), dtype=torch.int32),
            q_idx.new_empty((b, sq), dtype=torch.int32),
            q_idx.new_empty((b, sq), dtype=torch.int32))


@_op("gated_sparse_attention")
def gated_sparse_attention(
        q: Tensor, k: Tensor, v: Tensor, q_idx: Tensor, k_idx: Tensor,
        k_base: int, weights: Optional[Tensor] = None,
        bias: Optional[Tensor] = None, normaliser: Optional[Tensor] = None,
        value_gate: Optional[Tensor] = None,
        output_gate: Optional[Tensor] = None,
        positions: Optional[Tensor] = None,
        key_positions: Optional[Tensor] = None,
        cache_seqlens: Optional[Tensor] = None, act: str = "sigmoid",
        weight_act: str = "sigmoid", index_scale: Optional[float] = None,
        policy: str = "fixed", k_min: Optional[int] = None,
        k_max: Optional[int] = None, temperature: Optional[float] = None,
        sink: int = 0, local: int = 0, gate_activation: str = "sigmoid",
        rope_base: float = 10000.0, rope_dim: int = 0,
        rope_interleaved: bool = False, rope_scaling: str = "",
        softmax_scale: Optional[float] = None, causal: bool = True) -> Tensor:
    """rope_scaling is the dict as JSON, or ""."""
    return _functions.gated_sparse_attention.__wrapped__(
        q, k, v, q_idx, k_idx, k_base=k_base, weights=weights, bias=bias,
        normaliser=normaliser, value_gate=value_gate, output_gate=output_gate,
        positions=positions, key_positions=key_positions,
        cache_seqlens=cache_seqlens, act=act, weight_act=weight_act,
        index_scale=index_scale, policy=policy, k_min=k_min, k_max=k_max,
        temperature=temperature, sink=sink, local=local,
        gate_activation=gate_activation, rope_base=rope_base,
        rope_dim=rope_dim, rope_interleaved=rope_interleaved,
        rope_scaling=_scaling(rope_scaling), softmax_scale=softmax_scale,
        causal=causal)


@gated_sparse_attention.register_fake
def _(q, k, v, q_idx, k_idx, k_base, *_, **__):
    b, sq, h, _d = q.shape
    return q.new_empty((b, sq, h, v.shape[3]))


def _scaling(text):
    return json.loads(text) if text else None


@_op("prepare")
def prepare(
        q: Tensor, k: Tensor, v: Tensor, positions: Tensor,
        value_gate: Optional[Tensor] = None, gate_activation: str = "sigmoid",
        rope_base: float = 10000.0, rope_dim: int = 0,
        rope_interleaved: bool = False,
        rope_scaling: str = "") -> tuple[Tensor, Tensor, Tensor]:
    q2, k2, v2 = _functions.prepare.__wrapped__(
        q, k, v, positions=positions, value_gate=value_gate,
        gate_activation=gate_activation, rope_base=rope_base,
        rope_dim=rope_dim, rope_interleaved=rope_interleaved,
        rope_scaling=_scaling(rope_scaling))
    return q2, k2, v2


@prepare.register_fake
def _(q, k, v, positions, value_gate=None, gate_activation="sigmoid",
      rope_base=10000.0, rope_dim=0, rope_interleaved=False, rope_scaling=""):
    return (torch.empty_like(q), torch.empty_like(k), torch.empty_like(v))


@_op("index_kl")
def index_kl(
        q_idx: Tensor, k_idx: Tensor, q: Tensor, k: Tensor, lse: Tensor,
        weights: Optional[Tensor] = None, bias: Optional[Tensor] = None,
        indices: Optional[Tensor] = None,
        topk_length: Optional[Tensor] = None,
        cache_seqlens: Optional[Tensor] = None, act: str = "sigmoid",
        weight_act: str = "sigmoid", index_scale: Optional[float] = None,
        softmax_scale: Optional[float] = None, mean_heads: bool = False,
        temperature: float = 1.0, clip: Optional[float] = None,
        causal: bool = True) -> Tensor:
    return _functions.index_kl.__wrapped__(
        q_idx, k_idx, q, k, lse, weights=weights, bias=bias, indices=indices,
        topk_length=topk_length, cache_seqlens=cache_seqlens, act=act,
        weight_act=weight_act, index_scale=index_scale,
        softmax_scale=softmax_scale, mean_heads=mean_heads,
        temperature=temperature, clip=clip, causal=causal)


@index_kl.register_fake
def _(q_idx, *_, **__):
    return q_idx.new_empty(q_idx.shape[:2], dtype=_accumulator(q_idx.dtype))


_no_gradient("index_topk", index_topk)
_OPERATORS = {
    "sparse_attention": sparse_attention, "dense_attention": dense_attention,
    "gated_sparse_attention": gated_sparse_attention, "prepare": prepare,
    "index_kl": index_kl}
for _name, _operator in _OPERATORS.items():
    _differentiable(_name, _operator)
_RESULTS = {_name: len(_operator._opoverload._schema.returns)
            for _name, _operator in _OPERATORS.items()}
_SAVING = {_name: _saving_operator(_name, _operator)
           for _name, _operator in _OPERATORS.items()}


def recorded(function, arguments, given):
    """The call of a function of gsa._functions by its operator, which autograd
    knows."""
    import inspect
    name = function.__name__
    call = inspect.signature(function).bind(*arguments, **given)
    call.apply_defaults()
    values = dict(call.arguments)
    for refused in ("out", "return_selection", "cu_seqlens_q", "cu_seqlens_k",
                    "page_table"):
        value = values.pop(refused, None)
        if value is not None and value is not False:
            raise _capi.Unimplemented(
                f"{name}: {refused}: got a value with tensors that want "
                f"gradients, expected none; call it under torch.no_grad()")
    pair = name in ("sparse_attention", "dense_attention")
    wants_lse = values.pop("return_lse", False)
    if values.get("rope_scaling") is not None:
        values["rope_scaling"] = json.dumps(values["rope_scaling"])
    elif "rope_scaling" in values:
        values["rope_scaling"] = ""
    results = saving(name, **values)
    return results[0] if pair and not wants_lse else results
