"""`make bench-models`: our towers beside PyTorch's, alternating, each row and side in a process of its own.

compare.py OURS PYTHON [--rounds N] [--seconds S]: OURS is the binary of examples/tower.rs, PYTHON an interpreter with torch and transformers.
Prints a Markdown table and one line of JSON.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROWS = [(model, mode, batch) for model in ("swin", "bert") for mode, batch in
        (("forward", 1), ("forward", 8), ("forward", 32), ("train", 16))]
NAMES = {"swin": "Swin-T, 224 px", "bert": "BERT-base, 64 tokens"}
MODES = {"forward": "forward", "train": "training step"}
# What the program sets for itself in src/memory.rs; PyTorch gets the same.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
    "MALLOC_TOP_PAD_": str(64 << 20),
}


class Side:
    """A process that waits to be told how many iterations to run."""

    def __init__(self, command):
        environment = {**os.environ, **ALLOCATOR, "RAYON_NUM_THREADS": "2", "CANDLE_NUM_THREADS": "1", "OMP_NUM_THREADS": "2"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, **pipes)
        self.seconds = []
        if self.line() != "ready":
            raise SystemExit(f"{' '.join(map(str, command))} failed; run it by hand to see why")

    def line(self):
        return self.process.stdout.readline().strip()

    def run(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return json.loads(self.line())

    def finish(self):
        """Ends the process; returns its peak memory in MB."""
        self.process.stdin.close()
        peak = float(self.line())
        self.process.wait()
        return peak


def faster_attention(python, script, row):
    """The attention implementation of transformers that is the faster one for a row."""
    best = {}
    for name in ("eager", "sdpa"):
        side = Side([python, script, *map(str, row), name])
        best[name] = min(side.run(1)[0] for _ in range(2))
        side.finish()
    return min(best, key=best.get)


def measure(ours, theirs, rounds, seconds):
    """Runs both in turn, about `seconds` each a round. Adds to their times."""
    counts = {side: max(1, min(50, round(seconds / side.run(1)[0]))) for side in (ours, theirs)}
    for i in range(rounds):
        for side in ((ours, theirs) if i % 2 == 0 else (theirs, ours)):
            side.seconds += side.run(counts[side])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours")
    parser.add_argument("python")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--only", default="", help="rows whose name contains this, such as swin-forward-8")
    arguments = parser.parse_args()
    script = Path(__file__).with_name("tower.py")
    version = "import torch, transformers; print(torch.__version__, transformers.__version__)"
    torch, transformers = subprocess.run(
        [arguments.python, "-c", version], capture_output=True, text=True, check=True).stdout.split()
    attention, figures = {}, {}
    print("| | batch | ours, items/s | PyTorch, items/s | ratio | ratio of the fastest | ours, MB | PyTorch, MB |")
    print("|---|---|---|---|---|---|---|---|")
    for row in ROWS:
        model, mode, batch = row
        name = f"{model}-{mode}-{batch}"
        if arguments.only not in name:
            continue
        print(f"measuring {name}", file=sys.stderr)
        if (model, mode) not in attention:
            attention[model, mode] = faster_attention(arguments.python, script, row)
        ours = Side([arguments.ours, model, mode, str(batch)])
        theirs = Side([arguments.python, script, model, mode, str(batch), attention[model, mode]])
        measure(ours, theirs, arguments.rounds, arguments.seconds)
        medians = [batch / statistics.median(side.seconds) for side in (ours, theirs)]
        fastest = [batch / min(side.seconds) for side in (ours, theirs)]
        peaks = [ours.finish(), theirs.finish()]
        print(f"| {NAMES[model]}: {MODES[mode]} | {batch} | {medians[0]:.1f} | {medians[1]:.1f} | "
              f"**{medians[0] / medians[1]:.2f}** | {fastest[0] / fastest[1]:.2f} | {peaks[0]:.0f} | {peaks[1]:.0f} |", flush=True)
        figures[name] = {
            "ours": round(medians[0], 2), "pytorch": round(medians[1], 2), "ratio": round(medians[0] / medians[1], 3),
            "ratio_fastest": round(fastest[0] / fastest[1], 3), "ours_mb": round(peaks[0]), "pytorch_mb": round(peaks[1]),
            "attention": attention[model, mode], "iterations": [len(ours.seconds), len(theirs.seconds)],
        }
    print(json.dumps({
        "unit": "items/s, median", "threads": 2, "torch": torch, "transformers": transformers,
        "cpu": platform.processor() or platform.machine(), "rows": figures,
    }))


if __name__ == "__main__":
    main()
