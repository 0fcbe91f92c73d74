using System.Buffers;
using System.Text;

namespace Gradus.Text.Data.Pii;

/// <summary>
/// Finds private data by its form: e-mail, telephone, IP address, payment card (Luhn), IBAN (mod 97), keys (published forms, and entropy).
/// Names and addresses have no form and are not found.
/// </summary>
internal static class PiiScanner
{
    /// <summary>All matches, in order, none overlapping: what is surer goes first (keys, addresses, checked numbers, then telephones).</summary>
    public static void Find(ReadOnlySpan<byte> text, List<PiiMatch> matches, ReadOnlySpan<bool> wanted)
    {
        matches.Clear();
        if (wanted[(int)PiiKind.Key])
            KeyForms.Find(text, matches);
        if (wanted[(int)PiiKind.Email])
            Emails(text, matches);
        if (wanted[(int)PiiKind.Iban] || wanted[(int)PiiKind.Card] || wanted[(int)PiiKind.Ip] || wanted[(int)PiiKind.Phone])
            NumberForms.Find(text, matches, wanted);
        if (wanted[(int)PiiKind.Ip])
            IpForms.FindV6(text, matches);
        Resolve(matches);
    }

    /// <summary>The text with every kind replaced by its name: what reports show.</summary>
    public static byte[] Redact(ReadOnlySpan<byte> text)
    {
        var matches = new List<PiiMatch>();
        Find(text, matches, [true, true, true, true, true, true]);
        var redacted = new ArrayBufferWriter<byte>(text.Length + 16);
        var at = 0;
        foreach (var match in matches)
        {
            redacted.Write(text[at..match.Start]);
            redacted.Write(Encoding.UTF8.GetBytes($"<{match.Kind.ToString().ToUpperInvariant()}>"));
            at = match.Start + match.Length;
        }

        redacted.Write(text[at..]);
        return redacted.WrittenSpan.ToArray();
    }

    public static void Add(List<PiiMatch> matches, PiiKind kind, int start, int length) => matches.Add(new PiiMatch(kind, start, length));

    /// <summary>Puts the matches in order; of two that overlap the surer one stays.</summary>
    private static void Resolve(List<PiiMatch> matches)
    {
        if (matches.Count < 2)
            return;
        matches.Sort((a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : Rank(a.Kind).CompareTo(Rank(b.Kind)));
        var kept = 1;
        for (var i = 1; i < matches.Count; i++)
        {
            var last = matches[kept - 1];
            if (matches[i].Start >= last.Start + last.Length)
                matches[kept++] = matches[i];
            else if (Rank(matches[i].Kind) < Rank(last.Kind))
                matches[kept - 1] = matches[i];
        }

        matches.RemoveRange(kept, matches.Count - kept);
    }

    private static int Rank(PiiKind kind) => kind switch { PiiKind.Key => 0, PiiKind.Email => 1, PiiKind.Iban => 2, PiiKind.Card => 3, PiiKind.Ip => 4, _ => 5 };

    public static bool IsLetterOrDigit(byte b) => (uint)((b | 0x20) - 'a') < 26 || (uint)(b - '0') < 10;

    public static bool IsDigit(byte b) => (uint)(b - '0') < 10;

    private static void Emails(ReadOnlySpan<byte> text, List<PiiMatch> matches)
    {
        for (var at = 0; at < text.Length;)
        {
            var next = text[at..].IndexOf((byte)'@');
            if (next < 0)
                return;
            var sign = at + next;
            at = sign + 1;
            var start = sign;
            while (start > 0 && sign - start < 64 && (IsLetterOrDigit(text[start - 1]) || text[start - 1] is (byte)'.' or (byte)'_' or (byte)'%' or (byte)'+' or (byte)'-' or (byte)'\'' or >= 0x80))
                start--;
            while (start < sign && text[start] is (byte)'.' or (byte)'\'' or (byte)'-' or >= 0x80 and < 0xC0)
                start++;
            var end = sign + 1;
            while (end < text.Length && end - sign < 254 && (IsLetterOrDigit(text[end]) || text[end] is (byte)'.' or (byte)'-' or >= 0x80))
                end++;
            while (end > sign + 1 && text[end - 1] is (byte)'.' or (byte)'-')
                end--;
            var domain = text[(sign + 1)..end];
            var dot = domain.LastIndexOf((byte)'.');
            if (start == sign || dot < 1 || domain.Length - dot - 1 < 2 || domain.Contains((byte)'@') || domain.IndexOf(".."u8) >= 0)
                continue;
            // The last label is letters (or not ASCII): 'user@10.5' is no address.
            var last = domain[(dot + 1)..];
            var letters = true;
            foreach (var b in last)
                letters &= (uint)((b | 0x20) - 'a') < 26 || b >= 0x80 || b == (byte)'-' && last.StartsWith("xn--"u8) || last.StartsWith("xn--"u8) && IsDigit(b);
            if (!letters)
                continue;
            Add(matches, PiiKind.Email, start, end - start);
            at = end;
        }
    }
}
