#!/usr/bin/env bash
# Data preparation: MB/s on one core of each part, and peak memory of whole pipelines at one and four times the input. Writes
# bench/results/data.md. About seven minutes on two quiet cores; --quick for a look. Needs ../shared/data and python3.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 bench/data.py "$@"
