using System.Text;

namespace Gradus.Text.Data.Sources.Html;

/// <summary>Which encoding bytes from the web or from a mail are in, and their text.</summary>
internal static class Charset
{
    private static readonly System.Buffers.SearchValues<char> s_end = System.Buffers.SearchValues.Create(" \"'/>;\r\n");

    private const int Prescan = 1024; // as the HTML standard has it

    /// <summary>An encoding by the names the web uses, or null. Latin-1 and ASCII mean Windows-1252, as browsers read them.</summary>
    public static Encoding? Of(string? label)
    {
        if (label is null)
            return null;
        var name = label.Trim(' ', '"', '\'', ';').ToLowerInvariant();
        name = name switch
        {
            "utf8" or "unicode-1-1-utf-8" => "utf-8",
            "iso-8859-1" or "iso8859-1" or "latin1" or "latin-1" or "l1" or "us-ascii" or "ascii" or "cp1252" or "x-cp1252" or "ansi" => "windows-1252",
            "iso-8859-9" or "latin5" => "windows-1254",
            "cp1251" or "x-cp1251" => "windows-1251",
            "gb2312" or "gbk" or "x-gbk" => "gb18030",
            "x-sjis" or "sjis" or "shift-jis" or "ms_kanji" or "windows-31j" => "shift_jis",
            "ks_c_5601-1987" or "euckr" => "euc-kr",
            "eucjp" => "euc-jp",
            "utf-16" => "utf-16",
            _ => name,
        };
        if (name.Length is 0 or > 40)
            return null;
        if (name == "utf-8")
            return Encoding.UTF8;
        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(name) ?? (name is "utf-16" or "utf-16le" or "utf-16be" or "utf-32" ? Encoding.GetEncoding(name) : null);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Text of a web page: byte order mark, then the transfer's word, then the page's own, then UTF-8 if it is that, else Windows-1252.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes, string? fromTransfer, bool html)
    {
        if (bytes.StartsWith("\uFEFF"u8))
            return Encoding.UTF8.GetString(bytes[3..]);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]))
            return Encoding.Unicode.GetString(bytes[2..]);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
            return Encoding.BigEndianUnicode.GetString(bytes[2..]);
        var encoding = Of(fromTransfer) ?? (html ? FromMeta(bytes) : null);
        if (encoding is null || encoding.CodePage == Encoding.UTF8.CodePage)
        {
            // A wrong promise of UTF-8 is common; pages that break it are nearly always Windows-1252.
            var invalid = StrictUtf8.FirstInvalid(bytes);
            encoding = invalid < 0 || (encoding is not null && invalid > bytes.Length - 4) ? Encoding.UTF8 : encoding is null ? Of("windows-1252")! : Encoding.UTF8;
        }

        return encoding.GetString(bytes);
    }

    /// <summary><c>&lt;meta charset=…></c> or <c>content="text/html; charset=…"</c> among the first bytes.</summary>
    private static Encoding? FromMeta(ReadOnlySpan<byte> bytes)
    {
        var head = Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, Prescan)]);
        for (var at = 0; (at = head.IndexOf("charset", at, StringComparison.OrdinalIgnoreCase)) >= 0; at += 7)
        {
            var rest = head.AsSpan(at + 7).TrimStart();
            if (rest.Length == 0 || rest[0] != '=')
                continue;
            rest = rest[1..].TrimStart().TrimStart("\"'");
            var end = rest.IndexOfAny(s_end);
            if (Of((end < 0 ? rest : rest[..end]).ToString()) is { } encoding)
                return encoding.CodePage is 1200 or 1201 ? Encoding.UTF8 : encoding; // a page that could be read so far is not UTF-16
        }

        return null;
    }
}
