using Gradus.Foundation.Recipes;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>
/// F1 over whole entities (CoNLL's measure; Tjong Kim Sang and De Meulder, 2003): one is right when its first word, its last word and its
/// type are. Tags are B-type, I-type and O; an I- that goes on with nothing begins an entity, as conlleval has it.
/// </summary>
[Component("entity-f1")]
public sealed record EntityF1 : Metric
{
    protected override double Measure(IReadOnlyList<Judged> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return Score([.. items.Select(Count)]);
    }

    private protected override Func<int[], double> Prepare(IReadOnlyList<Judged> items)
    {
        var counts = items.Select(Count).ToArray();
        return drawn => Score(Array.ConvertAll(drawn, i => counts[i]));
    }

    /// <summary>The entities of a sequence of tags: first word, word behind the last, type.</summary>
    public static IReadOnlyList<(int Start, int End, string Type)> Entities(IReadOnlyList<string> tags)
    {
        ArgumentNullException.ThrowIfNull(tags);
        var found = new List<(int, int, string)>();
        var (start, type) = (-1, "");
        for (var i = 0; i <= tags.Count; i++)
        {
            var tag = i < tags.Count ? tags[i] : "O";
            var (mark, name) = tag.Length > 2 && tag[1] == '-' ? (tag[0], tag[2..]) : ('O', "");
            if (start >= 0 && (mark != 'I' || name != type))
            {
                found.Add((start, i, type));
                start = -1;
            }
            if (start < 0 && mark is 'B' or 'I') (start, type) = (i, name);
        }
        return found;
    }

    private static (long Right, long Said, long Expected) Count(Judged item)
    {
        var expected = Entities(item.Expected);
        var said = Entities(item.Said);
        return (said.Count(expected.Contains), said.Count, expected.Count);
    }

    private static double Score((long Right, long Said, long Expected)[] counts)
    {
        var (right, all) = (counts.Sum(c => c.Right), counts.Sum(c => c.Said + c.Expected));
        return all == 0 ? 0 : 2.0 * right / all;
    }
}
