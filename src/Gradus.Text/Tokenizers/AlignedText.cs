namespace Gradus.Text.Tokenizers;

/// <summary>
/// Text on its way through the normalisers: the UTF-8 bytes it is now and, when offsets are wanted, which bytes of the original each
/// stands for. A normaliser goes through <see cref="Bytes"/> once from left to right, says for every stretch what becomes of it
/// (<see cref="Keep"/>, <see cref="Put"/>; what is passed over is removed) and ends with <see cref="Commit"/>.
/// </summary>
internal sealed class AlignedText
{
    private byte[] _bytes, _newBytes = [];
    private Piece[]? _origins, _newOrigins;
    private int _length, _newLength;

    /// <param name="original">The text, valid UTF-8.</param>
    /// <param name="track">Keep origins; without them everything is faster and <see cref="Origin"/> may not be asked.</param>
    public AlignedText(ReadOnlySpan<byte> original, bool track)
    {
        _bytes = original.ToArray();
        _length = original.Length;
        if (!track)
            return;
        _origins = new Piece[_length];
        for (var i = 0; i < _length; i++)
            _origins[i] = new(i, i + 1);
        _newOrigins = [];
    }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>The bytes of the original that <c>[start, end)</c> of <see cref="Bytes"/> stands for.</summary>
    public Piece Origin(int start, int end)
    {
        if (_origins is null)
            throw new InvalidOperationException("origins are not tracked");
        if (end > start)
            return new(_origins[start].Start, _origins[end - 1].End);
        var at = start < _length ? _origins[start].Start : _length > 0 ? _origins[_length - 1].End : 0;
        return new(at, at);
    }

    /// <summary>The next stretch stays as it is.</summary>
    public void Keep(int start, int end)
    {
        Room(end - start);
        _bytes.AsSpan(start, end - start).CopyTo(_newBytes.AsSpan(_newLength));
        _origins?.AsSpan(start, end - start).CopyTo(_newOrigins.AsSpan(_newLength));
        _newLength += end - start;
    }

    /// <summary>The next stretch <c>[start, end)</c> becomes <paramref name="text"/>; an empty stretch makes it an insertion that stands for nothing.</summary>
    public void Put(ReadOnlySpan<byte> text, int start, int end)
    {
        Room(text.Length);
        text.CopyTo(_newBytes.AsSpan(_newLength));
        if (_origins is not null)
            _newOrigins.AsSpan(_newLength, text.Length).Fill(Origin(start, end));
        _newLength += text.Length;
    }

    /// <summary>What was kept and put is the text now.</summary>
    public void Commit()
    {
        (_bytes, _newBytes) = (_newBytes, _bytes);
        (_origins, _newOrigins) = (_newOrigins, _origins);
        (_length, _newLength) = (_newLength, 0);
    }

    private void Room(int more)
    {
        var needed = checked(_newLength + more);
        if (needed <= _newBytes.Length)
            return;
        var size = Math.Max(needed, Math.Max(64, Math.Max(_newBytes.Length * 2, _length + 16)));
        Array.Resize(ref _newBytes, size);
        if (_origins is not null)
            Array.Resize(ref _newOrigins, size);
    }
}
