using System.Security.Cryptography;

namespace Gradus.Text.Data.Sources.Web;

/// <summary>Digests of WARC records: <c>sha1:</c> and base 32 by the standard; hexadecimal and base 64 as some crawlers write them.</summary>
internal static class WarcDigest
{
    /// <summary>Whether the bytes have the digest; null when its form or algorithm is not known.</summary>
    public static bool? Matches(string digest, ReadOnlySpan<byte> bytes)
    {
        var colon = digest.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0)
            return null;
        byte[]? actual = digest[..colon].ToLowerInvariant() switch
        {
#pragma warning disable CA5350, CA5351 // the format's own checksums, not a defence
            "sha1" => SHA1.HashData(bytes),
            "md5" => MD5.HashData(bytes),
#pragma warning restore CA5350, CA5351
            "sha256" => SHA256.HashData(bytes),
            "sha512" => SHA512.HashData(bytes),
            _ => null,
        };
        return actual is null || Decode(digest[(colon + 1)..].Trim(), actual.Length) is not { } wanted ? null : wanted.AsSpan().SequenceEqual(actual);
    }

    private static byte[]? Decode(string text, int length)
    {
        if (text.Length == 2 * length && text.All(char.IsAsciiHexDigit))
            return Convert.FromHexString(text);
        if (text.TrimEnd('=').Length == ((8 * length) + 4) / 5)
            return Base32(text.TrimEnd('='), length);
        var base64 = text.Replace('-', '+').Replace('_', '/');
        var bytes = new byte[length + 2];
        return Convert.TryFromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='), bytes, out var n) && n == length ? bytes[..n] : null;
    }

    private static byte[]? Base32(string text, int length)
    {
        var bytes = new byte[length];
        var (bits, count, at) = (0u, 0, 0);
        foreach (var c in text)
        {
            var value = c switch { >= 'A' and <= 'Z' => c - 'A', >= 'a' and <= 'z' => c - 'a', >= '2' and <= '7' => c - '2' + 26, _ => -1 };
            if (value < 0)
                return null;
            bits = (bits << 5) | (uint)value;
            count += 5;
            if (count < 8)
                continue;
            count -= 8;
            if (at < length)
                bytes[at++] = (byte)(bits >> count);
        }

        return bytes;
    }
}
