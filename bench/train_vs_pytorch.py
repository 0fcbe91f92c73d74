#!/usr/bin/env python3
"""Alternates Gradus and PyTorch on the same training shapes and writes the table of medians and ratios.

Started by train_vs_pytorch.sh. One round of a cell runs every program once; the next round runs them in reverse order, so that a machine
that slows down or speeds up favours nobody. A run that other programs took more than a tenth of the machine from is repeated, and marked
(n) when the repeats were no better. Peak memory is what the kernel reports of the finished process and its children, for all alike.
"""
import argparse
import json
import math
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHAPES = {
    "124m": {"layers": 12, "heads": 12, "width": 768, "vocab": 50257, "batch": 4, "seq": 256, "steps": 6, "warmup": 2},
    "small": {"layers": 6, "heads": 6, "width": 384, "vocab": 4096, "batch": 16, "seq": 256, "steps": 10, "warmup": 3},
}
CELLS = ["124m-fp32", "124m-bf16", "small-fp32", "small-bf16"]
# malloc keeps freed memory instead of handing it back and faulting it in again, and ATen uses the widest vectors the CPU has.
TUNED = {
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=34359738368:glibc.malloc.trim_threshold=68719476736:glibc.malloc.top_pad=268435456",
    "ATEN_CPU_CAPABILITY": "avx512" if "avx512f" in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii") else "avx2",
}
NAMES = {"gradus": "Gradus", "shipped": "PyTorch as shipped", "tuned": "PyTorch tuned"}
QUIET = 0.10


def busy_seconds():
    """CPU seconds that this machine spent on anything since it started, stolen time included."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def run(command, environment, cell):
    """One process: its JSON line, its peak memory, and the share of the machine that others used meanwhile."""
    start, busy = time.monotonic(), busy_seconds()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        errors.seek(0)
        err = errors.read()
    wall = time.monotonic() - start
    foreign = max(0.0, busy_seconds() - busy - usage.ru_utime - usage.ru_stime) / (wall * os.cpu_count())
    lines = [line for line in out.splitlines() if line.startswith("{")]
    if os.waitstatus_to_exitcode(status) != 0 or not lines:
        sys.exit(f"bench: {cell}: {shlex.join(command)} ended with {os.waitstatus_to_exitcode(status)} and no result line\n{err[-2000:]}")
    result = json.loads(lines[-1])
    result["peak_rss_mb"] = round(usage.ru_maxrss / 1024, 1)
    result["foreign"] = round(foreign, 3)
    result["seconds"] = round(wall, 1)
    return result


def measure(cell, program, options):
    shape, precision = cell.split("-")
    values = {**SHAPES[shape], "precision": precision, "threads": options.threads}
    if options.steps is not None:
        values["steps"] = options.steps
    if options.warmup is not None:
        values["warmup"] = options.warmup
    arguments = ["--family", "gpt2", *(text for key, value in values.items() for text in (f"--{key}", str(value))), "--json"]
    environment = {k: v for k, v in os.environ.items() if k not in TUNED and not k.startswith(("OMP_", "OPENBLAS_", "MALLOC_", "KMP_", "GOMP_"))}
    if program == "gradus":
        command = [*shlex.split(options.gradus), "bench", "train", *arguments]
    else:
        command = [*shlex.split(options.pytorch), *arguments]
        if program == "tuned":
            environment |= TUNED
    best = None
    for _ in range(1 + options.repeats):
        result = run(command, environment, cell)
        if best is None or result["foreign"] < best["foreign"]:
            best = result
        if best["foreign"] <= QUIET:
            break
    check(cell, program, best, values)
    return best


def check(cell, program, result, values):
    """Both must train the asked model on the asked data: a wrong shape or a step that learns nothing would be fast too."""
    stated = result["settings"]
    for key, value in values.items():
        if stated.get(key, value) != value:
            sys.exit(f"bench: {cell}: {program} ran with {key} = {stated[key]}, not {value}")
    expected = math.log(values["vocab"])
    if not abs(result["loss_first"] - expected) < 0.5 or not math.isfinite(result["loss_last"]):
        sys.exit(f"bench: {cell}: {program} began at loss {result['loss_first']} and ended at {result['loss_last']}; untrained is {expected:.2f}")


def shell(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        lines = info.read().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), [])
    return f"{os.cpu_count()} cores {model} ({', '.join(f for f in ('avx2', 'avx512f', 'avx512_bf16', 'amx_bf16') if f in flags) or 'no AVX2'})"


def report(rows, options):
    """The Markdown table, and the smallest ratio to PyTorch as shipped and the largest share of its memory."""
    def of(cell, program, key="tokens_per_second"):
        return [row["result"][key] for row in rows if row["cell"] == cell and row["program"] == program]

    def speed(cell, program):
        values = of(cell, program)
        noisy = any(f > QUIET for f in of(cell, program, "foreign"))
        return f"{statistics.median(values):,.0f} ({max(values):,.0f}){' (n)' if noisy else ''}" if values else "–"

    def ratio(cell, program):
        """Median of the ratios within each round."""
        paired = []
        for number in sorted({row["round"] for row in rows if row["cell"] == cell}):
            pair = {row["program"]: row["result"]["tokens_per_second"] for row in rows if row["cell"] == cell and row["round"] == number}
            if "gradus" in pair and program in pair:
                paired.append(pair["gradus"] / pair[program])
        return statistics.median(paired) if paired else None

    def memory(cell, program):
        values = of(cell, program, "peak_rss_mb")
        return statistics.median(values) if values else None

    def shown(value, form):
        return "–" if value is None else format(value, form)

    cells = [cell for cell in CELLS if any(row["cell"] == cell for row in rows)]
    first = {program: next((row["result"] for row in rows if row["program"] == program), None) for program in NAMES}
    torch_version = (first["shipped"] or first["tuned"] or {}).get("torch_version", "?")
    gradus_version = (first["gradus"] or {}).get("torch_version", "?")
    lines = [
        "# Training speed: Gradus against PyTorch", "",
        f"Made by `bench/train_vs_pytorch.sh` on {time.strftime('%Y-%m-%d', time.gmtime())}, commit {shell('git', 'rev-parse', '--short', 'HEAD') or '?'}: {cpu()}, "
        f"{options.threads} threads. PyTorch {torch_version} (eager, `bench/pytorch_train.py`), Gradus over libtorch {gradus_version}.", "",
        "Tokens per second, forward + backward + AdamW: median of the runs' medians, in brackets the best run. A ratio is the median over the rounds of Gradus ÷ PyTorch "
        "in that round. (n): other programs took more than a tenth of the machine. Compare ratios, not figures of different days.", "",
        "| shape | Gradus | PyTorch as shipped | ratio | PyTorch tuned | ratio |", "|---|--:|--:|--:|--:|--:|"]
    for cell in cells:
        lines.append(f"| {cell} | {speed(cell, 'gradus')} | {speed(cell, 'shipped')} | {shown(ratio(cell, 'shipped'), '.2f')} "
                     f"| {speed(cell, 'tuned')} | {shown(ratio(cell, 'tuned'), '.2f')} |")
    lines += ["", "Peak memory of the process, MB (median), and Gradus ÷ PyTorch:", "",
              "| shape | Gradus | PyTorch as shipped | ratio | PyTorch tuned | ratio |", "|---|--:|--:|--:|--:|--:|"]
    worst_speed, worst_memory = math.inf, 0.0
    for cell in cells:
        own, shipped, tuned = (memory(cell, program) for program in ("gradus", "shipped", "tuned"))
        to_shipped = own / shipped if own and shipped else None
        to_tuned = own / tuned if own and tuned else None
        lines.append(f"| {cell} | {shown(own, ',.0f')} | {shown(shipped, ',.0f')} | {shown(to_shipped, '.2f')} | {shown(tuned, ',.0f')} | {shown(to_tuned, '.2f')} |")
        worst_speed = min(worst_speed, ratio(cell, "shipped") or math.inf)
        worst_memory = max(worst_memory, to_shipped or 0.0)
    lines += ["", "Shapes: " + "; ".join(
        f"{name}: {s['layers']} layers, {s['heads']} heads, width {s['width']}, vocabulary {s['vocab']:,}, batch {s['batch']}, {s['seq']} tokens" for name, s in SHAPES.items()) + ".",
        f"Rounds: {', '.join(f'{cell} {len(of(cell, program))}' for cell in cells for program in ('gradus' if first['gradus'] else 'shipped',))}. "
        "bf16 is autocast in PyTorch. Tuned: `GLIBC_TUNABLES` so that malloc keeps freed memory, "
        f"`ATEN_CPU_CAPABILITY={TUNED['ATEN_CPU_CAPABILITY']}`. "
        "Where the version has them, PyTorch uses fused AdamW and, in fp32, fused attention.", "",
        "Loss before the first and at the last step, to see that all train the same model on the same tokens:", "",
        "| shape | " + " | ".join(NAMES[p] for p in NAMES if first[p]) + " |", "|---|" + "--:|" * sum(first[p] is not None for p in NAMES)]
    for cell in cells:
        losses = [(of(cell, p, "loss_first"), of(cell, p, "loss_last")) for p in NAMES if first[p]]
        lines.append(f"| {cell} | " + " | ".join(f"{a[0]:.3f} → {b[0]:.3f}" if a else "–" for a, b in losses) + " |")
    return "\n".join(lines) + "\n", worst_speed, worst_memory


def main():
    p = argparse.ArgumentParser(prog="bench/train_vs_pytorch.sh", description=__doc__.splitlines()[0])
    p.add_argument("--pairs", type=int, default=5, help="rounds of each cell (default 5)")
    p.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    p.add_argument("--programs", nargs="+", choices=list(NAMES), default=list(NAMES))
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--steps", type=int, help="timed steps of a run (default: 6 of 124m, 10 of small)")
    p.add_argument("--warmup", type=int, help="steps before the timed ones (default: 2 of 124m, 3 of small)")
    p.add_argument("--repeats", type=int, default=1, help="how often a disturbed run is repeated (default 1)")
    p.add_argument("--gradus", default="./gradus", help="command before `bench train`")
    p.add_argument("--pytorch", default=f"{shlex.quote(sys.executable)} bench/pytorch_train.py", help="command of the PyTorch side")
    p.add_argument("--append", action="store_true", help="keep the runs already in build/bench/ and add to them")
    p.add_argument("--require", type=float, help="exit with 1 unless every ratio to PyTorch as shipped is at least this and memory at most 1.0")
    p.add_argument("--out", default="bench/results/train-vs-pytorch.md")
    options = p.parse_args()

    raw = ROOT / "build" / "bench" / (pathlib.Path(options.out).stem + ".jsonl")
    raw.parent.mkdir(parents=True, exist_ok=True)
    if not options.append:
        raw.write_text("")
    rows = [json.loads(line) for line in raw.read_text().splitlines()] if raw.exists() else []
    start = 1 + max((row["round"] for row in rows), default=0)
    for number in range(start, start + options.pairs):
        for cell in options.cells:
            for program in options.programs if number % 2 else reversed(options.programs):
                result = measure(cell, program, options)
                row = {"cell": cell, "program": program, "round": number, "result": result}
                rows.append(row)
                with raw.open("a") as log:
                    log.write(json.dumps(row) + "\n")
                print(f"round {number} {cell:11} {NAMES[program]:19} {result['tokens_per_second']:10,.1f} tokens/s {result['peak_rss_mb']:8,.0f} MB "
                      f"{result['seconds']:6.1f} s, others used {result['foreign']:.0%}", file=sys.stderr, flush=True)
        text, worst_speed, worst_memory = report(rows, options)
        out = ROOT / options.out
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")  # after every round: an interrupted run still leaves its table
    print(text)
    if options.require and (worst_speed < options.require or worst_memory > 1.0):
        sys.exit(f"bench: the smallest ratio is {worst_speed:.2f} (wanted {options.require:.2f}), the largest share of memory {worst_memory:.2f} (wanted 1.00)")


if __name__ == "__main__":
    main()
