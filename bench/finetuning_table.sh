#!/usr/bin/env bash
# Full tuning, LoRA, rsLoRA, DoRA, QLoRA, adapters, prefix, prompt and IA3 on stories260K and tinyshakespeare, three seeds each, in one table:
# docs/results/finetuning.md. Needs ../shared/data. About twenty minutes on two cores; `--steps 50 --seeds 1` for a quick look.
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${PYTHON:-/usr/bin/python3}" bench/finetuning_table.py "$@"
