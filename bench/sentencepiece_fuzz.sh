#!/usr/bin/env bash
# Thirteen SentencePiece models of every kind, and about 11,700 strings through each: ids and decoded text as Debian's sentencepiece gives them.
#   bench/sentencepiece_fuzz.sh [MODEL…]      all by default; a line each, ends with 1 when anything differs
# Eleven models are trained first with spm_train (kept under build/bench). Needs Debian's sentencepiece and python3-sentencepiece, and shared/data (or DATA=).
set -euo pipefail
cd "$(dirname "$0")/.."
python=/usr/bin/python3
for program in spm_train "$python"; do
  command -v "$program" > /dev/null || { echo "sentencepiece_fuzz: needs $program" >&2; exit 2; }
done
"$python" -c 'import sentencepiece' 2> /dev/null || { echo "sentencepiece_fuzz: needs python3-sentencepiece" >&2; exit 2; }
exec "$python" bench/sentencepiece_fuzz.py "$@"
