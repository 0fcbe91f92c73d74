#!/usr/bin/env python3
"""LoRA on GPT-2 in eager PyTorch, written by hand as its users write it: the other side of finetune_vs_pytorch.sh.

y = W x + b + (alpha / r) B A x on every linear of the blocks, everything else frozen; AdamW on A and B. Prints one JSON line;
`gradus bench train --lora-rank R` takes the same arguments and prints the same fields. Model, data and arguments are those of pytorch_train.py.
"""
import argparse
import json
import math
import os
import platform
import statistics
import time

import torch
import torch.nn as nn

from pytorch_train import Gpt2, make_optimizer, peak_rss_mb, tokens


class LoraLinear(nn.Module):
    def __init__(self, base, rank, alpha):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        self.a = nn.Linear(base.in_features, rank, bias=False)
        self.b = nn.Linear(rank, base.out_features, bias=False)
        nn.init.kaiming_uniform_(self.a.weight, a=math.sqrt(5))
        nn.init.zeros_(self.b.weight)

    def forward(self, x):
        return self.base(x) + self.b(self.a(x)) * self.scale


def add_lora(model, rank):
    for p in model.parameters():
        p.requires_grad_(False)
    for block in model.h:
        for owner in (block, block.attn):
            for name, child in list(owner.named_children()):
                if isinstance(child, nn.Linear):
                    setattr(owner, name, LoraLinear(child, rank, 2 * rank))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--family", default="gpt2", choices=["gpt2"])
    for name, value in {"layers": 12, "heads": 12, "width": 768, "vocab": 50257, "batch": 4, "seq": 256, "steps": 6, "warmup": 2, "seed": 1, "lora-rank": 8}.items():
        p.add_argument(f"--{name}", type=int, default=value)
    p.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--json", action="store_true")
    a = p.parse_args()

    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    fused = hasattr(torch.nn.functional, "scaled_dot_product_attention") and a.precision == "fp32"
    model = Gpt2(a.layers, a.heads, a.width, a.vocab, a.seq, fused)
    if a.lora_rank > 0:
        add_lora(model, a.lora_rank)
    trained = [q for q in model.parameters() if q.requires_grad]
    optimizer, kind = make_optimizer("auto", trained)
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
        "program": "pytorch", "tokens_per_second": round(count / statistics.median(timed), 2), "best": round(count / min(timed), 2),
        "peak_rss_mb": round(peak_rss_mb(), 1), "loss_first": losses[0], "loss_last": losses[-1], "parameters": sum(q.numel() for q in trained),
        "torch_version": torch.__version__,
        "settings": {
            "family": a.family, "layers": a.layers, "heads": a.heads, "width": a.width, "vocab": a.vocab, "batch": a.batch, "seq": a.seq, "precision": a.precision,
            "threads": torch.get_num_threads(), "steps": a.steps, "warmup": a.warmup, "seed": a.seed, "lora_rank": a.lora_rank, "optimizer": f"adamw-{kind}", "python": platform.python_version(),
        },
    }, indent=None if a.json else 1))


if __name__ == "__main__":
    main()
