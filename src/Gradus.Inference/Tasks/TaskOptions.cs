using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Evaluation.Metrics;
using Gradus.Models.Nn;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;

namespace Gradus.Inference.Tasks;

/// <summary>What a network is to do besides predicting tokens: which records teach it, which output layer it needs, and how good its answers are.</summary>
[Socket("tasks")]
public abstract record TaskOptions
{
    /// <summary>Most tokens a row, special ones included; longer texts are cut, and counted.</summary>
    [AtLeast(8), AtMost(1 << 20)]
    public int MaxLength { get; init; } = 128;

    /// <summary>How rows come together in batches.</summary>
    public RowOptions Rows { get; init; } = new();

    /// <summary>The objective that goes with it, by its kind, where the recipe names none.</summary>
    public abstract string ObjectiveKind { get; }

    /// <summary>The output layer for what some records ask.</summary>
    /// <exception cref="UserException">They ask nothing, or not this.</exception>
    public abstract TaskHead HeadFor(IReadOnlyList<DataRecord> records);

    /// <summary>The task with a tokenizer and a head: records to rows, scores to answers.</summary>
    public abstract TaskWork Bind(Tokenizer tokenizer, TaskHead head, bool causal);

    /// <summary>The task that a model's output layer is for.</summary>
    public static TaskOptions For(TaskHead head, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(head);
        var found = Components.Of(typeof(TaskOptions)).Select(c => (TaskOptions)Activator.CreateInstance(c.Type)!).First(task => task.Takes(head));
        return found with { MaxLength = maxLength };
    }

    /// <summary>Whether an output layer is for this task.</summary>
    public abstract bool Takes(TaskHead head);

    /// <summary>Of an output layer for this task: whether it can go on as it is, because the recipe asks for no other labels.</summary>
    public virtual bool Keeps(TaskHead head) => true;

    /// <summary>Records of the one kind that the task is about.</summary>
    private protected T Only<T>(DataRecord record, string wanted) where T : DataRecord =>
        record as T ?? throw new UserException($"{record.Place}: {Components.KindOf(GetType())} needs {wanted}, and this is something else; map the columns: format: {{ kind: …, columns: {{ … }} }}");
}

/// <summary>An answer.</summary>
/// <param name="Said">The label; a tag a word; the words of the context; the number.</param>
/// <param name="Sureness">The probability that the network gives each of them.</param>
public sealed record TaskAnswer(IReadOnlyList<string> Said, IReadOnlyList<double> Sureness);

/// <summary>A task at work with one tokenizer and one head.</summary>
public abstract class TaskWork(TaskHead head)
{
    /// <summary>The output layer's purpose.</summary>
    public TaskHead Head { get; } = head;

    /// <summary>The token that fills rows up.</summary>
    public abstract int Pad { get; }

    /// <summary>What answers are measured by; the first decides which checkpoint is best.</summary>
    public abstract IReadOnlyList<(string Name, Metric Metric)> Metrics { get; }

    /// <summary>What the answers of <see cref="Baseline"/> come from, in words.</summary>
    public abstract string BaselineName { get; }

    /// <summary>A text, or a question and its context, as a record whose answer is not known.</summary>
    public abstract DataRecord Ask(string text, string? pair, string place);

    /// <summary>The rows of a record.</summary>
    public abstract IEnumerable<EncodedRow> Encode(DataRecord record, int index);

    /// <summary>The answer to a record from the scores of its rows: for each row, for each of its places, the outputs; null where a place was cut off.</summary>
    public abstract TaskAnswer Answer(DataRecord record, IReadOnlyList<(EncodedRow Row, float[]?[] Scores)> rows);

    /// <summary>The record's right answer beside what was said.</summary>
    public abstract Judged Judge(DataRecord record, IReadOnlyList<string> said);

    /// <summary>What one would say without a network.</summary>
    public abstract Func<DataRecord, IReadOnlyList<string>> Baseline(IReadOnlyList<DataRecord> training);

    /// <summary>Weights of rows by their record's class; 1 for all unless the task says otherwise.</summary>
    public virtual IReadOnlyList<EncodedRow> Weighted(IReadOnlyList<EncodedRow> rows, IReadOnlyList<DataRecord> records) => rows;

    /// <summary>Probabilities from scores.</summary>
    protected static double[] Softmax(float[] scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var most = scores.Max();
        var values = Array.ConvertAll(scores, score => Math.Exp(score - most));
        var sum = values.Sum();
        return Array.ConvertAll(values, value => value / sum);
    }

    /// <summary>The first of the highest.</summary>
    protected static int Best(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var best = 0;
        for (var i = 1; i < values.Count; i++)
            if (values[i] > values[best]) best = i;
        return best;
    }
}
