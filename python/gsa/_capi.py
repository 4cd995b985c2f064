"""The C API of libgsa, runtime/capi/gsa.h, through ctypes.

The library is opened at the first use, not at import. What it returns as a
status becomes an exception, one class for each code.
"""

import ctypes
import os
import threading

c_char_p, c_size_t, c_void_p = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p
c_double, c_int32, c_int64 = ctypes.c_double, ctypes.c_int32, ctypes.c_int64
c_uint32, c_uint64, POINTER = ctypes.c_uint32, ctypes.c_uint64, ctypes.POINTER

# The version of the header that the structures below mirror: as long as the
# major number is 0, the minor one must be the library's.
API_VERSION = (0, 1)
CPU, CUDA = 1, 2
# Alignment of tensor data in bytes, by device type.
ALIGNMENT = {CPU: 64, CUDA: 16}
WORKSPACE_ALIGNMENT = {CPU: 64, CUDA: 256}


class GsaError(RuntimeError):
    """What libgsa refused. `code` is the name of the status,
    "INVALID_ARGUMENT" for instance."""
    code = "UNKNOWN"


class InvalidArgument(GsaError, ValueError):
    """An argument, a configuration or a tensor is wrong."""
    code = "INVALID_ARGUMENT"


class ResourceExhausted(GsaError, MemoryError):
    """Memory or threads are exhausted."""
    code = "RESOURCE_EXHAUSTED"


class FailedPrecondition(GsaError):
    """Correct in another state of the system."""
    code = "FAILED_PRECONDITION"


class Unimplemented(GsaError, NotImplementedError):
    """The request makes sense, but cannot be fulfilled."""
    code = "UNIMPLEMENTED"


class Internal(GsaError):
    """A defect of the library: please report it."""
    code = "INTERNAL"


class Unavailable(GsaError):
    """A driver, a device or a library of the machine is missing."""
    code = "UNAVAILABLE"


ERRORS = {kind.code: kind for kind in (
    InvalidArgument, ResourceExhausted, FailedPrecondition, Unimplemented,
    Internal, Unavailable)}


class Tensor(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("data", c_void_p),
                ("device_type", c_int32), ("device_id", c_int32),
                ("rank", c_int32), ("dtype", c_uint32),
                ("shape", POINTER(c_int64)), ("strides", POINTER(c_int64)),
                ("byte_offset", c_uint64)]


class NamedShape(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p),
                ("sizes", POINTER(c_int64)), ("rank", c_int64)]


class CompileOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("target", c_char_p),
                ("entry", c_char_p), ("shapes", POINTER(NamedShape)),
                ("num_shapes", c_size_t), ("num_threads", c_int32),
                ("vector_bits", c_int32), ("reference", c_int32),
                ("reserved", c_int32), ("arch", c_char_p), ("nvrtc", c_char_p),
                ("cache_dir", c_char_p), ("cache_mode", c_char_p),
                ("bounds", POINTER(NamedShape)), ("num_bounds", c_size_t),
                ("schedules", c_char_p)]


class TensorInfo(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p),
                ("shape", POINTER(c_int64)), ("rank", c_int32),
                ("dtype", c_uint32), ("bytes", c_uint64),
                ("updates", c_char_p)]


class KernelCounts(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("compiled", c_uint64),
                ("from_disk", c_uint64), ("from_memory", c_uint64),
                ("compile_milliseconds", c_double)]


class RunOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("stream", c_void_p),
                ("thread_pool", c_void_p),
                ("stage_milliseconds", POINTER(c_double)),
                ("num_stage_milliseconds", c_size_t)]


class LayerConfig(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t)] + [
        (name, c_int64) for name in
        ("d_model", "n_heads", "n_kv_heads", "head_dim", "n_indexer_heads",
         "d_indexer")] + [
        ("indexer_activation", c_char_p),
        ("indexer_weight_activation", c_char_p), ("indexer_scale", c_double),
        ("k_policy", c_char_p), ("k_base", c_int64), ("k_min", c_int64),
        ("k_max", c_int64), ("adaptive_k_temperature", c_double),
        ("sink", c_int64), ("local", c_int64), ("gate_activation", c_char_p),
        ("use_value_gate", c_int32), ("use_output_gate", c_int32),
        ("softmax_scale", c_double), ("rope_base", c_double),
        ("rope_dim", c_int64), ("rope_scaling", c_char_p),
        ("rope_factor", c_double), ("rope_original_max_position", c_int64),
        ("rope_beta_fast", c_double), ("rope_beta_slow", c_double),
        ("rope_interleaved", c_int32), ("causal", c_int32),
        ("projections", c_int32), ("dtype", c_uint32)]


class DifferentiateOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("function", c_char_p),
                ("inputs", POINTER(c_char_p)), ("num_inputs", c_size_t),
                ("outputs", POINTER(c_char_p)), ("num_outputs", c_size_t),
                ("save", c_char_p)]


STATUS = c_void_p
# Name: result, arguments. A result of STATUS is checked with `check`.
FUNCTIONS = {
    "gsa_version": (c_int32, []),
    "gsa_version_string": (c_char_p, []),
    "gsa_status_code": (ctypes.c_int, [c_void_p]),
    "gsa_status_message": (c_char_p, [c_void_p]),
    "gsa_status_destroy": (None, [c_void_p]),
    "gsa_code_name": (c_char_p, [ctypes.c_int]),
    "gsa_free": (None, [c_void_p]),
    "gsa_layer_config_init": (STATUS, [POINTER(LayerConfig)]),
    "gsa_layer_config_set": (STATUS, [POINTER(LayerConfig), c_char_p]),
    "gsa_layer_module": (STATUS, [POINTER(LayerConfig), POINTER(c_void_p),
                                  POINTER(c_size_t)]),
    "gsa_differentiate": (STATUS, [c_char_p, c_size_t, c_char_p,
                                   POINTER(DifferentiateOptions),
                                   POINTER(c_void_p), POINTER(c_size_t)]),
    "gsa_compile": (STATUS, [c_char_p, c_size_t, c_char_p,
                             POINTER(CompileOptions), POINTER(c_void_p)]),
    "gsa_plan_release": (None, [c_void_p]),
    "gsa_check_support": (STATUS, [c_char_p, c_size_t, c_char_p,
                                   POINTER(CompileOptions),
                                   POINTER(c_void_p)]),
    "gsa_support_num_reasons": (c_size_t, [c_void_p]),
    "gsa_support_reason": (c_char_p, [c_void_p, c_size_t]),
    "gsa_support_code": (ctypes.c_int, [c_void_p, c_size_t]),
    "gsa_support_destroy": (None, [c_void_p]),
    "gsa_plan_num_inputs": (c_size_t, [c_void_p]),
    "gsa_plan_num_outputs": (c_size_t, [c_void_p]),
    "gsa_plan_input": (STATUS, [c_void_p, c_size_t, POINTER(TensorInfo)]),
    "gsa_plan_output": (STATUS, [c_void_p, c_size_t, POINTER(TensorInfo)]),
    "gsa_plan_workspace_bytes": (c_size_t, [c_void_p]),
    "gsa_plan_target": (c_char_p, [c_void_p]),
    "gsa_plan_num_stages": (c_size_t, [c_void_p]),
    "gsa_plan_stage_name": (c_char_p, [c_void_p, c_size_t]),
    "gsa_plan_kernel_counts": (STATUS, [c_void_p, POINTER(KernelCounts)]),
    "gsa_kernel_compilations": (c_uint64, []),
    "gsa_thread_pool_create": (STATUS, [c_int32, POINTER(c_void_p)]),
    "gsa_thread_pool_num_threads": (c_int32, [c_void_p]),
    "gsa_run": (STATUS, [c_void_p, POINTER(Tensor), c_size_t, POINTER(Tensor),
                         c_size_t, c_void_p, c_size_t, POINTER(RunOptions)]),
}

_lock = threading.RLock()
_library = None
_pools = {}


def library_path():
    """Where libgsa is: GSA_LIBRARY, or the one inside of the package."""
    given = os.environ.get("GSA_LIBRARY")
    if given:
        return given
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "libgsa.so")


def library():
    """The opened library."""
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                _library = _open(library_path())
    return _library


def _open(path):
    try:
        # ctypes opens with RTLD_LOCAL: nothing of it is seen by others.
        lib = ctypes.CDLL(path)
    except OSError as error:
        raise Unavailable(
            f"libgsa: got {error}; expected the library of the wheel, or the "
            f"path of one in the environment variable GSA_LIBRARY") from None
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    version = lib.gsa_version()
    got = version // 1000000, version // 1000 % 1000
    if got != API_VERSION:
        raise FailedPrecondition(
            f"{path}: got version {lib.gsa_version_string().decode()}, "
            f"expected {API_VERSION[0]}.{API_VERSION[1]}")
    return lib


def check(status):
    """Raises the exception of a status that is not success."""
    if not status:
        return
    lib = library()
    code = lib.gsa_code_name(lib.gsa_status_code(status)).decode()
    message = lib.gsa_status_message(status).decode(errors="replace")
    lib.gsa_status_destroy(status)
    raise ERRORS.get(code, GsaError)(message)


def int64_array(values):
    return (c_int64 * max(1, len(values)))(*values)


def thread_pool(num_threads):
    """The pool of that many threads of this process; 0: one per CPU. Lives as
    long as the process: a pool does not survive fork(), so that a child makes
    its own."""
    with _lock:
        if num_threads not in _pools:
            handle = c_void_p()
            check(library().gsa_thread_pool_create(num_threads,
                                                   ctypes.byref(handle)))
            _pools[num_threads] = handle
        return _pools[num_threads]


def _forget_pools():
    global _lock
    _lock = threading.RLock()
    _pools.clear()


os.register_at_fork(after_in_child=_forget_pools)


def layer_module(settings):
    """The text of the module of a layer, from "d_model=512, n_heads=8".

    Raises InvalidArgument, which names the key, what was got and what is
    expected."""
    if not isinstance(settings, str):
        raise InvalidArgument(
            f"layer: got {type(settings).__name__}, expected text, "
            f"\"d_model=512, n_heads=8\" for instance")
    lib = library()
    config = LayerConfig(struct_size=ctypes.sizeof(LayerConfig))
    check(lib.gsa_layer_config_init(ctypes.byref(config)))
    check(lib.gsa_layer_config_set(ctypes.byref(config), settings.encode()))
    text, length = c_void_p(), c_size_t()
    check(lib.gsa_layer_module(ctypes.byref(config), ctypes.byref(text),
                               ctypes.byref(length)))
    return _taken(text, length)


def _taken(text, length):
    """The string of memory that the library gave, which is freed."""
    try:
        return ctypes.string_at(text, length.value).decode()
    finally:
        library().gsa_free(text)


def differentiate(text, inputs=(), outputs=(), function=None, save=None):
    """The text of a module with the backward function of its function, from the
    gradients of `outputs` (names; none: all) to those of `inputs`.

    Raises InvalidArgument for a name that is wrong and Unimplemented for an op
    without a gradient."""
    options = DifferentiateOptions(
        struct_size=ctypes.sizeof(DifferentiateOptions),
        function=function and function.encode(), save=save and save.encode())
    for field, names in (("inputs", inputs), ("outputs", outputs)):
        encoded = [name.encode() for name in names]
        setattr(options, field, (c_char_p * max(1, len(names)))(*encoded))
        setattr(options, "num_" + field, len(names))
    data = text.encode()
    module, length = c_void_p(), c_size_t()
    check(library().gsa_differentiate(
        data, len(data), None, ctypes.byref(options), ctypes.byref(module),
        ctypes.byref(length)))
    return _taken(module, length)
