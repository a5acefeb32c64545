"""Reads and writes safetensors of f32, as {name: (shape, array of f32)}."""

import json
import struct
from array import array


def read_safetensors(path):
    """All f32 tensors of a file; others are left out."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            values = array("f", data[8 + length + begin : 8 + length + end])
            tensors[name] = (entry["shape"], values)
    return tensors


def write_safetensors(path, tensors):
    """Writes the tensors in the order of their names."""
    header, offset = {}, 0
    for name, (shape, values) in sorted(tensors.items()):
        end = offset + 4 * len(values)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, (_, values) in sorted(tensors.items()):
            out.write(values.tobytes())
