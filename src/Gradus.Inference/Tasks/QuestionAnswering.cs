using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Evaluation.Metrics;
using Gradus.Models.Nn;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;

namespace Gradus.Inference.Tasks;

/// <summary>The words of a context that answer a question. Long contexts are read in windows that overlap.</summary>
[Component("question-answering")]
public sealed record QuestionAnswering : TaskOptions
{
    public QuestionAnswering() => MaxLength = 384;

    /// <summary>Tokens of the context that neighbouring windows share.</summary>
    [AtLeast(0)]
    public int Stride { get; init; } = 128;

    /// <summary>Most tokens of an answer.</summary>
    [AtLeast(1)]
    public int MaxAnswer { get; init; } = 30;

    public override string ObjectiveKind => "answer-spans";

    public override TaskHead HeadFor(IReadOnlyList<DataRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        foreach (var record in records) Only<QuestionAnswer>(record, "questions about a context");
        return new TaskHead(TaskHead.QuestionAnswering, []);
    }

    public override TaskWork Bind(Tokenizer tokenizer, TaskHead head, bool causal) => new AnsweringWork(this, new RowEncoder(tokenizer, MaxLength, causal), head);

    public override bool Takes(TaskHead head) => (head ?? throw new ArgumentNullException(nameof(head))).Kind == TaskHead.QuestionAnswering;

    private sealed class AnsweringWork(QuestionAnswering o, RowEncoder encoder, TaskHead head) : TaskWork(head)
    {
        public override int Pad => encoder.Pad;

        public override IReadOnlyList<(string Name, Metric Metric)> Metrics => [("F1", new TokenF1()), ("exact match", new ExactMatch())];

        public override string BaselineName => "the sentence of the context that shares most words with the question";

        public override DataRecord Ask(string text, string? pair, string place) =>
            new QuestionAnswer { Place = place, Id = "", Question = text, Context = pair ?? throw new UserException($"{place}: a question needs the context that holds its answer (--context)"), Answers = [] };

        // Every token may be asked for: where an answer begins and ends is decided over all of them.
        public override IEnumerable<EncodedRow> Encode(DataRecord record, int index) =>
            encoder.Question(o.Only<QuestionAnswer>(record, "questions about a context"), o.Stride, index).Select(row => row with { Places = [.. Enumerable.Range(0, row.Ids.Length)] });

        public override TaskAnswer Answer(DataRecord record, IReadOnlyList<(EncodedRow Row, float[]?[] Scores)> rows)
        {
            var context = ((QuestionAnswer)record).Context;
            var (best, text) = (double.NegativeInfinity, "");
            var nothing = double.PositiveInfinity;
            foreach (var (row, scores) in rows)
            {
                nothing = Math.Min(nothing, scores[0]![0] + (double)scores[0]![1]);
                for (var begin = 0; begin < row.Ids.Length; begin++)
                {
                    if (row.Spans![begin] is not { } from) continue;
                    for (var end = begin; end < Math.Min(row.Ids.Length, begin + o.MaxAnswer); end++)
                    {
                        var score = scores[begin]![0] + (double)scores[end]![1];
                        if (score <= best || row.Spans[end] is not { } to) continue;
                        (best, text) = (score, context[from.Start..to.End]);
                    }
                }
            }
            return new TaskAnswer([text], [1 / (1 + Math.Exp(nothing - best))]);
        }

        public override Judged Judge(DataRecord record, IReadOnlyList<string> said) => new([.. ((QuestionAnswer)record).Answers.Select(a => a.Text)], said);

        public override Func<DataRecord, IReadOnlyList<string>> Baseline(IReadOnlyList<DataRecord> training) => record =>
        {
            var item = (QuestionAnswer)record;
            var words = AnswerWords(item.Question).ToHashSet(StringComparer.Ordinal);
            return [item.Context.Split(". ").MaxBy(sentence => AnswerWords(sentence).Distinct(StringComparer.Ordinal).Count(words.Contains)) ?? ""];
        };

        private static IEnumerable<string> AnswerWords(string text) => text.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
