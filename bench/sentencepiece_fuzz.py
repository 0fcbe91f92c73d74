#!/usr/bin/env python3
"""Gradus against Debian's sentencepiece: ids and decoded text of adversarial strings. Started by sentencepiece_fuzz.sh."""
import gzip
import json
import lzma
import os
import pathlib
import random
import subprocess
import sys

import sentencepiece

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("DATA", ROOT.parent / "shared/data")).resolve()
WORK = ROOT / "build/bench/sentencepiece"
GRADUS = os.environ.get("GRADUS", str(ROOT / "gradus"))
SYMBOLS = "--user_defined_symbols=<sep>,foo bar,▁the,é,abcabc"
TRAINED = {
    "unigram-nmt": ["--model_type=unigram"],
    "unigram-casefold": ["--model_type=unigram", "--normalization_rule_name=nmt_nfkc_cf", "--add_dummy_prefix=false", "--remove_extra_whitespaces=false"],
    "unigram-identity": ["--model_type=unigram", "--normalization_rule_name=identity", "--character_coverage=0.98", "--byte_fallback=true", "--control_symbols=<c1>", SYMBOLS],
    "unigram-suffix": ["--model_type=unigram", "--treat_whitespace_as_suffix=true"],
    "bpe-nmt": ["--model_type=bpe"],
    "bpe-identity": ["--model_type=bpe", "--normalization_rule_name=identity", "--character_coverage=0.98", "--byte_fallback=true", "--remove_extra_whitespaces=false", SYMBOLS],
    "bpe-nfkc": ["--model_type=bpe", "--normalization_rule_name=nfkc", "--split_digits=true", "--remove_extra_whitespaces=false"],
    "char": ["--model_type=char", "--vocab_size=1500", "--user_defined_symbols=<sep>,foo bar"],
    "char-bytes": ["--model_type=char", "--vocab_size=1500", "--byte_fallback=true"],
    "word": ["--model_type=word", "--vocab_size=5000"],
    "word-bytes": ["--model_type=word", "--vocab_size=5000", "--byte_fallback=true"],
}
SHARED = {"t5": "tok-t5/spiece.model", "test": "tok-sentencepiece-tests/test_model.model"}
BITS = [" ", "  ", "   ", "\t", "\n", "\r\n", "\r", "▁", "▁▁", "a", "b", "ab", "the", " the", "The", "é", "e\u0301", "ﬁ", "Ａ", "ｱﾞ", "①", "½", "™", "\u00a0", "\u3000", "\u200b", "\u200d", "\ufeff", "\0",
        "\x01", "\x7f", "\x85", "👍🏽", "👨‍👩‍👧", "🇩🇪", "\U0001F9D1", "日本", "語", "한국", "\u1112\u1161\u11ab", "ا", "ﷺ", "क्षि", "<sep>", "foo bar", "foo", "▁the", "abcabc", "abc", "<s>", "</s>", "<unk>", "<0x41>",
        "<c1>", "123", "4", "İ", "ß", "ẞ", "Σ", "ς", "\ufffd", "\U0010FFFF", "\ue000", "\u0340", "ǅ", "゙", "が", "か\u3099", "\u2028", ".", ",", "!", "😀", "☃", "\u0e33", "\u0f77", "x\u0323\u0307", "\u1e9b\u0323", "Q",
        "Ω", "Å", "ʼn", "\u00ad", "\u034f", "\u180e", "\u2060", "㍿", "﷽", "⅕", "₂", "²", "~", "〜", "～", "\u1ae3"]


def declarations():
    with lzma.open(DATA / "udhr/udhr.jsonl.xz", "rt", encoding="utf-8") as stream:
        return [json.loads(line)["text"] for line in stream]


def strings():
    draw = random.Random(7)
    made = ["".join(draw.choice(BITS) for _ in range(draw.randint(1, 14))) for _ in range(6000)]
    ranges = [(0, 0x7F), (0, 0x2FF), (0x300, 0x36F), (0, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x1FFFF), (0x3040, 0x30FF)]
    made += ["".join(chr(draw.randint(*draw.choice(ranges))) for _ in range(draw.randint(1, 12))) for _ in range(3000)]
    for text in declarations():
        for line in [line for line in text.split("\n") if line.strip()][:30:6]:
            line = list(line)
            for _ in range(draw.randint(0, 4)):
                line.insert(draw.randint(0, len(line)), draw.choice(BITS))
            made.append("".join(line))
    made += [unit * n for unit in ["a", " ", "▁", "日", "é", "foo bar", "<sep>", "ab", "😀", "\u0301"] for n in [1, 2, 3, 5, 17, 64, 200]]
    return made + ["", "▁ ", " ▁", " ▁ a ▁ "]


def training_text():
    draw = random.Random(1)
    with gzip.open(DATA / "sotu/sotu.jsonl.gz", "rt", encoding="utf-8") as stream:
        speeches = [json.loads(line)["text"] for line in stream]
    lines = [line.strip() for text in declarations()[::14] + speeches[::12] for line in text.split("\n") if line.strip()]
    lines += (DATA / "sentencepiece-corpora/wagahaiwa_nekodearu.txt").read_text(encoding="utf-8").split("\n")[:1000]
    draw.shuffle(lines)
    return "\n".join(lines) + "\n"


def model(name):
    if name in SHARED:
        return DATA / SHARED[name]
    path = WORK / f"{name}.model"
    if not path.exists():
        text = WORK / "train.txt"
        if not text.exists():
            text.write_text(training_text(), encoding="utf-8")
        options = TRAINED[name] if any("vocab_size" in o for o in TRAINED[name]) else ["--vocab_size=4000", *TRAINED[name]]
        made = subprocess.run(["spm_train", f"--input={text}", f"--model_prefix={WORK / name}", "--num_threads=2", *options], capture_output=True, text=True)
        if made.returncode != 0:
            sys.exit(f"sentencepiece_fuzz: {name}: {made.stderr[-600:]}")
    return path


def gradus(verb, path, rows):
    file = WORK / f"{verb}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = subprocess.run([GRADUS, "tokenizer", verb, path, "--file", file, "--json", *(["--no-special-tokens"] if verb == "decode" else [])], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"sentencepiece_fuzz: {verb} with {path}: {out.stderr[-600:]}")
    return [json.loads(line) for line in out.stdout.splitlines()]


def main():
    names = sys.argv[1:] or [*TRAINED, *SHARED]
    for name in names:
        if name not in TRAINED and name not in SHARED:
            sys.exit(f"sentencepiece_fuzz: '{name}' is not one of {', '.join([*TRAINED, *SHARED])}")
    WORK.mkdir(parents=True, exist_ok=True)
    texts, wrong = strings(), 0
    for name in names:
        path = model(name)
        reference = sentencepiece.SentencePieceProcessor(model_file=str(path))
        expected = [reference.encode(text) for text in texts]
        ids = [row["ids"] for row in gradus("encode", path, [{"text": text} for text in texts])]
        decoded = [row["text"] for row in gradus("decode", path, [{"ids": row} for row in expected])]
        assert len(ids) == len(decoded) == len(texts)
        differ = [i for i in range(len(texts)) if ids[i] != expected[i]]
        other = [i for i in range(len(texts)) if decoded[i] != reference.decode(expected[i])]
        for i in differ[:3]:
            print(f"  {texts[i]!r}: sentencepiece {expected[i]}, gradus {ids[i]}")
        for i in other[:3]:
            print(f"  {expected[i]}: sentencepiece {reference.decode(expected[i])!r}, gradus {decoded[i]!r}")
        print(f"{name}: {len(texts):,} strings: {len(differ)} differ in ids, {len(other)} in decoded text", flush=True)
        wrong += len(differ) + len(other)
    sys.exit(1 if wrong else 0)


main()
