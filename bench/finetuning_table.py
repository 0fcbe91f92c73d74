#!/usr/bin/env python3
"""Ways to tune one small real model, side by side: writes docs/results/finetuning.md.

Started by finetuning_table.sh. The base is stories260K (a Llama trained on TinyStories), the new domain tinyshakespeare: the last tenth of it is
held out, and a TinyStories text shows what is forgotten. Each method trains for the same number of steps on the same rows with three seeds; its
learning rate is the best of those named in METHODS on the first seed, chosen on the validation split, never on the held-out text.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import time

from train_vs_pytorch import ROOT, cpu, shell

DATA = ROOT.parent / "shared" / "data"
WORK = ROOT / "build" / "bench" / "finetuning"
METHODS = {  # name -> (adapter section or None, learning rates)
    "full": (None, [3e-4, 1e-3, 3e-3]),
    "LoRA r=8, all linears": ("{kind: lora, rank: 8, alpha: 16}", [1e-3, 3e-3, 1e-2]),
    "rsLoRA r=8": ("{kind: lora, rank: 8, alpha: 16, rslora: true}", [1e-3, 3e-3, 1e-2]),
    "DoRA r=8": ("{kind: lora, rank: 8, alpha: 16, dora: true}", [1e-3, 3e-3, 1e-2]),
    "QLoRA int8 r=8": ("{kind: lora, rank: 8, alpha: 16, base: {kind: int8}}", [1e-3, 3e-3, 1e-2]),
    "QLoRA nf4 r=8": ("{kind: lora, rank: 8, alpha: 16, base: {kind: nf4}}", [1e-3, 3e-3, 1e-2]),
    "bottleneck 16": ("{kind: bottleneck, size: 16}", [1e-3, 3e-3, 1e-2]),
    "prefix 16": ("{kind: prefix, length: 16}", [1e-2, 3e-2, 1e-1]),
    "prompt 16": ("{kind: prompt, length: 16}", [1e-2, 3e-2, 1e-1]),
    "IA3": ("{kind: ia3}", [1e-2, 3e-2, 1e-1]),
}


def gradus(o, *arguments):
    """The last line of output as JSON, the seconds and the peak memory of the process."""
    began = time.monotonic()
    process = subprocess.Popen([*shlex.split(o.gradus), *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process.stderr:
        out = process.stdout.read()
        err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    code, peak = os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024
    if code != 0:
        sys.exit(f"finetuning: gradus {shlex.join(arguments)} ended with {code}\n{err[-2000:]}")
    lines = [line for line in out.splitlines() if line.startswith("{")]
    return (json.loads(lines[-1]) if lines else {}), time.monotonic() - began, peak


def prepare(o):
    WORK.mkdir(parents=True, exist_ok=True)
    base = WORK / "base"
    if not (base / "config.json").exists():
        gradus(o, "convert", str(DATA / "ckpt-stories260K" / "stories260K.bin"), str(base), "--tokenizer", str(DATA / "ckpt-stories260K" / "tok512.bin"))
    text = (DATA / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    cut = text.index("\n\n", len(text) * 9 // 10)
    (WORK / "train.txt").write_text(text[:cut], encoding="utf-8")
    (WORK / "held.txt").write_text(text[cut:], encoding="utf-8")
    (WORK / "general.txt").write_text((DATA / "tinystories" / "tinystories_sample.txt").read_text(encoding="utf-8"), encoding="utf-8")
    (WORK / "recipe.yaml").write_text(f"""name: finetuning
model: {{ kind: llama, from: "{base}" }}
data:
  sources: [{{ kind: text, path: "{WORK / 'train.txt'}", documents: passage, passage_bytes: 4096 }}]
  split: {{ validation: 0.05, test: 0 }}
data_cache: "{WORK / 'cache'}"
windows: {{ length: 128, random_phase: true }}
preflight: {{ overfit_steps: 0 }} # time and memory are to be the run's own
optimizer: {{ kind: adamw, weight_decay: 0 }}
trainer: {{ steps: {o.steps}, batch: 8, validate_every: {o.steps}, save_every: 0, schedule: {{ kind: cosine, warmup_steps: {max(1, o.steps // 20)} }} }}
""", encoding="utf-8")


def bits(o, model, text):
    return gradus(o, "eval", str(model), "--data", str(WORK / text), "--length", "256", "--json")[0]["bits_per_byte"]


def train(o, name, adapter, rate, seed):
    out = WORK / "runs" / f"{''.join(c if c.isalnum() else '-' for c in name)}-{rate}-{seed}"
    if out.exists():
        subprocess.run(["rm", "-r", str(out)], check=True)
    sets = [f"optimizer.learning_rate={rate}", f"trainer.seed={seed}", *([f"adapter={adapter}"] if adapter else [])]
    _, seconds, peak = gradus(o, "train", str(WORK / "recipe.yaml"), "--out", str(out), "--json", *(t for s in sets for t in ("--set", s)))
    metrics = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    validation = [m["validation_loss"] for m in metrics if "validation_loss" in m][-1]
    tensors = max(m["timing"].get("peak_tensor_bytes", 0) for m in metrics) / 1e6
    report = (out / "report.md").read_text()
    row = next((line for line in report.splitlines() if line.startswith("| of them trained")), None) or next(line for line in report.splitlines() if line.startswith("| parameters"))
    state = gradus(o, "train", str(WORK / "recipe.yaml"), "--dry-run", "--json", *(t for s in sets for t in ("--set", s)))[0]["state_bytes"] / 1e6
    trained = int(row.split("|")[2].split("(")[0].strip().replace(",", ""))
    return {"rate": rate, "validation": validation, "trained": trained, "seconds": seconds, "peak": peak, "tensors": tensors, "state": state, "held": bits(o, out, "held.txt"), "general": bits(o, out, "general.txt")}


def main():
    p = argparse.ArgumentParser(prog="bench/finetuning_table.sh", description=__doc__.splitlines()[0])
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    p.add_argument("--gradus", default=str(ROOT / "gradus"))
    p.add_argument("--out", default="docs/results/finetuning.md")
    o = p.parse_args()
    if not DATA.exists():
        sys.exit(f"finetuning: needs {DATA} (stories260K, tinyshakespeare, tinystories)")
    prepare(o)
    before = (bits(o, WORK / "base", "held.txt"), bits(o, WORK / "base", "general.txt"))
    lines = ["# Fine-tuning methods side by side", "",
             f"Made by `bench/finetuning_table.sh` on {time.strftime('%Y-%m-%d', time.gmtime())}, commit {shell('git', 'rev-parse', '--short', 'HEAD') or '?'}: {cpu()}. Base: stories260K "
             f"(260,032 parameters, trained on TinyStories by llama2.c's author). Domain: tinyshakespeare, last tenth held out; {o.steps} steps of 8 rows of 128 tokens. Learning rate: the best on "
             "validation, first seed. Mean ± standard deviation over seeds " + ", ".join(str(1 + s) for s in range(o.seeds)) + ". Bits a byte: lower is better.", "",
             f"Before tuning: domain {before[0]:.4f}, general text (TinyStories) {before[1]:.4f}.", "",
             "| method | trained | rate | domain, bits a byte | general | forgotten | state MB | peak tensor MB | process MB | seconds |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name in o.methods:
        adapter, rates = METHODS[name]
        first = [train(o, name, adapter, rate, 1) for rate in rates]
        best = min(first, key=lambda r: r["validation"])
        runs = [best, *(train(o, name, adapter, best["rate"], 1 + s) for s in range(1, o.seeds))]

        def both(key):
            values = [r[key] for r in runs]
            return f"{statistics.mean(values):.4f} ± {statistics.stdev(values) if len(values) > 1 else 0:.4f}"
        lines.append(f"| {name} | {best['trained']:,} | {best['rate']:g} | {both('held')} | {both('general')} | {statistics.mean(r['general'] for r in runs) - before[1]:+.4f} "
                     f"| {best['state']:.3f} | {statistics.median(r['tensors'] for r in runs):.3f} | {statistics.median(r['peak'] for r in runs):,.0f} | {statistics.median(r['seconds'] for r in runs):.1f} |")
        print(lines[-1], file=sys.stderr, flush=True)
        out = ROOT / o.out
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text("\n".join(lines) + "\n\nState: weights, gradients and optimiser state, as `gradus train --dry-run` counts them. Peak tensor MB: the most that all tensors took at one moment of the run, activations "
                       "included, as the allocator counted (`metrics.jsonl`). On a model this small the process is mostly the program itself; `bench/finetune_vs_pytorch.sh` measures processes on GPT-2 124M, full, LoRA and QLoRA.\n", encoding="utf-8")


if __name__ == "__main__":
    main()
