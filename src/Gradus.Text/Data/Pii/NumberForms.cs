using System.Buffers;
using System.Text;

namespace Gradus.Text.Data.Pii;

/// <summary>Private data that is made of digits: bank accounts, cards, IPv4 addresses, telephones.</summary>
internal static class NumberForms
{
    private static readonly SearchValues<byte> s_starts = SearchValues.Create("0123456789+"u8);

    // Length of an IBAN by country (ISO 13616 registry).
    private static readonly Dictionary<string, int> s_ibanLengths = new(StringComparer.Ordinal)
    {
        ["AD"] = 24, ["AE"] = 23, ["AL"] = 28, ["AT"] = 20, ["AZ"] = 28, ["BA"] = 20, ["BE"] = 16, ["BG"] = 22, ["BH"] = 22, ["BR"] = 29, ["BY"] = 28, ["CH"] = 21, ["CR"] = 22, ["CY"] = 28, ["CZ"] = 24,
        ["DE"] = 22, ["DK"] = 18, ["DO"] = 28, ["EE"] = 20, ["EG"] = 29, ["ES"] = 24, ["FI"] = 18, ["FO"] = 18, ["FR"] = 27, ["GB"] = 22, ["GE"] = 22, ["GI"] = 23, ["GL"] = 18, ["GR"] = 27, ["GT"] = 28,
        ["HR"] = 21, ["HU"] = 28, ["IE"] = 22, ["IL"] = 23, ["IQ"] = 23, ["IS"] = 26, ["IT"] = 27, ["JO"] = 30, ["KW"] = 30, ["KZ"] = 20, ["LB"] = 28, ["LC"] = 32, ["LI"] = 21, ["LT"] = 20, ["LU"] = 20,
        ["LV"] = 21, ["LY"] = 25, ["MC"] = 27, ["MD"] = 24, ["ME"] = 22, ["MK"] = 19, ["MR"] = 27, ["MT"] = 31, ["MU"] = 30, ["NL"] = 18, ["NO"] = 15, ["PK"] = 24, ["PL"] = 28, ["PS"] = 29, ["PT"] = 25,
        ["QA"] = 29, ["RO"] = 24, ["RS"] = 22, ["SA"] = 24, ["SC"] = 31, ["SE"] = 24, ["SI"] = 19, ["SK"] = 24, ["SM"] = 27, ["ST"] = 25, ["SV"] = 28, ["TL"] = 23, ["TN"] = 24, ["TR"] = 26, ["UA"] = 29,
        ["VA"] = 22, ["VG"] = 24, ["XK"] = 20,
    };

    public static void Find(ReadOnlySpan<byte> text, List<PiiMatch> matches, ReadOnlySpan<bool> wanted)
    {
        for (var at = 0; at < text.Length;)
        {
            var next = text[at..].IndexOfAny(s_starts);
            if (next < 0)
                return;
            at += next;
            var used = 0;
            if (wanted[(int)PiiKind.Iban] && at >= 2 && (used = Iban(text, at - 2)) > 0)
            {
                PiiScanner.Add(matches, PiiKind.Iban, at - 2, used);
                used -= 2;
            }
            else if (wanted[(int)PiiKind.Card] && StartsNumber(text, at) && (used = Card(text, at)) > 0)
                PiiScanner.Add(matches, PiiKind.Card, at, used);
            else if (wanted[(int)PiiKind.Ip] && StartsNumber(text, at) && (used = IpForms.V4(text, at)) > 0)
            {
                if (!IpForms.IsPrivateV4(text.Slice(at, used)))
                    PiiScanner.Add(matches, PiiKind.Ip, at, used);
            }
            else if (wanted[(int)PiiKind.Phone] && StartsNumber(text, at) && Phone(text, at) is { Length: > 0 } phone)
            {
                PiiScanner.Add(matches, PiiKind.Phone, phone.Start, phone.Length);
                used = phone.Start + phone.Length - at;
            }

            // A number is looked at from its start only; one too long for a telephone is passed over whole, or its groups would look like one.
            if (used > 0)
                at += used;
            else
                at = Past(text, at);
        }
    }

    /// <summary>The sum that card numbers are made to satisfy (ISO/IEC 7812-1, annex B).</summary>
    public static bool Luhn(ReadOnlySpan<byte> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var d = digits[^(i + 1)] - '0';
            sum += i % 2 == 0 ? d : d > 4 ? 2 * d - 9 : 2 * d;
        }

        return sum % 10 == 0;
    }

    private static int Past(ReadOnlySpan<byte> text, int at)
    {
        var (end, digits, first) = (at + 1, PiiScanner.IsDigit(text[at]) ? 1 : 0, 0);
        for (; end < text.Length; end++)
        {
            if (PiiScanner.IsDigit(text[end]))
                digits++;
            else if (text[end] is not ((byte)' ' or (byte)'-') || end + 1 >= text.Length || !PiiScanner.IsDigit(text[end + 1]))
                break;
            else if (first == 0)
                first = end;
        }

        return digits >= 13 || first == 0 ? end : first;
    }

    private static bool StartsNumber(ReadOnlySpan<byte> text, int at) => at == 0 || !(PiiScanner.IsLetterOrDigit(text[at - 1]) || text[at - 1] is (byte)'_' or (byte)'#' or (byte)'$' or (byte)'%'
        || text[at - 1] is (byte)'.' or (byte)',' or (byte)'-' or (byte)'/' && at > 1 && PiiScanner.IsLetterOrDigit(text[at - 2]));

    /// <summary>Bytes of the account number that starts here, or 0: two letters, two check digits, the country's length, and 1 modulo 97 (ISO 13616).</summary>
    private static int Iban(ReadOnlySpan<byte> text, int at)
    {
        if (at > 0 && PiiScanner.IsLetterOrDigit(text[at - 1]) || at + 15 > text.Length || !char.IsAsciiLetter((char)text[at]) || !char.IsAsciiLetter((char)text[at + 1]) || !PiiScanner.IsDigit(text[at + 3])
            || !s_ibanLengths.TryGetValue(Encoding.ASCII.GetString(text.Slice(at, 2)).ToUpperInvariant(), out var wanted))
            return 0;
        Span<byte> plain = stackalloc byte[wanted];
        var (n, end) = (0, at);
        while (n < wanted && end < text.Length)
        {
            if (PiiScanner.IsLetterOrDigit(text[end]))
                plain[n++] = (byte)char.ToUpperInvariant((char)text[end++]);
            else if (text[end] is (byte)' ' or (byte)'-' && n > 0 && end + 1 < text.Length && PiiScanner.IsLetterOrDigit(text[end + 1]))
                end++;
            else
                break;
        }

        if (n < wanted || end < text.Length && PiiScanner.IsLetterOrDigit(text[end]))
            return 0;
        var rest = 0;
        for (var i = 0; i < wanted; i++)
        {
            var c = plain[(i + 4) % wanted];
            rest = c <= '9' ? (rest * 10 + c - '0') % 97 : (rest * 100 + c - 'A' + 10) % 97;
        }

        return rest == 1 ? end - at : 0;
    }

    /// <summary>Bytes of the card number that starts here, or 0: 13 to 19 digits of an issuer, alone or in groups, that satisfy Luhn's sum.</summary>
    private static int Card(ReadOnlySpan<byte> text, int at)
    {
        if (text[at] is < (byte)'2' or > (byte)'6')
            return 0;
        Span<byte> digits = stackalloc byte[20];
        var (n, end, separator, group, shortGroup) = (0, at, (byte)0, 0, false);
        while (end < text.Length && n < 20)
        {
            if (PiiScanner.IsDigit(text[end]))
            {
                digits[n++] = text[end++];
                group++;
            }
            else if (text[end] is (byte)' ' or (byte)'-' && (separator == 0 || separator == text[end]) && end + 1 < text.Length && PiiScanner.IsDigit(text[end + 1]))
            {
                shortGroup |= group < 3;
                (separator, group) = (text[end], 0);
                end++;
            }
            else
                break;
        }

        if (n is < 13 or > 19 || shortGroup || end < text.Length && PiiScanner.IsLetterOrDigit(text[end]) || !Luhn(digits[..n]))
            return 0;
        // Visa, Mastercard (both ranges), American Express, Diners, Discover, JCB, Maestro, UnionPay: prefix and length.
        var (one, two, four) = (digits[0] - '0', (digits[0] - '0') * 10 + digits[1] - '0', (digits[0] - '0') * 1000 + (digits[1] - '0') * 100 + (digits[2] - '0') * 10 + digits[3] - '0');
        var issued = one == 4 && n is 13 or 16 or 19 || two is >= 51 and <= 55 && n == 16 || four is >= 2221 and <= 2720 && n == 16 || two is 34 or 37 && n == 15
            || two is 36 or 38 or 39 && n is >= 14 and <= 19 || four is >= 3000 and <= 3059 && n is >= 14 and <= 19 || four is >= 3528 and <= 3589 && n is >= 16 and <= 19
            || two is 50 or >= 56 and <= 69 && n is >= 13 and <= 19;
        return issued ? end - at : 0;
    }

    /// <summary>
    /// The telephone number at a digit or plus sign: with a country code, in a national form that nothing else has, or after a word that
    /// announces one.
    /// </summary>
    private static (int Start, int Length) Phone(ReadOnlySpan<byte> text, int at)
    {
        // A bracket before the number belongs to it when it closes inside.
        var (start, open, closed) = (at, at > 0 && text[at - 1] == '(', false);
        if (text[at] == '+' && (at + 1 >= text.Length || !(PiiScanner.IsDigit(text[at + 1]) || text[at + 1] is (byte)'(' or (byte)' ')))
            return default;
        Span<int> groups = stackalloc int[10];
        var (digits, count, end, group, after) = (0, 0, at + (text[at] == '+' ? 1 : 0), 0, 0);
        var (slashes, dots) = (0, 0);
        while (end < text.Length && digits <= 15)
        {
            var b = text[end];
            if (PiiScanner.IsDigit(b))
            {
                digits++;
                group++;
                end++;
                after = end;
                continue;
            }

            if (group > 0)
            {
                if (count == groups.Length)
                    return default;
                groups[count++] = group;
                group = 0;
            }

            // One separator, or a separator and a bracket, and then more digits.
            if (!(b is (byte)' ' or (byte)'-' or (byte)'.' or (byte)'/' or (byte)'(' or (byte)')' || b == 0xC2 && end + 1 < text.Length && text[end + 1] == 0xA0 || b == 0xE2 && end + 2 < text.Length && text[end + 1] == 0x80 && text[end + 2] is >= 0x90 and <= 0x93))
                break;
            var more = end + (b == 0xC2 ? 2 : b == 0xE2 ? 3 : 1);
            var closes = b == (byte)')';
            slashes += b == (byte)'/' ? 1 : 0;
            dots += b == (byte)'.' ? 1 : 0;
            while (more < text.Length && more - end < 4 && text[more] is (byte)' ' or (byte)'(' or (byte)')' or (byte)'-')
            {
                closes |= text[more] == ')';
                more++;
            }

            if (more >= text.Length || !PiiScanner.IsDigit(text[more]))
                break;
            closed |= closes;
            end = more;
        }

        start = open && closed ? start - 1 : start;

        if (group > 0 && count < groups.Length)
            groups[count++] = group;
        end = after;
        if (end < text.Length && (PiiScanner.IsLetterOrDigit(text[end]) || text[end] is (byte)'%' or (byte)'_'))
            return default;
        var found = (start, end - start);
        if (digits is < 7 or > 15 || slashes == 2 && digits == 8 && text[at] != '+') // 10/02/2017
            return default;
        if (text[at] == '+')
            return digits >= 8 && text[at + 1] != '0' ? found : default;
        if (text[at] == '0' && text[at + 1] == '0' && digits >= 10 && count > 1)
            return found;
        var g = groups[..count];
        // North America: 3-3-4, with or without a 1 before.
        if (g.SequenceEqual([3, 3, 4]) && text[at] >= '2' || g.SequenceEqual([1, 3, 3, 4]) && text[at] == '1')
            return found;
        // National form with a trunk 0 in several groups; dates have two digits before their first separator and eight in all.
        if (text[at] == '0' && count is >= 2 and <= 6 && digits is >= 9 and <= 12 && !(slashes == 2 || dots == 2 && g[0] == 2 && digits == 8))
            return found;
        if (closed && digits is >= 9 and <= 12 && count is 2 or 3 or 4)
            return found;
        return Announced(text[Math.Max(0, start - 24)..start]) ? found : default;
    }

    private static bool Announced(ReadOnlySpan<byte> before)
    {
        Span<byte> lower = stackalloc byte[before.Length];
        for (var i = 0; i < before.Length; i++)
            lower[i] = (byte)(before[i] is >= (byte)'A' and <= (byte)'Z' ? before[i] | 0x20 : before[i]);
        foreach (var word in (ReadOnlySpan<string>)["phone", "tel", "fax", "mobile", "call us", "call me", "cell", "whatsapp", "sms", "text me"])
        {
            var at = lower.LastIndexOf(Encoding.ASCII.GetBytes(word));
            if (at >= 0 && (at + word.Length == lower.Length || !PiiScanner.IsLetterOrDigit(lower[at + word.Length]) || word == "mobile") && (at == 0 || !PiiScanner.IsLetterOrDigit(lower[at - 1]) || word == "phone") && lower[(at + word.Length)..].IndexOfAny((byte)'\n', (byte)';') < 0)
                return true;
        }

        return false;
    }
}
