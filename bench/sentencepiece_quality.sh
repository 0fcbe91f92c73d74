#!/usr/bin/env bash
# Trains unigram and BPE vocabularies with Gradus and with spm_train on the same lines, and counts the tokens of held-out lines.
#
#   bench/sentencepiece_quality.sh [VOCABULARY SIZE, default 8000]
#
# Texts: ../shared/data (sotu: English speeches; udhr: every third language; japanese: a novel). Every tenth line is held out. Both
# models are .model files and both are applied by spm_encode, so the tokens are those of the same program. Needs Debian's sentencepiece,
# python3 and xz. Prints a table in Markdown; bench/results/sentencepiece-quality.md is one of them.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
size=${1:-8000}
data=$(readlink -f "$here/../shared/data")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH=/usr/bin:$PATH
for tool in spm_train spm_encode python3 xz; do command -v "$tool" > /dev/null || { echo "sentencepiece_quality: $tool is missing" >&2; exit 2; }; done
python3 - "$data" "$work" <<'PY'
import gzip, json, lzma, re, sys
data, work = sys.argv[1:]
def rows(opened): return (json.loads(row)["text"] for row in opened)
texts = {
    "sotu": rows(gzip.open(data + "/sotu/sotu.jsonl.gz", "rt", encoding="utf-8")),
    "udhr": list(rows(lzma.open(data + "/udhr/udhr.jsonl.xz", "rt", encoding="utf-8")))[::3],
    "japanese": [open(data + "/sentencepiece-corpora/wagahaiwa_nekodearu.txt", encoding="utf-8").read()],
}
for name, documents in texts.items():
    # Speeches are cut into sentences, and what is longer than 4192 bytes, which spm_train leaves out, is left out for both.
    lines = [line.strip() for text in documents for line in re.split(r"\n|(?<=[.!?]) ", text) if line.strip()]
    lines = [line for line in lines if len(line.encode()) <= 4192]
    for part, keep in (("train", lambda i: i % 10 != 9), ("held", lambda i: i % 10 == 9)):
        with open(f"{work}/{name}.{part}.txt", "w", encoding="utf-8") as out:
            out.write("".join(line + "\n" for i, line in enumerate(lines) if keep(i)))
PY
gradus=${GRADUS:-$here/gradus}
echo "| text | training bytes | held-out bytes | kind | spm_train tokens/byte | Gradus tokens/byte | difference | spm_train s | Gradus s |"
echo "|---|--:|--:|---|--:|--:|--:|--:|--:|"
for name in sotu udhr japanese; do
  train=$work/$name.train.txt held=$work/$name.held.txt
  for kind in unigram bpe; do
    began=$(date +%s.%N)
    spm_train --input="$train" --model_prefix="$work/$name.$kind" --model_type=$kind --vocab_size="$size" --num_threads=2 > "$work/log" 2>&1 || { tail -n 3 "$work/log" >&2; exit 1; }
    between=$(date +%s.%N)
    ours=$kind; [ $kind = bpe ] && ours=sentencepiece-bpe
    "$gradus" tokenizer train "$train" --kind $ours --vocab-size "$size" --out "$work/$name.$kind.gradus" > "$work/log"
    ended=$(date +%s.%N)
    theirs=$(spm_encode --model="$work/$name.$kind.model" --output_format=id < "$held" | wc -w)
    mine=$(spm_encode --model="$work/$name.$kind.gradus/tokenizer.model" --output_format=id < "$held" | wc -w)
    LC_ALL=C awk -v n="$name" -v k=$kind -v t="$(stat -c %s "$train")" -v h="$(stat -c %s "$held")" -v a="$theirs" -v b="$mine" -v x="$began" -v y="$between" -v z="$ended" \
      'BEGIN { printf "| %s | %d | %d | %s | %.5f | %.5f | %+.2f %% | %.1f | %.1f |\n", n, t, h, k, a / h, b / h, 100 * (b - a) / a, y - x, z - y }'
  done
done
