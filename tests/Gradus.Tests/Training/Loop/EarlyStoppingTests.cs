using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Training.Loop;
using Gradus.Training.Objectives;

namespace Gradus.Tests.Training.Loop;

[Row("G14")]
public sealed class EarlyStoppingTests
{
    private static readonly TrainerOptions Options = new()
    {
        Steps = 60, Batch = 2, ValidateEvery = 3, SaveEvery = 0, KeepLast = 1, EarlyStopping = new EarlyStoppingOptions { Patience = 2 },
    };

    [Fact]
    public void A_planted_plateau_ends_the_run_and_the_best_weights_come_back()
    {
        using var folder = Repo.Temp();
        var best = Array.Empty<float>();
        // Validation loss falls three times, then stays: 5, 4, 3, 3, 3.
        using var run = new SmallRun(Options, folder.Path, objective: new Planted([5, 4, 3, 3, 3, 1]), validator: new Validator(TestRows.Bigrams(count: 30), 2, 1, null));
        var grab = new AtStep(9, () => best = run.Model.Weights());
        var trainer = new Trainer(Options, 1e-2, run.Model, new Planted([5, 4, 3, 3, 3, 1]), run.Optimizer, run.Data, new SingleWorld(), [grab, run.Reports], run.State)
        {
            Checkpoints = run.Store, Validator = new Validator(TestRows.Bigrams(count: 30), 2, 1, null),
        };
        Assert.Equal(RunEnd.StoppedEarly, trainer.Run(TestContext.Current.CancellationToken));

        Assert.Equal(15, run.State.Step);
        Assert.Equal(9, run.State.BestStep);
        Assert.Equal(best, run.Model.Weights());
        Assert.Equal([true, true, true, false, false], run.Reports.Validations.Select(v => v.IsBest));
        Assert.Contains(9L, run.Store!.All.Select(c => c.Step));
    }

    [Fact]
    public void Without_it_the_same_run_goes_on()
    {
        using var run = new SmallRun(Options with { EarlyStopping = null, Steps = 18 }, objective: new Planted([5, 4, 3, 3, 3, 1]), validator: new Validator(TestRows.Bigrams(count: 30), 2, 1, null));
        Assert.Equal(RunEnd.Finished, run.Run());
        Assert.Equal(18, run.State.Step);
    }

    [Fact]
    public void An_improvement_below_the_threshold_counts_as_none()
    {
        using var folder = Repo.Temp();
        var options = Options with { EarlyStopping = new EarlyStoppingOptions { Patience = 2, MinDelta = 0.5 } };
        using var run = new SmallRun(options, folder.Path, objective: new Planted([5, 4.9, 4.8, 1]), validator: new Validator(TestRows.Bigrams(count: 30), 2, 1, null));
        Assert.Equal(RunEnd.StoppedEarly, run.Run());
        Assert.Equal(3, run.State.BestStep);
    }

    /// <summary>Trains as usual; validation sees the planted losses one after the other.</summary>
    private sealed class Planted(double[] losses) : IObjective
    {
        private readonly IObjective _inner = new CausalLmOptions().Build();
        private int _next;

        public Tensor Sum(ILanguageModel model, TokenBatch batch, in Step step) =>
            step.Training ? _inner.Sum(model, batch, step) : Tensor.Scalar(losses[_next++] * batch.TargetCount);
    }
}
