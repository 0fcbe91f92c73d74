using System.IO.Compression;
using System.Text;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources.Web;

/// <summary>An HTTP response as a crawler stored it.</summary>
/// <param name="Status">Its number; 0 when the first line is none.</param>
/// <param name="Type">Media type, lower case, without parameters; empty when it says none.</param>
/// <param name="Charset">The type's parameter, or null.</param>
/// <param name="Body">As stored: still chunked and encoded.</param>
internal sealed record HttpResponse(int Status, string Type, string? Charset, ReadOnlyMemory<byte> Body)
{
    private string _transfer = "", _encoding = "";

    public static HttpResponse Parse(ReadOnlyMemory<byte> block)
    {
        var reader = new ByteReader(new MemoryStream(block.ToArray(), writable: false));
        var first = Encoding.Latin1.GetString((reader.ReadLine(1 << 14) ?? default).Span).Split(' ', 3);
        var status = first.Length > 1 && first[0].StartsWith("HTTP/", StringComparison.Ordinal) && int.TryParse(first[1], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var s) ? s : 0;
        if (status == 0)
            return new HttpResponse(0, "", null, block);
        var (type, charset, transfer, encoding) = ("", (string?)null, "", "");
        while (reader.ReadLine(1 << 16) is { Length: > 0 } line)
        {
            var text = Encoding.Latin1.GetString(line.Span);
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                continue;
            var value = text[(colon + 1)..].Trim();
            switch (text[..colon].Trim().ToLowerInvariant())
            {
                case "content-type":
                    (type, charset) = MediaType(value);
                    break;
                case "transfer-encoding":
                    transfer = value.ToLowerInvariant();
                    break;
                case "content-encoding":
                    encoding = value.ToLowerInvariant();
                    break;
            }
        }

        return new HttpResponse(status, type, charset, block[(int)reader.Position..]) { _transfer = transfer, _encoding = encoding };
    }

    public static (string Type, string? Charset) MediaType(string value)
    {
        var parts = value.Split(';', StringSplitOptions.TrimEntries);
        var charset = parts.Skip(1).FirstOrDefault(p => p.StartsWith("charset=", StringComparison.OrdinalIgnoreCase));
        return (parts[0].ToLowerInvariant(), charset?["charset=".Length..].Trim('"', '\''));
    }

    /// <summary>The body without chunks, as far as they are well-formed: some crawlers have removed them already.</summary>
    public ReadOnlyMemory<byte> Unchunked()
    {
        if (!_transfer.Contains("chunked", StringComparison.Ordinal))
            return Body;
        var whole = new List<ReadOnlyMemory<byte>>();
        var at = 0;
        while (at < Body.Length)
        {
            var line = Body.Span[at..Math.Min(Body.Length, at + 64)];
            var end = line.IndexOf((byte)'\n');
            var digits = end < 0 ? default : line[..end].Trim(" \r"u8);
            var semicolon = digits.IndexOf((byte)';');
            digits = (semicolon < 0 ? digits : digits[..semicolon]).Trim((byte)' ');
            if (digits.Length == 0 || !int.TryParse(Encoding.Latin1.GetString(digits), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var size) || size < 0)
                return whole.Count == 0 ? Body : Joined(whole);
            at += end + 1;
            if (size == 0)
                break;
            whole.Add(Body.Slice(at, Math.Min(size, Body.Length - at)));
            at = (int)Math.Min(Body.Length, (long)at + size);
            at += Body.Span[at..].StartsWith("\r\n"u8) ? 2 : Body.Span[at..].StartsWith("\n"u8) ? 1 : 0;
        }

        return Joined(whole);
    }

    /// <summary>The body as the reader of the page got it.</summary>
    /// <exception cref="DamagedFileException">It cannot be decoded, is cut, or is longer than <paramref name="max"/>.</exception>
    public ReadOnlyMemory<byte> Decoded(string place, int max)
    {
        var body = Unchunked();
        var starts = body.Span;
        if (_encoding.Length == 0 || _encoding == "identity")
            return body;
        var stream = new MemoryStream(body.ToArray(), writable: false);
        Stream? decoder = _encoding switch
        {
            "gzip" or "x-gzip" when starts.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) => new GzipReadStream(stream, place),
            "deflate" when starts.Length > 1 && (starts[0] & 15) == 8 && ((starts[0] << 8) | starts[1]) % 31 == 0 => new ZLibStream(stream, CompressionMode.Decompress),
            "deflate" => new DeflateStream(stream, CompressionMode.Decompress),
            "br" => new BrotliStream(stream, CompressionMode.Decompress),
            "zstd" when starts.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) => new ZstdReadStream(stream, place),
            _ => null,
        };
        if (decoder is null) // decoded by the crawler, who left the header as it was
            return body;
        using (decoder)
        {
            var text = new System.Buffers.ArrayBufferWriter<byte>(1 << 16);
            try
            {
                int n;
                while ((n = decoder.Read(text.GetSpan(1 << 14))) > 0)
                {
                    text.Advance(n);
                    if (text.WrittenCount > max)
                        throw new DamagedFileException($"{place}: the body expands to more than {max} bytes (max_record_bytes).");
                }
            }
            catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
            {
                throw new DamagedFileException($"{place}: the body is not the {_encoding} it says.", e);
            }

            return text.WrittenMemory;
        }
    }

    private static byte[] Joined(List<ReadOnlyMemory<byte>> parts)
    {
        var whole = new byte[parts.Sum(p => p.Length)];
        var at = 0;
        foreach (var part in parts)
        {
            part.Span.CopyTo(whole.AsSpan(at));
            at += part.Length;
        }

        return whole;
    }
}
