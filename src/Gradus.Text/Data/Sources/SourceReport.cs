using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Sources;

/// <summary>What one reading of the sources kept, changed and left out.</summary>
public sealed class SourceReport
{
    /// <summary>How many reasons are kept in full.</summary>
    public const int MaxReasons = 20;

    private readonly List<string> _reasons = [];
    private readonly SortedDictionary<string, long> _leftOut = new(StringComparer.Ordinal);

    /// <summary>Files read to their end.</summary>
    public long Files { get; internal set; }

    /// <summary>Files that held no document.</summary>
    public long EmptyFiles { get; internal set; }

    /// <summary>Documents yielded.</summary>
    public long Documents { get; internal set; }

    /// <summary>UTF-8 bytes of their text.</summary>
    public long Bytes { get; internal set; }

    /// <summary>Records left out because they were bad.</summary>
    public long Skipped { get; private set; }

    /// <summary>Records left out because they held no text.</summary>
    public long Empty { get; internal set; }

    /// <summary>Ill-formed parts replaced by U+FFFD.</summary>
    public long Replaced { get; internal set; }

    /// <summary>Why records were skipped: the first <see cref="MaxReasons"/>, each with file and place.</summary>
    public IReadOnlyList<string> Reasons => _reasons;

    /// <summary>Well-formed records that are no documents by their format's own rules, by rule: <c>redirect</c>, <c>not-namespace-0</c>, <c>binary</c>.</summary>
    public IReadOnlyDictionary<string, long> LeftOut => _leftOut;

    /// <summary>Adds what another reading counted: the parts of one source, read apart.</summary>
    public void Add(SourceReport other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Files += other.Files;
        EmptyFiles += other.EmptyFiles;
        Documents += other.Documents;
        Bytes += other.Bytes;
        Skipped += other.Skipped;
        Empty += other.Empty;
        Replaced += other.Replaced;
        _reasons.AddRange(other._reasons.Take(MaxReasons - _reasons.Count));
        foreach (var (rule, count) in other._leftOut)
            LeaveOut(rule, count);
    }

    /// <summary>Where bad records go with <c>bad_records: quarantine</c>; without it, they stop the reading.</summary>
    public QuarantineFile? Quarantine { get; init; }

    internal void Keep(QuarantinedRecord record, ReadOnlySpan<byte> bytes)
    {
        if (Quarantine is null)
            throw new UserException($"{record.Place}: {record.Reason} (bad_records: quarantine, but this reading has no quarantine file; set skip or stop.)");
        Quarantine.Add(record, bytes);
    }

    internal void LeaveOut(string rule, long count = 1) => _leftOut[rule] = _leftOut.GetValueOrDefault(rule) + count;

    internal void Skip(string reason)
    {
        Skipped++;
        if (_reasons.Count < MaxReasons)
            _reasons.Add(reason);
    }
}
