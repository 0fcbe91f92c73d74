using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Sources;

/// <summary>One opened file on its way into documents: its bytes, its name, and where its bad records go.</summary>
public sealed class SourceFile
{
    private readonly SourceOptions _options;

    internal SourceFile(SourceOptions options, string name, string? path, Stream bytes, SourceReport report) =>
        (_options, Name, Path, Bytes, Report) = (options, name, path, bytes, report);

    /// <summary>For messages: a path, or <c>archive!entry</c>.</summary>
    public string Name { get; }

    /// <summary>Its path when the file lies on disk as it is; null inside an archive or behind a decompressor.</summary>
    public string? Path { get; }

    /// <summary>Its uncompressed bytes, once.</summary>
    public Stream Bytes { get; }

    /// <summary>Counts of what was skipped or changed; documents themselves are counted by the caller.</summary>
    public SourceReport Report { get; }

    /// <summary>Longest record.</summary>
    public int MaxRecordBytes => _options.MaxRecordBytes;

    /// <summary>A record that cannot be used: stops, leaves it out, or puts it into quarantine, as <see cref="SourceOptions.BadRecords"/> says.</summary>
    /// <param name="place"><c>file</c> or <c>file:line</c>.</param>
    /// <param name="why">One sentence.</param>
    /// <param name="offset">Where the record starts in the uncompressed file, or -1.</param>
    /// <param name="bytes">The record, as far as it is at hand.</param>
    public void Bad(string place, string why, long offset = -1, ReadOnlySpan<byte> bytes = default)
    {
        var reason = $"{place}: {why}";
        if (_options.BadRecords == BadRecords.Stop)
            throw new UserException(reason);
        Report.Skip(reason);
        if (_options.BadRecords == BadRecords.Quarantine)
            Report.Keep(new QuarantinedRecord { File = Name, Place = place, Offset = offset, Reason = why, Bytes = bytes.Length }, bytes);
    }

    /// <summary>A copy of the bytes as valid UTF-8, or null when they are bad and were left out.</summary>
    /// <param name="bytes">A record's bytes.</param>
    /// <param name="place"><c>file</c> or <c>file:line</c>.</param>
    /// <param name="offset">Where the record starts in the uncompressed file.</param>
    public byte[]? Utf8Text(ReadOnlySpan<byte> bytes, string place, long offset)
    {
        var first = StrictUtf8.FirstInvalid(bytes);
        if (first < 0)
            return bytes.ToArray();
        if (_options.BadUtf8 == BadUtf8.Replace)
            return StrictUtf8.Replace(bytes, Report);
        Bad(place, $"byte {offset + first} (0x{bytes[first]:X2}) is not valid UTF-8{StrictUtf8.Guess(bytes, offset)}. Convert the file, or set bad_utf8: replace.", offset, bytes);
        return null;
    }

    /// <summary>All bytes of a file that is one record, or null when it is longer than the cap.</summary>
    public ReadOnlyMemory<byte>? ReadWhole(string advice = "raise max_record_bytes")
    {
        var text = new System.Buffers.ArrayBufferWriter<byte>(1 << 16);
        int n;
        while ((n = Bytes.Read(text.GetSpan(1 << 16))) > 0)
        {
            text.Advance(n);
            if (text.WrittenCount <= MaxRecordBytes)
                continue;
            Bad(Name, $"the file is longer than {MaxRecordBytes} bytes; {advice}.", 0, text.WrittenSpan);
            return null;
        }

        return text.WrittenMemory;
    }
}
