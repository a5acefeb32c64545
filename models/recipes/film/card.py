#!/usr/bin/env python3
"""Fills the model card: card.py TEMPLATE FIGURES OUT. Of each figure file the last line is JSON, the rest is for people."""

import json
import re
import sys
from pathlib import Path

TITLES = {
    "zero-shot": "Zero-shot classification of held-out NIH films",
    "linear-probe": "A linear probe on the same image encoder, beside it",
    "claims": "The recipe beside the paper's, and one option at a time: same films, sentences, encoders, steps",
    "retrieval": "Retrieval",
    "negation": "Negation",
    "paper-negation": "Negation with the paper's recipe",
    "grounding": "Heat map: the pointing game on the boxes of NIH",
}


def main():
    template, figures, out = map(Path, sys.argv[1:4])
    parts, fingerprint = [template.read_text()], None
    for name, title in TITLES.items():
        path = figures / f"{name}.txt"
        if not path.is_file():
            continue
        *table, last = path.read_text().rstrip("\n").split("\n")
        if name == "zero-shot":
            fingerprint = re.search(r'"fingerprint":\s*"([0-9a-f]{64})"', last)[1]
        text = "\n".join(line.rstrip() for line in table).strip("\n")
        parts.append(f"## {title}\n```text\n{text}\n```\n")
    words = len(json.loads((out / "tokenizer.json").read_text())["model"]["vocab"])
    size = (out / "model.safetensors").stat().st_size
    card = "\n".join(parts)
    for key, value in {"FINGERPRINT": fingerprint, "BYTES": f"{size:,}", "WORDS": f"{words:,}"}.items():
        card = card.replace(f"@{key}@", str(value))
    (out / "MODEL_CARD.md").write_text(card)


if __name__ == "__main__":
    main()
