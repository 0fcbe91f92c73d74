namespace Gradus.Text.Data.Sources;

/// <summary>What to do with bytes that are not UTF-8.</summary>
public enum BadUtf8
{
    /// <summary>The record is a bad record; the message has the byte offset.</summary>
    Reject,

    /// <summary>Each ill-formed part becomes U+FFFD, and is counted.</summary>
    Replace,
}

/// <summary>What to do with a record that cannot be used: malformed, too long, not UTF-8; or with the rest of a file that is cut or damaged.</summary>
public enum BadRecords
{
    /// <summary>Stop with a message that names it.</summary>
    Stop,

    /// <summary>Leave it out; it is counted and the first few are named in the report.</summary>
    Skip,

    /// <summary>Leave it out, count it, and write it to <c>quarantine.jsonl</c> with file, offset, reason and bytes.</summary>
    Quarantine,
}
