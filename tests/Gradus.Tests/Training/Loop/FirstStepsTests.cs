using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Training.Loop;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Loop;

/// <summary>The steps before the first step: each check passes on a sound run and finds what was planted for it; afterwards all is as it was, to the bit.</summary>
[Row("X.4")]
public sealed class FirstStepsTests
{
    private static readonly TrainerOptions s_options = new() { Steps = 100, Batch = 4, Accumulate = 2, ValidateEvery = 0 };

    [Fact]
    public void A_sound_run_passes_and_is_as_it_was_to_the_bit()
    {
        using var model = new TinyLanguageModel(dropout: 0.2);
        using var optimizer = new AdamWOptions { LearningRate = 1e-2 }.Build(model.Parameters);
        using var scope = Tensor.Scope();
        model.Parameters[3].Since = 7;
        Generator.SeedDefault(11);
        var (weights, generator) = (model.Weights(), Generator.DefaultState().ToArray<byte>());
        var found = Make(model, optimizer);
        Assert.Equal([Finding.Overfit, Finding.Moved], found.Findings.Select(f => f.Name));
        Assert.All(found.Findings, f => Assert.Equal(FindingLevel.Ok, f.Level));
        Assert.True(found.SecondsPerStep > 0 && found.SecondsPerRow > 0);
        Assert.Equal(weights.Select(BitConverter.SingleToInt32Bits), model.Weights().Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(generator, Generator.DefaultState().ToArray<byte>());
        Assert.All(optimizer.State, s => Assert.All(s.Value.ToArray<float>(), value => Assert.Equal(0, BitConverter.SingleToInt32Bits(value))));
        Assert.Equal(0, optimizer.Steps);
        Assert.All(model.Parameters, p => Assert.Null(p.Value.Gradient));
        Assert.Equal(7, model.Parameters[3].Since);
    }

    [Fact]
    public void A_run_after_it_has_the_bits_of_a_run_without_it()
    {
        (long[] Losses, float[] Weights, float[] Moments) Of(bool checkedBefore, OptimizerOptions optimizer)
        {
            using var run = new SmallRun(new TrainerOptions { Steps = 6, Batch = 4, ValidateEvery = 0, SaveEvery = 0 }, dropout: 0.2, optimizer: optimizer);
            if (checkedBefore) FirstSteps.Make(run.Options, optimizer.LearningRate, run.Model, new CausalLmOptions().Build(), run.Optimizer, run.Data, 20, TimeProvider.System, TestContext.Current.CancellationToken);
            run.Run();
            return (run.LossBits, run.Model.Weights(), run.Moments);
        }
        foreach (var optimizer in new OptimizerOptions[] { new AdamWOptions { LearningRate = 1e-2 }, new SgdOptions { LearningRate = 0.1, Momentum = 0.9 }, new MuonOptions { LearningRate = 1e-2 } })
        {
            var (with, without) = (Of(true, optimizer), Of(false, optimizer));
            Assert.Equal(without.Losses, with.Losses);
            Assert.Equal(without.Weights, with.Weights);
            Assert.Equal(without.Moments, with.Moments);
        }
    }

    [Fact]
    public void An_optimiser_that_updates_nothing_is_found()
    {
        using var model = new TinyLanguageModel();
        using var idle = new Planted(model.Parameters, (_, _) => { });
        var found = Make(model, idle);
        Assert.Contains("is not learned", Stop(found, Finding.Overfit), StringComparison.Ordinal);
        Assert.Contains("embed.weight, positions.weight, layers.0.q.weight and 9 more: trainable and with a gradient, but not a bit has changed", Stop(found, Finding.Moved), StringComparison.Ordinal);
    }

    [Fact]
    public void An_optimiser_that_leaves_one_tensor_out_is_found_by_that_tensors_name()
    {
        using var model = new TinyLanguageModel();
        using var most = new Planted(model.Parameters, (parameter, gradient) =>
        {
            if (parameter.Name != "layers.0.up.bias") parameter.Value.AddInPlace(gradient, -0.5);
        });
        var found = Make(model, most);
        Assert.Equal(FindingLevel.Ok, found.Findings[0].Level);
        Assert.StartsWith("layers.0.up.bias: trainable and with a gradient", Stop(found, Finding.Moved), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)] // not in the graph at all
    [InlineData(true)] // in it, times zero: weight decay moves it, and it learns nothing
    public void A_parameter_that_the_loss_does_not_depend_on_is_named(bool timesZero)
    {
        using var inner = new TinyLanguageModel();
        using var model = new Extended(inner, timesZero);
        using var optimizer = new AdamWOptions { LearningRate = 1e-2, WeightDecay = 0.1 }.Build(model.Parameters);
        var found = Make(model, optimizer);
        Assert.Equal(FindingLevel.Ok, found.Findings[0].Level);
        Assert.StartsWith("planted.weight: trainable, but no gradient arrives", Stop(found, Finding.Moved), StringComparison.Ordinal);
    }

    [Fact]
    [Row("I5")]
    public void A_frozen_tensor_that_changes_is_named_and_one_that_does_not_is_well()
    {
        using var model = new TinyLanguageModel();
        var frozen = model.Parameters.Single(p => p.Name == "positions.weight");
        frozen.Trainable = false;
        using (var sound = new AdamWOptions { LearningRate = 1e-2 }.Build(model.Parameters))
            Assert.Equal("all 1 frozen tensors have the same bytes", Assert.Single(Make(model, sound).Findings, f => f is { Name: Finding.Frozen, Level: FindingLevel.Ok }).Text);
        using var careless = new Planted(model.Parameters, (parameter, gradient) =>
        {
            parameter.Value.AddInPlace(gradient, -0.5);
            frozen.Value.Narrow(0, 0, 1).Narrow(1, 0, 1).AddInPlace(1e-3);
        });
        Assert.Equal("positions.weight: frozen, but its bytes have changed", Stop(Make(model, careless), Finding.Frozen));
    }

    [Theory]
    [InlineData(30, "is not learned")]
    [InlineData(1e-10, "is not learned")]
    public void A_rate_that_does_not_learn_one_batch_is_found(double rate, string says)
    {
        using var model = new TinyLanguageModel();
        using var optimizer = new AdamWOptions { LearningRate = rate }.Build(model.Parameters);
        var weights = model.Weights();
        Assert.Contains(says, Stop(Make(model, optimizer, rate), Finding.Overfit), StringComparison.Ordinal);
        Assert.Equal(weights, model.Weights());
    }

    [Fact]
    public void Losses_that_are_no_numbers_are_a_finding_and_the_weights_come_back()
    {
        using var model = new TinyLanguageModel();
        using var explosive = new Planted(model.Parameters, (parameter, _) => parameter.Value.Fill(double.NaN));
        var weights = model.Weights();
        Assert.Contains("cannot be learned", Stop(Make(model, explosive), Finding.Overfit), StringComparison.Ordinal);
        Assert.Equal(weights, model.Weights());
    }

    [Fact]
    [Row("Y4")]
    public void A_first_batch_without_a_target_is_found()
    {
        using var model = new TinyLanguageModel();
        using var optimizer = new AdamWOptions().Build(model.Parameters);
        Assert.Contains("has nothing to learn", Stop(Make(model, optimizer, data: new NoTargets()), Finding.Overfit), StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_that_is_known_already_need_not_fall()
    {
        using var model = new TinyLanguageModel();
        using var optimizer = new AdamWOptions { LearningRate = 1e-2 }.Build(model.Parameters);
        var found = FirstSteps.Make(s_options, 1e-12, model, new Known(), optimizer, TestRows.Bigrams(), 5, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Contains("it was known before", found.Findings[0].Text, StringComparison.Ordinal);
    }

    private static FirstSteps Make(ILanguageModel model, Optimizer optimizer, double rate = 1e-2, IBatchSource? data = null) =>
        FirstSteps.Make(s_options, rate, model, new CausalLmOptions().Build(), optimizer, data ?? TestRows.Bigrams(), 20, TimeProvider.System, TestContext.Current.CancellationToken);

    private static string Stop(FirstSteps found, string name) => Assert.Single(found.Findings, f => f.Name == name && f.Level == FindingLevel.Stop).Text;

    private sealed class Planted(IReadOnlyList<Parameter> parameters, Action<Parameter, Tensor> update) : Optimizer(parameters)
    {
        protected override void Update(Parameter parameter, Tensor gradient, ReadOnlySpan<Tensor> slots, double rate, double gradientScale) => update(parameter, gradient);
    }

    private sealed class NoTargets : IBatchSource
    {
        public int Length => 4;
        public long RowsPerEpoch => 8;
        public long TokensPerEpoch => 32;
        public TokenBatch Rows(long first, int rows) => new(rows, 4);
    }

    /// <summary>A loss that is almost nothing whatever the model does.</summary>
    private sealed class Known : IObjective
    {
        private readonly IObjective _inner = new CausalLmOptions().Build();

        public Tensor Sum(ILanguageModel model, TokenBatch batch, in Step step) => _inner.Sum(model, batch, step) * 1e-6;
    }

    /// <summary>A model with one parameter more, of which nothing depends.</summary>
    private sealed class Extended : ILanguageModel
    {
        private readonly TinyLanguageModel _inner;
        private readonly bool _timesZero;
        private readonly Parameter _planted = new("planted.weight", Tensor.Ones(DType.Float32, Device.Cpu, 2, 2));

        public Extended(TinyLanguageModel inner, bool timesZero) => (_inner, _timesZero, Parameters) = (inner, timesZero, [.. inner.Parameters, _planted]);

        public IReadOnlyList<Parameter> Parameters { get; }
        public int VocabSize => _inner.VocabSize;
        public int MaxPositions => _inner.MaxPositions;
        public Linear Head => _inner.Head;
        public Tensor Hidden(Tensor ids, in Step step) => _timesZero ? _inner.Hidden(ids, step) + _planted.Value.Sum() * 0 : _inner.Hidden(ids, step);
        public KvCache NewCache(int batch, int capacity) => throw new NotSupportedException();
        public void Dispose() => _planted.Dispose();
    }
}
