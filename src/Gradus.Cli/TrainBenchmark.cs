using System.Diagnostics;
using System.Globalization;
using Gradus.Engine;
using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families.Gpt2;
using Gradus.Models.Nn;
using Gradus.Models.Peft;
using Gradus.Training.Loop;
using Gradus.Training.Optim;

namespace Gradus.Cli;

/// <summary>What to train and how long; the names are those of <c>bench/pytorch_train.py</c>, whose other side this is.</summary>
public sealed record TrainBenchmarkOptions
{
    public string Family { get; init; } = "gpt2";
    public int Layers { get; init; } = 12;
    public int Heads { get; init; } = 12;
    public int Width { get; init; } = 768;
    public int Vocab { get; init; } = 50257;
    public int Batch { get; init; } = 4;
    public int Seq { get; init; } = 256;
    public Precision Precision { get; init; } = Precision.Fp32;
    public int Threads { get; init; } = Environment.ProcessorCount;
    public int Steps { get; init; } = 10;
    public int Warmup { get; init; } = 3;
    public ulong Seed { get; init; } = 1;

    /// <summary>Rank of LoRA on every linear; 0: the whole model trains.</summary>
    public int LoraRank { get; init; }

    /// <summary>How LoRA's frozen base is held: dense, or a kind of packed weight.</summary>
    public string Base { get; init; } = "dense";
}

/// <summary>What came out: tokens per second, peak memory, and the losses, which show that the same model was trained on the same data.</summary>
public sealed record TrainBenchmarkResult
{
    public string Program { get; init; } = "gradus";

    /// <summary>From the median of the timed steps.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>From the fastest step.</summary>
    public required double Best { get; init; }

    public required double PeakRssMb { get; init; }
    public required double LossFirst { get; init; }
    public required double LossLast { get; init; }
    public required long Parameters { get; init; }
    public required string TorchVersion { get; init; }
    public required string Libtorch { get; init; }
    public required IReadOnlyDictionary<string, object> Settings { get; init; }
}

/// <summary>
/// Times training steps (forward, backward, AdamW; nothing else) of a model of the given shape. Data as in
/// <c>bench/pytorch_train.py</c>: token n of the run is splitmix64(seed · 2^32 + n) mod vocabulary, in rows of seq + 1, none used twice.
/// </summary>
public static class TrainBenchmark
{
    public static TrainBenchmarkResult Run(TrainBenchmarkOptions o)
    {
        ArgumentNullException.ThrowIfNull(o);
        if (o.Family != "gpt2") throw new UserException($"bench train knows the family gpt2, not '{o.Family}'");
        EngineInfo.Threads = o.Threads;
        var options = new Gpt2Options
        {
            VocabSize = o.Vocab, NPositions = o.Seq, NEmbd = o.Width, NLayer = o.Layers, NHead = o.Heads, AttnPdrop = 0, EmbdPdrop = 0, ResidPdrop = 0,
        };
        using var model = Model(options, o);
        ComputeTypes.Set(model, o.Precision);
        using var optimizer = new AdamWOptions { Beta1 = 0.9, Beta2 = 0.95, Eps = 1e-8, WeightDecay = 0.1 }.Build(model.Parameters);
        var (seconds, losses) = (new List<double>(), new List<double>());
        for (var step = 0; step < o.Warmup + o.Steps; step++)
        {
            var (ids, targets) = Batch(o, step);
            var began = Stopwatch.GetTimestamp();
            losses.Add(Step(model, optimizer, ids, targets, o));
            seconds.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
        var timed = seconds.Skip(o.Warmup).Order().ToArray();
        var median = (timed[(timed.Length - 1) / 2] + timed[timed.Length / 2]) / 2;
        var tokens = o.Batch * o.Seq;
        return new TrainBenchmarkResult
        {
            TokensPerSecond = Math.Round(tokens / median, 2), Best = Math.Round(tokens / timed[0], 2), PeakRssMb = PeakRssMb(),
            LossFirst = losses[0], LossLast = losses[^1], Parameters = model.Parameters.Where(p => p.Trainable).Sum(p => p.Value.Elements),
            TorchVersion = EngineInfo.LibtorchVersion, Libtorch = EngineInfo.LibtorchVersion,
            Settings = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["family"] = o.Family, ["layers"] = o.Layers, ["heads"] = o.Heads, ["width"] = o.Width, ["vocab"] = o.Vocab, ["batch"] = o.Batch, ["seq"] = o.Seq,
                ["precision"] = o.Precision == Precision.Bf16 ? "bf16" : "fp32", ["threads"] = EngineInfo.Threads, ["steps"] = o.Steps, ["warmup"] = o.Warmup, ["seed"] = o.Seed,
                ["lora_rank"] = o.LoraRank, ["base"] = o.Base, ["optimizer"] = "adamw", ["runtime"] = Environment.Version.ToString(),
            },
        };
    }

    private static ILanguageModel Model(Gpt2Options options, TrainBenchmarkOptions o)
    {
        if (o.LoraRank == 0) return o.Base == "dense" ? options.BuildFresh(o.Seed) : throw new UserException($"--base {o.Base}: packed weights do not train; give a --lora-rank");
        var held = o.Base == "dense" ? null : Components.Of(typeof(WeightOptions)).FirstOrDefault(c => c.Kind == o.Base) is { } kind
            ? (WeightOptions)Activator.CreateInstance(kind.Type)!
            : throw new UserException($"--base: '{o.Base}' is not known{NearestName.Hint(o.Base, Components.Of(typeof(WeightOptions)).Select(c => c.Kind).Prepend("dense"))}");
        var model = new AdaptedModel(options.BuildFresh(o.Seed, held: held));
        model.Train(new LoraOptions { Rank = o.LoraRank, Alpha = 2 * o.LoraRank }, o.Seed);
        return model;
    }

    private static double Step(ILanguageModel model, Optimizer optimizer, long[] ids, long[] targets, TrainBenchmarkOptions o)
    {
        using var scope = Tensor.Scope();
        var hidden = model.Hidden(Tensor.From(ids, o.Batch, o.Seq), new Step { Training = true });
        var head = ((DenseWeight)model.Head.Weight).Parameter;
        var loss = F.LinearCrossEntropySum(hidden.Reshape(-1, o.Width), head.Value, Tensor.From(targets, targets.Length), head.Computed) / targets.Length;
        loss.Backward();
        optimizer.Apply(3e-4);
        foreach (var parameter in model.Parameters) parameter.Value.Gradient = null;
        return loss.Item();
    }

    private static (long[] Ids, long[] Targets) Batch(TrainBenchmarkOptions o, int step)
    {
        var (ids, targets) = (new long[o.Batch * o.Seq], new long[o.Batch * o.Seq]);
        for (var row = 0; row < o.Batch; row++)
            for (var t = 0; t <= o.Seq; t++)
            {
                var n = ((ulong)step * (ulong)o.Batch + (ulong)row) * (ulong)(o.Seq + 1) + (ulong)t;
                var token = (long)(SplitMix(unchecked((o.Seed << 32) + n)) % (ulong)o.Vocab);
                if (t < o.Seq) ids[row * o.Seq + t] = token;
                if (t > 0) targets[row * o.Seq + t - 1] = token;
            }
        return (ids, targets);
    }

    private static ulong SplitMix(ulong n)
    {
        unchecked
        {
            var z = (n + 1) * 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    /// <summary>The kernel's high-water mark of this process; the working set where there is none to read.</summary>
    private static double PeakRssMb()
    {
        if (!OperatingSystem.IsLinux()) return Environment.WorkingSet / 1048576.0;
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024.0;
    }
}
