using System.Text;
using System.Text.Unicode;
using Gradus.Text.Data.Pii;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Pipeline;

/// <summary>A document on its way into a stage, with what the decision before says of it.</summary>
internal readonly record struct Incoming(Document Document, Decision[]? Decisions);

/// <summary>A document that was dropped: a line of <c>dropped.jsonl</c>.</summary>
internal readonly record struct DroppedRow(string Step, string Rule, string Origin, string? Detail);

/// <summary>What became of a portion of documents.</summary>
internal sealed class BatchResult(IReadOnlyList<string> steps)
{
    public List<Document> Documents { get; } = [];

    /// <summary>Index entries of the kept documents, one after the other; <see cref="EntryEnds"/> says where each document's end.</summary>
    public List<IndexEntry> Entries { get; } = [];

    public List<int> EntryEnds { get; } = [];

    public List<DroppedRow> Dropped { get; } = [];

    public StepCounts[] Counts { get; } = [.. steps.Select(s => new StepCounts { Step = s })];
}

/// <summary>Takes documents through the steps of a stage. One for each thread; holds nothing between documents.</summary>
internal sealed class StepWorker
{
    private readonly DataPlan _plan;
    private readonly int _stage;
    private readonly IReadOnlyList<string> _names;
    private readonly IDocumentStep[] _steps;
    private readonly IIndexer? _indexer;
    private readonly GlobalStep? _decided;
    private readonly Func<uint, uint, Document>? _before;
    private readonly Draft _draft = new();

    /// <param name="plan">The pipeline.</param>
    /// <param name="stage">The stage, from 0.</param>
    /// <param name="before">Reads a document of the stage before: the one that a dropped document is a copy of.</param>
    public StepWorker(DataPlan plan, int stage, Func<uint, uint, Document>? before)
    {
        (_plan, _stage, _before) = (plan, stage, before);
        _names = plan.StepNames(stage);
        _steps = [.. plan.Stages[stage].Locals.Select(s => s.Build())];
        _indexer = plan.Stages[stage].Global?.BuildIndexer();
        _decided = stage > 0 ? plan.Stages[stage - 1].Global : null;
    }

    public BatchResult Run(List<Incoming> batch)
    {
        var result = new BatchResult(_names);
        foreach (var incoming in batch)
        {
            _draft.Start(incoming.Document);
            if (!Steps(incoming, result))
                continue;
            result.Documents.Add(_draft.Document);
            _indexer?.Index(_draft, result.Entries);
            result.EntryEnds.Add(result.Entries.Count);
        }

        return result;
    }

    private bool Steps(Incoming incoming, BatchResult result)
    {
        for (var i = 0; i < _names.Count; i++)
        {
            var counts = result.Counts[i];
            counts.In++;
            counts.InBytes += _draft.Text.Length;
            _draft.NextStep();
            var before = _draft.Utf8;
            try
            {
                if (i == 0 && _decided is not null)
                    Decide(incoming.Decisions);
                else
                    _steps[i - (_decided is null ? 0 : 1)].Apply(_draft);
            }
            catch (Exception e) when (e is not OperationCanceledException and not Foundation.Files.UserException)
            {
                throw new InvalidOperationException($"step {_names[i]}: {_draft.Origin}: {e.Message}", e);
            }

            foreach (var (rule, count) in _draft.Edits)
                counts.Rule(rule).Edits += count;
            if (_draft.DroppedBy is { } dropped)
            {
                var rule = counts.Rule(dropped);
                rule.Documents++;
                rule.Bytes += before.Length;
                if (rule.Examples.Count < RuleCounts.MaxExamples)
                    rule.Examples.Add(new DropExample(_draft.Origin, Excerpt.Of(before.Span), _draft.Detail ?? ""));
                result.Dropped.Add(new DroppedRow(_names[i], dropped, _draft.Origin, _draft.Detail));
                return false;
            }

            if (!before.Equals(_draft.Utf8) && !Utf8.IsValid(_draft.Text))
                throw new InvalidOperationException($"step {_names[i]}: {_draft.Origin}: left text that is not UTF-8");
            counts.Kept++;
            counts.KeptBytes += _draft.Text.Length;
        }

        return true;
    }

    private void Decide(Decision[]? decisions)
    {
        if (decisions is null)
            return;
        if (decisions.Any(d => d.Kind == DecisionKind.Drop))
        {
            var drop = decisions.First(d => d.Kind == DecisionKind.Drop);
            _draft.Drop(_decided!.Rule, drop.Partition == Decision.Nobody ? null : "as " + _before!(drop.Partition, drop.Ordinal).Origin);
            return;
        }

        if (decisions.FirstOrDefault(d => d.Kind == DecisionKind.KeepTogether) is { Kind: DecisionKind.KeepTogether } together)
        {
            var first = _before!(together.Partition, together.Ordinal);
            _draft.SetMeta("cluster", first.Origin);
            _draft.SetSplit(first.Split ?? _plan.Options.Split.Of(first.Utf8.Span));
            _draft.CountEdits(_decided!.Rule);
        }

        var text = _draft.Text;
        var cuts = decisions.Where(d => d.Kind == DecisionKind.Cut).OrderBy(d => d.Start).ToArray();
        if (cuts.Length == 0)
            return;
        var kept = new byte[text.Length];
        var (at, n, ranges) = (0, 0, 0L);
        foreach (var cut in cuts)
        {
            if (cut.Start > at)
            {
                text[at..cut.Start].CopyTo(kept.AsSpan(n));
                n += cut.Start - at;
                ranges++;
            }
            else if (at == 0)
            {
                ranges++;
            }

            at = Math.Max(at, cut.Start + cut.Length);
        }

        text[at..].CopyTo(kept.AsSpan(n));
        n += text.Length - at;
        if (kept.AsSpan(0, n).IndexOfAnyExcept(" \t\r\n"u8) < 0)
        {
            _draft.Drop("nothing-left");
            return;
        }

        _draft.Replace(kept.AsSpan(0, n));
        _draft.CountEdits(_decided!.Rule, ranges);
    }
}

/// <summary>The beginning of a text for a report: one line, private data taken out.</summary>
internal static class Excerpt
{
    private const int Bytes = 200;

    public static string Of(ReadOnlySpan<byte> text)
    {
        var cut = text.Length <= Bytes ? text.Length : Bytes;
        while (cut < text.Length && (text[cut] & 0xC0) == 0x80)
            cut--;
        var shown = new StringBuilder(Bytes);
        foreach (var rune in Encoding.UTF8.GetString(PiiScanner.Redact(text[..cut])).EnumerateRunes())
            shown.Append(Rune.IsControl(rune) || Rune.IsWhiteSpace(rune) ? " " : rune.ToString());
        return shown.ToString().Trim() + (cut < text.Length ? " …" : "");
    }
}
