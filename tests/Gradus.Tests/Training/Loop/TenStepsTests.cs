using System.Text.Json;
using Gradus.Engine.Tensors;
using Gradus.Models.Families;
using Gradus.Text.Data;
using Gradus.Training.Loop;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Loop;

/// <summary>Ten AdamW steps of whole models through our trainer, next to Transformers and torch.optim.</summary>
[Row("G1"), Row("G4"), Row("F1")]
public sealed class TenStepsTests
{
    [Theory, InlineData("gpt2"), InlineData("llama"), InlineData("llama-tied"), InlineData("llama31")]
    public void Losses_and_final_weights_are_those_of_PyTorch(string name)
    {
        var (losses, expected, untrained) = Run(name, new AdamWOptions { LearningRate = 1e-3, WeightDecay = 0.01, Decay = DecayScope.All }, out var worst, out var moved);
        Assert.All(losses.Zip(expected), l => Assert.Equal(l.Second, l.First, 1e-4));
        // Adam divides by the root of tiny squares: a rounding of the gradient can move a weight by a good part of a step of 1e-3.
        Assert.InRange(worst, 0, 2e-4);
        Assert.True(moved > 5e-3, "ten steps at 1e-3 move weights further than that");
        Assert.Contains(losses.Zip(untrained), l => Math.Abs(l.First - l.Second) > 0.01); // not what untrained weights give
    }

    [Fact]
    public void Another_optimiser_does_not_pass()
    {
        var (losses, expected, _) = Run("llama", new SgdOptions { LearningRate = 1e-3 }, out var worst, out _);
        Assert.Contains(losses.Zip(expected), l => Math.Abs(l.First - l.Second) > 1e-3);
        Assert.True(worst > 1e-3);
    }

    private static (double[] Losses, double[] Expected, double[] Untrained) Run(string name, OptimizerOptions optimizerOptions, out double worst, out double moved)
    {
        using var scope = Tensor.Scope();
        using var parity = JsonDocument.Parse(File.ReadAllText(Repo.Fixture($"models/{name}/parity.json")));
        var (_, model) = ModelFolder.Load(Repo.Fixture($"models/{name}"));
        using var owned = model;
        var start = model.Parameters.ToDictionary(p => p.Name, p => p.Value.Detach().Clone());
        var options = new TrainerOptions { Steps = 10, Batch = 3, ClipNorm = null, ValidateEvery = 0, SaveEvery = 0, Schedule = new ConstantOptions() };
        using var optimizer = optimizerOptions.Build(model.Parameters);
        var reports = new SmallRun.Recorder();
        new Trainer(options, optimizerOptions.LearningRate, model, new CausalLmOptions().Build(), optimizer, new FixtureRows(name), new SingleWorld(), [reports], new RunState()).Run(TestContext.Current.CancellationToken);

        var trained = FixtureTensors.Read($"models/{name}/trained.safetensors");
        var undetermined = parity.RootElement.GetProperty("undetermined").GetProperty("ranges");
        (worst, moved) = (0, 0);
        foreach (var parameter in model.Parameters)
        {
            var (ours, theirs, before) = (parameter.Value.ToArray<double>(), trained[parameter.Name].ToArray<double>(), start[parameter.Name].ToArray<double>());
            var left = undetermined.TryGetProperty(parameter.Name, out var range) ? (range[0].GetInt32(), range[1].GetInt32()) : (0, 0);
            for (var i = 0; i < ours.Length; i++)
            {
                if (i >= left.Item1 && i < left.Item2) continue;
                worst = Math.Max(worst, Math.Abs(ours[i] - theirs[i]));
                moved = Math.Max(moved, Math.Abs(ours[i] - before[i]));
            }
        }
        double[] Numbers(string key) => [.. parity.RootElement.GetProperty("adamw").GetProperty(key).EnumerateArray().Select(v => v.GetDouble())];
        return ([.. reports.Steps.Select(s => s.Loss)], Numbers("losses"), Numbers("losses_untrained"));
    }

    /// <summary>The ten batches of a fixture, three rows each.</summary>
    private sealed class FixtureRows : IBatchSource
    {
        private readonly int[] _ids, _targets;

        public FixtureRows(string name)
        {
            using var scope = Tensor.Scope();
            var tensors = FixtureTensors.Read($"models/{name}/parity.safetensors");
            (_ids, _targets) = (tensors["ids"].ToArray<int>(), tensors["targets"].ToArray<int>());
        }

        public int Length => 24;
        public long RowsPerEpoch => 30;
        public long TokensPerEpoch => 720;

        public TokenBatch Rows(long first, int rows)
        {
            var batch = new TokenBatch(rows, Length);
            _ids.AsSpan((int)first * Length, rows * Length).CopyTo(batch.Ids);
            _targets.AsSpan((int)first * Length, rows * Length).CopyTo(batch.Targets);
            for (var i = 0; i < batch.Positions.Length; i++) batch.Positions[i] = i % Length;
            batch.TargetCount = batch.Targets.Count(t => t != TokenBatch.Ignore);
            return batch;
        }
    }
}
