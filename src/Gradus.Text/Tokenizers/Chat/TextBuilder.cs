namespace Gradus.Text.Tokenizers.Chat;

/// <summary>Text being put together, with the marks of its parts. What it holds counts against the rendering's memory.</summary>
internal sealed class TextBuilder(Budget budget)
{
    private readonly List<Mark> _marks = [];
    private char[] _chars = [];

    public int Length { get; private set; }

    public void Append(string text)
    {
        Room(text.Length);
        text.CopyTo(_chars.AsSpan(Length));
        Length += text.Length;
    }

    public void Append(char c)
    {
        Room(1);
        _chars[Length++] = c;
    }

    public void Append(ReadOnlySpan<char> text)
    {
        Room(text.Length);
        text.CopyTo(_chars.AsSpan(Length));
        Length += text.Length;
    }

    public void Append(TextValue text)
    {
        foreach (var mark in text.Marks)
            Add(new(mark.Start + Length, mark.End + Length, mark.Tag));
        Append(text.Text);
    }

    /// <summary>A stretch of a text, its marks with it.</summary>
    public void Append(TextValue text, int start, int end)
    {
        if (text.Marks.Length > 0)
            foreach (var mark in Mark.Slice(text.Marks, start, end))
                Add(new(mark.Start + Length, mark.End + Length, mark.Tag));
        Append(text.Text.AsSpan(start, end - start));
    }

    /// <summary>Says of what was appended since <paramref name="start"/> that all of it came from where <paramref name="source"/> did.</summary>
    public void MarkSince(int start, Mark[] source)
    {
        if (source.Length > 0 && Length > start)
            Add(Mark.Blur(source, Length - start)[0] with { Start = start, End = Length });
    }

    /// <summary>Marks what was appended since <paramref name="start"/> as generated, whatever else it is.</summary>
    public void Generated(int start)
    {
        var first = _marks.Count;
        while (first > 0 && _marks[first - 1].End > start)
            first--;
        var known = _marks.Skip(first).ToArray();
        _marks.RemoveRange(first, known.Length);
        var at = start;
        foreach (var mark in known)
        {
            if (mark.Start < start)
                Add(mark with { End = start });
            var from = Math.Max(mark.Start, start);
            if (from > at)
                Add(new(at, from, Mark.Generated));
            Add(new(from, mark.End, mark.Tag | Mark.Generated));
            at = mark.End;
        }

        if (Length > at)
            Add(new(at, Length, Mark.Generated));
    }

    public TextValue ToText()
    {
        budget.Take(Length * sizeof(char));
        return Length == 0 ? TextValue.Empty : new(new string(_chars, 0, Length), _marks.Count == 0 ? Mark.None : [.. _marks]);
    }

    public override string ToString() => new(_chars, 0, Length);

    private void Add(Mark mark)
    {
        if (_marks.Count > 0 && _marks[^1] is var last && last.End == mark.Start && last.Tag == mark.Tag)
            _marks[^1] = last with { End = mark.End };
        else
            _marks.Add(mark);
    }

    private void Room(int more)
    {
        var needed = checked(Length + more);
        if (needed <= _chars.Length)
            return;
        var size = (int)Math.Max(needed, Math.Min(int.MaxValue / 4, Math.Max(256L, _chars.Length * 2L)));
        budget.Take((long)size * sizeof(char));
        Array.Resize(ref _chars, size);
    }
}
