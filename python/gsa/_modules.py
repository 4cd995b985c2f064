"""Modules of the gsa dialect for the functions of this package.

Everything is static: a module stands for one shape, and its text is the key of
its plan. docs/spec.md says what the ops mean.
"""

import functools

from gsa._tensors import ACCUMULATOR


class Policy:
    """The budget of a row, as `gsa.select` takes it, for at most `keys` keys:
    a budget above them changes nothing but the room of the lists. `slots` and
    `least` are the most and the fewest keys that a row keeps, if it sees as
    many."""

    def __init__(self, kind, k, k_min, k_max, temperature, keys):
        self.kind = kind
        room = max(1, keys)
        if kind == "fixed":
            self.text = f"<fixed, base = {min(k, room)}>"
            self.slots = self.least = min(k, room)
            return
        least, most = min(k_min, room), min(k_max, room)
        self.slots = most
        if kind == "upstream_variance":
            self.slots = max(least, min(most, k * 3 // 2))
        self.least = min(least, self.slots)
        text = f"<{kind}, base = {k}, min = {least}, max = {most}"
        if temperature != 1:
            text += f", temperature = {_float(temperature)}"
        self.text = text + ">"


def _float(value):
    text = repr(float(value))
    mantissa, e, exponent = text.partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return mantissa + e + exponent


def tensor(shape, dtype):
    return "tensor<" + "".join(f"{size}x" for size in shape) + dtype + ">"


class Module:
    """The text of @main, written from top to bottom."""

    def __init__(self):
        self._arguments, self._lines, self._types = [], [], {}

    def argument(self, name, shape, dtype):
        self._types[name] = tensor(shape, dtype)
        self._arguments.append(
            f'%{name}: {self._types[name]} {{gsa.name = "{name}"}}')
        return name

    def op(self, results, name, operands, attributes=(), suffix=""):
        """`results` maps names to types; `operands` is a list of names, and of
        (keyword, names) after them."""
        words, types = [], []
        for operand in operands:
            keyword, names = operand if isinstance(operand, tuple) else (
                "", [operand])
            text = ", ".join("%" + value for value in names)
            if keyword:
                words[-1:] = [words[-1] + f" {keyword} {text}"]
            else:
                words.append(text)
            types += [self._types[value] for value in names]
        attributes = [text for text in attributes if text]
        attrs = " {" + ", ".join(attributes) + "}" if attributes else ""
        self._types.update(results)
        self._lines.append(
            f"  {', '.join('%' + r for r in results)} = {name} "
            f"{', '.join(words)}{suffix}{attrs}\n      : ({', '.join(types)})"
            f" -> ({', '.join(results.values())})")

    def text(self, outputs):
        """`outputs` maps the names of results to values."""
        results = ", ".join(
            f'{self._types[value]} {{gsa.name = "{name}"}}'
            for name, value in outputs.items())
        values = ", ".join("%" + value for value in outputs.values())
        types = ", ".join(self._types[value] for value in outputs.values())
        return (f"func.func @main(\n    " + ",\n    ".join(self._arguments) +
                f")\n    -> ({results}) {{\n" + "\n".join(self._lines) +
                f"\n  return {values} : {types}\n}}\n")


def _scale(name, value):
    return None if value is None else f"{name} = {_float(value)} : f64"


def _choice(name, attribute, value, default="sigmoid"):
    return None if value == default else f"{name} = #gsa.{attribute}<{value}>"


def _lists(b, sq, slots):
    return {"indices": tensor((b, sq, slots), "i32"),
            "counts": tensor((b, sq), "i32"),
            "status": tensor((b, sq), "i32")}


def _select(module, b, sq, policy, act, weight_act, scale, causal, sink, local,
            has):
    operands = ["index_query", "index_key"] + [
        (word, [value]) for word, value in (
            ("weights", "index_weights"), ("bias", "index_bias"),
            ("normaliser", "normaliser"), ("lengths", "lengths"))
        if value in has]
    module.op(_lists(b, sq, policy.slots), "gsa.select", operands, [
        _scale("scale", scale),
        _choice("score_activation", "score_activation", act),
        _choice("weight_activation", "weight_activation", weight_act),
        None if causal else "mask = #gsa.mask<none>",
        f"sink = {sink} : i64" if sink else None,
        f"local = {local} : i64" if local else None],
        suffix=" policy " + policy.text)


def _arguments(module, shapes):
    """`shapes`: ((name, shape, dtype), ...)."""
    for name, shape, dtype in shapes:
        module.argument(name, shape, dtype)
    return {name: (shape, dtype) for name, shape, dtype in shapes}


@functools.lru_cache(1024)
def select(shapes, k, policy, k_min, k_max, temperature, act, weight_act, scale,
           causal, sink, local):
    """gsa.select: indices [B,Sq,K], counts and status [B,Sq]."""
    module = Module()
    has = _arguments(module, shapes)
    b, sq = has["index_query"][0][:2]
    budget = Policy(policy, k, k_min, k_max, temperature,
                    has["index_key"][0][1])
    _select(module, b, sq, budget, act, weight_act, scale, causal, sink, local,
            has)
    return module.text({name: name for name in ("indices", "counts", "status")})


def _attend(module, has, query, key, value, scale, gate_activation):
    (b, sq, h, _), dtype = has["query"]
    dv = has["value"][0][3]
    gate = [("gate", ["gate"])] if "gate" in has else []
    lengths = [("lengths", ["lengths"])] if "lengths" in has else []
    module.op({"output": tensor((b, sq, h, dv), dtype),
               "lse": tensor((b, h, sq), ACCUMULATOR[dtype])},
              "gsa.gather_attention",
              [query, key, value, ("indices", ["indices", "counts"])] + gate +
              lengths,
              [_scale("scale", scale),
               gate and _choice("gate_activation", "gate_activation",
                                gate_activation)])


@functools.lru_cache(1024)
def gather(shapes, scale, gate_activation):
    """gsa.gather_attention over given lists: output, lse."""
    module = Module()
    has = _arguments(module, shapes)
    _attend(module, has, "query", "key", "value", scale, gate_activation)
    return module.text({"output": "output", "lse": "lse"})


@functools.lru_cache(1024)
def dense(shapes, scale, gate_activation, causal):
    """gsa.dense_attention: output, lse."""
    module = Module()
    has = _arguments(module, shapes)
    (b, sq, h, _), dtype = has["query"]
    gate = [("gate", ["gate"])] if "gate" in has else []
    lengths = [("lengths", ["lengths"])] if "lengths" in has else []
    module.op({"output": tensor((b, sq, h, has["value"][0][3]), dtype),
               "lse": tensor((b, h, sq), ACCUMULATOR[dtype])},
              "gsa.dense_attention", ["query", "key", "value"] + gate + lengths,
              [_scale("scale", scale),
               None if causal else "mask = #gsa.mask<none>",
               gate and _choice("gate_activation", "gate_activation",
                                gate_activation)])
    return module.text({"output": "output", "lse": "lse"})


@functools.lru_cache(1024)
def index_kl(shapes, index_scale, softmax_scale, act, weight_act, mean_heads,
             temperature, clip, causal):
    """gsa.index_kl: the loss of each row [B,Sq], over lists where there are
    any."""
    module = Module()
    has = _arguments(module, shapes)
    (b, sq, _, _), dtype = has["index_query"]
    words = [("weights", ["index_weights"]), ("bias", ["index_bias"])]
    operands = ["index_query", "index_key"] + [
        word for word in words if word[1][0] in has]
    operands += [("attention", ["query", "key"]), ("lse", ["lse"])]
    if "indices" in has:
        operands.append(("indices", ["indices", "counts"]))
    if "lengths" in has:
        operands.append(("lengths", ["lengths"]))
    mask = "causal" if causal else "none"
    module.op({"loss": tensor((b, sq), ACCUMULATOR[dtype])}, "gsa.index_kl",
              operands, [
        _scale("index_scale", index_scale),
        _scale("softmax_scale", softmax_scale),
        _choice("score_activation", "score_activation", act),
        _choice("weight_activation", "weight_activation", weight_act),
        "mean_heads" if mean_heads else None,
        _scale("temperature", temperature), _scale("clip", clip),
        None if "indices" in has else f"mask = #gsa.mask<{mask}>"])
    return module.text({"loss": "loss"})


def _rope(module, result, value, positions, shape, dtype, rope):
    base, rotary_dim, interleaved, scaling = rope
    module.op({result: tensor(shape, dtype)}, "gsa.rope", [value, positions], [
        _scale("base", base) if base != 10000 else None,
        f"rotary_dim = {rotary_dim} : i64" if rotary_dim else None,
        "interleaved" if interleaved else None,
        f"scaling = {scaling}" if scaling else None])


def rope_scaling(kind, factor, original_max_position, beta_fast, beta_slow):
    """The text of #gsa.rope_scaling, or None for "none"."""
    if kind == "none":
        return None
    text = f"#gsa.rope_scaling<{kind}, factor = {_float(factor)}"
    if kind == "yarn":
        text += (f", original_max_position = {original_max_position}"
                 f", beta_fast = {_float(beta_fast)}"
                 f", beta_slow = {_float(beta_slow)}")
    return text + ">"


def _prepare(module, has, rope, gate_activation):
    """Value gate and rotary embedding; names of query, key and value then."""
    query, key, value = "query", "key", "value"
    if "value_gate" in has:
        shape, dtype = has["value"]
        module.op({"gated_value": tensor(shape, dtype)}, "gsa.gate",
                  ["value", "value_gate"],
                  [_choice("activation", "gate_activation", gate_activation)])
        value = "gated_value"
    if "positions" in has:
        _rope(module, "turned_query", "query", "positions", *has["query"], rope)
        query = "turned_query"
        _rope(module, "turned_key", "key",
              "key_positions" if "key_positions" in has else "positions",
              *has["key"], rope)
        key = "turned_key"
    return query, key, value


@functools.lru_cache(1024)
def prepare(shapes, rope, gate_activation):
    """What a cache needs of new tokens: query and key turned by their
    positions, value gated."""
    module = Module()
    has = _arguments(module, shapes)
    query, key, value = _prepare(module, has, rope, gate_activation)
    return module.text({"query": query, "key": key, "value": value})


@functools.lru_cache(1024)
def attention(shapes, rope, softmax_scale, gate_activation, k, policy, k_min,
              k_max, temperature, act, weight_act, index_scale, causal, sink,
              local, all_outputs):
    """The block between the projections of a layer, as gsa.attention defines
    it, with rotary embedding only where positions are given."""
    module = Module()
    has = _arguments(module, shapes)
    b, sq = has["query"][0][:2]
    query, key, value = _prepare(module, has, rope, gate_activation)
    budget = Policy(policy, k, k_min, k_max, temperature, has["key"][0][1])
    _select(module, b, sq, budget, act, weight_act, index_scale, causal, sink,
            local, has)
    _attend(module, has, query, key, value, softmax_scale, gate_activation)
    names = ["output", "lse"]
    if all_outputs:
        names += ["indices", "counts", "status"]
    return module.text({name: name for name in names})
