namespace Gradus.Text.Tokenizers;

/// <summary>
/// GPT-2's way to write bytes as visible characters in vocabulary files: printable Latin-1 bytes stand for themselves, the other 68 take
/// the characters from U+0100 on in byte order. So a space is written <c>Ġ</c>.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] s_chars = MakeChars();
    private static readonly short[] s_bytes = MakeBytes();

    /// <summary>The 256 bytes in the order of their characters: the order in which trained vocabularies number them.</summary>
    public static byte[] InCharOrder()
    {
        var bytes = new byte[256];
        for (var b = 0; b < 256; b++)
            bytes[b] = (byte)b;
        Array.Sort(bytes, (x, y) => s_chars[x].CompareTo(s_chars[y]));
        return bytes;
    }

    /// <summary>The character that a byte is written as.</summary>
    public static char Char(byte value) => s_chars[value];

    public static string Write(ReadOnlySpan<byte> bytes)
    {
        var text = new char[bytes.Length];
        for (var i = 0; i < text.Length; i++)
            text[i] = s_chars[bytes[i]];
        return new string(text);
    }

    /// <summary>Reads a token written in the alphabet; null when it holds any other character (an added token such as <c>&lt;|im start|&gt;</c>).</summary>
    public static byte[]? Read(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            var value = token[i] < s_bytes.Length ? s_bytes[token[i]] : (short)-1;
            if (value < 0)
                return null;
            bytes[i] = (byte)value;
        }

        return bytes;
    }

    private static char[] MakeChars()
    {
        var chars = new char[256];
        var next = 0x100;
        for (var b = 0; b < 256; b++)
            chars[b] = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)b : (char)next++;
        return chars;
    }

    private static short[] MakeBytes()
    {
        var bytes = new short[0x144];
        Array.Fill(bytes, (short)-1);
        for (var b = 0; b < 256; b++)
            bytes[s_chars[b]] = (short)b;
        return bytes;
    }
}
