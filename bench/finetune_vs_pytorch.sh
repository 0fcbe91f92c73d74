#!/usr/bin/env bash
# LoRA and QLoRA in Gradus against LoRA written by hand in PyTorch: the same GPT-2 124M shape, batch, precision and threads, alternating runs, medians.
# Writes bench/results/finetune-vs-pytorch.md. About a quarter of an hour on two quiet cores; `--pairs 2 --shape small` for a quick look.
# Every option: bench/finetune_vs_pytorch.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-/usr/bin/python3}
case " $* " in *" --help "* | *" -h "*) exec "$python" bench/finetune_vs_pytorch.py --help ;; esac
if ! "$python" -c 'import torch' 2>/dev/null; then
  echo "bench: $python has no torch. On Debian: apt-get install --no-install-recommends python3-torch libopenblas0-openmp; or name another with PYTHON=" >&2
  exit 2
fi
exec "$python" bench/finetune_vs_pytorch.py "$@"
