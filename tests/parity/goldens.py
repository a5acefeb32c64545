"""Writes the goldens that `cargo test -p thorax-models parity` compares with, computed in double precision.

Run: python tests/parity/goldens.py [CASE ...]
A gradient is kept as its norm, its projection on a vector of signs, its four largest elements and four others.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from generate import sampled, signs
from reference import run

HERE = Path(__file__).resolve().parent
# Name: image encoder, a small BERT where only the image encoder is what is compared, films. Those of the
# convolutional networks keep their rectifiers away from the kinks: see kinks.py.
CASES = {
    "swin": ("swin", False, [0, 1]),
    "resnet": ("resnet", True, [69, 238]),
    "efficientnet": ("efficientnet", True, [12, 49]),
}


def digits(value, count=9):
    return float(f"{value:.{count}g}")


def summary(name, gradient):
    flat = gradient.detach().double().numpy().reshape(-1)
    largest = np.argsort(-np.abs(flat), kind="stable")[:4].tolist()
    chosen = list(dict.fromkeys(largest + sampled(name, flat.size)))
    return [
        name,
        digits(np.linalg.norm(flat)),
        digits(float(flat @ signs(name, flat.size))),
        [[i, digits(flat[i])] for i in chosen],
    ]


def write(case):
    images, texts, losses, gradients = run(*CASES[case], torch.float64)
    parts = {
        "image_embeddings": [[digits(v, 7) for v in row] for row in images.tolist()],
        "text_embeddings": [[digits(v, 7) for v in row] for row in texts.tolist()],
        "losses": losses,
        "gradients": [summary(name, g) for name, g in sorted(gradients.items())],
    }
    lines = [f'"{k}": {json.dumps(v)}' for k, v in parts.items() if k != "gradients"]
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in parts["gradients"])
    path = HERE / f"{case}.json"
    path.write_text("{\n" + ",\n".join(lines) + ',\n"gradients": [\n' + rows + "\n]\n}\n")
    print(path, path.stat().st_size, losses)


if __name__ == "__main__":
    for case in sys.argv[1:] or CASES:
        write(case)
