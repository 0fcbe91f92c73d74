namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>How numbers of several classes become one.</summary>
public enum Averaging
{
    /// <summary>The mean over the classes that were expected or said, each the same.</summary>
    Macro,

    /// <summary>Over all decisions together: with one label an item, the accuracy.</summary>
    Micro,

    /// <summary>The mean over the classes, each as often as it was expected.</summary>
    Weighted,
}

/// <summary>Right, wrongly said and missed of each class, and what follows from them. What divides by nothing is 0, as in scikit-learn.</summary>
internal static class ClassCounts
{
    public static double Average(IReadOnlyList<Judged> items, Averaging how, string? positive, Func<double, double, double, double> of)
    {
        var counts = new SortedDictionary<string, (double Right, double Wrong, double Missed)>(StringComparer.Ordinal);
        foreach (var item in items)
            for (var i = 0; i < item.Expected.Count; i++)
            {
                var (expected, said) = (item.Expected[i], i < item.Said.Count ? item.Said[i] : "");
                var (right, wrong, missed) = counts.GetValueOrDefault(expected);
                counts[expected] = expected == said ? (right + 1, wrong, missed) : (right, wrong, missed + 1);
                if (expected == said || said.Length == 0) continue;
                (right, wrong, missed) = counts.GetValueOrDefault(said);
                counts[said] = (right, wrong + 1, missed);
            }
        if (positive is not null)
        {
            var (right, wrong, missed) = counts.GetValueOrDefault(positive);
            return of(right, wrong, missed);
        }
        return how switch
        {
            Averaging.Micro => of(counts.Values.Sum(c => c.Right), counts.Values.Sum(c => c.Wrong), counts.Values.Sum(c => c.Missed)),
            Averaging.Weighted => counts.Values.Sum(c => of(c.Right, c.Wrong, c.Missed) * (c.Right + c.Missed)) / counts.Values.Sum(c => c.Right + c.Missed),
            _ => counts.Values.Average(c => of(c.Right, c.Wrong, c.Missed)),
        };
    }

    public static double Ratio(double part, double rest) => part + rest == 0 ? 0 : part / (part + rest);
}
