#!/usr/bin/env python3
"""GPT-2 training in eager PyTorch, written as its users write it: the other side of train_vs_pytorch.sh.

Prints one JSON line; `gradus bench train` takes the same arguments and prints the same fields. Runs on PyTorch 1.13 to 2.14.
Thread pools, malloc and ATEN_CPU_CAPABILITY are taken from the environment: the caller decides them.

Data, the same in both programs: token n of the run is splitmix64(seed * 2^32 + n) mod vocab, read in rows of seq + 1 (inputs are the
first seq, targets the last seq), batch rows a step, no token used twice.
"""
import argparse
import json
import math
import os
import platform
import statistics
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self, width, heads, seq, fused):
        super().__init__()
        self.heads, self.fused = heads, fused
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.register_buffer("mask", torch.ones(seq, seq, dtype=torch.bool).triu(1), persistent=False)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (part.view(b, t, self.heads, c // self.heads).transpose(1, 2) for part in self.c_attn(x).split(c, dim=2))
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(c // self.heads))
            y = F.softmax(scores.masked_fill(self.mask[:t, :t], float("-inf")), dim=-1) @ v
        return self.c_proj(y.transpose(1, 2).contiguous().view(b, t, c))


class Block(nn.Module):
    def __init__(self, width, heads, seq, fused):
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(width), Attention(width, heads, seq, fused)
        self.ln_2, self.c_fc, self.c_proj = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.c_proj(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    def __init__(self, layers, heads, width, vocab, seq, fused):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab, width), nn.Embedding(seq, width)
        self.h = nn.ModuleList(Block(width, heads, seq, fused) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab, bias=False)
        self.head.weight = self.wte.weight
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0.0, 0.02 / math.sqrt(2 * layers) if name.endswith("c_proj.weight") else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, ids, targets):
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        logits = self.head(self.ln_f(x))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))


def tokens(seed, first, count, vocab):
    with np.errstate(over="ignore"):
        z = (np.arange(first, first + count, dtype=np.uint64) + np.uint64(seed << 32) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return torch.from_numpy((z % np.uint64(vocab)).astype(np.int64))


def peak_rss_mb():
    """The kernel's high-water mark of this program alone (getrusage would remember the program that started it)."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def make_optimizer(kind, parameters):
    settings = {"lr": 3e-4, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}
    if kind in ("auto", "fused"):
        try:
            optimizer = torch.optim.AdamW(parameters, fused=True, **settings)
            return optimizer, "fused"
        except (TypeError, RuntimeError):  # 1.13 has a fused AdamW on CUDA only
            if kind == "fused":
                raise
            kind = "foreach"
    return torch.optim.AdamW(parameters, foreach=kind == "foreach", **settings), kind


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--family", default="gpt2", choices=["gpt2"])
    p.add_argument("--layers", type=int, default=12)
    p.add_argument("--heads", type=int, default=12)
    p.add_argument("--width", type=int, default=768)
    p.add_argument("--vocab", type=int, default=50257)
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--seq", type=int, default=256)
    p.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--steps", type=int, default=10)
    p.add_argument("--warmup", type=int, default=3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--attention", choices=["auto", "manual", "sdpa"], default="auto")
    p.add_argument("--optimizer", choices=["auto", "fused", "foreach", "loop"], default="auto")
    p.add_argument("--json", action="store_true", help="one JSON line (the default prints it indented)")
    a = p.parse_args()

    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    has_sdpa = hasattr(F, "scaled_dot_product_attention")
    # Without MKL the bf16 sdpa of CPU PyTorch is ten times slower than the plain products; in fp32 it is the faster one.
    fused = has_sdpa and a.precision == "fp32" if a.attention == "auto" else a.attention == "sdpa"
    model = Gpt2(a.layers, a.heads, a.width, a.vocab, a.seq, fused)
    optimizer, kind = make_optimizer(a.optimizer, model.parameters())
    per_step = a.batch * (a.seq + 1)

    seconds, losses = [], []
    for step in range(a.warmup + a.steps):
        rows = tokens(a.seed, step * per_step, per_step, a.vocab).view(a.batch, a.seq + 1)
        ids, targets = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.precision == "bf16"):
            loss = model(ids, targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)

    timed = seconds[a.warmup:]
    count = a.batch * a.seq
    print(json.dumps({
        "program": "pytorch",
        "tokens_per_second": round(count / statistics.median(timed), 2),
        "best": round(count / min(timed), 2),
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "parameters": sum(q.numel() for q in model.parameters()),
        "torch_version": torch.__version__,
        "settings": {
            "family": a.family, "layers": a.layers, "heads": a.heads, "width": a.width, "vocab": a.vocab, "batch": a.batch, "seq": a.seq,
            "precision": a.precision, "threads": torch.get_num_threads(), "steps": a.steps, "warmup": a.warmup, "seed": a.seed,
            "attention": "sdpa" if fused else "manual", "optimizer": f"adamw-{kind}", "python": platform.python_version(),
            "environment": {k: os.environ[k] for k in ("ATEN_CPU_CAPABILITY", "GLIBC_TUNABLES", "OMP_NUM_THREADS") if k in os.environ},
        },
    }, indent=None if a.json else 1))


if __name__ == "__main__":
    main()
