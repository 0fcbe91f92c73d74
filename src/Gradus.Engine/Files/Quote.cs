using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Engine.Files;

/// <summary>Puts what a hostile file says into one short printable line of a message.</summary>
internal static class Quote
{
    private const int Longest = 80;

    /// <summary>A name in quotes: control and format characters escaped, cut at eighty characters.</summary>
    public static string Name(string name)
    {
        var text = new StringBuilder("'");
        foreach (var rune in name.EnumerateRunes())
        {
            if (text.Length > Longest)
                return text.Append(CultureInfo.InvariantCulture, $"…' ({name.Length} characters)").ToString();
            if (Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            else
                text.Append(rune.ToString());
        }

        return text.Append('\'').ToString();
    }

    /// <summary>A shape as <c>[2, 3]</c>, cut after eight dimensions.</summary>
    public static string Shape(ReadOnlySpan<long> shape)
    {
        var text = new StringBuilder("[");
        for (var i = 0; i < shape.Length; i++)
        {
            if (i == 8)
                return text.Append(CultureInfo.InvariantCulture, $", … {shape.Length} dimensions]").ToString();
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ", ")}{shape[i]}");
        }

        return text.Append(']').ToString();
    }

    /// <summary>"; did you mean 'x'?" with the known name most like <paramref name="name"/>, or nothing when none is near.</summary>
    public static string Nearest(string name, IEnumerable<string> known) =>
        // Bounded: a file may hold a million names, or one of a megabyte.
        NearestName.Of(name, known.Where(other => other.Length <= 300).Take(10_000)) is { } near ? $"; did you mean {Name(near)}?" : "";
}
