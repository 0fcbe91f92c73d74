#!/usr/bin/env python3
"""Alternates LoRA and QLoRA in Gradus with LoRA written by hand in PyTorch on the GPT-2 124M shape, and writes the table of medians and ratios.

Started by finetune_vs_pytorch.sh. Rounds, quietness and memory are measured as in train_vs_pytorch.py, whose functions this uses. PyTorch runs
tuned (malloc keeps freed memory, ATen uses the widest vectors) and as shipped; ratios are to the faster of the two, and to the smaller.
"""
import argparse
import json
import math
import os
import pathlib
import shlex
import statistics
import sys
import time

from train_vs_pytorch import QUIET, ROOT, SHAPES, TUNED, cpu, run, shell

PROGRAMS = {  # name -> (what runs it, LoRA rank, how the base is held)
    "Gradus full": ("gradus", 0, "dense"), "Gradus LoRA": ("gradus", 8, "dense"), "Gradus QLoRA int8": ("gradus", 8, "int8"), "Gradus QLoRA nf4": ("gradus", 8, "nf4"),
    "PyTorch LoRA as shipped": ("pytorch", 8, "dense"), "PyTorch LoRA tuned": ("tuned", 8, "dense"),
}
COUNTED = ("Gradus LoRA", "Gradus QLoRA int8", "Gradus QLoRA nf4")
LORA_124M = 1_179_648  # r (in + out) over the 48 linears of 12 blocks


def measure(name, precision, o):
    runner, rank, base = PROGRAMS[name]
    values = {**SHAPES[o.shape], "precision": precision, "threads": o.threads, "lora-rank": rank}
    values |= {k: v for k, v in (("steps", o.steps), ("warmup", o.warmup)) if v is not None}
    arguments = ["--family", "gpt2", *(t for k, v in values.items() for t in (f"--{k}", str(v))), "--json"]
    environment = {k: v for k, v in os.environ.items() if k not in TUNED and not k.startswith(("OMP_", "OPENBLAS_", "MALLOC_", "KMP_", "GOMP_"))}
    if runner == "gradus":
        command = [*shlex.split(o.gradus), "bench", "train", *arguments, "--base", base]
    else:
        command = [*shlex.split(o.pytorch), *arguments]
        if runner == "tuned":
            environment |= TUNED
    best = None
    for _ in range(1 + o.repeats):
        result = run(command, environment, name)
        if best is None or result["foreign"] < best["foreign"]:
            best = result
        if best["foreign"] <= QUIET:
            break
    # Both must train the asked number of parameters of the asked model: anything else would be fast too.
    if not abs(best["loss_first"] - math.log(values["vocab"])) < 0.5 or not math.isfinite(best["loss_last"]):
        sys.exit(f"bench: {name} began at loss {best['loss_first']} and ended at {best['loss_last']}; untrained is {math.log(values['vocab']):.2f}")
    if o.shape == "124m" and rank == 8 and best["parameters"] != LORA_124M:
        sys.exit(f"bench: {name} trains {best['parameters']} parameters, not {LORA_124M}")
    return best


def report(rows, o):
    lines = ["# Fine-tuning speed: LoRA and QLoRA in Gradus against PyTorch", "",
             f"Made by `bench/finetune_vs_pytorch.sh` on {time.strftime('%Y-%m-%d', time.gmtime())}, commit {shell('git', 'rev-parse', '--short', 'HEAD') or '?'}: {cpu()}, {o.threads} threads. "
             f"Shape {o.shape}: {SHAPES[o.shape]}. LoRA of rank 8 on every linear of the blocks, AdamW; PyTorch's by hand (`bench/pytorch_lora.py`). Medians over the rounds; (n): other programs took more than a tenth of the machine.", ""]
    worst = {}
    for precision in o.precisions:
        cells = {name: [r["result"] for r in rows if r["precision"] == precision and r["name"] == name] for name in o.programs}
        cells = {name: found for name, found in cells.items() if found}
        torch = [name for name in cells if name.startswith("PyTorch")]
        speed = {name: statistics.median(r["tokens_per_second"] for r in found) for name, found in cells.items()}
        memory = {name: statistics.median(r["peak_rss_mb"] for r in found) for name, found in cells.items()}
        fastest, smallest = max((speed[n] for n in torch), default=None), min((memory[n] for n in torch), default=None)
        lines += [f"## {precision}", "", "| | tokens/s | ÷ PyTorch LoRA | peak MB | ÷ PyTorch LoRA | trained | loss |", "|---|--:|--:|--:|--:|--:|--:|"]
        for name, found in cells.items():
            noisy = " (n)" if any(r["foreign"] > QUIET for r in found) else ""
            ratio, share = (f"{speed[name] / fastest:.2f}", f"{memory[name] / smallest:.2f}") if torch else ("–", "–")
            lines.append(f"| {name} | {speed[name]:,.0f}{noisy} | {ratio} | {memory[name]:,.0f} | {share} | {found[0]['parameters']:,} | {found[0]['loss_first']:.3f} → {found[0]['loss_last']:.3f} |")
            if torch and name in COUNTED:
                worst[name] = (min(worst.get(name, (math.inf, 0))[0], speed[name] / fastest), max(worst.get(name, (0, 0.0))[1], memory[name] / smallest))
        lines.append("")
    return "\n".join(lines), worst


def main():
    p = argparse.ArgumentParser(prog="bench/finetune_vs_pytorch.sh", description=__doc__.splitlines()[0])
    p.add_argument("--pairs", type=int, default=5, help="rounds (default 5)")
    p.add_argument("--shape", choices=list(SHAPES), default="124m")
    p.add_argument("--precisions", nargs="+", choices=["fp32", "bf16"], default=["fp32"])
    p.add_argument("--programs", nargs="+", choices=list(PROGRAMS), default=list(PROGRAMS))
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--steps", type=int)
    p.add_argument("--warmup", type=int)
    p.add_argument("--repeats", type=int, default=1)
    p.add_argument("--gradus", default="./gradus", help="command before `bench train`")
    p.add_argument("--pytorch", default=f"{shlex.quote(sys.executable)} bench/pytorch_lora.py", help="command of the PyTorch side")
    p.add_argument("--require", type=float, help="exit with 1 unless LoRA and both QLoRA reach this ratio of speed, and at most 1.0 of the memory")
    p.add_argument("--out", default="bench/results/finetune-vs-pytorch.md")
    o = p.parse_args()
    rows, text, worst = [], "", {}
    for number in range(1, o.pairs + 1):
        for precision in o.precisions:
            for name in o.programs if number % 2 else reversed(o.programs):
                result = measure(name, precision, o)
                rows.append({"precision": precision, "name": name, "round": number, "result": result})
                print(f"round {number} {precision} {name:24} {result['tokens_per_second']:10,.1f} tokens/s {result['peak_rss_mb']:8,.0f} MB {result['seconds']:6.1f} s, others used {result['foreign']:.0%}", file=sys.stderr, flush=True)
        text, worst = report(rows, o)
        out = ROOT / o.out
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        raw = ROOT / "build" / "bench" / "finetune-vs-pytorch.jsonl"
        raw.parent.mkdir(parents=True, exist_ok=True)
        raw.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(text)
    failed = {name: pair for name, pair in worst.items() if o.require and (pair[0] < o.require or pair[1] > 1.0)}
    if failed:
        sys.exit(f"bench: below {o.require:.2f} of PyTorch's speed or above its memory: " + "; ".join(f"{name} {a:.2f}, {b:.2f}" for name, (a, b) in failed.items()))


if __name__ == "__main__":
    main()
