using System.Buffers;
using System.Text;
using Gradus.Text.Data.Sources.Html;

namespace Gradus.Text.Data.Sources.Mail;

/// <summary>The text of a mail: of its alternatives the plain one, else the page; of its parts those that are text and no attachment.</summary>
internal static class MailBody
{
    private const int MaxDepth = 16;
    private const int MaxParts = 1000;

    public static string Text(ReadOnlySpan<byte> mail, out MailHeaders headers)
    {
        var at = 0;
        headers = MailHeaders.Read(mail, ref at);
        return Part(mail[at..], headers, 0).Trim();
    }

    /// <summary>Base 64 with line ends and junk passed over, as mail programs do.</summary>
    public static byte[] Base64(ReadOnlySpan<byte> data)
    {
        var bytes = new ArrayBufferWriter<byte>((data.Length * 3 / 4) + 3);
        var (bits, count) = (0u, 0);
        foreach (var c in data)
        {
            var value = c switch { >= (byte)'A' and <= (byte)'Z' => c - 'A', >= (byte)'a' and <= (byte)'z' => c - 'a' + 26, >= (byte)'0' and <= (byte)'9' => c - '0' + 52, (byte)'+' => 62, (byte)'/' => 63, _ => -1 };
            if (c == '=')
                break;
            if (value < 0)
                continue;
            bits = (bits << 6) | (uint)value;
            count += 6;
            if (count < 8)
                continue;
            count -= 8;
            bytes.Write([(byte)(bits >> count)]);
        }

        return bytes.WrittenSpan.ToArray();
    }

    public static byte[] QuotedPrintable(ReadOnlySpan<byte> data)
    {
        var bytes = new ArrayBufferWriter<byte>(data.Length + 1);
        for (var i = 0; i < data.Length; i++)
        {
            if (data[i] != '=')
                bytes.Write(data.Slice(i, 1));
            else if (i + 2 < data.Length && char.IsAsciiHexDigit((char)data[i + 1]) && char.IsAsciiHexDigit((char)data[i + 2]))
            {
                bytes.Write([(byte)((Digit(data[i + 1]) << 4) | Digit(data[i + 2]))]);
                i += 2;
            }
            else if (i + 1 < data.Length && data[i + 1] == '\n')
                i++;
            else if (i + 2 < data.Length && data[i + 1] == '\r' && data[i + 2] == '\n')
                i += 2;
            else
                bytes.Write("="u8);
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static int Digit(byte c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

    private static string Part(ReadOnlySpan<byte> body, MailHeaders headers, int depth)
    {
        var type = headers.Main("Content-Type");
        if (type.StartsWith("multipart/", StringComparison.Ordinal) && headers.Parameter("Content-Type", "boundary") is { Length: > 0 } boundary && depth < MaxDepth)
            return Parts(body, boundary, type == "multipart/alternative", depth);
        if (headers.Main("Content-Disposition") == "attachment" || type is not ("" or "text/plain" or "text/html"))
            return "";
        var bytes = headers.Main("Content-Transfer-Encoding") switch { "base64" => Base64(body), "quoted-printable" => QuotedPrintable(body), _ => body.ToArray() };
        var text = Charset.Decode(bytes, headers.Parameter("Content-Type", "charset"), html: type == "text/html");
        return type == "text/html" ? MainContent.Join(HtmlPage.Parse(text).Blocks()) : text.ReplaceLineEndings("\n");
    }

    private static string Parts(ReadOnlySpan<byte> body, string boundary, bool alternative, int depth)
    {
        var mark = Encoding.Latin1.GetBytes("--" + boundary);
        var (plain, other, all) = ("", "", new StringBuilder());
        var at = body.IndexOf(mark);
        for (var count = 0; at >= 0 && count < MaxParts; count++)
        {
            var start = at + mark.Length;
            if (body[start..].StartsWith("--"u8))
                break;
            var line = body[start..].IndexOf((byte)'\n');
            if (line < 0)
                break;
            start += line + 1;
            var next = body[start..].IndexOf(mark);
            var part = next < 0 ? body[start..] : body.Slice(start, next);
            var from = 0;
            var headers = MailHeaders.Read(part, ref from);
            var text = Part(part[from..], headers, depth + 1).Trim();
            if (headers.Main("Content-Type") is "" or "text/plain")
                plain = plain.Length > 0 ? plain : text;
            else if (text.Length > 0)
                other = text; // the last alternative is the richest
            if (text.Length > 0)
                all.Append(all.Length > 0 ? "\n\n" : "").Append(text);
            at = next < 0 ? -1 : start + next;
        }

        return !alternative ? all.ToString() : plain.Length > 0 ? plain : other;
    }
}
