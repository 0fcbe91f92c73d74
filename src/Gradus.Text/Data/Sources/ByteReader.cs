namespace Gradus.Text.Data.Sources;

/// <summary>A byte stream read as a mixture of lines and blocks of known length; blocks can be given back.</summary>
internal sealed class ByteReader(Stream stream)
{
    private byte[] _buffer = new byte[1 << 16];
    private int _start, _end;

    /// <summary>Offset of the next byte.</summary>
    public long Position { get; private set; }

    /// <summary>The next line without its end (LF, or CR LF), cut after <paramref name="max"/> bytes; null at the end of the stream.</summary>
    public ReadOnlyMemory<byte>? ReadLine(int max)
    {
        var scanned = 0;
        while (true)
        {
            var newline = _buffer.AsSpan(_start + scanned, _end - _start - scanned).IndexOf((byte)'\n');
            if (newline >= 0)
                return Take(scanned + newline, 1);
            scanned = _end - _start;
            if (scanned > max)
                return Take(max, 0);
            if (Fill())
                continue;
            if (scanned == 0)
                return null; // not in a conditional: there null would be an empty line
            return Take(scanned, 0);
        }
    }

    /// <summary>Up to <paramref name="count"/> bytes; fewer only at the end of the stream.</summary>
    public byte[] ReadBlock(int count)
    {
        var block = new byte[Math.Min(count, 1 << 24)]; // a length that lies costs no memory
        var n = 0;
        while (n < count)
        {
            if (_start == _end && !Fill())
                return block[..n];
            if (n == block.Length)
                Array.Resize(ref block, (int)Math.Min(count, 2L * n));
            var part = Math.Min(block.Length - n, _end - _start);
            _buffer.AsSpan(_start, part).CopyTo(block.AsSpan(n));
            Advance(part);
            n += part;
        }

        return block;
    }

    /// <summary>Passes over bytes; fewer only at the end of the stream.</summary>
    public long Skip(long count)
    {
        long n = 0;
        while (n < count && (_start < _end || Fill()))
        {
            var part = (int)Math.Min(count - n, _end - _start);
            Advance(part);
            n += part;
        }

        return n;
    }

    /// <summary>The next bytes, without reading them; fewer only at the end of the stream.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        while (_end - _start < count && Fill())
        {
        }

        return _buffer.AsSpan(_start, Math.Min(count, _end - _start));
    }

    /// <summary>Gives bytes back that were read last, to be read again.</summary>
    public void Unread(ReadOnlySpan<byte> bytes)
    {
        var whole = new byte[Math.Max(_buffer.Length, bytes.Length + _end - _start)];
        bytes.CopyTo(whole);
        _buffer.AsSpan(_start, _end - _start).CopyTo(whole.AsSpan(bytes.Length));
        (_buffer, _start, _end) = (whole, 0, bytes.Length + _end - _start);
        Position -= bytes.Length;
    }

    private ReadOnlyMemory<byte> Take(int length, int lineEnd)
    {
        var keep = lineEnd > 0 && length > 0 && _buffer[_start + length - 1] == '\r' ? length - 1 : length;
        var line = _buffer.AsMemory(_start, keep);
        Advance(length + lineEnd);
        return line;
    }

    private void Advance(int count)
    {
        _start += count;
        Position += count;
    }

    private bool Fill()
    {
        if (_start == _end)
            (_start, _end) = (0, 0);
        if (_end == _buffer.Length)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }
            else
            {
                Array.Resize(ref _buffer, checked(_buffer.Length * 2));
            }
        }

        var n = stream.Read(_buffer.AsSpan(_end));
        _end += n;
        return n > 0;
    }
}
