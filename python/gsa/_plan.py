"""Plans: compiled modules, and the ones that are kept."""

import collections
import ctypes
import operator
import os
import sys
import threading
import time

from gsa import _capi, _tensors

SAVES = ("none", "lists", "attention", "all")
# What an option may be: one of some words, a number from ... to ..., or a path.
_WORDS = {"save": SAVES, "host_target": ("cpu", "emu"),
          "cache_mode": ("rw", "ro", "only", "off")}
_NUMBERS = {"num_threads": (0, 1024), "max_plans": (1, 2**31)}
# What set_options sets. None of them changes what is computed.
_OPTIONS = {
    # Threads of the CPU; 0: one per available CPU.
    "num_threads": 0,
    # Target for tensors in host memory: "cpu", or "emu", the kernels of a GPU
    # on host threads.
    "host_target": "cpu",
    # Directory that keeps compiled code; None: nothing is kept.
    "cache_dir": os.environ.get("GSA_CACHE_DIR") or None,
    # "rw", "ro", "only" or "off"; None: "rw".
    "cache_mode": None,
    # File of measured schedules, which come before those of the library; None:
    # no file.
    "schedules": os.environ.get("GSA_SCHEDULES") or None,
    # Where NVRTC is; None: wheels beside this package, then the loader's path.
    "nvrtc": os.environ.get("GSA_NVRTC") or None,
    # What a forward pass saves for the backward pass: "none", "lists",
    # "attention" or "all".
    "save": "none",
    # Plans that are kept; the one used least recently goes first.
    "max_plans": 256,
}
_MAY_BE_NONE = ("cache_dir", "cache_mode", "schedules", "nvrtc")
_kept = collections.OrderedDict()
_lock = threading.RLock()
_local = threading.local()


def _forget_lock():
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_forget_lock)


def set_options(**options):
    """Sets what holds for all later compilations of the process, and returns
    what was set before, for set_options(**previous).

    num_threads: threads on a CPU, 0 for one per available CPU.
    host_target: "cpu" or "emu" for tensors in host memory.
    cache_dir:   directory that keeps compiled code (kernels of a GPU, objects
                 for the CPU), or None
                 (at first the environment variable GSA_CACHE_DIR).
    cache_mode:  "rw", "ro", "only", "off" or None for "rw".
    schedules:   file of schedules that gsa-tune measured, or None (at first
                 GSA_SCHEDULES).
    nvrtc:       where NVRTC is, or None (at first GSA_NVRTC).
    save:        what a call that records a gradient saves for the backward
                 pass beside its arguments: "none", which computes all again;
                 "lists", of selections; "attention", also its results and
                 their log-sum-exp; "all" that the backward pass reads. Holds
                 from the call on.
    max_plans:   how many plans are kept.

    An unknown name or word raises InvalidArgument with the nearest one, and so
    does any other value that does not fit; nothing is set then.
    """
    for name in options:
        if name not in _OPTIONS:
            raise _capi.InvalidArgument(unknown("set_options", name, _OPTIONS))
    options = {name: _option(name, value) for name, value in options.items()}
    with _lock:
        before = {name: _OPTIONS[name] for name in options}
        _OPTIONS.update(options)
        _drop_plans()
    return before


def _option(name, value):
    """The value of an option as it is kept, if it is one."""
    where = f"set_options: {name}"
    if value is None and name in _MAY_BE_NONE:
        return None
    if name in _WORDS:
        if value not in _WORDS[name]:
            raise _capi.InvalidArgument(
                unknown(where, str(value), _WORDS[name]))
        return value
    if name in _NUMBERS:
        return whole(where, value, *_NUMBERS[name])
    try:
        return os.fsdecode(value)
    except TypeError:
        raise _capi.InvalidArgument(
            f"{where}: got {value!r}, expected a path or None") from None


def _drop_plans():
    while len(_kept) > max(1, _OPTIONS["max_plans"]):
        _kept.popitem(last=False)


def options():
    """A copy of what set_options set."""
    return dict(_OPTIONS)


def whole(where, value, least, most=None):
    """A whole number of at least `least`, and at most `most` if that is given."""
    try:
        # True is 1, but nobody means a number by it.
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        expected = (f"of at least {least}" if most is None
                    else f"from {least} to {most}")
        raise _capi.InvalidArgument(
            f"{where}: got {value!r}, expected a whole number {expected}")
    return number


def unknown(where, name, known, near=None):
    """Message about a name that is not one of `known`; `near` is the one that
    is meant, None: the one that looks like it."""
    import difflib
    near = near or difflib.get_close_matches(name, known, 1, 0.0)[0]
    return (f"{where}: got {name!r}, expected one of {', '.join(known)}; "
            f"nearest: {near}")


def nvrtc_place():
    """What gsa_compile_options.nvrtc gets: the option; NVIDIA's wheel of CUDA 13
    beside this package; or None for the loader's path, which has what torch
    has loaded, and for toolkits."""
    if _OPTIONS["nvrtc"]:
        return _OPTIONS["nvrtc"]
    for folder in sys.path:
        place = os.path.join(folder, "nvidia", "cu13", "lib")
        if os.path.isdir(place) and any(
                file.startswith("libnvrtc.so") for file in os.listdir(place)):
            return place
    return None


def compile_options(target):
    """(the structure, what it points to)."""
    encoded = {name: value.encode() for name, value in (
        ("target", target), ("schedules", _OPTIONS["schedules"]),
        ("nvrtc", nvrtc_place() if target.startswith("cuda") else None),
        ("cache_dir", _OPTIONS["cache_dir"] if target != "emu" else None),
        ("cache_mode", _OPTIONS["cache_mode"] if target != "emu" else None))
        if value}
    options_ = _capi.CompileOptions(
        struct_size=ctypes.sizeof(_capi.CompileOptions), **encoded)
    if target == "cpu":
        options_.num_threads = _OPTIONS["num_threads"]
    return options_, encoded


def named_shapes(options_, shapes):
    named = (_capi.NamedShape * max(1, len(shapes)))()
    keep = [named]
    for slot, (name, sizes) in zip(named, shapes.items()):
        keep.append((name.encode(), _capi.int64_array(sizes)))
        slot.struct_size = ctypes.sizeof(_capi.NamedShape)
        slot.name, slot.sizes = keep[-1]
        slot.rank = len(sizes)
    options_.shapes, options_.num_shapes = named, len(shapes)
    return keep


class TensorSpec(collections.namedtuple("TensorSpec", "name dtype shape")):
    """An input or output of a plan: its name, element type ("f32") and
    sizes.

    updates: of an output that is the new value of an input, the name of that;
             else None. One tensor may be given for both, and is then updated
             in place.
    """

    def __new__(cls, name, dtype, shape, updates=None):
        spec = super().__new__(cls, name, dtype, shape)
        spec.updates = updates
        return spec


class Plan:
    """A compiled module. Immutable: any number of threads may run it.

    text:   a module in MLIR's textual form (docs/spec.md), for instance from
            `gsa.layer_module("d_model=512, n_heads=8")`.
    shapes: {name of an input: sizes}, for every input with a dynamic size.
    target: "cpu", "cuda:<N>", "emu" or "auto".
    entry:  the function to compile; None: the module's only public one.

    `inputs` and `outputs` are lists of TensorSpec, `workspace_bytes` is what a
    run needs as scratch memory, `target` says what the code was made for,
    `stages` names what a run passes through; `compile_milliseconds` is what
    making the plan took.

    Raises InvalidArgument for a module, a shape or a target that is wrong,
    Unimplemented for what the target cannot compile, Unavailable without a
    driver, a GPU or NVRTC.
    """

    def __init__(self, text, shapes=None, target="cpu", filename="<memory>",
                 entry=None):
        lib = _capi.library()
        options_, keep = compile_options(target)
        options_.entry = entry and entry.encode()
        keep = [keep, named_shapes(options_, shapes or {})]
        self._handle = ctypes.c_void_p()
        data = text.encode()
        start = time.perf_counter()
        _capi.check(lib.gsa_compile(
            data, len(data), filename.encode(), ctypes.byref(options_),
            ctypes.byref(self._handle)))
        del keep
        self.compile_milliseconds = (time.perf_counter() - start) * 1000
        self.num_threads = options_.num_threads
        self.inputs = self._specs(lib.gsa_plan_num_inputs, lib.gsa_plan_input)
        self.outputs = self._specs(lib.gsa_plan_num_outputs,
                                   lib.gsa_plan_output)
        self.workspace_bytes = lib.gsa_plan_workspace_bytes(self._handle)
        self.target = lib.gsa_plan_target(self._handle).decode()
        self.stages = [lib.gsa_plan_stage_name(self._handle, i).decode() for i
                       in range(lib.gsa_plan_num_stages(self._handle))]

    def __del__(self):
        # At the end of the process modules may be gone already.
        handle = getattr(self, "_handle", None)
        if handle and _capi is not None and _capi._library is not None:
            _capi._library.gsa_plan_release(handle)

    def __repr__(self):
        return (f"<gsa.Plan on {self.target}: "
                f"{', '.join(i.name for i in self.inputs)} -> "
                f"{', '.join(o.name for o in self.outputs)}>")

    def _specs(self, count, describe):
        specs = []
        for index in range(count(self._handle)):
            info = _capi.TensorInfo(
                struct_size=ctypes.sizeof(_capi.TensorInfo))
            _capi.check(describe(self._handle, index, ctypes.byref(info)))
            specs.append(TensorSpec(
                info.name.decode(), _tensors.NAMES[info.dtype],
                tuple(info.shape[i] for i in range(info.rank)),
                info.updates and info.updates.decode()))
        return specs

    def kernel_counts(self):
        """Kernels of the plan that were compiled, came from disk and from
        memory, and the milliseconds of their compilations, summed."""
        counts = _capi.KernelCounts(
            struct_size=ctypes.sizeof(_capi.KernelCounts))
        _capi.check(_capi.library().gsa_plan_kernel_counts(
            self._handle, ctypes.byref(counts)))
        return {name: getattr(counts, name) for name, _ in
                _capi.KernelCounts._fields_[1:]}

    def run(self, inputs, outputs=None, workspace=None, stream=None,
            stage_milliseconds=None):
        """Runs the plan and returns the outputs, {name: tensor}.

        inputs:    {name: tensor}, all of them, or a list in the plan's order.
        outputs:   tensors to write, likewise; made if there are none.
        workspace: at least `workspace_bytes` bytes, made if there is none.
        stream:    of a GPU, a number; None: the current one of torch or cupy.
                   The run is enqueued there and nothing waits for it, so that
                   with a stream outputs and workspace have to be given, too.
        stage_milliseconds: a dict that receives the time of each stage; on a
                   GPU the call then waits for the run.

        Raises InvalidArgument if a tensor is missing or does not fit; nothing
        has run then.
        """
        if stream is not None and (outputs is None or (
                workspace is None and self.workspace_bytes)):
            raise _capi.InvalidArgument(
                "run: got a stream, expected outputs and a workspace with it: "
                "what is made here belongs to the current stream")
        copies = []
        ins = self._views("input", self.inputs, inputs, copies)
        like = ins[0] if ins else None
        if outputs is None:
            made = [_tensors.empty_like(like, spec.shape, spec.dtype)
                    for spec in self.outputs]
        else:
            made = self._order("output", self.outputs, outputs)
        outs = []
        for spec, tensor in zip(self.outputs, made):
            view = _tensors.view(spec.name, tensor)
            if not view.is_dense():
                raise _capi.InvalidArgument(
                    f"output {spec.name}: got strides {view.strides}, expected "
                    f"dense ones, {_tensors.dense_strides(view.shape)}")
            outs.append(view)
        self.run_views(ins, outs, workspace, stream, stage_milliseconds)
        _local.dispatch = Dispatch("plan.run", self, False, copies)
        return {spec.name: tensor for spec, tensor in zip(self.outputs, made)}

    def warmup(self, inputs):
        """Runs once and waits, so that the first run that matters finds
        everything loaded. Returns self."""
        self.run(inputs, stage_milliseconds={})
        return self

    def _order(self, what, specs, tensors):
        if not isinstance(tensors, dict):
            tensors = list(tensors)
            if len(tensors) != len(specs):
                raise _capi.InvalidArgument(
                    f"{what}s: got {len(tensors)} tensors, expected "
                    f"{len(specs)}: {', '.join(s.name for s in specs)}")
            return tensors
        names = [spec.name for spec in specs]
        for name in tensors:
            if name not in names:
                raise _capi.InvalidArgument(unknown(what, name, names))
        for name in names:
            if name not in tensors:
                raise _capi.InvalidArgument(
                    f"{what} {name}: got none, expected a tensor")
        return [tensors[name] for name in names]

    def _views(self, what, specs, tensors, copies):
        return [_tensors.ready(spec.name, _tensors.view(spec.name, tensor),
                               copies)
                for spec, tensor in zip(specs,
                                        self._order(what, specs, tensors))]

    def run_views(self, ins, outs, workspace=None, stream=None,
                  stage_milliseconds=None):
        """`run` on Views that are ready and in the plan's order."""
        lib, keep = _capi.library(), []
        arrays = []
        for views in (ins, outs):
            array = (_capi.Tensor * max(1, len(views)))()
            for slot, view in zip(array, views):
                _tensors.fill(slot, view, keep)
            arrays.append(array)
        run = _capi.RunOptions(struct_size=ctypes.sizeof(_capi.RunOptions))
        like = (ins or outs)[0]
        if like.device_type == _capi.CUDA:
            run.stream = _tensors.current_stream(like) if stream is None else \
                stream
        else:
            run.thread_pool = _capi.thread_pool(self.num_threads)
        if stage_milliseconds is not None:
            times = (ctypes.c_double * max(1, len(self.stages)))()
            run.stage_milliseconds = times
            run.num_stage_milliseconds = len(self.stages)
        if workspace is None and self.workspace_bytes:
            workspace = self._workspace(like)
        data = size = 0
        if workspace is not None:
            view = _tensors.view_bytes("workspace", workspace)
            data, size = view
        _capi.check(lib.gsa_run(
            self._handle, arrays[0], len(ins), arrays[1], len(outs), data,
            size, ctypes.byref(run)))
        if stage_milliseconds is not None:
            stage_milliseconds.update(zip(self.stages, times))

    def _workspace(self, like):
        # In elements of 8 bytes; the aligned start is what allocators give.
        count = (self.workspace_bytes + 7) // 8
        return _tensors.empty_like(like, (count,), "i64")


class Dispatch(collections.namedtuple(
        "Dispatch", "function plan compiled copies")):
    """What a call of this thread ran: the name of the function, the Plan,
    whether the call compiled it, and the arguments that were copied to be
    dense and aligned."""
    __slots__ = ()

    @property
    def target(self):
        """"znver4, 512-bit vectors, 2 threads" or "cuda:0, NVIDIA H200,
        sm_90a"."""
        return self.plan.target


def last_dispatch():
    """The Dispatch of this thread's last call, or None."""
    return getattr(_local, "dispatch", None)


def target_of(view):
    """The target for a tensor in that memory."""
    if view.device_type == _capi.CUDA:
        return f"cuda:{view.device_id}"
    return _OPTIONS["host_target"]


class _Slot:
    __slots__ = ("lock", "plan")

    def __init__(self):
        self.lock, self.plan = threading.Lock(), None


def kept_plan(text, target, entry=None):
    """(the plan of a module with static sizes, whether this call compiled
    it). Threads that ask for the same plan wait for one compilation."""
    key = (text, target, entry, _OPTIONS["num_threads"],
           _OPTIONS["schedules"])
    with _lock:
        slot = _kept.get(key)
        if slot is None:
            slot = _kept[key] = _Slot()
            _drop_plans()
        _kept.move_to_end(key)
    if slot.plan is not None:
        return slot.plan, False
    with slot.lock:
        if slot.plan is not None:
            return slot.plan, False
        slot.plan = Plan(text, target=target, entry=entry)
        return slot.plan, True


def run_kept(function, text, names, views, out, copies, entry=None):
    """Runs the module on the views, in the order of its arguments, and returns
    its outputs. `out` maps names of outputs to tensors to write."""
    views = [_tensors.ready(name, view, copies)
             for name, view in zip(names, views)]
    plan, compiled = kept_plan(text, target_of(views[0]), entry)
    results, outs = [], []
    for spec in plan.outputs:
        tensor = out.get(spec.name)
        if tensor is None:
            tensor = _tensors.empty_like(views[0], spec.shape, spec.dtype)
        view = _tensors.view(spec.name, tensor)
        if view.shape != spec.shape or view.dtype != spec.dtype or \
                not view.is_dense() or view.device != views[0].device:
            raise _capi.InvalidArgument(
                f"{function}: out: got {view.dtype}{list(view.shape)} on device "
                f"{view.device}, strides {view.strides}; expected dense "
                f"{spec.dtype}{list(spec.shape)} on {views[0].device}")
        results.append(tensor)
        outs.append(view)
    plan.run_views(views, outs)
    _local.dispatch = Dispatch(function, plan, compiled, tuple(copies))
    return results
