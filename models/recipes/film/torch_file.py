"""Reads the tensors of a PyTorch file of the old format (before 1.6), without PyTorch.

The file is four pickles (magic number, version, machine, the dictionary), the keys of the storages, and the storages. Nothing
that the pickle names is called but what rebuilds a tensor.
"""

import collections
import pickle
import struct
from array import array

SIZES = {"FloatStorage": ("f", 4), "LongStorage": ("q", 8)}


class _Storage:
    def __init__(self, kind):
        self.kind = kind
        self.values = None


def _rebuild(storage, offset, size, stride, *_):
    return storage, offset, tuple(size), tuple(stride)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in SIZES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a tensor")

    def persistent_load(self, saved):
        _, kind, key, *_ = saved
        return self.storages.setdefault(key, _Storage(kind))


def _rows(values, offset, shape, stride):
    """The values of a tensor in row-major order, whatever order they were saved in."""
    if not shape:
        return values[offset : offset + 1]
    if len(shape) == 1:
        return values[offset : offset + shape[0] * stride[0] : stride[0]]
    rows = array(values.typecode)
    for row in range(shape[0]):
        rows.extend(_rows(values, offset + row * stride[0], shape[1:], stride[1:]))
    return rows


def read(path):
    """{name: (shape, array)}."""
    with path.open("rb") as file:
        for _ in range(3):
            pickle.load(file)
        unpickler = _Unpickler(file)
        named = unpickler.load()
        for key in pickle.load(file):
            storage = unpickler.storages[key]
            code, size = SIZES[storage.kind]
            (count,) = struct.unpack("<q", file.read(8))
            storage.values = array(code, file.read(count * size))
    return {
        name: (list(shape), _rows(storage.values, offset, shape, stride))
        for name, (storage, offset, shape, stride) in named.items()
    }
