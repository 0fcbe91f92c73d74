using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>The rules found by ablation for FineWeb (Penedo et al., 2024, section 3.5), with their thresholds.</summary>
[Component("fineweb")]
public sealed record FineWebQuality : LocalStep
{
    /// <summary>The share of lines that end in punctuation must be above this.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MinPunctuatedLines { get; init; } = 0.12;

    /// <summary>The share of characters in duplicate lines must be below this.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxDuplicateLineCharacters { get; init; } = 0.1;

    /// <summary>The share of short lines must be below this.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxShortLines { get; init; } = 0.67;

    /// <summary>A line with fewer characters is short.</summary>
    [AtLeast(0)]
    public int ShortLine { get; init; } = 30;

    /// <summary>Most line breaks for each word: a list. Not in the paper; in the code that made the dataset.</summary>
    [AtLeast(0)]
    public double MaxLineBreaksPerWord { get; init; } = 0.3;

    public override IDocumentStep Build() => new Step(this);

    private sealed class Step(FineWebQuality o) : IDocumentStep
    {
        private readonly HashTally _tally = new();

        public void Apply(Draft draft)
        {
            var shape = draft.Shape;
            var lines = shape.Lines;
            if (lines.IsEmpty)
            {
                draft.Drop("no-lines");
                return;
            }

            var (punctuated, shortLines, duplicates) = (0, 0, 0L);
            _tally.Clear(lines.Length);
            foreach (var line in lines)
            {
                punctuated += TextShape.EndsSentence(shape.TextOf(line)) || TextShape.EndsInEllipsis(shape.TextOf(line)) ? 1 : 0;
                shortLines += line.Characters < o.ShortLine ? 1 : 0;
                duplicates += _tally.Add(line.Hash) > 1 ? line.Characters : 0;
            }

            var breaks = draft.Text.Count((byte)'\n');
            if (punctuated <= o.MinPunctuatedLines * lines.Length)
                draft.Drop("punctuated-lines", Figure.Of((double)punctuated / lines.Length));
            else if (shortLines >= o.MaxShortLines * lines.Length)
                draft.Drop("short-lines", Figure.Of((double)shortLines / lines.Length));
            else if (duplicates >= o.MaxDuplicateLineCharacters * shape.Characters)
                draft.Drop("duplicate-line-characters", Figure.Of((double)duplicates / shape.Characters));
            else if (breaks > o.MaxLineBreaksPerWord * shape.Words)
                draft.Drop("list", Figure.Of((double)breaks / Math.Max(1, shape.Words)));
        }
    }
}
