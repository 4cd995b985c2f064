"""Copies a safetensors file without the tensors whose name ends in a suffix.

usage: drop_tensor.py IN SUFFIX OUT
"""

import json
import struct
import sys

source, suffix, target = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read()
(length,) = struct.unpack("<Q", data[:8])
header = json.loads(data[8 : 8 + length])
kept, payload = {}, b""
for name, entry in sorted(
    header.items(), key=lambda item: item[1].get("data_offsets", [0])[0]
):
    if name == "__metadata__" or name.endswith(suffix):
        continue
    begin, end = entry["data_offsets"]
    entry["data_offsets"] = [len(payload), len(payload) + end - begin]
    payload += data[8 + length + begin : 8 + length + end]
    kept[name] = entry
text = json.dumps(kept).encode()
text += b" " * (-len(text) % 8)
with open(target, "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + payload)
