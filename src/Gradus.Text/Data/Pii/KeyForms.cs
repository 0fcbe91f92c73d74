using System.Buffers;

namespace Gradus.Text.Data.Pii;

/// <summary>
/// Keys for machines: the published forms (a prefix and a length), private keys in PEM, and, without a form, long strings of high entropy,
/// at once where the text calls them a secret.
/// </summary>
internal static class KeyForms
{
    private const double BitsNamed = 3.0, BitsBare = 4.2;

    // Prefix and the fewest characters after it.
    private static readonly (byte[] Prefix, int After)[] s_forms = [.. new (string, int)[]
    {
        ("AKIA", 16), ("ASIA", 16), ("AGPA", 16), ("AIDA", 16), ("AROA", 16), ("ghp_", 36), ("gho_", 36), ("ghu_", 36), ("ghs_", 36), ("ghr_", 36), ("github_pat_", 22), ("glpat-", 20), ("hf_", 30), ("sk-", 20), ("sk_live_", 16),
        ("sk_test_", 16), ("rk_live_", 16), ("pk_live_", 16), ("xoxb-", 20), ("xoxp-", 20), ("xoxa-", 20), ("xoxs-", 20), ("xoxr-", 20), ("AIza", 35), ("ya29.", 30), ("npm_", 36), ("pypi-", 40), ("SG.", 40), ("dop_v1_", 64),
        ("shpat_", 32), ("EAACEdEose0cBA", 20), ("AAAA", 100), ("eyJ", 60), ("SK", 32), ("key-", 32), ("sq0atp-", 22), ("sq0csp-", 40), ("lin_api_", 32), ("nvapi-", 40), ("gsk_", 40), ("r8_", 30),
    }.Select(f => (System.Text.Encoding.ASCII.GetBytes(f.Item1), f.Item2))];

    private static readonly SearchValues<byte> s_token = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/=."u8);
    private static readonly string[] s_names = ["api_key", "apikey", "api-key", "api key", "secret", "token", "password", "passwd", "pwd", "access_key", "auth_key", "client_secret", "private_key"];

    public static void Find(ReadOnlySpan<byte> text, List<PiiMatch> matches)
    {
        Pem(text, matches);
        for (var at = 0; at < text.Length;)
        {
            var next = text[at..].IndexOfAny(s_token);
            if (next < 0)
                return;
            at += next;
            var length = text[at..].IndexOfAnyExcept(s_token);
            length = length < 0 ? text.Length - at : length;
            if (length >= 8)
                Token(text, at, length, matches);
            at += length;
        }
    }

    /// <summary>Bits of entropy for each character of a token, by its own frequencies.</summary>
    public static double BitsPerCharacter(ReadOnlySpan<byte> token)
    {
        Span<int> counts = stackalloc int[256];
        counts.Clear();
        foreach (var b in token)
            counts[b]++;
        var bits = 0.0;
        foreach (var count in counts)
            if (count > 0)
                bits -= (double)count / token.Length * Math.Log2((double)count / token.Length);
        return bits;
    }

    private static void Pem(ReadOnlySpan<byte> text, List<PiiMatch> matches)
    {
        for (var at = 0; text[at..].IndexOf("-----BEGIN "u8) is >= 0 and var found;)
        {
            var start = at + found;
            var head = text[(start + 11)..];
            var headEnd = head.IndexOf("-----"u8);
            at = start + 11;
            if (headEnd is < 0 or > 40 || head[..headEnd].IndexOf("PRIVATE KEY"u8) < 0)
                continue;
            var end = head.IndexOf("-----END "u8);
            var close = end < 0 ? -1 : head[(end + 9)..].IndexOf("-----"u8);
            // A key that is cut goes to the end of the text.
            var stop = close < 0 ? text.Length : start + 11 + end + 9 + close + 5;
            PiiScanner.Add(matches, PiiKind.Key, start, stop - start);
            at = stop;
        }
    }

    private static void Token(ReadOnlySpan<byte> text, int at, int length, List<PiiMatch> matches)
    {
        // Punctuation around a token is not part of it; base64's padding is.
        var token = text.Slice(at, length);
        while (token.Length > 0 && token[^1] is (byte)'.' or (byte)'-' or (byte)'/')
            token = token[..^1];
        while (token.Length > 0 && token[0] is (byte)'.' or (byte)'-' or (byte)'/' or (byte)'=' or (byte)'+')
        {
            token = token[1..];
            at++;
        }

        // "name=value" and "path/key" hold the key after their last sign.
        if (token.TrimEnd((byte)'=').LastIndexOf((byte)'=') is >= 0 and var equals)
        {
            token = token[(equals + 1)..];
            at += equals + 1;
        }

        if (token.Length < 8 || token.IndexOfAnyInRange((byte)'0', (byte)'9') < 0)
            return;
        foreach (var (prefix, after) in s_forms)
        {
            if (token.Length < prefix.Length + after || !token.StartsWith(prefix) || !Mixed(token[prefix.Length..], bare: false))
                continue;
            PiiScanner.Add(matches, PiiKind.Key, at, token.Length);
            return;
        }

        var named = Named(text[Math.Max(0, at - 32)..at]);
        if (named && token.Length >= 8 && Mixed(token, bare: false) && BitsPerCharacter(token) >= Math.Min(BitsNamed, Math.Log2(token.Length) - 0.5))
            PiiScanner.Add(matches, PiiKind.Key, at, token.Length);
        else if (token.Length is >= 32 and <= 512 && Mixed(token, bare: true) && BitsPerCharacter(token) >= BitsBare)
            PiiScanner.Add(matches, PiiKind.Key, at, token.Length);
    }

    /// <summary>Letters and digits both; a bare token also both cases and no words between signs, as a path or an address has.</summary>
    private static bool Mixed(ReadOnlySpan<byte> token, bool bare)
    {
        var (upper, lower, digits, signs) = (0, 0, 0, 0);
        foreach (var b in token)
        {
            upper += (uint)(b - 'A') < 26 ? 1 : 0;
            lower += (uint)(b - 'a') < 26 ? 1 : 0;
            digits += PiiScanner.IsDigit(b) ? 1 : 0;
            signs += b is (byte)'/' or (byte)'.' or (byte)'-' or (byte)'_' ? 1 : 0;
        }

        return bare ? upper >= 4 && lower >= 4 && digits >= 3 && 10 * signs < token.Length && 4 * Math.Min(upper, lower) >= Math.Max(upper, lower) : digits > 0 && upper + lower > 0;
    }

    /// <summary>Whether the text before calls what follows a secret: <c>api_key = "</c>.</summary>
    private static bool Named(ReadOnlySpan<byte> before)
    {
        var end = before.Length;
        var sign = false;
        while (end > 0 && before[end - 1] is (byte)' ' or (byte)'"' or (byte)'\'' or (byte)':' or (byte)'=' or (byte)'>' or (byte)'`')
            sign |= before[--end] is (byte)':' or (byte)'=';
        if (!sign)
            return false;
        foreach (var name in s_names)
        {
            if (end < name.Length)
                continue;
            var tail = before[(end - name.Length)..end];
            if (System.Text.Ascii.EqualsIgnoreCase(tail, System.Text.Encoding.ASCII.GetBytes(name)))
                return true;
        }

        return false;
    }
}
