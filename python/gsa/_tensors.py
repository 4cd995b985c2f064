"""Tensors of other libraries as the C API takes them, without copies.

NumPy arrays and torch tensors are read directly, everything else through
DLPack (`__dlpack__`). Neither library is imported here unless the caller has
done so already.
"""

import ctypes
import sys

from gsa import _capi

# Name of an element type: DLPack's code and bits.
DTYPES = {"i32": (0, 32), "i64": (0, 64), "f16": (2, 16), "bf16": (4, 16),
          "f32": (2, 32), "f64": (2, 64)}
WORDS = {name: code | bits << 8 | 1 << 16
         for name, (code, bits) in DTYPES.items()}
NAMES = {word: name for name, word in WORDS.items()}
SIZES = {name: bits // 8 for name, (_, bits) in DTYPES.items()}
NUMPY = {"int32": "i32", "int64": "i64", "float16": "f16", "bfloat16": "bf16",
         "float32": "f32", "float64": "f64"}
# Type in which sums are made, and in which `lse` is given.
ACCUMULATOR = {"f16": "f32", "bf16": "f32", "f32": "f32", "f64": "f64"}


class View:
    """A tensor in memory that `owner` keeps alive. `dtype` is a name ("f32"),
    `strides` are in elements, None for a dense one, `kind` says whose it is."""
    __slots__ = ("data", "device_type", "device_id", "shape", "strides",
                 "dtype", "owner", "kind")

    def __init__(self, data, device_type, device_id, shape, strides, dtype,
                 owner, kind):
        self.data, self.shape, self.dtype = data, tuple(shape), dtype
        self.device_type, self.device_id = device_type, device_id
        self.strides = strides and tuple(strides)
        self.owner, self.kind = owner, kind

    @property
    def device(self):
        return (self.device_type, self.device_id)

    def is_dense(self):
        """Whether the strides are those of a dense row-major tensor."""
        return self.strides is None or 0 in self.shape or all(
            size == 1 or got == want for size, got, want in
            zip(self.shape, self.strides, dense_strides(self.shape)))


def dense_strides(shape):
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def _loaded(name):
    return sys.modules.get(name)


def _refuse_dtype(name, got):
    raise _capi.InvalidArgument(
        f"{name}: got element type {got}, expected one of "
        f"{', '.join(NUMPY)}")


def view(name, tensor):
    """A View of a tensor; `name` is the argument's, for messages."""
    torch, numpy = _loaded("torch"), _loaded("numpy")
    if torch is not None and isinstance(tensor, torch.Tensor):
        return _torch_view(torch, name, tensor)
    if numpy is not None and isinstance(tensor, numpy.ndarray):
        return _numpy_view(name, tensor)
    if hasattr(tensor, "__dlpack__"):
        return _dlpack_view(name, tensor)
    raise _capi.InvalidArgument(
        f"{name}: got {type(tensor).__name__}, expected a NumPy array, a torch "
        f"tensor or another object with __dlpack__")


def _torch_view(torch, name, tensor):
    kind = tensor.device.type
    if kind not in ("cpu", "cuda"):
        raise _capi.InvalidArgument(f"{name}: got a tensor on {kind}, expected "
                                    f"one on cpu or cuda")
    dtype = NUMPY.get(str(tensor.dtype).removeprefix("torch."))
    if dtype is None:
        _refuse_dtype(name, tensor.dtype)
    device = (_capi.CPU, 0) if kind == "cpu" else (
        _capi.CUDA, tensor.device.index or 0)
    strides = None if tensor.is_contiguous() else tensor.stride()
    return View(tensor.data_ptr(), *device, tensor.shape, strides, dtype,
                tensor, "torch")


def _numpy_view(name, array):
    dtype = NUMPY.get(array.dtype.name)
    if dtype is None or not array.dtype.isnative:
        _refuse_dtype(name, array.dtype)
    if array.flags.c_contiguous:
        return View(array.ctypes.data, _capi.CPU, 0, array.shape, None, dtype,
                    array, "numpy")
    size = array.itemsize
    strides = array.strides
    if any(stride % size for stride in strides):
        raise _capi.InvalidArgument(
            f"{name}: got strides of {strides} bytes, expected multiples of "
            f"the element's size, {size}")
    return View(array.ctypes.data, _capi.CPU, 0, array.shape,
                [stride // size for stride in strides], dtype, array, "numpy")


class _DLTensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32),
                ("device_id", ctypes.c_int32), ("ndim", ctypes.c_int32),
                ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64)]


_capsule = ctypes.pythonapi.PyCapsule_GetPointer
_capsule.restype, _capsule.argtypes = ctypes.c_void_p, [ctypes.py_object,
                                                        ctypes.c_char_p]


def _dlpack_view(name, tensor):
    """The capsule is never consumed: its own destructor frees what it holds,
    when the view goes away."""
    try:
        capsule = tensor.__dlpack__()
    except Exception as error:  # BufferError and whatever a library raises
        raise _capi.InvalidArgument(
            f"{name}: {type(tensor).__name__}.__dlpack__ failed: {error}"
        ) from error
    # A DLManagedTensor begins with its DLTensor.
    dl = _DLTensor.from_address(_capsule(capsule, b"dltensor"))
    dtype = NAMES.get(dl.code | dl.bits << 8 | dl.lanes << 16)
    if dtype is None:
        _refuse_dtype(name, f"(code {dl.code}, {dl.bits} bits, {dl.lanes} lanes)")
    if dl.device_type not in (_capi.CPU, _capi.CUDA):
        raise _capi.InvalidArgument(
            f"{name}: got a tensor on DLPack's device {dl.device_type}, "
            f"expected 1 (cpu) or 2 (cuda)")
    rank = dl.ndim
    strides = dl.strides[:rank] if dl.strides else None
    return View((dl.data or 0) + dl.byte_offset, dl.device_type, dl.device_id,
                dl.shape[:rank], strides, dtype, (tensor, capsule),
                "cupy" if type(tensor).__module__.startswith("cupy") else
                "dlpack")


def ready(name, view_, copies):
    """The view as a run takes it: dense and aligned. A NumPy array that is
    neither is copied, and its name goes to `copies`, since NumPy aligns to 16
    bytes where 64 are needed; tensors of others are refused."""
    alignment = _capi.ALIGNMENT[view_.device_type]
    dense = view_.is_dense()
    if dense and view_.data % alignment == 0:
        return view_
    if view_.kind == "numpy":
        copies.append(name)
        copy = empty_numpy(view_.shape, view_.dtype, view_.owner.dtype)
        copy[...] = view_.owner
        return _numpy_view(name, copy)
    if not dense:
        raise _capi.InvalidArgument(
            f"{name}: got strides {view_.strides} of shape {view_.shape}, "
            f"expected dense ones, {dense_strides(view_.shape)}: call "
            f".contiguous(), or what your library calls it")
    if view_.device_type == _capi.CPU:
        if view_.kind == "torch":
            copies.append(name)
            return _torch_view(_loaded("torch"), name, view_.owner.clone())
        import numpy
        copies.append(name)
        source = numpy.from_dlpack(view_.owner[0])
        copy = empty_numpy(view_.shape, view_.dtype, source.dtype)
        copy[...] = source
        return _numpy_view(name, copy)
    raise _capi.InvalidArgument(
        f"{name}: got data at {view_.data:#x}, expected a multiple of "
        f"{alignment}: call .clone()")


def empty_numpy(shape, dtype, numpy_dtype=None, alignment=64):
    """An aligned array. bf16 has the type of ml_dtypes."""
    import numpy
    if numpy_dtype is None:
        if dtype == "bf16":
            import ml_dtypes
            numpy_dtype = ml_dtypes.bfloat16
        else:
            numpy_dtype = {short: long for long, short in NUMPY.items()}[dtype]
    count = 1
    for size in shape:
        count *= size
    buffer = numpy.empty(count * SIZES[dtype] + alignment, numpy.uint8)
    start = -buffer.ctypes.data % alignment
    return buffer[start:start + count * SIZES[dtype]].view(
        numpy_dtype).reshape(shape)


def torch_dtype(name):
    torch = _loaded("torch")
    return getattr(torch, {short: long for long, short in NUMPY.items()}[name])


def empty_like(like, shape, dtype):
    """An uninitialised tensor of the library and on the device of `like`, a
    View."""
    if like.kind == "torch":
        return _loaded("torch").empty(shape, dtype=torch_dtype(dtype),
                                      device=like.owner.device)
    if like.device_type == _capi.CPU:
        return empty_numpy(shape, dtype)
    if like.kind == "cupy":
        cupy = _loaded("cupy")
        with cupy.cuda.Device(like.device_id):
            return cupy.empty(shape, {s: n for n, s in NUMPY.items()}[dtype])
    _refuse_library(like)


def _refuse_library(like):
    raise _capi.InvalidArgument(
        f"got tensors of {type(like.owner[0]).__module__} on a GPU, whose "
        f"memory and streams this package does not know; expected ones of torch "
        f"or cupy, or Plan.run with outputs, workspace and stream")


def current_stream(like):
    """The stream of the GPU that the library of `like` submits to now."""
    if like.kind == "torch":
        return _loaded("torch").cuda.current_stream(
            like.owner.device).cuda_stream
    if like.kind == "cupy":
        return _loaded("cupy").cuda.get_current_stream().ptr
    return _refuse_library(like)


def fill(slot, view_, keep):
    """Writes a view to a structure of the C API; what it points to goes to
    `keep`."""
    shape = _capi.int64_array(view_.shape)
    keep.append(shape)
    slot.struct_size = ctypes.sizeof(_capi.Tensor)
    # Without elements there is nothing at the address, whatever it is.
    slot.data = None if 0 in view_.shape else view_.data
    slot.device_type, slot.device_id = view_.device_type, view_.device_id
    slot.rank, slot.dtype = len(view_.shape), WORDS[view_.dtype]
    slot.shape = shape


def view_bytes(name, tensor):
    """(address, bytes) of a dense tensor."""
    view_ = view(name, tensor) if not _is_bytes(tensor) else None
    if view_ is None:
        address = tensor.data_ptr() if hasattr(tensor, "data_ptr") else \
            tensor.ctypes.data
        return address, tensor.nbytes
    if not view_.is_dense():
        raise _capi.InvalidArgument(f"{name}: got strides {view_.strides}, "
                                    f"expected dense ones")
    count = SIZES[view_.dtype]
    for size in view_.shape:
        count *= size
    return view_.data, count


def _is_bytes(tensor):
    return str(getattr(tensor, "dtype", "")).endswith("uint8") and (
        hasattr(tensor, "data_ptr") or hasattr(tensor, "ctypes"))
