"""Loads and runs a plan of a pack through the C API, with both libraries.

    python3 load_pack.py <folder of the libraries> <pack of gate_only.mlir>
"""

import ctypes
import os
import subprocess
import sys

FOLDER, PACK = sys.argv[1:]


class NamedShape(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p),
                ("sizes", ctypes.POINTER(ctypes.c_int64)),
                ("rank", ctypes.c_int64)]


class LoadOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("target", ctypes.c_char_p),
                ("shapes", ctypes.POINTER(NamedShape)),
                ("num_shapes", ctypes.c_size_t), ("load_later", ctypes.c_int64)]


class TensorInfo(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("rank", ctypes.c_int32), ("dtype", ctypes.c_uint32),
                ("bytes", ctypes.c_uint64)]


class Tensor(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("data", ctypes.c_void_p),
                ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
                ("rank", ctypes.c_int32), ("dtype", ctypes.c_uint32),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64)]


class Library:
    def __init__(self, name):
        self.name = name
        self.path = os.path.join(FOLDER, name + ".so")
        self.lib = ctypes.CDLL(self.path)
        self.lib.gsa_status_message.restype = ctypes.c_char_p
        self.lib.gsa_code_name.restype = ctypes.c_char_p
        self.lib.gsa_alloc.restype = ctypes.c_void_p
        for function in ("gsa_pack_num_plans", "gsa_plan_num_inputs",
                         "gsa_plan_num_outputs", "gsa_plan_workspace_bytes"):
            getattr(self.lib, function).restype = ctypes.c_size_t
        self.lib.gsa_compilations.restype = ctypes.c_uint64
        for function in ("gsa_pack_open", "gsa_pack_load", "gsa_run",
                         "gsa_pack_read", "gsa_plan_input", "gsa_plan_output"):
            getattr(self.lib, function).restype = ctypes.c_void_p

    def check(self, status):
        """"" or "CODE: message"."""
        if not status:
            return ""
        status = ctypes.c_void_p(status)
        code = self.lib.gsa_code_name(self.lib.gsa_status_code(status))
        message = self.lib.gsa_status_message(status)
        text = f"{code.decode()}: {message.decode()}"
        self.lib.gsa_status_destroy(status)
        return text

    def say(self, text):
        print(f"{self.name}: {text}")

    def tensors(self, plan, count, describe):
        result = []
        for index in range(count(plan)):
            info = TensorInfo(struct_size=ctypes.sizeof(TensorInfo))
            assert not describe(plan, ctypes.c_size_t(index),
                                ctypes.byref(info))
            result.append((info, self.lib.gsa_alloc(ctypes.c_size_t(info.bytes))))
        array = (Tensor * len(result))(*[
            Tensor(ctypes.sizeof(Tensor), data, 1, 0, info.rank, info.dtype,
                   info.shape, None, 0) for info, data in result])
        return result, array

    def run(self, plan):
        """Ones and logits of zero: the first output is a half everywhere."""
        lib = self.lib
        inputs, ins = self.tensors(plan, lib.gsa_plan_num_inputs,
                                   lib.gsa_plan_input)
        outputs, outs = self.tensors(plan, lib.gsa_plan_num_outputs,
                                     lib.gsa_plan_output)
        size = inputs[0][0].bytes // 4
        first = (ctypes.c_float * size).from_address(inputs[0][1])
        first[:] = [1.0] * size
        scratch = lib.gsa_plan_workspace_bytes(plan)
        error = self.check(lib.gsa_run(
            plan, ins, ctypes.c_size_t(len(ins)), outs,
            ctypes.c_size_t(len(outs)),
            ctypes.c_void_p(lib.gsa_alloc(ctypes.c_size_t(scratch))),
            ctypes.c_size_t(scratch), None))
        if error:
            return error
        got = set((ctypes.c_float * size).from_address(outputs[0][1]))
        return "ok" if got == {0.5} else f"got {sorted(got)[:4]}"

    def load(self, pack, shapes):
        named = (NamedShape * max(1, len(shapes)))()
        for slot, (name, sizes) in zip(named, shapes.items()):
            slot.struct_size = ctypes.sizeof(NamedShape)
            slot.name, slot.rank = name.encode(), len(sizes)
            slot.sizes = (ctypes.c_int64 * len(sizes))(*sizes)
        options = LoadOptions(ctypes.sizeof(LoadOptions), b"cpu", named,
                              len(shapes), 0)
        plan = ctypes.c_void_p()
        error = self.check(self.lib.gsa_pack_load(
            pack, ctypes.byref(options), ctypes.byref(plan)))
        return plan, error


def main():
    with open(PACK, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    for library in (Library("libgsa"), Library("libgsa-runtime")):
        lib = library.lib
        pack = ctypes.c_void_p()
        error = library.check(lib.gsa_pack_open(PACK.encode(),
                                                ctypes.byref(pack)))
        assert not error, error
        library.say(f"{lib.gsa_pack_num_plans(pack)} plans")
        plan, error = library.load(pack, {"value": [1, 33, 2, 64]})
        if error:
            library.say(error)
        else:
            lib.gsa_pack_close(pack)
            library.say(f"y = x * sigmoid(0): {library.run(plan)}, " +
                        ("nothing compiled" if not lib.gsa_compilations() else
                         "something was compiled"))
            lib.gsa_plan_release(plan)
            assert not lib.gsa_pack_open(PACK.encode(), ctypes.byref(pack))
            library.say(library.load(pack, {})[1])
        lib.gsa_pack_close(pack)
        library.say(library.check(lib.gsa_pack_read(
            bytes(data), ctypes.c_size_t(len(data)), PACK.encode(),
            ctypes.byref(pack))))
    needed = subprocess.run(["readelf", "-d", library.path], text=True,
                            capture_output=True, check=True).stdout
    if "LLVM" not in needed and "MLIR" not in needed:
        library.say("needs no LLVM, no MLIR")


if __name__ == "__main__":
    main()
