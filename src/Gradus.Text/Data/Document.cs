namespace Gradus.Text.Data;

/// <summary>One document: what a source yields, a split places, a tokenizer encodes.</summary>
/// <param name="Utf8">Its text: valid UTF-8, never empty.</param>
/// <param name="Origin">Where it came from, for messages: <c>file:line</c> or <c>file</c>.</param>
/// <param name="Split">The split its source prescribes, or null: by its content.</param>
public sealed record Document(ReadOnlyMemory<byte> Utf8, string Origin, DataSplit? Split = null);

/// <summary>What a document is for.</summary>
public enum DataSplit
{
    /// <summary>Learned from.</summary>
    Train,

    /// <summary>Looked at during training, to choose.</summary>
    Validation,

    /// <summary>Looked at once, at the end.</summary>
    Test,
}

/// <summary>What to do with bytes that are not UTF-8.</summary>
public enum BadUtf8
{
    /// <summary>The record is a bad record; the message has the byte offset.</summary>
    Reject,

    /// <summary>Each ill-formed part becomes U+FFFD, and is counted.</summary>
    Replace,
}

/// <summary>What to do with a record that cannot be used: malformed, too long, not UTF-8.</summary>
public enum BadRecords
{
    /// <summary>Stop with a message that names it.</summary>
    Stop,

    /// <summary>Leave it out; it is counted and the first few are named in the report.</summary>
    Skip,
}

/// <summary>What one reading of the sources kept, changed and left out.</summary>
public sealed class SourceReport
{
    /// <summary>How many reasons are kept in full.</summary>
    public const int MaxReasons = 20;

    private readonly List<string> _reasons = [];

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

    internal void Skip(string reason)
    {
        Skipped++;
        if (_reasons.Count < MaxReasons)
            _reasons.Add(reason);
    }
}
