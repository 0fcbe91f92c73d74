namespace Gradus.Text.Tokenizers.Chat;

/// <summary>Where a stretch of text came from. Text without a mark was written by the template.</summary>
/// <param name="Start">First character.</param>
/// <param name="End">One past the last character.</param>
/// <param name="Tag">See the constants.</param>
internal readonly record struct Mark(int Start, int End, int Tag)
{
    /// <summary>Given by the caller: a message, a tool, an argument.</summary>
    public const int Data = 1;

    /// <summary>Inside <c>{% generation %}</c>.</summary>
    public const int Generated = 2;

    /// <summary>Times one plus a message's index: what that message says (not its role or name).</summary>
    public const int Message = 4;

    public static readonly Mark[] None = [];

    public static int OfMessage(int index) => Data | (Message * (index + 1));

    /// <summary>The message whose words these are, or -1.</summary>
    public int MessageIndex => (Tag / Message) - 1;

    /// <summary>The marks of <c>[start, end)</c> of a text, moved to 0.</summary>
    public static Mark[] Slice(Mark[] marks, int start, int end)
    {
        if (marks.Length == 0 || start >= end)
            return None;
        if (marks.Length == 1)
        {
            var (s, e) = (Math.Max(marks[0].Start, start), Math.Min(marks[0].End, end));
            return s < e ? [new(s - start, e - start, marks[0].Tag)] : None;
        }

        var cut = new List<Mark>();
        foreach (var mark in marks)
        {
            var (s, e) = (Math.Max(mark.Start, start), Math.Min(mark.End, end));
            if (s < e)
                cut.Add(new(s - start, e - start, mark.Tag));
        }

        return [.. cut];
    }

    /// <summary>The marks of a text made from a whole marked one in a way that does not say which character became which.</summary>
    public static Mark[] Blur(Mark[] marks, int newLength) =>
        marks.Length == 0 || newLength == 0 ? None : [new(0, newLength, marks.Aggregate(marks[0].Tag, (tag, mark) => tag | (mark.Tag & (Data | Generated))))];
}
