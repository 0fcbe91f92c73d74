#!/usr/bin/env bash
# Gradus against the PyTorch that uses the same libtorch: the same GPT-2 shape, batch, precision and threads, alternating runs, medians.
# Writes bench/results/train-vs-pytorch.md. About half an hour on two quiet cores; `--cells small-bf16 --pairs 3` for a quick look.
# Every option: bench/train_vs_pytorch.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-/usr/bin/python3}
case " $* " in *" --help "* | *" -h "*) exec "$python" bench/train_vs_pytorch.py --help ;; esac
if ! "$python" -c 'import torch' 2>/dev/null; then
  echo "bench: $python has no torch. On Debian: apt-get install --no-install-recommends python3-torch libopenblas0-openmp; or name another with PYTHON=" >&2
  exit 2
fi
exec "$python" bench/train_vs_pytorch.py "$@"
