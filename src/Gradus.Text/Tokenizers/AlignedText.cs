using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>A character of the text to come: what it does to the characters of the text there was.</summary>
/// <param name="Rune">The character.</param>
/// <param name="Change">0: it stands for the next old character; -n: for the next one, and the n after that are removed; 1: it is inserted and
/// stands for the same as the character before it.</param>
internal readonly record struct CharChange(int Rune, int Change);

/// <summary>
/// Text on its way through the normalisers: the UTF-8 bytes it is now and, when offsets are wanted, which bytes of the original each
/// stands for. A normaliser goes through <see cref="Bytes"/> once from left to right, says for every stretch what becomes of it
/// (<see cref="Keep"/>, <see cref="Put"/>; what is passed over is removed) and ends with <see cref="Commit"/>.
/// </summary>
/// <remarks>Every byte of a character stands for the whole character, so a token that holds a part of one covers all of it, as in Hugging Face's library.</remarks>
internal sealed class AlignedText
{
    private byte[] _bytes, _newBytes = [];
    private Piece[]? _origins, _newOrigins;
    private int _length, _newLength;

    /// <param name="original">The text, valid UTF-8.</param>
    /// <param name="track">Keep origins; without them everything is faster and <see cref="Origin"/> may not be asked.</param>
    /// <param name="start">Where it begins in the text that origins refer to.</param>
    public AlignedText(ReadOnlySpan<byte> original, bool track, int start = 0)
    {
        _bytes = original.ToArray();
        _length = original.Length;
        if (!track)
            return;
        _origins = new Piece[_length];
        for (var at = 0; at < _length;)
        {
            var end = at + CharLength(_bytes[at]);
            _origins.AsSpan(at, end - at).Fill(new(start + at, start + end));
            at = end;
        }

        _newOrigins = [];
    }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public bool Tracks => _origins is not null;

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

    /// <summary>How many bytes were kept and put so far: where the next stretch will begin.</summary>
    public int Written => _newLength;

    /// <summary>The stretch <c>[start, end)</c> stays as it is.</summary>
    public void Keep(int start, int end)
    {
        Room(end - start);
        _bytes.AsSpan(start, end - start).CopyTo(_newBytes.AsSpan(_newLength));
        _origins?.AsSpan(start, end - start).CopyTo(_newOrigins.AsSpan(_newLength));
        _newLength += end - start;
    }

    /// <summary>
    /// The stretch <c>[start, end)</c> becomes <paramref name="text"/>, character for character: the first stands for the first and so on,
    /// and those that are more stand for the last. An empty stretch makes it an insertion that stands for the same as the character before it.
    /// </summary>
    public void Put(ReadOnlySpan<byte> text, int start, int end)
    {
        Room(text.Length);
        text.CopyTo(_newBytes.AsSpan(_newLength));
        if (_origins is not null)
        {
            var old = start;
            for (var at = 0; at < text.Length;)
            {
                var length = CharLength(text[at]);
                var origin = old < end ? _origins[old] : old > 0 ? _origins[old - 1] : _length > 0 ? new Piece(_origins[0].Start, _origins[0].Start) : default;
                _newOrigins.AsSpan(_newLength + at, length).Fill(origin);
                if (old < end)
                    old += CharLength(_bytes[old]);
                at += length;
            }
        }

        _newLength += text.Length;
    }

    /// <summary>A stretch that ends at <paramref name="end"/> and is not empty becomes <paramref name="text"/>, every character of which stands for its last one.</summary>
    public void PutForLast(ReadOnlySpan<byte> text, int end)
    {
        Room(text.Length);
        text.CopyTo(_newBytes.AsSpan(_newLength));
        if (_origins is not null)
            _newOrigins.AsSpan(_newLength, text.Length).Fill(_origins[end - 1]);
        _newLength += text.Length;
    }

    /// <summary>What was kept and put is the text now.</summary>
    public void Commit()
    {
        (_bytes, _newBytes) = (_newBytes, _bytes);
        (_origins, _newOrigins) = (_newOrigins, _origins);
        (_length, _newLength) = (_newLength, 0);
    }

    /// <summary>The whole text becomes <paramref name="changes"/>, as Hugging Face's library counts them; commits.</summary>
    public void Transform(ReadOnlySpan<CharChange> changes)
    {
        var old = 0;
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var (value, change) in changes)
        {
            var length = new Rune(value).EncodeToUtf8(utf8);
            Room(length);
            utf8[..length].CopyTo(_newBytes.AsSpan(_newLength));
            if (_origins is not null)
            {
                var origin = change > 0 ? (old > 0 ? _origins[old - 1] : default) : old < _length ? _origins[old] : default;
                _newOrigins.AsSpan(_newLength, length).Fill(origin);
            }

            _newLength += length;
            for (var taken = change; taken <= 0 && old < _length; taken++)
                old += CharLength(_bytes[old]);
        }

        Commit();
    }

    /// <summary>Rewrites ASCII text in place: every byte becomes what <paramref name="map"/> says, 0xFF removes it.</summary>
    public void MapAscii(ReadOnlySpan<byte> map)
    {
        var kept = 0;
        for (var i = 0; i < _length; i++)
        {
            var mapped = map[_bytes[i]];
            _bytes[kept] = mapped;
            if (_origins is not null)
                _origins[kept] = _origins[i];
            kept += mapped != 0xFF ? 1 : 0;
        }

        _length = kept;
    }

    /// <summary>The length in bytes of the character that starts with this byte, in valid UTF-8.</summary>
    public static int CharLength(byte first) => first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

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
