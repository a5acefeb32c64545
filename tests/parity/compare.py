"""Compares a live run of ours with PyTorch, every element of every gradient. Run by `make parity`.

Run: python tests/parity/compare.py CASE DUMP.safetensors
DUMP is what the Rust test `parity::dump` wrote. The reference is PyTorch in double precision; PyTorch in single precision
is compared with it too, to show what rounding alone does, and with ours.

A gradient's error is the norm of the difference over the norm of the reference, or over 1e-5 of the norm of all gradients
together where that is larger (parameters that nothing depends on: the bias of the keys, above all).
"""

import sys

import numpy as np
import torch
from safetensors.numpy import load_file

from goldens import CASES
from reference import run

BOUNDS = {"embeddings": 1e-4, "losses": 1e-5, "gradients": 1e-3}
FLOOR = 1e-5


def arrays(images, texts, losses, gradients):
    flat = {f"gradient/{k}": v.detach().double().numpy() for k, v in gradients.items()}
    flat |= {f"loss/{k}": np.asarray(v) for k, v in losses.items()}
    return flat | {"images": images.double().numpy(), "texts": texts.double().numpy()}


def errors(ours, theirs):
    """Largest error of embeddings and losses; of each gradient the relative error, by norm and by largest element."""
    assert ours.keys() == theirs.keys(), sorted(ours.keys() ^ theirs.keys())
    embeddings = max(np.abs(ours[k] - theirs[k]).max() for k in ["images", "texts"])
    losses = {k[5:]: float(abs(ours[k] - theirs[k])) for k in theirs if k.startswith("loss/")}
    names = sorted(k for k in theirs if k.startswith("gradient/"))
    norms = {k: np.linalg.norm(theirs[k]) for k in names}
    floor = FLOOR * np.linalg.norm(list(norms.values()))
    gradients = {}
    for k in names:
        difference = ours[k].astype(np.float64) - theirs[k]
        largest = max(np.abs(theirs[k]).max(), floor / np.sqrt(theirs[k].size))
        gradients[k[9:]] = (
            float(np.linalg.norm(difference) / max(norms[k], floor)),
            float(np.abs(difference).max() / largest),
            bool(norms[k] < floor),
        )
    return float(embeddings), losses, gradients


def main(case, dump):
    torch.set_num_threads(2)
    ours = load_file(dump)
    exact = arrays(*run(*CASES[case], torch.float64))
    single = arrays(*run(*CASES[case], torch.float32))
    rows = {
        "thorax f32": errors(ours, exact),
        "PyTorch f32": errors(single, exact),
        "thorax/PyTorch f32": errors(ours, single),
    }
    print(f"\n{case}: errors against PyTorch in double precision; last, of thorax against PyTorch in single precision")
    print(f"{'':28}" + "".join(f"{name:>20}" for name in rows) + f"{'bound':>10}")

    def line(what, values, bound):
        print(f"{what:28}" + "".join(f"{v:20.1e}" for v in values) + f"{bound:10.0e}")

    line("embeddings, largest", [r[0] for r in rows.values()], BOUNDS["embeddings"])
    for name in rows["thorax f32"][1]:
        line(f"loss {name}", [r[1][name] for r in rows.values()], BOUNDS["losses"])
    gradients = [r[2] for r in rows.values()]
    line("gradients, worst by norm", [max(g[0] for g in all.values()) for all in gradients], BOUNDS["gradients"])
    line("gradients, worst element", [max(g[1] for g in all.values()) for all in gradients], BOUNDS["gradients"])
    line("gradients, median by norm", [np.median([g[0] for g in all.values()]) for all in gradients], BOUNDS["gradients"])
    below = [name for name, g in gradients[0].items() if g[2]]
    print(f"{len(gradients[0])} parameters, {len(below)} of them with a gradient below the floor" + (f" ({below[0]}, ...)" if below else ""))
    print("worst parameters of ours:")
    for name, (by_norm, by_element, _) in sorted(gradients[0].items(), key=lambda g: -max(g[1][:2]))[:8]:
        print(f"  {by_norm:9.1e} by norm {by_element:9.1e} by element  {name}")
    embeddings, losses, all = rows["thorax f32"]
    kept = (
        embeddings <= BOUNDS["embeddings"]
        and max(losses.values()) <= BOUNDS["losses"]
        and max(max(g[0], g[1]) for g in all.values()) <= BOUNDS["gradients"]
    )
    print("within the bounds" if kept else "NOT within the bounds")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
