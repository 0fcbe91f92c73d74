namespace Gradus.Text.Tokenizers.Chat;

/// <summary>Places in a string counted as Python counts them: in code points, not in UTF-16 units.</summary>
internal static class CodePoints
{
    public static bool IsPlain(string text) => text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0;

    public static int Count(string text)
    {
        var count = text.Length;
        if (!IsPlain(text))
            for (var i = 0; i + 1 < text.Length; i++)
                if (char.IsSurrogatePair(text[i], text[i + 1]))
                {
                    count--;
                    i++;
                }

        return count;
    }

    /// <summary>Where every code point starts, and the end.</summary>
    public static int[] Starts(string text)
    {
        var starts = new List<int>(text.Length + 1);
        for (var i = 0; i < text.Length; i++)
        {
            starts.Add(i);
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                i++;
        }

        starts.Add(text.Length);
        return [.. starts];
    }

    /// <summary>The code points before the UTF-16 place <paramref name="at"/>.</summary>
    public static int Before(string text, int at) => Count(text[..at]);

    /// <summary>White space as Python's <c>str.isspace</c> has it.</summary>
    public static bool IsSpace(char c) => c is >= '\x1c' and <= '\x1f' || char.IsWhiteSpace(c);
}
