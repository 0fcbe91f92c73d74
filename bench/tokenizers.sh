#!/usr/bin/env bash
# Encoding and BPE training against npm tokenizers (Rust) and npm tiktoken (WebAssembly), in one run. Writes bench/results/tokenizers.md.
# About ten minutes on two quiet cores (--rounds 2); --rounds 1 for a quick look, --only encode|train, --data FOLDER.
set -euo pipefail
cd "$(dirname "$0")/.."
for program in python3 node npm; do
  command -v "$program" > /dev/null || { echo "bench: needs $program" >&2; exit 2; }
done
exec python3 bench/tokenizers.py "$@"
