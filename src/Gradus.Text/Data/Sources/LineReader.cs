namespace Gradus.Text.Data.Sources;

/// <summary>
/// Lines of a byte stream. Only LF ends a record (a CR before it is dropped): <c>StreamReader</c> also splits on a lone CR, which
/// cuts records in two. Memory is bounded by the cap: the rest of a longer line is passed over, not kept.
/// </summary>
internal sealed class LineReader(Stream stream, int maxRecordBytes)
{
    private byte[] _buffer = new byte[1 << 16];
    private int _start, _end;
    private long _bufferOffset; // of _buffer[0] in the stream
    private bool _ended;

    /// <summary>Number of the record last read, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>Offset of its first byte.</summary>
    public long Offset { get; private set; }

    /// <summary>The record last read was longer than the cap; what was returned is its beginning.</summary>
    public bool TooLong { get; private set; }

    /// <summary>The next record without its line end. The memory is valid until the next call. False at the end.</summary>
    public bool TryRead(out ReadOnlyMemory<byte> record)
    {
        record = default;
        TooLong = false;
        if (Line == 0)
            SkipByteOrderMark();
        var scanned = 0;
        while (true)
        {
            var newline = _buffer.AsSpan(_start + scanned, _end - _start - scanned).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                Take(scanned + newline, 1, ref record);
                return true;
            }

            scanned = _end - _start;
            if (scanned > maxRecordBytes)
            {
                TooLong = true;
                Take(maxRecordBytes, 0, ref record);
                record = record.ToArray(); // PassOver refills the buffer
                PassOver();
                return true;
            }

            if (!Fill())
            {
                if (scanned == 0)
                    return false;
                Take(scanned, 0, ref record);
                return true;
            }
        }
    }

    private void Take(int length, int lineEnd, ref ReadOnlyMemory<byte> record)
    {
        Line++;
        Offset = _bufferOffset + _start;
        var keep = length > 0 && lineEnd > 0 && _buffer[_start + length - 1] == '\r' ? length - 1 : length;
        TooLong |= keep > maxRecordBytes;
        record = _buffer.AsMemory(_start, Math.Min(keep, maxRecordBytes));
        _start += length + lineEnd;
    }

    private void PassOver()
    {
        while (true)
        {
            var newline = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                _start += newline + 1;
                return;
            }

            _start = _end;
            if (!Fill())
                return;
        }
    }

    private bool Fill()
    {
        if (_ended)
            return false;
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _bufferOffset += _start;
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, (int)Math.Min(2L * _buffer.Length, Math.Max(_buffer.Length, maxRecordBytes) + (1L << 16)));
        var n = stream.Read(_buffer.AsSpan(_end));
        _ended = n == 0;
        _end += n;
        return n > 0;
    }

    private void SkipByteOrderMark()
    {
        while (_end - _start < 3 && Fill())
        {
        }

        if (_buffer.AsSpan(_start, _end - _start).StartsWith("\uFEFF"u8))
            _start += 3;
    }
}
