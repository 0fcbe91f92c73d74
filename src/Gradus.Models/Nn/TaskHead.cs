namespace Gradus.Models.Nn;

/// <summary>
/// What stands in the place of the output layer when a network is not to predict tokens. Written into <c>config.json</c> as Hugging Face's
/// libraries do: the architecture's name ends in <c>For</c> and the kind, labels are in <c>id2label</c>.
/// </summary>
/// <param name="Kind">One of the constants here, which are the ends of Hugging Face's class names.</param>
/// <param name="Labels">Names of the classes, by output; the name of the number for a regression; empty for question answering.</param>
public sealed record TaskHead(string Kind, IReadOnlyList<string> Labels)
{
    /// <summary>A class, or a number, for a whole row.</summary>
    public const string SequenceClassification = nameof(SequenceClassification);

    /// <summary>A class for each token.</summary>
    public const string TokenClassification = nameof(TokenClassification);

    /// <summary>Where an answer begins and where it ends.</summary>
    public const string QuestionAnswering = nameof(QuestionAnswering);

    /// <summary>The kinds there are.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [SequenceClassification, TokenClassification, QuestionAnswering];

    /// <summary>The outputs are numbers, not scores of classes.</summary>
    public bool Regression { get; init; }

    /// <summary>The head reads the mean over a row's tokens, not the state of one of them.</summary>
    public bool MeanPooling { get; init; }

    /// <summary>Outputs of the layer.</summary>
    public int Outputs => Kind == QuestionAnswering ? 2 : Labels.Count;

    /// <summary>The same purpose and the same labels in the same order, so that a trained layer goes on meaning what it meant.</summary>
    public static bool Same(TaskHead? a, TaskHead? b) => a is null || b is null ? a is null && b is null
        : a.Kind == b.Kind && a.Regression == b.Regression && a.MeanPooling == b.MeanPooling && a.Labels.SequenceEqual(b.Labels, StringComparer.Ordinal);
}
