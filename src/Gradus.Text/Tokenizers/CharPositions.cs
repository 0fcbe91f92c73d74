namespace Gradus.Text.Tokenizers;

/// <summary>Turns places in bytes into places in characters (Unicode code points).</summary>
internal sealed class CharPositions
{
    private readonly int[]? _chars; // the number of the character that each byte is in; null for ASCII
    private readonly int _length;

    public CharPositions(ReadOnlySpan<byte> text)
    {
        _length = text.Length;
        if (System.Text.Ascii.IsValid(text))
            return;
        _chars = new int[text.Length];
        var count = -1;
        for (var i = 0; i < text.Length; i++)
            _chars[i] = (text[i] & 0xC0) == 0x80 ? count : ++count;
    }

    public Piece Of(Piece bytes)
    {
        if (_chars is null || bytes.Start >= _length)
            return bytes;
        return new(_chars[bytes.Start], bytes.End < _length ? _chars[bytes.End] : _chars[_length - 1] + 1);
    }
}
