using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gradus.Text.Data.Pii;

/// <summary>Addresses of machines, by which people are found.</summary>
internal static class IpForms
{
    /// <summary>Bytes of the IPv4 address that starts here, or 0.</summary>
    public static int V4(ReadOnlySpan<byte> text, int at)
    {
        var end = at;
        for (var part = 0; part < 4; part++)
        {
            var (value, n) = (0, 0);
            while (end < text.Length && n < 4 && PiiScanner.IsDigit(text[end]))
            {
                value = 10 * value + text[end++] - '0';
                n++;
            }

            if (n is 0 or > 3 || value > 255 || n > 1 && text[end - n] == '0')
                return 0;
            if (part == 3)
                break;
            if (end >= text.Length || text[end] != '.')
                return 0;
            end++;
        }

        // A fifth number, or a letter, and it is a version or a section.
        return end < text.Length && (PiiScanner.IsLetterOrDigit(text[end]) || text[end] == '.' && end + 1 < text.Length && PiiScanner.IsDigit(text[end + 1])) ? 0 : end - at;
    }

    /// <summary>Addresses that mean nobody outside a network (RFC 1918, loopback, link-local, documentation excepted), and 0.x and 255.x.</summary>
    public static bool IsPrivateV4(ReadOnlySpan<byte> address)
    {
        var a = IPAddress.Parse(Encoding.ASCII.GetString(address)).GetAddressBytes();
        return a[0] is 0 or 10 or 127 or 255 || a[0] == 192 && a[1] == 168 || a[0] == 172 && a[1] is >= 16 and <= 31 || a[0] == 169 && a[1] == 254;
    }

    /// <summary>IPv6 addresses: hexadecimal groups between colons, eight, or fewer around a double colon.</summary>
    public static void FindV6(ReadOnlySpan<byte> text, List<PiiMatch> matches)
    {
        for (var at = 0; at < text.Length;)
        {
            var next = text[at..].IndexOf((byte)':');
            if (next < 0)
                return;
            var colon = at + next;
            at = colon + 1;
            // Two colons near each other, or it is punctuation.
            if (colon + 1 >= text.Length || !(text[colon + 1] == ':' || char.IsAsciiHexDigit((char)text[colon + 1])))
                continue;
            var start = colon;
            while (start > 0 && colon - start < 4 && char.IsAsciiHexDigit((char)text[start - 1]))
                start--;
            if (start > 0 && (PiiScanner.IsLetterOrDigit(text[start - 1]) || text[start - 1] is (byte)':' or (byte)'.'))
                continue;
            var (end, colons, digits) = (start, 0, 0);
            while (end < text.Length && end - start < 45 && (char.IsAsciiHexDigit((char)text[end]) || text[end] == ':' || text[end] == '.' && colons > 1))
            {
                colons += text[end] == ':' ? 1 : 0;
                digits += PiiScanner.IsDigit(text[end]) ? 1 : 0;
                end++;
            }

            while (end > start && (text[end - 1] == '.' || text[end - 1] == ':' && !(end - 2 >= start && text[end - 2] == ':')))
                end--;
            at = Math.Max(at, end);
            if (colons < 2 || digits == 0 || end - start < 6 || end < text.Length && PiiScanner.IsLetterOrDigit(text[end]))
                continue;
            if (IPAddress.TryParse(Encoding.ASCII.GetString(text[start..end]), out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 && !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal)
                PiiScanner.Add(matches, PiiKind.Ip, start, end - start);
        }
    }
}
