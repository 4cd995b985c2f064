"""Gated Sparse Attention: the published layer, on kernels of the gsa compiler.

    from gsa import GatedSparseAttention, GSAConfig

Importing this package imports neither torch nor NumPy and does not touch CUDA;
what needs them imports them at its first use. docs/guides/python.md is the
guide.
"""

import importlib

__version__ = "0.1.0"

# Name: the module that has it.
_PLACES = {
    "GSAConfig": "gsa.config",
    "GatedSparseAttention": "gsa.nn",
    "KeyCache": "gsa.nn",
    "replace_attention": "gsa.hf",
    "replace_attention_with_gsa": "gsa.hf",
    "register_attention": "gsa.hf",
    "sparse_attention": "gsa._functions",
    "dense_attention": "gsa._functions",
    "index_topk": "gsa._functions",
    "gated_sparse_attention": "gsa._functions",
    "index_kl": "gsa._functions",
    "Selection": "gsa._functions",
    "AttentionResult": "gsa._functions",
    "Plan": "gsa._plan",
    "TensorSpec": "gsa._plan",
    "Dispatch": "gsa._plan",
    "plan": "gsa._api",
    "kernel_compilations": "gsa._api",
    "library_version": "gsa._api",
    "last_dispatch": "gsa._plan",
    "set_options": "gsa._plan",
    "options": "gsa._plan",
    "layer_module": "gsa._capi",
    "GsaError": "gsa._capi",
    "InvalidArgument": "gsa._capi",
    "ResourceExhausted": "gsa._capi",
    "FailedPrecondition": "gsa._capi",
    "Unimplemented": "gsa._capi",
    "Internal": "gsa._capi",
    "Unavailable": "gsa._capi",
}
# What the published package has, and why it is not here.
_ELSEWHERE = {
    "GSAForCausalLM": "whole models are not part of this package; use "
                      "gsa.replace_attention on a model of transformers",
    "GSALlamaForCausalLM": "whole models are not part of this package; use "
                           "gsa.replace_attention on a model of transformers",
    "load_checkpoint": "weights are loaded by torch or safetensors; the names "
                       "of the state dict are the published ones",
    "save_checkpoint": "weights are saved by torch or safetensors",
    "GatedLightningIndexer": "the indexer is a part of GatedSparseAttention; "
                             "alone it is gsa.index_topk",
    "AdaptiveTopKSelector": "selection is a part of GatedSparseAttention; "
                            "alone it is gsa.index_topk",
    "ValueGate": "gates are parts of GatedSparseAttention",
    "OutputGate": "gates are parts of GatedSparseAttention",
    "RotaryEmbedding": "rotary embedding is a part of GatedSparseAttention",
}
__all__ = list(_PLACES)


def _no_such(name):
    import difflib
    near = difflib.get_close_matches(name, _PLACES, 1)
    return f"no such name; nearest: {near[0]}" if near else "no such name"


def __getattr__(name):
    place = _PLACES.get(name)
    if place is None:
        reason = _ELSEWHERE.get(name) or _no_such(name)
        raise AttributeError(f"module 'gsa' has no attribute {name!r}: {reason}")
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "gsa":
            raise
        raise ModuleNotFoundError(
            f"gsa.{name} needs {error.name}, which is not installed: pip "
            f"install {error.name}", name=error.name) from error
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(_PLACES))
