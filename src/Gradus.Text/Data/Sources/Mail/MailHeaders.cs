using System.Text;
using Gradus.Text.Data.Sources.Html;

namespace Gradus.Text.Data.Sources.Mail;

/// <summary>The headers of a mail or of one of its parts: folded lines joined, encoded words read.</summary>
internal sealed class MailHeaders
{
    private readonly Dictionary<string, string> _values = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A header by name, raw; empty when there is none. Of several the first.</summary>
    public string this[string name] => _values.GetValueOrDefault(name, "");

    /// <summary>Reads headers up to the empty line; <paramref name="at"/> is then behind it.</summary>
    public static MailHeaders Read(ReadOnlySpan<byte> bytes, ref int at)
    {
        var headers = new MailHeaders();
        string? last = null;
        while (at < bytes.Length)
        {
            var end = bytes[at..].IndexOf((byte)'\n');
            var line = Encoding.Latin1.GetString(end < 0 ? bytes[at..] : bytes.Slice(at, end)).TrimEnd('\r');
            at = end < 0 ? bytes.Length : at + end + 1;
            if (line.Length == 0)
                break;
            if (line[0] is ' ' or '\t')
            {
                if (last is not null)
                    headers._values[last] += " " + line.Trim();
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            last = colon > 0 ? line[..colon].Trim() : null;
            if (last is not null && !headers._values.TryAdd(last, line[(colon + 1)..].Trim()))
                last = null; // a second one of that name; its folded lines are not the first's
        }

        return headers;
    }

    /// <summary>A header's value up to its first semicolon, lower case.</summary>
    public string Main(string name) => this[name].Split(';')[0].Trim().ToLowerInvariant();

    /// <summary>A parameter of a header's value: <c>charset</c>, <c>boundary</c>.</summary>
    public string? Parameter(string name, string parameter)
    {
        foreach (var part in this[name].Split(';').AsSpan(1))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && part[..equals].Trim().Equals(parameter, StringComparison.OrdinalIgnoreCase))
                return part[(equals + 1)..].Trim().Trim('"');
        }

        return null;
    }

    /// <summary>A header as text: <c>=?utf-8?B?…?=</c> and <c>=?latin1?Q?…?=</c> read, raw bytes taken for UTF-8 when they are.</summary>
    public string Text(string name)
    {
        var raw = this[name];
        if (raw.Any(c => c > 127))
            raw = Charset.Decode(Encoding.Latin1.GetBytes(raw), null, html: false);
        var text = new StringBuilder();
        var at = 0;
        while (at < raw.Length)
        {
            var start = raw.IndexOf("=?", at, StringComparison.Ordinal);
            var parts = start < 0 ? [] : raw[start..].Split('?', 5);
            if (start < 0 || parts.Length < 5 || !parts[4].StartsWith('=') || Word(parts[1], parts[2], parts[3]) is not { } word)
            {
                var next = start < 0 ? raw.Length : start + 2;
                text.Append(raw, at, next - at);
                at = next;
                continue;
            }

            var between = raw[at..start];
            if (at == 0 || between.Any(c => c != ' ')) // spaces between two encoded words are none
                text.Append(between);
            text.Append(word);
            at = start + 2 + parts[1].Length + 1 + parts[2].Length + 1 + parts[3].Length + 2;
        }

        return text.ToString();
    }

    private static string? Word(string charset, string encoding, string data)
    {
        var set = Charset.Of(charset.Split('*')[0]);
        var bytes = encoding is "B" or "b" ? MailBody.Base64(Encoding.Latin1.GetBytes(data)) : encoding is "Q" or "q" ? MailBody.QuotedPrintable(Encoding.Latin1.GetBytes(data.Replace('_', ' '))) : null;
        return set is null || bytes is null ? null : set.GetString(bytes);
    }
}
