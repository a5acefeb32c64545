"""Weights and inputs that need no storage: a hash of a tensor's name and of an element's number.

models/src/parity/generate.rs is the same in Rust, to the bit.
"""

import math

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def seed(name):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return np.uint64(value)


def bits(name, count):
    """SplitMix64 of seed + (i + 1) * golden ratio, for i below count."""
    with np.errstate(over="ignore"):
        z = seed(name) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * GOLDEN
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(name, count):
    """Odd multiples of 2^-24 between -1 and 1, exact in double precision."""
    return (2.0 * (bits(name, count) >> np.uint64(40)).astype(np.float64) + 1.0) / 2.0**24 - 1.0


def weights(name, shape):
    """A tensor of a model as float32, scaled so that activations neither vanish nor grow."""
    count = math.prod(shape)
    u = uniform(name, count)
    if name == "logit_scale":
        values = np.full(count, math.log(1 / 0.07))
    elif name.endswith("_embeddings.weight"):
        values = 0.1 * u
    elif name.endswith("relative_position_bias_table"):
        values = 0.5 * u
    elif name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
        values = 1.0 + 0.2 * u
    elif len(shape) == 1:
        values = 0.1 * u
    else:
        values = math.sqrt(3.0 / math.prod(shape[1:])) * u
    return values.astype(np.float32).reshape(shape)


def signs(name, count):
    """+1 or -1 for each element: what gradients are projected on."""
    return 1.0 - 2.0 * (bits("sign:" + name, count) & np.uint64(1)).astype(np.float64)


def sampled(name, count, how_many=4):
    """Elements of a gradient that are compared one by one."""
    return [int(b % np.uint64(count)) for b in bits("sample:" + name, how_many)]


def film(number, side):
    """Gray values: stripes of another direction for each film, and noise."""
    noise = (bits(f"film:{number}", side * side) & np.uint64(63)).astype(np.int64).reshape(side, side)
    y, x = np.mgrid[0:side, 0:side]
    return (((x * (1 + 3 * number) + y * (2 + 5 * number)) // 2 + noise) & 255).astype(np.uint8)


def tokens(number, length, vocabulary):
    """Ids of one text; 0 is the padding and does not occur."""
    return [1 + int(b % np.uint64(vocabulary - 1)) for b in bits(f"text:{number}", length)]
