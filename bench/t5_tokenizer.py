#!/usr/bin/env python3
"""Writes the tokenizer.json that Hugging Face publishes for T5 from its SentencePiece model: Unigram, its charsmap, Metaspace, </s>.

python3 t5_tokenizer.py spiece.model FOLDER. Reads the protocol buffer by hand: pieces (field 1) and the normaliser (field 3).
"""
import base64
import json
import pathlib
import struct
import sys


def fields(data):
    """(number, value) of each field; a value is an int or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            size = varint()
            yield key >> 3, data[at : at + size]
            at += size
        else:
            size = 4 if key & 7 == 5 else 8
            yield key >> 3, data[at : at + size]
            at += size


def main():
    model = list(fields(pathlib.Path(sys.argv[1]).read_bytes()))
    pieces, special, unknown = [], [], 0
    for number, value in model:
        if number != 1:
            continue
        piece = dict(fields(value))
        kind = piece.get(3, 1)
        if kind == 2:
            unknown = len(pieces)
        if kind in (2, 3):
            special.append(len(pieces))
        pieces.append([piece[1].decode(), struct.unpack("<f", piece[2])[0] if 2 in piece else 0.0])
    charsmap = next((dict(fields(value)).get(2, b"") for number, value in model if number == 3), b"")
    added = [{"id": i, "content": pieces[i][0], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for i in special]
    for extra in range(100):
        name = f"<extra_id_{99 - extra}>"
        added.append({"id": len(pieces), "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True})
        pieces.append([name, 0.0])
    end = next(i for i, piece in enumerate(pieces) if piece[0] == "</s>")
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [end], "tokens": ["</s>"]}},
        },
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": unknown, "vocab": pieces, "byte_fallback": False},
    }
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")


main()
