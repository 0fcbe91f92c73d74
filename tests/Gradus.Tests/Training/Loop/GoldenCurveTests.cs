using System.Globalization;
using System.Text.Json;
using Gradus.Engine;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Training.Loop;

namespace Gradus.Tests.Training.Loop;

/// <summary>
/// The first steps of every recipe, in float32, against the curve that was recorded: a refactor must not move a bit. The last bits belong to a
/// kind of machine (the libraries pick their kernels by processor), so each kind has its own record, and a machine without one is held to the
/// others' curve within rounding. <c>GRADUS_ACCEPT=1</c> records this machine's; the change is for review, never to make a test pass.
/// </summary>
public sealed class GoldenCurveTests : IDisposable
{
    // What machines without a record of their own may differ by: the first loss, a forward pass, by the order of its sums; later ones also because
    // Muon works in bfloat16 where a processor multiplies it. Estimates: only one kind of machine is recorded yet.
    private const double FirstRounding = 1e-5, LaterRounding = 1e-2;

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };
    private readonly TempFolder _folder = Repo.Temp();

    public static TheoryData<string> Recipes =>
        [.. Directory.EnumerateFiles(Path.Combine(Repo.Root, "recipes"), "*.yaml", SearchOption.AllDirectories).Where(path => File.ReadAllText(path) is var text && text.Contains("\ntrainer:", StringComparison.Ordinal) && !text.Contains("\nrecords:", StringComparison.Ordinal) && !text.Contains("\nadapter:", StringComparison.Ordinal)).Select(path => Path.GetRelativePath(Path.Combine(Repo.Root, "recipes"), path)).Order(StringComparer.Ordinal)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Recipes))]
    [Row("G1"), Row("G18")]
    public void The_first_steps_of_a_recipe_are_the_recorded_ones(string recipe)
    {
        var curve = Curve(recipe);
        Assert.True(curve.Losses[^1] < curve.Losses[0], "the loss did not fall");
        var path = Repo.Fixture($"golden/{recipe.Replace('/', '-').Replace(".yaml", ".json", StringComparison.Ordinal)}");
        var recorded = File.Exists(path) ? JsonSerializer.Deserialize<SortedDictionary<string, Golden>>(File.ReadAllText(path))! : new SortedDictionary<string, Golden>(StringComparer.Ordinal);
        var machine = Machine();
        if (Environment.GetEnvironmentVariable("GRADUS_ACCEPT") == "1")
        {
            recorded[machine] = curve;
            File.WriteAllText(path, JsonSerializer.Serialize(recorded, s_json) + "\n");
            return;
        }

        Assert.True(recorded.Count > 0, $"{path}: nothing recorded; run this test with GRADUS_ACCEPT=1");
        if (recorded.TryGetValue(machine, out var golden))
        {
            Assert.Equal(golden.Losses, curve.Losses);
            Assert.Equal(golden.Weights, curve.Weights);
            return;
        }

        foreach (var (other, theirs) in recorded)
            for (var i = 0; i < curve.Losses.Length; i++)
                Assert.True(Math.Abs(curve.Losses[i] / theirs.Losses[i] - 1) < (i == 0 ? FirstRounding : LaterRounding), $"step {i + 1}: {curve.Losses[i]}, on {other} {theirs.Losses[i]}");
    }

    [Fact]
    [Row("G1")]
    public void A_curve_tells_a_changed_formula()
    {
        // The controls: a small change is seen by a machine with a record, a gross one by any.
        var (sound, small, gross) = (Curve("pretrain/tiny.yaml"), Curve("pretrain/tiny.yaml", "optimizer.beta2=0.99"), Curve("pretrain/tiny.yaml", "optimizer.learning_rate=2e-2"));
        Assert.Equal(sound.Losses[0], small.Losses[0]);
        Assert.NotEqual(sound.Losses[^1], small.Losses[^1]);
        Assert.NotEqual(sound.Weights, small.Weights);
        Assert.True(Math.Abs(gross.Losses[^1] / sound.Losses[^1] - 1) > 2 * LaterRounding, $"{sound.Losses[^1]} and {gross.Losses[^1]}");
    }

    private Golden Curve(string recipe, params string[] overrides)
    {
        var text = _folder.File("text.txt");
        File.WriteAllText(text, SeededText.Paragraphs(3000));
        var run = _folder.File($"run-{Directory.GetDirectories(_folder.Path).Length}");
        string[] small =
        [
            "trainer.steps=6", "trainer.batch=2", "trainer.precision=fp32", "trainer.schedule.warmup_steps=2", "trainer.validate_every=6", "trainer.validate_batches=1",
            "data.split={validation: 0.1, test: 0}", $"data.sources=[{{kind: text, path: {text}, documents: passage, passage_bytes: 2048}}]",
        ];
        var options = RecipeFile.Read<TrainRecipe>(Path.Combine(Repo.Root, "recipes", recipe), [.. small, .. overrides]);
        Assert.Equal(RunEnd.Finished, TrainingRun.Execute(options, run, resume: false, [], stop: TestContext.Current.CancellationToken).End);
        var losses = File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement).Where(e => e.TryGetProperty("loss", out _)).Select(e => e.GetProperty("loss").GetDouble());
        return new Golden([.. losses], Hashing.Sha256File(Path.Combine(run, "model", "model.safetensors")));
    }

    /// <summary>What decides the last bits: library, processor and its vectors, threads.</summary>
    private static string Machine()
    {
        var lines = File.Exists("/proc/cpuinfo") ? File.ReadAllLines("/proc/cpuinfo") : [];
        string Of(string key) => lines.FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";
        var flags = Of("flags").Split(' ');
        var vectors = new[] { "amx_tile", "avx512_bf16", "avx512f", "avx2" }.FirstOrDefault(flags.Contains) ?? "plain";
        return string.Create(CultureInfo.InvariantCulture, $"libtorch {EngineInfo.LibtorchVersion}, {Of("vendor_id")} family {Of("cpu family")} model {Of("model")}, {vectors}, {EngineInfo.Threads} thread");
    }

    private sealed record Golden(double[] Losses, string Weights);
}
