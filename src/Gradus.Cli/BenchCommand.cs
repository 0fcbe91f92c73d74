using System.CommandLine;
using Gradus.Training.Loop;

namespace Gradus.Cli;

/// <summary><c>gradus bench train|tokenizer|tokenizer-train|tokenizer-fuzz|data</c>: how fast this machine trains a given shape, and what is beside it.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var d = new TrainBenchmarkOptions();
        var family = Option("--family", "Model family", d.Family);
        var (layers, heads, width, vocab) = (Option("--layers", "Blocks", d.Layers), Option("--heads", "Attention heads", d.Heads), Option("--width", "Model width", d.Width), Option("--vocab", "Vocabulary", d.Vocab));
        var (batch, seq) = (Option("--batch", "Rows a step", d.Batch), Option("--seq", "Tokens a row", d.Seq));
        var precision = Option("--precision", "fp32 or bf16", "fp32");
        precision.AcceptOnlyFromAmong("fp32", "bf16");
        var (threads, steps, warmup, seed) = (Option("--threads", "Threads", d.Threads), Option("--steps", "Timed steps", d.Steps), Option("--warmup", "Steps before the timed ones", d.Warmup), Option("--seed", "Seed of weights and data", d.Seed));
        var (lora, held) = (Option("--lora-rank", "Rank of LoRA on every linear; 0: the whole model trains", 0), Option("--base", "How LoRA's frozen base is held: dense, int8 or nf4", "dense"));
        var json = new Option<bool>("--json") { Description = "One JSON line" };
        foreach (var number in new[] { layers, heads, width, vocab, batch, seq, threads, steps })
            number.Validators.Add(r => { if (r.Tokens.Count > 0 && r.GetValueOrDefault<int>() < 1) r.AddError($"{number.Name} must be at least 1"); });
        var train = new Command("train", "Times training steps (forward, backward, AdamW) of a fresh model on random tokens; bench/train_vs_pytorch.sh runs PyTorch beside it.\n\nExample:\n  gradus bench train --layers 6 --heads 6 --width 384 --vocab 4096 --batch 16 --precision bf16")
            { family, layers, heads, width, vocab, batch, seq, precision, threads, steps, warmup, seed, lora, held, json };
        train.SetAction(r =>
        {
            var result = TrainBenchmark.Run(new TrainBenchmarkOptions
            {
                Family = r.GetValue(family)!, Layers = r.GetValue(layers), Heads = r.GetValue(heads), Width = r.GetValue(width), Vocab = r.GetValue(vocab), Batch = r.GetValue(batch), Seq = r.GetValue(seq),
                Precision = r.GetValue(precision) == "bf16" ? Precision.Bf16 : Precision.Fp32, Threads = r.GetValue(threads), Steps = r.GetValue(steps), Warmup = Math.Max(0, r.GetValue(warmup)), Seed = r.GetValue(seed), LoraRank = Math.Max(0, r.GetValue(lora)), Base = r.GetValue(held)!,
            });
            if (r.GetValue(json)) Terminal.Json(result);
            else Terminal.Out(FormattableString.Invariant($"{result.TokensPerSecond:N0} tokens/s (best {result.Best:N0}), peak memory {result.PeakRssMb:N0} MB, loss {result.LossFirst:F3} → {result.LossLast:F3}, libtorch {result.Libtorch}"));
            return ExitCode.Done;
        });
        var bench = new Command("bench", "Measures this machine and this build.\n\nExample:\n  gradus bench train") { train };
        foreach (var command in (Command[])[.. TokenizerBenchmark.Create(), TokenizerFuzz.Create(), TokenizerGrowth.Create(), .. DataBenchmark.Create()])
            bench.Add(command);
        return bench;
    }

    private static Option<T> Option<T>(string name, string description, T value) => new(name) { Description = $"{description} ({value})", DefaultValueFactory = _ => value };
}
