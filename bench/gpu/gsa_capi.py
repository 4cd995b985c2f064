"""The C API of gsa from Python, on torch tensors.

A thin mirror of runtime/capi/gsa.h with ctypes: compiles a module for a target
and runs it on tensors that torch owns, on torch's current stream. Enough for
benchmarks and GPU tests; it adds no behaviour of its own.

    library = Library("build/dev/lib/libgsa.so")
    plan = library.compile(text, target="cuda:0")
    outputs = plan.run([q, k, v])
"""

import ctypes
import os

import torch

_DTYPES = {
    torch.int32: (0, 32),
    torch.int64: (0, 64),
    torch.float16: (2, 16),
    torch.bfloat16: (4, 16),
    torch.float32: (2, 32),
    torch.float64: (2, 64),
}


def _dtype_word(dtype):
    code, bits = _DTYPES[dtype]
    return code | bits << 8 | 1 << 16


_WORD_TO_DTYPE = {_dtype_word(dtype): dtype for dtype in _DTYPES}


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("rank", ctypes.c_int32),
        ("dtype", ctypes.c_uint32),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _NamedShape(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("sizes", ctypes.POINTER(ctypes.c_int64)),
        ("rank", ctypes.c_int64),
    ]


class _CompileOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("target", ctypes.c_char_p),
        ("entry", ctypes.c_char_p),
        ("shapes", ctypes.POINTER(_NamedShape)),
        ("num_shapes", ctypes.c_size_t),
        ("num_threads", ctypes.c_int32),
        ("vector_bits", ctypes.c_int32),
        ("reference", ctypes.c_int32),
        ("load_later", ctypes.c_int32),
        ("arch", ctypes.c_char_p),
        ("nvrtc", ctypes.c_char_p),
        ("cache_dir", ctypes.c_char_p),
        ("cache_mode", ctypes.c_char_p),
        ("bounds", ctypes.POINTER(_NamedShape)),
        ("num_bounds", ctypes.c_size_t),
        ("schedules", ctypes.c_char_p),
    ]


class _KernelCounts(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("compiled", ctypes.c_uint64),
        ("from_disk", ctypes.c_uint64),
        ("from_memory", ctypes.c_uint64),
        ("compile_milliseconds", ctypes.c_double),
    ]


class _TensorInfo(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("name", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("rank", ctypes.c_int32),
        ("dtype", ctypes.c_uint32),
        ("bytes", ctypes.c_uint64),
    ]


class _RunOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("stream", ctypes.c_void_p),
        ("thread_pool", ctypes.c_void_p),
        ("stage_milliseconds", ctypes.POINTER(ctypes.c_double)),
        ("num_stage_milliseconds", ctypes.c_size_t),
    ]


class GsaError(RuntimeError):
    """A gsa_status; `code` is its name, for instance INVALID_ARGUMENT."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def _sizes(values):
    return (ctypes.c_int64 * max(1, len(values)))(*values)


class Library:
    """libgsa.so."""

    def __init__(self, path):
        self.lib = lib = ctypes.CDLL(os.path.abspath(path))
        pointer = ctypes.c_void_p
        for name, result in [
            ("gsa_compile", pointer), ("gsa_run", pointer),
            ("gsa_plan_kernel_counts", pointer),
            ("gsa_plan_input", pointer), ("gsa_plan_output", pointer),
            ("gsa_status_message", ctypes.c_char_p),
            ("gsa_status_code", ctypes.c_int),
            ("gsa_code_name", ctypes.c_char_p),
            ("gsa_plan_num_inputs", ctypes.c_size_t),
            ("gsa_plan_num_outputs", ctypes.c_size_t),
            ("gsa_plan_workspace_bytes", ctypes.c_size_t),
            ("gsa_plan_target", ctypes.c_char_p),
            ("gsa_plan_num_stages", ctypes.c_size_t),
            ("gsa_plan_stage_name", ctypes.c_char_p),
            ("gsa_version_string", ctypes.c_char_p),
        ]:
            getattr(lib, name).restype = result
        lib.gsa_status_destroy.argtypes = [pointer]
        lib.gsa_status_message.argtypes = [pointer]
        lib.gsa_status_code.argtypes = [pointer]
        lib.gsa_plan_release.argtypes = [pointer]
        for name in ("num_inputs", "num_outputs", "workspace_bytes", "target",
                     "num_stages"):
            getattr(lib, "gsa_plan_" + name).argtypes = [pointer]
        lib.gsa_plan_kernel_counts.argtypes = [
            pointer, ctypes.POINTER(_KernelCounts)]
        lib.gsa_plan_stage_name.argtypes = [pointer, ctypes.c_size_t]
        for name in ("gsa_plan_input", "gsa_plan_output"):
            getattr(lib, name).argtypes = [
                pointer, ctypes.c_size_t, ctypes.POINTER(_TensorInfo)]
        lib.gsa_compile.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
            ctypes.POINTER(_CompileOptions), ctypes.POINTER(pointer)]
        lib.gsa_run.argtypes = [
            pointer, ctypes.POINTER(_Tensor), ctypes.c_size_t,
            ctypes.POINTER(_Tensor), ctypes.c_size_t, pointer,
            ctypes.c_size_t, ctypes.POINTER(_RunOptions)]

    def check(self, status):
        if not status:
            return
        code = self.lib.gsa_code_name(self.lib.gsa_status_code(status))
        message = self.lib.gsa_status_message(status)
        self.lib.gsa_status_destroy(status)
        raise GsaError(code.decode(), message.decode())

    def compile(self, text, target, shapes=None, filename="module.mlir",
                cache_dir=None, schedules=None):
        """A Plan; `shapes` maps names of inputs to sizes. Kernels are kept in
        `cache_dir`, if there is one; `schedules` is a file of measured ones."""
        shapes = shapes or {}
        named = (_NamedShape * max(1, len(shapes)))()
        keep = []
        for slot, (name, sizes) in zip(named, shapes.items()):
            keep.append((name.encode(), _sizes(sizes)))
            slot.struct_size = ctypes.sizeof(_NamedShape)
            slot.name, slot.sizes = keep[-1]
            slot.rank = len(sizes)
        options = _CompileOptions(
            struct_size=ctypes.sizeof(_CompileOptions), target=target.encode(),
            shapes=named, num_shapes=len(shapes),
            cache_dir=cache_dir and cache_dir.encode(),
            schedules=schedules and schedules.encode())
        handle = ctypes.c_void_p()
        data = text.encode()
        self.check(self.lib.gsa_compile(data, len(data), filename.encode(),
                                        ctypes.byref(options),
                                        ctypes.byref(handle)))
        return Plan(self, handle)


class Plan:
    """A compiled module."""

    def __init__(self, library, handle):
        self.library, self.handle = library, handle
        lib = library.lib
        self.inputs = [self._info(lib.gsa_plan_input, i)
                       for i in range(lib.gsa_plan_num_inputs(handle))]
        self.outputs = [self._info(lib.gsa_plan_output, i)
                        for i in range(lib.gsa_plan_num_outputs(handle))]
        self.workspace_bytes = lib.gsa_plan_workspace_bytes(handle)
        self.target = lib.gsa_plan_target(handle).decode()
        self.stages = [lib.gsa_plan_stage_name(handle, i).decode()
                       for i in range(lib.gsa_plan_num_stages(handle))]

    def __del__(self):
        if self.handle:
            self.library.lib.gsa_plan_release(self.handle)
            self.handle = None

    def _info(self, function, index):
        info = _TensorInfo(struct_size=ctypes.sizeof(_TensorInfo))
        self.library.check(function(self.handle, index, ctypes.byref(info)))
        shape = tuple(info.shape[d] for d in range(info.rank))
        return info.name.decode(), _WORD_TO_DTYPE[info.dtype], shape

    def kernel_counts(self):
        """Kernels compiled, from disk and from memory."""
        counts = _KernelCounts(struct_size=ctypes.sizeof(_KernelCounts))
        self.library.check(self.library.lib.gsa_plan_kernel_counts(
            self.handle, ctypes.byref(counts)))
        return {"compiled": counts.compiled, "from_disk": counts.from_disk,
                "from_memory": counts.from_memory}

    def new_outputs(self, device):
        return [torch.empty(shape, dtype=dtype, device=device)
                for _, dtype, shape in self.outputs]

    def new_workspace(self, device):
        return torch.empty(max(256, self.workspace_bytes), dtype=torch.uint8,
                           device=device)

    def run(self, inputs, outputs=None, workspace=None, stream=None,
            stage_milliseconds=None):
        """Enqueues a run on `stream` (torch's current one by default).

        `stage_milliseconds`, a list, receives (name, time) pairs; asking for
        times waits for the run.
        """
        device = inputs[0].device
        outputs = self.new_outputs(device) if outputs is None else outputs
        if workspace is None:
            workspace = self.new_workspace(device)
        options = _RunOptions(struct_size=ctypes.sizeof(_RunOptions))
        if device.type == "cuda":
            options.stream = stream if stream is not None else (
                torch.cuda.current_stream(device).cuda_stream)
        if stage_milliseconds is not None:
            times = (ctypes.c_double * max(1, len(self.stages)))()
            options.stage_milliseconds = times
            options.num_stage_milliseconds = len(self.stages)
        ins, keep_ins = _views(inputs)
        outs, keep_outs = _views(outputs)
        lib = self.library.lib
        self.library.check(lib.gsa_run(
            self.handle, ins, len(inputs), outs, len(outputs),
            workspace.data_ptr(), workspace.numel(), ctypes.byref(options)))
        del keep_ins, keep_outs
        if stage_milliseconds is not None:
            stage_milliseconds[:] = list(zip(self.stages, times))
        return outputs

    def bind(self, inputs, outputs, workspace, stages=False):
        """A function that enqueues a run on these tensors and torch's current
        stream, with everything made that ctypes needs: what it takes is what
        gsa_run takes, and a fraction of a microsecond. With `stages` it waits
        for the run and returns milliseconds by stage."""
        device = inputs[0].device
        options = _RunOptions(struct_size=ctypes.sizeof(_RunOptions))
        options.stream = torch.cuda.current_stream(device).cuda_stream
        ins, keep_ins = _views(inputs)
        outs, keep_outs = _views(outputs)
        arguments = (self.handle, ins, len(inputs), outs, len(outputs),
                     ctypes.c_void_p(workspace.data_ptr()), workspace.numel(),
                     ctypes.byref(options))
        run, check = self.library.lib.gsa_run, self.library.check
        times = (ctypes.c_double * max(1, len(self.stages)))()
        if stages:
            options.stage_milliseconds = times
            options.num_stage_milliseconds = len(self.stages)

        def bound():
            status = run(*arguments)
            if status:
                check(status)
            return dict(zip(self.stages, times)) if stages else None

        bound.keep = (self, inputs, outputs, workspace, keep_ins, keep_outs)
        return bound


def _views(tensors):
    views = (_Tensor * max(1, len(tensors)))()
    keep = []
    for view, tensor in zip(views, tensors):
        shape, strides = _sizes(tensor.shape), _sizes(tensor.stride())
        keep.append((shape, strides))
        view.struct_size = ctypes.sizeof(_Tensor)
        view.data = tensor.data_ptr()
        view.device_type = 2 if tensor.device.type == "cuda" else 1
        view.device_id = tensor.device.index or 0
        view.rank = tensor.dim()
        view.dtype = _dtype_word(tensor.dtype)
        view.shape, view.strides = shape, strides
    return views, keep
