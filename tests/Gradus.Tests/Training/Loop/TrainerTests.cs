using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Training.Loop;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Loop;

public sealed class TrainerTests
{
    private static readonly TrainerOptions Quick = new() { Steps = 6, Batch = 4, ValidateEvery = 0, SaveEvery = 0 };

    [Fact]
    [Row("G1"), Row("F1")]
    public void Training_changes_every_parameter_and_beats_the_unigram_entropy_which_no_training_does_not()
    {
        using var run = new SmallRun(new TrainerOptions { Steps = 150, Batch = 16, ValidateEvery = 0, SaveEvery = 0, Schedule = new CosineOptions { WarmupSteps = 10 } });
        var before = run.Model.Parameters.Select(p => p.Value.ToArray<float>()).ToArray();
        var held = new Validator(TestRows.Bigrams(count: 6000), 16, 0, null);
        var objective = new CausalLmOptions().Build();
        var (untrained, _, targets) = held.Measure(run.Model, objective);

        Assert.Equal(RunEnd.Finished, run.Run());

        var (trained, _, _) = held.Measure(run.Model, objective);
        Assert.All(run.Model.Parameters.Zip(before), p => Assert.NotEqual(p.Second, p.First.Value.ToArray<float>()));
        Assert.True(targets > 1000);
        var unigram = Math.Log(17); // the chain visits its 17 tokens evenly
        Assert.InRange(untrained, unigram - 0.2, unigram + 0.2);
        Assert.True(trained < unigram / 2, $"{trained} against {unigram}");
    }

    [Fact]
    [Row("F12")]
    public void Loss_at_the_start_is_the_logarithm_of_the_vocabulary()
    {
        using var run = new SmallRun(Quick with { Steps = 1 }, dropout: 0);
        run.Run();
        Assert.Equal(Math.Log(17), run.Reports.Steps[0].Loss, 0.02 * Math.Log(17));
    }

    [Theory, InlineData(2, 4), InlineData(8, 1), InlineData(4, 2)]
    [Row("G11")]
    public void Accumulation_over_batches_of_unequal_token_counts_is_one_batch(int accumulate, int batch)
    {
        var (whole, parts) = (Gradient(8, 1), Gradient(batch, accumulate));
        Assert.InRange(Distance(whole, parts), 0, 1e-6);
        Assert.True(Distance(whole, MeanOfMeans(batch, accumulate)) > 1e-3, "the naive mean of means must fail this very comparison");
    }

    private static float[] Gradient(int batch, int accumulate)
    {
        // SGD at rate 1 without decay or clipping: the update is the gradient.
        using var run = new SmallRun(new TrainerOptions { Steps = 1, Batch = batch, Accumulate = accumulate, ClipNorm = null, ValidateEvery = 0, SaveEvery = 0, Schedule = new ConstantOptions() },
            dropout: 0, data: TestRows.Bigrams(masked: 1), optimizer: new SgdOptions { LearningRate = 1 });
        var before = run.Model.Weights();
        run.Run();
        return [.. before.Zip(run.Model.Weights(), (b, a) => b - a)];
    }

    private static float[] MeanOfMeans(int batch, int accumulate)
    {
        using var model = new TinyLanguageModel();
        var (objective, rows) = (new CausalLmOptions().Build(), TestRows.Bigrams(masked: 1));
        for (var i = 0; i < accumulate; i++)
        {
            using var scope = Tensor.Scope();
            var b = rows.Rows(i * batch, batch);
            (objective.Sum(model, b, new Step { Training = true }) * (1.0 / Math.Max(1, b.TargetCount) / accumulate)).Backward();
        }
        return model.Gradients();
    }

    private static double Distance(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Abs((double)x - y)).Max();

    [Fact]
    [Row("G12")]
    public void Recomputing_activations_gives_the_same_weights_bit_for_bit_dropout_included()
    {
        using var plain = new SmallRun(Quick, dropout: 0.3);
        using var again = new SmallRun(Quick with { Recompute = true }, dropout: 0.3);
        using var other = new SmallRun(Quick with { Recompute = true }, dropout: 0);
        plain.Run();
        again.Run();
        other.Run();
        Assert.Equal(plain.Model.Weights(), again.Model.Weights());
        Assert.NotEqual(plain.Model.Weights(), other.Model.Weights()); // dropout did something
    }

    [Fact]
    [Row("G12")]
    public void Recomputing_keeps_less_memory_between_forward_and_backward()
    {
        // In processes of their own: what an earlier test freed would be taken again unseen.
        long Kept(bool recompute)
        {
            using var child = Children.Start("activation-memory", null, recompute ? "recompute" : "plain");
            var output = child.StandardOutput.ReadToEnd();
            child.WaitForExit();
            Assert.Equal(0, child.ExitCode);
            return long.Parse(output, System.Globalization.CultureInfo.InvariantCulture);
        }
        var (little, much) = (Kept(recompute: true), Kept(recompute: false));
        Assert.True(much > 2 * little, $"{little} and {much} bytes");
    }

    /// <summary>Bytes that a forward pass of eight blocks leaves behind for the backward pass.</summary>
    internal static int MemoryChild(string[] args)
    {
        using var scope = Tensor.Scope();
        using var model = new Gradus.Models.Families.Llama.LlamaOptions { VocabSize = 64, HiddenSize = 64, IntermediateSize = 256, NumHiddenLayers = 8, NumAttentionHeads = 2, NumKeyValueHeads = 2, MaxPositionEmbeddings = 256 }.BuildFresh(1);
        var ids = Tensor.Zeros(DType.Int64, Device.Cpu, 16, 256);
        using (Tensor.Scope()) Grad.Off(() => model.Hidden(ids.Narrow(1, 0, 8), default)); // the libraries' own first pages
        var before = Environment.WorkingSet;
        var hidden = model.Hidden(ids, new Step { Training = true, Recompute = args[0] == "recompute" });
        var after = Environment.WorkingSet;
        using var output = new StreamWriter(System.Console.OpenStandardOutput());
        output.Write(hidden.RequiresGrad ? after - before : -1);
        return 0;
    }

    [Fact]
    [Row("G15")]
    public void Validation_does_not_disturb_the_run()
    {
        using var without = new SmallRun(Quick with { Steps = 10 });
        using var with = new SmallRun(Quick with { Steps = 10, ValidateEvery = 2 }, validator: new Validator(TestRows.Bigrams(count: 500), 4, 3, 1.5));
        without.Run();
        with.Run();
        Assert.Equal(5, with.Reports.Validations.Count);
        Assert.Equal(without.Model.Weights(), with.Model.Weights());
        Assert.Equal(without.LossBits, with.LossBits);
        var v = with.Reports.Validations[0];
        Assert.Equal(Math.Exp(v.Loss), v.Perplexity, 1e-12);
        Assert.Equal(v.Loss / Math.Log(2) / 1.5, v.BitsPerByte!.Value, 1e-12);
    }

    [Fact]
    [Row("G8")]
    public void The_printed_rate_is_the_used_rate()
    {
        var options = Quick with { ClipNorm = null, Schedule = new CosineOptions { WarmupSteps = 2 } };
        var norms = new List<double>();
        using var watched = new SmallRun(options, dropout: 0, optimizer: new SgdOptions { LearningRate = 0.5 }, hook: null);
        var weights = watched.Model.Weights();
        var hook = new AtStepEvery(report =>
        {
            var now = watched.Model.Weights();
            norms.Add(Math.Sqrt(now.Zip(weights, (a, b) => Math.Pow((double)a - b, 2)).Sum()) / report.GradientNorm);
            weights = now;
        });
        var trainer = new Trainer(options, 0.5, watched.Model, new CausalLmOptions().Build(), watched.Optimizer, watched.Data, new SingleWorld(), [hook, watched.Reports], watched.State);
        trainer.Run(TestContext.Current.CancellationToken);
        // |step| / |gradient| of plain SGD is the rate; float32 weights near 0.1 resolve a step of 0.1 to about 1e-5 of itself.
        Assert.All(watched.Reports.Steps.Zip(norms), x => Assert.Equal(x.First.Rate, x.Second, 1e-4 * x.First.Rate));
        Assert.Equal([0.25, 0.5, 0.5], watched.Reports.Steps.Take(3).Select(s => s.Rate));
    }

    [Fact]
    [Row("G10")]
    public void Clipping_bounds_the_step_and_without_it_the_same_run_explodes()
    {
        var options = new TrainerOptions { Steps = 30, Batch = 4, ClipNorm = 0.1, ValidateEvery = 0, SaveEvery = 0, Schedule = new ConstantOptions() };
        using var clipped = new SmallRun(options, optimizer: new SgdOptions { LearningRate = 50 });
        using var free = new SmallRun(options with { ClipNorm = null, Steps = 60 }, optimizer: new SgdOptions { LearningRate = 50 });
        clipped.Run();
        Assert.All(clipped.Reports.Steps, s => Assert.True(double.IsFinite(s.Loss)));
        Assert.Throws<DivergedException>(() => free.Run());
    }

    [Fact]
    [Row("G17")]
    public void A_NaN_in_a_weight_stops_before_the_update_and_names_it()
    {
        using var run = new SmallRun(Quick with { Steps = 6 }, hook: null);
        var spoil = new AtStep(3, () => Grad.Off(() =>
        {
            using var scope = Tensor.Scope();
            run.Model.Parameters[3].Value.View(-1).Narrow(0, 0, 1).Fill(double.NaN);
        }));
        var trainer = new Trainer(run.Options, 1e-2, run.Model, new CausalLmOptions().Build(), run.Optimizer, run.Data, new SingleWorld(), [spoil], run.State);
        var error = Assert.Throws<DivergedException>(() => trainer.Run(TestContext.Current.CancellationToken));
        Assert.Equal(4, error.Step);
        Assert.Contains($"step 4: the loss is NaN; first in the weight of {run.Model.Parameters[3].Name}", error.Message, StringComparison.Ordinal);
        Assert.IsType<UserException>(error, exactMatch: false);
        Assert.Equal(3, run.State.Step);
    }

    [Fact]
    [Row("G17")]
    public void A_NaN_in_one_gradient_stops_before_the_update()
    {
        using var run = new SmallRun(Quick, objective: new PoisonedGradient("layers.0.up.weight"));
        var before = run.Model.Weights();
        var error = Assert.Throws<DivergedException>(() => run.Run());
        Assert.Contains("step 1: the gradient's norm is NaN; first in the gradient of layers.0.up.weight", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, run.Model.Weights());
        Assert.Equal(0, run.Optimizer.Steps);
    }

    [Fact]
    public void A_step_whose_targets_are_all_masked_has_loss_zero_and_updates_nothing()
    {
        using var run = new SmallRun(Quick with { Steps = 2 }, data: new AllMasked());
        var before = run.Model.Weights();
        run.Run();
        Assert.All(run.Reports.Steps, s => Assert.Equal((0.0, true), (s.Loss, s.Skipped)));
        Assert.Equal(before, run.Model.Weights());
    }

    [Fact]
    [Row("G13")]
    public void Training_in_bf16_loses_less_than_a_hundredth_and_keeps_float32_masters()
    {
        var options = new TrainerOptions { Steps = 40, Batch = 8, ValidateEvery = 0, SaveEvery = 0 };
        double Final(Precision precision)
        {
            using var run = new SmallRun(options with { Precision = precision }, dropout: 0);
            run.Run();
            Assert.All(run.Model.Parameters, p => Assert.Equal(DType.Float32, p.Value.DType));
            return run.Reports.Steps.TakeLast(20).Average(s => s.Loss);
        }
        var (full, half) = (Final(Precision.Fp32), Final(Precision.Bf16));
        Assert.NotEqual(full, half);
        Assert.InRange(half / full, 0.99, 1.01);
    }

    [Fact]
    [Row("G13")]
    public void Half_precision_on_a_CPU_is_refused_in_words()
    {
        using var run = new SmallRun(Quick with { Precision = Precision.Fp16 });
        Assert.Contains("needs a CUDA device", Assert.Throws<UserException>(() => run.Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Row("G15")]
    public void Length_in_tokens_or_epochs_becomes_whole_steps()
    {
        var rows = TestRows.Bigrams(count: 1201, length: 12); // 100 rows
        Assert.Equal(25, new TrainerOptions { Epochs = 1, Batch = 4 }.StepsFor(rows));
        Assert.Equal(34, new TrainerOptions { Epochs = 2, Batch = 3, Accumulate = 2 }.StepsFor(rows));
        Assert.Equal(3, new TrainerOptions { Tokens = 100, Batch = 4 }.StepsFor(rows));
        Assert.Equal(2, new TrainerOptions { Tokens = 100, Batch = 2 }.StepsFor(rows, ranks: 4));
    }

    private sealed class AtStepEvery(Action<StepReport> what) : IRunHook
    {
        public void Stepped(StepReport report) => what(report);
    }

    private sealed class AllMasked : IBatchSource
    {
        public int Length => 8;
        public long RowsPerEpoch => 10;
        public long TokensPerEpoch => 80;
        public TokenBatch Rows(long first, int rows) => new(rows, 8);
    }

    /// <summary>A finite loss whose gradient in one parameter is NaN: 0 · ∞ in the backward pass only.</summary>
    private sealed class PoisonedGradient(string name) : IObjective
    {
        public Tensor Sum(ILanguageModel model, TokenBatch batch, in Step step)
        {
            var loss = new CausalLmOptions().Build().Sum(model, batch, step);
            var value = model.Parameters.Single(p => p.Name == name).Value;
            // sqrt has an infinite slope at 0, times the zero slope of the square below it.
            return loss + value.Sub(value.Detach()).Pow(2).Sqrt().Sum();
        }
    }
}
