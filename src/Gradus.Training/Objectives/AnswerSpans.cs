using Gradus.Engine.Tensors;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;
using Gradus.Text.Data;

namespace Gradus.Training.Objectives;

/// <summary>
/// Where an answer begins and ends (Devlin et al., 2019, section 4.2): two soft-maxes over the tokens of a row, one for each of the first two
/// outputs. A target of 0 is a place that may be one, + 1 begins an answer, + 2 ends one; other places cannot be chosen.
/// </summary>
[Component("answer-spans")]
public sealed record AnswerSpansOptions : ObjectiveOptions
{
    public override IObjective Build() => new AnswerSpans();
}

internal sealed class AnswerSpans : IObjective
{
    private const double Never = -1e9; // not minus infinity: a row without a place to choose must stay a number

    public long Weight(TokenBatch batch) => (batch ?? throw new ArgumentNullException(nameof(batch))).Targets.Where(target => target >= 0).Sum(target => (target & 1) + (target >> 1 & 1));

    public Tensor Sum(ILanguageModel model, TokenBatch batch, in Step step)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batch);
        var device = model.Device;
        var hidden = model.Hidden(BatchTensors.Ids(batch, device), BatchTensors.Place(step, batch, device));
        var scores = model.Head.Forward(model.BeforeHead(hidden, step)).To(DType.Float32);
        var barred = Marks(batch, target => target == TokenBatch.Ignore, device).Greater(0);
        return Loss(0, target => target >= 0 && (target & 1) != 0) + Loss(1, target => target >= 0 && (target & 2) != 0);

        Tensor Loss(int output, Func<int, bool> marked) =>
            -(scores.Select(2, output).MaskedFill(barred, Never).LogSoftmax(-1) * Marks(batch, marked, device)).Sum();
    }

    private static Tensor Marks(TokenBatch batch, Func<int, bool> marked, Device device) =>
        Tensor.From(Array.ConvertAll(batch.Targets, target => marked(target) ? 1f : 0f), batch.Rows, batch.Length).To(device);
}
