using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Evaluation.Metrics;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;

namespace Gradus.Inference.Tasks;

/// <summary>A tag for each word: names of people and places, parts of speech. A word's tag is read at its first token.</summary>
[Component("token-classification")]
public sealed record TokenClassification : TaskOptions
{
    /// <summary>The tags in the order of the outputs; left out: those of the training records, by name.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    public override string ObjectiveKind => "classification";

    public override TaskHead HeadFor(IReadOnlyList<DataRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        var found = records.SelectMany(record => Only<TaggedTokens>(record, "words with a tag each").Tags).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (Labels.Count == 0 && found.Count < 2) throw new UserException($"{records[0].Place}: every word has the tag '{found[0]}'; a tagger needs at least two");
        return new TaskHead(TaskHead.TokenClassification, Labels.Count > 0 ? Labels : found);
    }

    public override TaskWork Bind(Tokenizer tokenizer, TaskHead head, bool causal) => new TaggingWork(this, new RowEncoder(tokenizer, MaxLength, causal), head);

    public override bool Takes(TaskHead head) => (head ?? throw new ArgumentNullException(nameof(head))).Kind == TaskHead.TokenClassification;

    public override bool Keeps(TaskHead head) => Labels.Count == 0 || Labels.SequenceEqual((head ?? throw new ArgumentNullException(nameof(head))).Labels, StringComparer.Ordinal);

    private sealed class TaggingWork(TokenClassification o, RowEncoder encoder, TaskHead head) : TaskWork(head)
    {
        private readonly Dictionary<string, int> _ids = head.Labels.Select((label, i) => (label, i)).ToDictionary(pair => pair.label, pair => pair.i, StringComparer.Ordinal);

        private string Outside => Head.Labels.Contains("O") ? "O" : Head.Labels[0];

        public override int Pad => encoder.Pad;

        public override IReadOnlyList<(string Name, Metric Metric)> Metrics => [("entity F1", new EntityF1()), ("accuracy", new Accuracy())];

        public override string BaselineName => "each word's commonest tag in training";

        public override DataRecord Ask(string text, string? pair, string place)
        {
            var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            return new TaggedTokens { Place = place, Tokens = words, Tags = [.. words.Select(_ => Outside)] };
        }

        // A tag that the model does not know is nothing to learn, but it is wrong when it comes to measuring.
        public override IEnumerable<EncodedRow> Encode(DataRecord record, int index)
        {
            var item = o.Only<TaggedTokens>(record, "words with a tag each");
            yield return encoder.Words(item.Tokens, [.. item.Tags.Select(tag => _ids.GetValueOrDefault(tag, TokenBatch.Ignore))], index);
        }

        public override TaskAnswer Answer(DataRecord record, IReadOnlyList<(EncodedRow Row, float[]?[] Scores)> rows)
        {
            var shares = rows[0].Scores.Select(scores => scores is null ? null : Softmax(scores)).ToArray();
            return new TaskAnswer([.. shares.Select(share => share is null ? Outside : Head.Labels[Best(share)])], [.. shares.Select(share => share?.Max() ?? 0)]);
        }

        public override Judged Judge(DataRecord record, IReadOnlyList<string> said) => new(((TaggedTokens)record).Tags, said);

        public override Func<DataRecord, IReadOnlyList<string>> Baseline(IReadOnlyList<DataRecord> training)
        {
            var tags = training.Cast<TaggedTokens>().SelectMany(r => r.Tokens.Zip(r.Tags)).GroupBy(pair => pair.First, StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.CountBy(pair => pair.Second, StringComparer.Ordinal).OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).First().Key, StringComparer.Ordinal);
            return record => [.. ((TaggedTokens)record).Tokens.Select(word => tags.GetValueOrDefault(word, Outside))];
        }
    }
}
