using System.Globalization;
using System.Text;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>How often which class was taken for which.</summary>
public sealed class ConfusionMatrix
{
    private readonly long[,] _counts;

    /// <param name="items">Items with a label each, or a tag a word.</param>
    /// <param name="labels">The classes, in the order of the rows and columns; others are not counted.</param>
    public ConfusionMatrix(IReadOnlyList<Judged> items, IReadOnlyList<string> labels)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(labels);
        Labels = labels;
        _counts = new long[labels.Count, labels.Count];
        var index = labels.Select((label, i) => (label, i)).ToDictionary(pair => pair.label, pair => pair.i, StringComparer.Ordinal);
        foreach (var item in items)
            for (var i = 0; i < Math.Min(item.Expected.Count, item.Said.Count); i++)
                if (index.TryGetValue(item.Expected[i], out var row) && index.TryGetValue(item.Said[i], out var column))
                    _counts[row, column]++;
    }

    /// <summary>The classes.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>How often <paramref name="expected"/> was taken for <paramref name="said"/>.</summary>
    public long this[int expected, int said] => _counts[expected, said];

    /// <summary>As a table in Markdown: expected down, said across.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder("| expected \\ said |");
        foreach (var label in Labels) text.Append(CultureInfo.InvariantCulture, $" {Cell(label)} |");
        text.Append("\n|---|").Append(string.Concat(Enumerable.Repeat("--:|", Labels.Count))).Append('\n');
        for (var row = 0; row < Labels.Count; row++)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {Cell(Labels[row])} |");
            for (var column = 0; column < Labels.Count; column++) text.Append(CultureInfo.InvariantCulture, $" {_counts[row, column]:N0} |");
            text.Append('\n');
        }
        return text.ToString();
    }

    private static string Cell(string label) => label.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal);
}
