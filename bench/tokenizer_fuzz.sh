#!/usr/bin/env bash
# Random and adversarial strings through the reference (npm tokenizers, the Rust library) and through Gradus: the ids must be equal, and
# byte-level kinds must give every string back. Then texts of one repeated piece: at most 2 s a megabyte, twice the text at most 2.3 times the time. Tokenizers: gpt2, bert, t5, and a byte-level BPE trained here.
#   bench/tokenizer_fuzz.sh [COUNT] [SEED] [NAME…]      500000 1 and all four by default
# Needs node with npm, python3, and the data folder (shared/data, or DATA=).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
count=${1:-500000} seed=${2:-1}
shift $(($# < 2 ? $# : 2))
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(gpt2 bert t5 trained)
data=${DATA:-$root/../shared/data}
work=$root/build/bench/tokenizers
mkdir -p "$work/node"
export NODE_PACKAGES=$work/node
[ -d "$work/node/node_modules/tokenizers" ] || (cd "$work/node" && npm init -y && npm install tokenizers@0.23.2) > "$work/npm.log" 2>&1 || { cat "$work/npm.log" >&2; exit 2; }
gradus=${GRADUS:-$root/gradus}

tokenizer() {
  case $1 in
    gpt2) echo "$data/tok-gpt2/tokenizer.json" ;;
    bert) echo "$data/tok-bert/tokenizer.json" ;;
    t5)
      [ -f "$work/t5/tokenizer.json" ] || python3 "$root/bench/t5_tokenizer.py" "$data/tok-t5/spiece.model" "$work/t5"
      echo "$work/t5/tokenizer.json" ;;
    trained)
      [ -f "$work/trained/tokenizer.json" ] || "$gradus" tokenizer train "$data/moby-dick/moby-dick.txt" "$data/sentencepiece-corpora/wagahaiwa_nekodearu.txt" --pre-tokenizer cl100k --vocab-size 8192 --out "$work/trained" >&2
      echo "$work/trained/tokenizer.json" ;;
    *) [ -f "$1" ] && echo "$1" || { echo "fuzz: '$1' is neither gpt2, bert, t5, trained nor a tokenizer.json" >&2; exit 2; } ;;
  esac
}

status=0
for name in "${names[@]}"; do
  file=$(tokenizer "$name")
  options=(--round-trip) reference=()
  case $name in bert | t5) options=(--add-special-tokens) reference=(special) ;; esac
  echo -n "$name: "
  node "$root/bench/tokenizer_fuzz.mjs" "$file" "$count" "$seed" "${reference[@]}" | "$gradus" bench tokenizer-fuzz "$file" --file - "${options[@]}" || status=1
  echo -n "$name: "
  "$gradus" bench tokenizer-growth "$file" || status=1
done
exit $status
