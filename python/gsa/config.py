"""The configuration of a layer, with the published names and defaults."""

import dataclasses
import json
import os
import warnings
from typing import Any, Dict, Optional

from gsa import _capi, _functions, _plan

# Fields that the published code reads and does not use, or whose effect it
# promises and does not have: a value other than the default is a warning.
WITHOUT_EFFECT = {
    "dense_residual_alpha": "the published code never blends with dense "
                            "attention either",
    "use_indexer_warmup": "the published code has no warm-up either",
    "indexer_warmup_steps": "the published code has no warm-up either",
    "use_flash_attention": "the published code never looks at it either",
    "use_triton_kernels": "nothing here is Triton, and the published kernels "
                          "never ran",
    "max_position_embeddings": "there is no rotary table to outgrow",
}
# What configurations elsewhere call a field: those of transformers' models, and
# gsa_layer_config, which `gsa-run --layer` takes.
NAMES_ELSEWHERE = {
    "hidden_size": "d_model",
    "num_attention_heads": "n_heads",
    "num_key_value_heads": "n_kv_heads",
    "head_dim": "d_head",
    "num_hidden_layers": "n_layers",
    "intermediate_size": "d_ffn",
    "rope_theta": "rope_base",
    "rms_norm_eps": "norm_eps",
    "index_topk": "k_base",
    "index_n_heads": "n_indexer_heads",
    "index_head_dim": "d_indexer",
}
# Keys of gsa_layer_config that are no field here, and what stands for them.
NO_FIELDS = {
    "dtype": "the element type is that of the parameters: call "
             ".to(torch.bfloat16) on the layer",
    "causal": "the layer is causal",
    "softmax_scale": "it is 1 / sqrt(d_head); gsa.gated_sparse_attention takes "
                     "another",
    "indexer_scale": "it is 1 / sqrt(d_indexer); gsa.index_topk takes another",
    "rope_factor": "it is rope_scaling={'type': 'yarn', 'factor': ...}",
}


@dataclasses.dataclass(init=False)
class GSAConfig:
    """A Gated Sparse Attention layer.

    The fields down to `initializer_range` are the published ones. Those of a
    whole model (n_layers, d_ffn, ...) are kept for its files; of them only
    n_layers matters here, to the initial o_proj. An unknown field, or a value
    that does not fit, raises InvalidArgument (a ValueError) with the nearest
    legal one.

    Sizes are in elements, budgets in keys.
    """

    d_model: int = 4096
    n_heads: int = 32
    n_kv_heads: int = 8
    d_head: Optional[int] = None  # d_model / n_heads

    n_layers: int = 32
    d_ffn: int = 11008
    vocab_size: int = 128256

    d_indexer: int = 64
    n_indexer_heads: int = 4
    indexer_activation: str = "sigmoid"  # or relu, identity

    k_base: int = 2048
    k_min: int = 256
    k_max: int = 4096
    use_adaptive_k: bool = True
    adaptive_k_temperature: float = 1.0

    use_value_gate: bool = True
    use_output_gate: bool = True
    gate_activation: str = "sigmoid"  # or tanh, silu
    gate_bias_init: float = 0.5

    rope_base: float = 10000.0
    # {"type": "ntk" or "yarn", "factor": ...}
    rope_scaling: Optional[Dict[str, Any]] = None
    max_position_embeddings: int = 131072

    dense_residual_alpha: float = 0.0
    use_indexer_warmup: bool = True
    indexer_warmup_steps: int = 1000

    use_flash_attention: bool = True
    use_triton_kernels: bool = True
    attention_dropout: float = 0.0
    hidden_dropout: float = 0.0

    norm_eps: float = 1e-5
    use_rms_norm: bool = True
    tie_word_embeddings: bool = False
    initializer_range: float = 0.02

    # Not in the published code.
    # How many keys a query keeps: None is "upstream_variance", or "fixed" if
    # use_adaptive_k is false; "entropy" and "orth" as in docs/spec.md.
    k_policy: Optional[str] = None
    # The first and the last visible keys that are kept before others.
    sink: int = 0
    local: int = 0
    # Elements of a head that are turned (0: all), and in pairs of neighbours.
    rope_dim: int = 0
    rope_interleaved: bool = False
    # The loss of the indexer (gsa.index_kl): what divides scores, and the most
    # that the log of a ratio counts (None: all). Scores of sigmoid heads lie
    # close together; 1/8 gives their softmax contrast.
    index_loss_temperature: float = 0.125
    index_loss_clip: Optional[float] = None
    # forward returns (output, cache, None) as the published code does, where
    # its own example unpacks two.
    published_tuple: bool = False

    def __init__(self, **fields):
        known = {f.name: f for f in dataclasses.fields(type(self))}
        for name in fields:
            if name in NO_FIELDS:
                raise _capi.InvalidArgument(
                    f"GSAConfig: got {name!r}, which is no field: "
                    f"{NO_FIELDS[name]}")
            if name not in known:
                raise _capi.InvalidArgument(_plan.unknown(
                    "GSAConfig", name, list(known), NAMES_ELSEWHERE.get(name)))
        for name, field in known.items():
            setattr(self, name, fields.get(name, field.default))
        self.check()

    def check(self):
        """Raises InvalidArgument unless the fields make a layer, and fills in
        what follows from others."""
        where = "GSAConfig"
        for name in ("d_model", "n_heads", "n_kv_heads", "d_indexer",
                     "n_indexer_heads", "n_layers"):
            _functions.whole(where, name, getattr(self, name), 1)
        for name in ("k_base", "k_min", "k_max"):
            _functions.whole(where, name, getattr(self, name), 1,
                             _functions.MOST_KEYS)
        for name in ("sink", "local"):
            _functions.whole(where, name, getattr(self, name), 0,
                             _functions.MOST_KEYS)
        _functions.whole(where, "rope_dim", self.rope_dim, 0)
        for name, field in type(self).__dataclass_fields__.items():
            # 0 and 1, NumPy's as well, say what they mean; "false" would be true.
            if field.type is bool and name not in WITHOUT_EFFECT and \
                    getattr(self, name) not in (False, True):
                self._refuse(name, getattr(self, name), "True or False")
        _functions.finite(where, "rope_base", self.rope_base, above=1)
        _functions.finite(where, "gate_bias_init", self.gate_bias_init)
        for name in ("index_loss_temperature", "index_loss_clip"):
            _functions.finite(where, name, getattr(self, name), positive=True)
        _functions.finite(where, "adaptive_k_temperature",
                          self.adaptive_k_temperature, least=0)
        if self.d_head is None:
            if self.d_model % self.n_heads:
                self._refuse("n_heads", self.n_heads,
                             f"a divisor of d_model = {self.d_model}, or "
                             f"d_head", _divisor(self.d_model, self.n_heads))
            self.d_head = self.d_model // self.n_heads
        _functions.whole(where, "d_head", self.d_head, 1)
        if self.n_heads % self.n_kv_heads:
            self._refuse("n_kv_heads", self.n_kv_heads,
                         f"a divisor of n_heads = {self.n_heads}",
                         _divisor(self.n_heads, self.n_kv_heads))
        if self.use_adaptive_k and self.k_min > self.k_max:
            self._refuse("k_min", self.k_min, f"at most k_max = {self.k_max}",
                         min(self.k_base, self.k_max))
        if self.rope_dim % 2 or self.rope_dim > self.d_head:
            self._refuse("rope_dim", self.rope_dim,
                         f"0 or an even number up to d_head = {self.d_head}, as "
                         f"rotary embedding turns pairs",
                         2 * (min(self.rope_dim, self.d_head) // 2))
        if self.use_adaptive_k and not self.k_min <= self.k_base <= self.k_max:
            # The published quick start leaves k_min alone and asks for less.
            self._refuse("k_base", self.k_base,
                         f"k_min = {self.k_min} to k_max = {self.k_max}",
                         min(max(self.k_base, self.k_min), self.k_max))
        for name, allowed in (
                ("indexer_activation", _functions.SCORE_ACTIVATIONS),
                ("gate_activation", _functions.GATE_ACTIVATIONS)):
            _functions.choose(where, name, getattr(self, name), allowed)
        if self.k_policy is not None:
            _functions.choose(where, "k_policy", self.k_policy, (
                "fixed", "upstream_variance", "entropy", "orth"))
            if (self.k_policy != "fixed") != bool(self.use_adaptive_k):
                self._refuse("k_policy", self.k_policy, "'fixed'" if not
                             self.use_adaptive_k else "another one than "
                             "'fixed', or use_adaptive_k=False")
        _functions.scaling_text(where, self.rope_scaling)
        for name in ("attention_dropout", "hidden_dropout"):
            if not 0 <= getattr(self, name) < 1:
                self._refuse(name, getattr(self, name), "0 to 1")
        for name, why in WITHOUT_EFFECT.items():
            default = type(self).__dataclass_fields__[name].default
            if getattr(self, name) != default:
                warnings.warn(f"GSAConfig: {name}={getattr(self, name)!r} has "
                              f"no effect: {why}", stacklevel=4)

    def _refuse(self, name, got, expected, nearest=None):
        text = f"GSAConfig: {name}: got {got!r}, expected {expected}"
        raise _capi.InvalidArgument(
            text if nearest is None else f"{text}; nearest: {nearest}")

    @property
    def policy(self):
        """The name of the budget policy."""
        if self.k_policy is not None:
            return self.k_policy
        return "upstream_variance" if self.use_adaptive_k else "fixed"

    @classmethod
    def from_dict(cls, config_dict):
        """From a dict; unknown keys are an error, not left out."""
        return cls(**config_dict)

    def to_dict(self):
        """All fields by name, for from_dict and for JSON."""
        return {field.name: getattr(self, field.name)
                for field in dataclasses.fields(self)}

    @classmethod
    def from_pretrained(cls, folder):
        """From config.json in a folder, as save_pretrained wrote it."""
        path = os.path.join(folder, "config.json")
        if not os.path.exists(path):
            raise _capi.InvalidArgument(
                f"GSAConfig: got {folder}, expected a folder with config.json; "
                f"nothing is downloaded")
        with open(path, encoding="utf-8") as file:
            return cls.from_dict(json.load(file))

    def save_pretrained(self, folder):
        """Writes config.json into a folder, which is made."""
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w",
                  encoding="utf-8") as file:
            json.dump(self.to_dict(), file, indent=2)
            file.write("\n")


def _divisor(of, near):
    return min((n for n in range(1, of + 1) if of % n == 0),
               key=lambda n: abs(n - near))
