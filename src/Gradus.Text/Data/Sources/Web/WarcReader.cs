using System.Globalization;
using System.Text;

namespace Gradus.Text.Data.Sources.Web;

/// <summary>
/// Records of WARC (1.0, 1.1; WET is the same) and ARC files. A record whose length is not true is found by what follows it: the reading
/// goes on at the next header, which may lie inside the wrong block.
/// </summary>
internal sealed class WarcReader(Stream stream, int maxBlock)
{
    private const int MaxHeader = 1 << 16;
    private const int MaxHeaders = 200;

    private readonly ByteReader _reader = new(stream);
    private bool _isArc;

    public IEnumerable<WarcRecord> Records()
    {
        while (true)
        {
            SkipBlankLines();
            var offset = _reader.Position;
            if (_reader.ReadLine(MaxHeader) is not { } first)
                yield break;
            if (offset == 0)
                _isArc = first.Span.StartsWith("filedesc:"u8);
            var record = _isArc ? ReadArc(offset, first) : ReadWarc(offset, first);
            yield return record;
            if (record.Fault is not null)
                FindNext(record);
        }
    }

    public static bool IsStart(ReadOnlySpan<byte> head) => head.StartsWith("WARC/1."u8) || head.StartsWith("WARC/0."u8) || head.StartsWith("filedesc:"u8);

    private WarcRecord ReadWarc(long offset, ReadOnlyMemory<byte> first)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!first.Span.StartsWith("WARC/"u8))
            return new WarcRecord(offset, headers, first.ToArray(), "there is no record header here");
        string? last = null;
        for (var count = 0; ; count++)
        {
            if (_reader.ReadLine(MaxHeader) is not { } line)
                return new WarcRecord(offset, headers, default, "the file ends inside a record's header");
            if (line.Length == 0)
                break;
            if (count == MaxHeaders)
                return new WarcRecord(offset, headers, default, $"the header has more than {MaxHeaders} lines");
            var text = Encoding.UTF8.GetString(line.Span);
            if (text[0] is ' ' or '\t' && last is not null)
            {
                headers[last] += " " + text.Trim();
                continue;
            }

            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                return new WarcRecord(offset, headers, line.ToArray(), $"a header line without a colon: '{Shown(text)}'");
            last = text[..colon].Trim().ToLowerInvariant();
            headers.TryAdd(last, text[(colon + 1)..].Trim());
        }

        return headers.TryGetValue("content-length", out var length) && long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? WithBlock(offset, headers, bytes)
            : new WarcRecord(offset, headers, default, "the record says no Content-Length");
    }

    /// <summary>ARC: <c>URL IP date type length</c> (or ten fields), then the block.</summary>
    private WarcRecord ReadArc(long offset, ReadOnlyMemory<byte> first)
    {
        var fields = Encoding.UTF8.GetString(first.Span).Split(' ');
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        if (fields.Length < 5 || !long.TryParse(fields[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
            return new WarcRecord(offset, headers, first.ToArray(), "this line is no ARC header (URL IP date type length)");
        headers["warc-target-uri"] = fields[0];
        headers["warc-date"] = fields[2];
        headers["content-type"] = fields[3];
        headers["warc-type"] = fields[0].StartsWith("filedesc:", StringComparison.Ordinal) ? "warcinfo" : "response";
        return WithBlock(offset, headers, bytes);
    }

    private WarcRecord WithBlock(long offset, Dictionary<string, string> headers, long bytes)
    {
        if (bytes > maxBlock)
        {
            var skipped = _reader.Skip(bytes);
            return new WarcRecord(offset, headers, default, skipped < bytes ? $"the file ends inside the record: {bytes - skipped} bytes are missing" : $"the record is longer than {maxBlock} bytes (max_record_bytes)");
        }

        var block = _reader.ReadBlock((int)bytes);
        if (block.Length < bytes)
            return new WarcRecord(offset, headers, block, $"the file ends inside the record: {bytes - block.Length} bytes are missing");
        var next = _reader.Peek(16);
        var gap = 0;
        while (gap < next.Length && next[gap] is (byte)'\r' or (byte)'\n')
            gap++;
        var fits = gap == next.Length || (gap > 0 && (_isArc || next[gap..].StartsWith("WARC/"u8[..Math.Min(5, next.Length - gap)])));
        return new WarcRecord(offset, headers, block, fits ? null : $"the record is not as long as its Content-Length of {bytes} says: no record follows there");
    }

    /// <summary>After a bad record: to the next line that is a header.</summary>
    private void FindNext(WarcRecord bad)
    {
        if (_isArc)
            return;
        if (bad.Block.Length > 0)
            _reader.Unread(bad.Block.Span);
        while (_reader.Peek(7) is var head && !(head.StartsWith("WARC/1."u8) || head.StartsWith("WARC/0."u8)))
            if (_reader.ReadLine(MaxHeader) is null)
                return;
    }

    private void SkipBlankLines()
    {
        while (_reader.Peek(1) is [(byte)'\r' or (byte)'\n'])
            _reader.Skip(1);
    }

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
