using Gradus.Foundation.Files;
using Gradus.Models.Nn;
using Gradus.Tests.Models.Families;
using Gradus.Tests.Training.Loop;
using Gradus.Training.Loop;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Optim;

/// <summary>Which parts of a model move, when, and how fast.</summary>
public class LayerOptionsTests
{
    private static readonly TaskHead s_head = new(TaskHead.TokenClassification, [.. Enumerable.Range(0, 17).Select(i => $"t{i}")]);

    [Theory, Row("I5"), MemberData(nameof(Kinds))]
    public void Parts_are_embeddings_blocks_and_what_follows_them(string kind)
    {
        using var model = TinyModels.Options(kind).BuildFresh(1, head: s_head);
        var (parts, top) = LayerOptions.Parts(model);
        Assert.Equal(3, top); // two blocks between
        for (var i = 0; i < parts.Length; i++)
        {
            var name = model.Parameters[i].Name;
            var expected = name.Contains(".0.", StringComparison.Ordinal) ? 1 : name.Contains(".1.", StringComparison.Ordinal) ? 2
                : name.Contains("embed", StringComparison.Ordinal) || name.Contains("wte", StringComparison.Ordinal) || name.Contains("wpe", StringComparison.Ordinal) ? 0 : 3;
            Assert.True(expected == parts[i], name);
        }
    }

    public static TheoryData<string> Kinds => TinyModels.Kinds;

    [Fact, Row("I5")]
    public void Frozen_parts_keep_their_bytes_and_the_optimiser_holds_nothing_for_them()
    {
        using var model = TinyModels.Options("bert").BuildFresh(1, head: s_head);
        new LayerOptions { Last = 1, Freeze = ["*.output.dense.*"] }.Apply(model);
        var before = model.Parameters.ToDictionary(p => p.Name, p => p.Value.ToArray<float>());
        using var optimizer = Train(model, steps: 4);
        bool Moves(string name) => name.StartsWith("classifier", StringComparison.Ordinal) || (name.Contains(".layer.1.", StringComparison.Ordinal) && !name.Contains("output.dense", StringComparison.Ordinal));
        Assert.All(model.Parameters, p => Assert.True(Moves(p.Name) != before[p.Name].AsSpan().SequenceEqual(p.Value.ToArray<float>()), p.Name));
        Assert.All(optimizer.State, s => Assert.True(Moves(s.Name[..s.Name.IndexOf(':', StringComparison.Ordinal)]), s.Name));
        Assert.NotEmpty(optimizer.State);
    }

    [Fact, Row("I6")]
    public void Parts_thaw_from_the_top_one_at_a_time()
    {
        using var model = TinyModels.Options("bert").BuildFresh(1, head: s_head);
        new LayerOptions { UnfreezeEvery = 2 }.Apply(model);
        var (parts, top) = LayerOptions.Parts(model);
        var moved = new List<int[]>();
        var last = model.Parameters.Select(p => p.Value.ToArray<float>()).ToArray();
        var watch = new EachStep(() =>
        {
            var now = model.Parameters.Select(p => p.Value.ToArray<float>()).ToArray();
            moved.Add([.. Enumerable.Range(0, now.Length).Where(i => !now[i].AsSpan().SequenceEqual(last[i])).Select(i => parts[i]).Distinct().Order()]);
            last = now;
        });
        using var optimizer = Train(model, steps: 8, watch);
        Assert.Equal([[3], [3], [2, 3], [2, 3], [1, 2, 3], [1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]], moved);
    }

    [Theory, Row("I6"), InlineData("adamw"), InlineData("sgd"), InlineData("muon")]
    public void A_part_s_rate_is_the_one_above_it_times_the_decay(string kind)
    {
        // The first update of the same gradient, once with decay and once without: the ratio is the part's share.
        double[][] Deltas(double decay)
        {
            using var model = TinyModels.Options("bert").BuildFresh(1, head: s_head);
            new LayerOptions { RateDecay = decay }.Apply(model);
            var before = model.Parameters.Select(p => p.Value.ToArray<double>()).ToArray();
            using var optimizer = Train(model, steps: 1, optimizer: kind switch { "sgd" => new SgdOptions { LearningRate = 1 }, "muon" => new MuonOptions { LearningRate = 0.1, WeightDecay = 0 }, _ => new AdamWOptions { LearningRate = 0.1, WeightDecay = 0 } });
            return [.. model.Parameters.Select((p, i) => p.Value.ToArray<double>().Zip(before[i], (a, b) => a - b).ToArray())];
        }
        using var shape = TinyModels.Options("bert").BuildFresh(1, head: s_head);
        var (parts, top) = LayerOptions.Parts(shape);
        var (plain, decayed) = (Deltas(1), Deltas(0.5));
        for (var i = 0; i < plain.Length; i++)
        {
            if (shape.Parameters[i].Name.Contains("key.bias", StringComparison.Ordinal)) continue; // no gradient but rounding
            var at = Enumerable.Range(0, plain[i].Length).MaxBy(j => Math.Abs(plain[i][j]));
            Assert.Equal(Math.Pow(0.5, top - parts[i]), decayed[i][at] / plain[i][at], 1e-2);
        }
    }

    [Fact, Row("I6")]
    public void A_part_that_thaws_late_begins_as_if_the_run_did()
    {
        // Adam's first step is the sign of the gradient times the rate, whenever it comes.
        using var model = new TinyLanguageModel();
        foreach (var p in model.Parameters) p.Since = 0;
        var late = model.Parameters[0];
        late.Since = 5;
        var before = late.Value.ToArray<float>();
        float[] after = [];
        using var optimizer = Train(model, steps: 6, new AtStep(6, () => after = late.Value.ToArray<float>()), new AdamWOptions { LearningRate = 1e-3, WeightDecay = 0 }, new CausalLmOptions());
        var largest = before.Zip(after, (a, b) => Math.Abs(a - b)).Max();
        Assert.InRange(largest, 0.99e-3, 1.01e-3); // with the run's own step count it would be about three times as far
    }

    [Fact]
    public void Patterns_and_numbers_that_do_not_fit_are_named()
    {
        using var model = TinyModels.Options("bert").BuildFresh(1);
        Assert.Contains("fits no parameter", Assert.Throws<UserException>(() => new LayerOptions { Freeze = ["*.layers.*"] }.Apply(model)).Message, StringComparison.Ordinal);
        Assert.Contains("the model has 2", Assert.Throws<UserException>(() => new LayerOptions { Last = 3 }.Apply(model)).Message, StringComparison.Ordinal);
        Assert.Contains("nothing is left", Assert.Throws<UserException>(() => new LayerOptions { Freeze = ["*"] }.Apply(model)).Message, StringComparison.Ordinal);
    }

    private static Optimizer Train(ILanguageModel model, long steps, IRunHook? hook = null, OptimizerOptions? optimizer = null, ObjectiveOptions? objective = null)
    {
        var o = optimizer ?? new AdamWOptions { LearningRate = 1e-2 };
        var made = o.Build(model.Parameters);
        var options = new TrainerOptions { Steps = steps, Batch = 4, ClipNorm = null, ValidateEvery = 0, SaveEvery = 0, Schedule = new ConstantOptions() };
        new Trainer(options, o.LearningRate, model, (objective ?? new ClassificationOptions()).Build(), made, TestRows.Bigrams(), new SingleWorld(), hook is null ? [] : [hook], new RunState()).Run(TestContext.Current.CancellationToken);
        return made;
    }

    private sealed class EachStep(Action what) : IRunHook
    {
        public void Stepped(StepReport report) => what();
    }
}
