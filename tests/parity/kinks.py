"""How near the rectifiers of a convolutional network come to their kinks, film by film.

Run: python tests/parity/kinks.py resnet|efficientnet FIRST END
A gradient jumps where the argument of a rectifier passes zero (or six). Of 19 million arguments a few lie so near that
rounding decides on which side they are, and each of them moves some gradients by more than 1e-3: PyTorch in single precision
then differs from itself in double precision as much as we do. A film whose arguments all keep a distance
is the better one to compare gradients at. The distance is in units of the root mean square of the arguments of a layer; the eight best films are printed, with
the rectifiers that single precision puts on the other side.
"""

import sys

import torch
from torch import nn

from reference import MedClip, pixels


def main(kind, first, end):
    torch.set_num_threads(2)
    vision = MedClip(kind, True).fill().eval().vision
    arguments = []
    for module in vision.modules():
        if isinstance(module, (nn.ReLU, nn.ReLU6)):
            module.inplace = False
            module.register_forward_pre_hook(lambda m, x: arguments.append(x[0]))

    def run(number, dtype):
        arguments.clear()
        with torch.inference_mode():
            vision.to(dtype)(pixels([number], dtype))
        return list(arguments)

    def kinks(x):
        return [x, x - 6] if kind == "efficientnet" else [x]

    def distance(number, dtype):
        layers = run(number, dtype)
        return min((k.abs().min() / x.square().mean().sqrt()).item() for x in layers for k in kinks(x))

    best = sorted(((distance(i, torch.float32), i) for i in range(first, end)), reverse=True)[:8]
    for number in sorted(i for _, i in best):
        exact, single = run(number, torch.float64), run(number, torch.float32)
        flips = sum(((a > 0) != (b > 0)).sum().item() for x, y in zip(exact, single) for a, b in zip(kinks(x), kinks(y)))
        print(f"film {number}: {distance(number, torch.float64):.1e}, {flips} of {sum(x.numel() for x in exact)} flipped")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
