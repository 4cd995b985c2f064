"""Plans of layers, and what the library says of itself."""

from gsa import _capi, _plan


def plan(layer, *, batch=1, seq=None, keys=None, target="cpu"):
    """The Plan of a layer for one shape; compiles it.

    layer:  its configuration, "d_model=512, n_heads=8, dtype=bf16", with the
            names and defaults of gsa_layer_config (runtime/capi/gsa.h).
    batch, seq: sizes of hidden_states [batch, seq, d_model], or, with
            projections=false, of the queries; keys: of the keys then, seq if
            None.
    target: "cpu", "cuda:<N>", "emu" or "auto".

    Raises InvalidArgument for a key or a value that does not fit.
    """
    text = _capi.layer_module(layer)
    if seq is None:
        raise _capi.InvalidArgument("plan: seq: got None, expected the number "
                                    "of tokens")
    rows = {"B": batch, "S": seq, "Sk": seq if keys is None else keys}
    shapes = {}
    for line in text.split("{\n")[0].splitlines():
        if 'gsa.name = "' not in line or "%" not in line or "?" not in line:
            continue
        name = line.split('gsa.name = "')[1].split('"')[0]
        sizes = line.split("tensor<")[1].split(">")[0].split("x")[:-1]
        tokens = rows["Sk"] if name in ("key", "value", "index_key",
                                        "value_gate") else rows["S"]
        shapes[name] = [rows["B"], tokens] + [int(s) for s in sizes[2:]]
    if keys is not None and "hidden_states" in shapes and keys != seq:
        raise _capi.InvalidArgument(
            f"plan: keys: got {keys} for a layer with projections, whose keys "
            f"are its {seq} tokens; expected None, or projections=false")
    return _plan.Plan(text, shapes, target, filename="layer.mlir")


def kernel_compilations():
    """How many kernels NVRTC has compiled in this process. Where the number
    stands still, nothing is compiled behind the caller's back."""
    return _capi.library().gsa_kernel_compilations()


def library_version():
    """The version of libgsa, "0.1.0"."""
    return _capi.library().gsa_version_string().decode()
