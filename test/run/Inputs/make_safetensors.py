"""Writes a safetensors file of waves, each tensor another one.

usage: make_safetensors.py OUT TENSOR ...

TENSOR is name:DTYPE:2x3. Types whose elements numpy-free Python can write (F32,
F64) hold waves, others zeros. @conformance[:PREFIX] stands for the weights of
examples/gsa_layer_conformance.mlir, with that prefix.
"""

import json
import math
import struct
import sys

BITS = {"F4": 4, "F6_E2M3": 6, "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8,
        "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
        "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64,
        "C64": 64}
CODES = {"F32": "f", "F64": "d"}
CONFORMANCE = {
    "q_proj.weight": "8x8", "k_proj.weight": "4x8", "v_proj.weight": "4x8",
    "o_proj.weight": "8x8", "indexer.bias": "2", "indexer.q_proj.weight": "8x8",
    "indexer.k_proj.weight": "4x8", "indexer.weight_proj.weight": "2x8",
    "indexer.weight_proj.bias": "2", "value_gate.gate_proj.weight": "4x8",
    "value_gate.gate_proj.bias": "4", "output_gate.gate_proj.weight": "8x8",
    "output_gate.gate_proj.bias": "8",
}


def expand(argument):
    if not argument.startswith("@conformance"):
        return [argument]
    prefix = argument.partition(":")[2]
    return [f"{prefix}{name}:F64:{shape}" for name, shape in CONFORMANCE.items()]


def main():
    out, *arguments = sys.argv[1:]
    header, data = {}, b""
    for seed, argument in enumerate(
            tensor for text in arguments for tensor in expand(text)):
        name, dtype, sizes = argument.rsplit(":", 2)
        shape = [int(size) for size in sizes.split("x")] if sizes else []
        count = math.prod(shape)
        if dtype in CODES:
            values = (math.sin(seed + 1.3 * i) for i in range(count))
            text = struct.pack(f"<{count}{CODES[dtype]}", *values)
        else:
            text = bytes(count * BITS[dtype] // 8)
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(text)]}
        data += text
    text = json.dumps(header).encode()
    with open(out, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


main()
