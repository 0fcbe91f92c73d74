using System.Buffers;

namespace Gradus.Text.Data.Sources.Tables;

/// <summary>One record of a CSV file.</summary>
/// <param name="Line">Of its beginning, from 1.</param>
/// <param name="Offset">Of its beginning.</param>
/// <param name="Raw">As it stands in the file.</param>
/// <param name="Cells">What is between the separators, quotes undone; null when it cannot be read.</param>
/// <param name="Fault">Why, or null.</param>
internal sealed record CsvRecord(long Line, long Offset, ReadOnlyMemory<byte> Raw, IReadOnlyList<ReadOnlyMemory<byte>>? Cells, string? Fault);

/// <summary>
/// Comma-separated records on bytes (RFC 4180; LF or CR LF; quotes count where a cell begins). A quote that never closes spoils only its
/// own line: the lines behind it are read again as what they are.
/// </summary>
internal sealed class CsvReader(Stream stream, byte separator, bool quotes, int maxRecordBytes)
{
    /// <summary>Most columns of a file: more are no table but damage.</summary>
    public const int MaxColumns = 16_384;

    private readonly LineReader _lines = new(stream, maxRecordBytes);
    private readonly Queue<(byte[] Bytes, long Line, long Offset, bool TooLong)> _again = new();

    public IEnumerable<CsvRecord> Records()
    {
        while (NextLine(out var bytes, out var line, out var offset, out var tooLong))
        {
            if (tooLong)
            {
                yield return new CsvRecord(line, offset, bytes, null, $"the line is longer than {maxRecordBytes} bytes (max_record_bytes).");
                continue;
            }

            if (bytes.AsSpan().IndexOfAnyExcept(" \t\r"u8) < 0)
                continue;
            var end = quotes ? Scan(bytes) : Open.No;
            if (end == Open.Junk)
            {
                yield return new CsvRecord(line, offset, bytes, null, "text follows a closing quote; quotes inside a cell are doubled.");
                continue;
            }

            yield return end == Open.No ? Split(line, offset, bytes) : Continue(bytes, line, offset);
        }
    }

    private enum Open { No, Yes, Junk }

    /// <summary>A cell goes on over line ends: lines are joined until its quote closes.</summary>
    private CsvRecord Continue(byte[] first, long line, long offset)
    {
        var whole = new ArrayBufferWriter<byte>(first.Length * 2);
        whole.Write(first);
        var taken = new List<(byte[], long, long, bool)>();
        while (NextLine(out var bytes, out var l, out var o, out var tooLong))
        {
            taken.Add((bytes, l, o, tooLong));
            if (tooLong || whole.WrittenCount + 1 + bytes.Length > maxRecordBytes)
                break;
            whole.Write("\n"u8);
            whole.Write(bytes);
            if (bytes.AsSpan().IndexOf((byte)'"') < 0)
                continue;
            var end = Scan(whole.WrittenSpan);
            if (end == Open.No)
                return Split(line, offset, whole.WrittenSpan.ToArray());
            if (end == Open.Junk)
                break;
        }

        var rest = _again.ToArray();
        _again.Clear();
        foreach (var one in taken.Concat(rest))
            _again.Enqueue(one);
        return new CsvRecord(line, offset, first, null, "a quote is opened that is never closed.");
    }

    private bool NextLine(out byte[] bytes, out long line, out long offset, out bool tooLong)
    {
        if (_again.TryDequeue(out var known))
        {
            (bytes, line, offset, tooLong) = known;
            return true;
        }

        var read = _lines.TryRead(out var memory);
        (bytes, line, offset, tooLong) = (memory.ToArray(), _lines.Line, _lines.Offset, _lines.TooLong);
        return read;
    }

    /// <summary>Whether a record is complete: every quote that opens a cell closes it.</summary>
    private Open Scan(ReadOnlySpan<byte> s)
    {
        var i = 0;
        while (true)
        {
            if (i < s.Length && s[i] == '"')
            {
                for (i++; ; i += 2)
                {
                    var quote = s[Math.Min(i, s.Length)..].IndexOf((byte)'"');
                    if (quote < 0)
                        return Open.Yes;
                    i += quote;
                    if (i + 1 >= s.Length || s[i + 1] != '"')
                        break;
                }

                i++;
                if (i < s.Length && s[i] != separator)
                    return Open.Junk;
            }
            else
            {
                var next = s[i..].IndexOf(separator);
                i = next < 0 ? s.Length : i + next;
            }

            if (i >= s.Length)
                return Open.No;
            i++;
        }
    }

    private CsvRecord Split(long line, long offset, byte[] record)
    {
        var cells = new List<ReadOnlyMemory<byte>>();
        var i = 0;
        while (true)
        {
            if (cells.Count == MaxColumns)
                return new CsvRecord(line, offset, record, null, $"the row has more than {MaxColumns} columns.");
            if (quotes && i < record.Length && record[i] == '"')
            {
                var end = i + 1;
                while (true)
                {
                    end += record.AsSpan(end).IndexOf((byte)'"');
                    if (end + 1 >= record.Length || record[end + 1] != '"')
                        break;
                    end += 2;
                }

                cells.Add(Unquoted(record.AsMemory((i + 1)..end)));
                i = end + 1;
            }
            else
            {
                var next = record.AsSpan(i).IndexOf(separator);
                var end = next < 0 ? record.Length : i + next;
                cells.Add(record.AsMemory(i..end));
                i = end;
            }

            if (i >= record.Length)
                return new CsvRecord(line, offset, record, cells, null);
            i++; // the separator; behind the last one stands an empty cell
        }
    }

    private static ReadOnlyMemory<byte> Unquoted(ReadOnlyMemory<byte> cell)
    {
        if (cell.Span.IndexOf((byte)'"') < 0)
            return cell;
        var text = new byte[cell.Length];
        var n = 0;
        var s = cell.Span;
        for (var i = 0; i < s.Length; i++)
        {
            text[n++] = s[i];
            if (s[i] == '"')
                i++;
        }

        return text.AsMemory(0, n);
    }
}
