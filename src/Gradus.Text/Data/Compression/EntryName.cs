using System.Text;

namespace Gradus.Text.Data.Compression;

/// <summary>
/// Names inside archives. Nothing of an archive ever touches the disk, so a name is only a label; one that would climb out of a folder,
/// or fool whoever reads it, still says that the archive is not what it seems, and its entry is not used.
/// </summary>
internal static class EntryName
{
    private const int MaxBytes = 1024;

    /// <summary>Why a name is not accepted, or null.</summary>
    public static string? Problem(string name)
    {
        if (name.Length == 0)
            return "it is empty";
        if (Encoding.UTF8.GetByteCount(name) > MaxBytes)
            return $"it is longer than {MaxBytes} bytes";
        if (name[0] is '/' or '\\' || (name.Length > 1 && name[1] == ':' && char.IsAsciiLetter(name[0])))
            return "it is an absolute path";
        foreach (var part in name.Split('/', '\\'))
            if (part == "..")
                return "it climbs out of its folder";
        foreach (var c in name)
            if (char.IsControl(c) || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\u200E' or '\u200F')
                return "it holds control or direction characters";
        return null;
    }

    /// <summary>A name that can be printed: what cannot is shown by its number.</summary>
    public static string Printable(string name)
    {
        var text = new StringBuilder();
        foreach (var c in name.AsSpan(0, Math.Min(name.Length, 120)))
            _ = char.IsControl(c) || c is (>= '\u200E' and <= '\u202E') or (>= '\u2066' and <= '\u2069') || char.IsSurrogate(c)
                ? text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : text.Append(c);
        return text.Append(name.Length > 120 ? "…" : "").ToString();
    }

    /// <summary>UTF-8 where it is; else one letter a byte, so that every name has a label.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes) =>
        System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
}
