using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Sources;

namespace Gradus.Training.Loop;

/// <summary>The <c>records</c> section: labelled examples, to learn from and to measure on.</summary>
public sealed record RecordSets
{
    /// <summary>Records to learn from.</summary>
    public required RecordOptions Train { get; init; }

    /// <summary>Records that decide which checkpoint is best and when to stop. Unset: a share of the training records.</summary>
    public RecordOptions? Validation { get; init; }

    /// <summary>Without validation records: the share of the training records that is held out, by their text, so that the same text is never on both sides.</summary>
    [AtLeast(0), Below(1)]
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Records that nothing is decided by: measured once, at the end.</summary>
    public RecordOptions? Test { get; init; }

    /// <summary>Reads them all.</summary>
    /// <exception cref="UserException">One is not there, or holds none.</exception>
    internal (List<DataRecord> Train, List<DataRecord> Validation, List<DataRecord> Test) Read(Action<string> say)
    {
        var (train, validation) = (Read(Train, "train", say), Validation is null ? [] : Read(Validation, "validation", say));
        if (Validation is null && ValidationShare > 0)
        {
            var sides = train.ToLookup(record => Unit(record.SplitKey) < ValidationShare);
            (train, validation) = ([.. sides[false]], [.. sides[true]]);
            if (train.Count == 0) throw new UserException("records.validation_share: no training record is left; give more records, or a validation file");
        }
        return (train, validation, Test is null ? [] : Read(Test, "test", say));
    }

    private static List<DataRecord> Read(RecordOptions options, string name, Action<string> say)
    {
        var report = new SourceReport();
        var records = options.Read(report).ToList();
        if (report.Skipped > 0) say(FormattableString.Invariant($"records.{name}: {report.Skipped} rows left out; the first: {report.Reasons[0]}"));
        return records;
    }

    private static double Unit(string text) => (Hash64.Of(Encoding.UTF8.GetBytes(text)) >> 11) * (1.0 / (1UL << 53));
}
