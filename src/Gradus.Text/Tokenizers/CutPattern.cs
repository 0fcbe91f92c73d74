namespace Gradus.Text.Tokenizers;

/// <summary>What a pattern found: bytes <c>[Start, End)</c>, a match or what lies between matches.</summary>
internal readonly record struct PatternMatch(int Start, int End, bool Matches);

/// <summary>What becomes of the matches when a text is cut: on <c>-</c>, <c>a-b--c</c> gives …</summary>
internal enum CutBehavior
{
    /// <summary><c>a b c</c></summary>
    Removed,

    /// <summary><c>a - b - - c</c></summary>
    Isolated,

    /// <summary><c>a- b- - c</c></summary>
    MergedWithPrevious,

    /// <summary><c>a -b - -c</c></summary>
    MergedWithNext,

    /// <summary><c>a - b -- c</c></summary>
    Contiguous,
}

/// <summary>Something that is looked for in text.</summary>
internal abstract class CutPattern
{
    /// <summary>Appends the matches and what lies between them, in order, so that together they cover <paramref name="text"/>.</summary>
    public abstract void Find(ReadOnlySpan<byte> text, List<PatternMatch> found);

    protected static void Between(int from, int to, List<PatternMatch> found)
    {
        if (to > from)
            found.Add(new(from, to, false));
    }
}

/// <summary>Single characters.</summary>
internal sealed class CharPattern(Func<int, bool> isMatch) : CutPattern
{
    public override void Find(ReadOnlySpan<byte> text, List<PatternMatch> found)
    {
        var done = 0;
        for (var at = 0; at < text.Length;)
        {
            System.Text.Rune.DecodeFromUtf8(text[at..], out var rune, out var length);
            if (isMatch(rune.Value))
            {
                Between(done, at, found);
                found.Add(new(at, at + length, true));
                done = at + length;
            }

            at += length;
        }

        Between(done, text.Length, found);
    }
}

/// <summary>A string; an empty one never matches.</summary>
internal sealed class StringPattern(byte[] wanted) : CutPattern
{
    public override void Find(ReadOnlySpan<byte> text, List<PatternMatch> found)
    {
        var done = 0;
        while (wanted.Length > 0 && text[done..].IndexOf(wanted) is >= 0 and var step)
        {
            Between(done, done + step, found);
            found.Add(new(done + step, done + step + wanted.Length, true));
            done += step + wanted.Length;
        }

        Between(done, text.Length, found);
    }
}

/// <summary>The cuts of a <see cref="Splitter"/>: every piece is a match.</summary>
internal sealed class SplitterPattern(Splitter splitter) : CutPattern
{
    public Splitter Splitter => splitter;

    public override void Find(ReadOnlySpan<byte> text, List<PatternMatch> found)
    {
        List<Piece> pieces = [];
        splitter.SplitAll(text, pieces);
        var done = 0;
        foreach (var (start, end) in pieces)
        {
            Between(done, start, found);
            found.Add(new(start, end, true));
            done = end;
        }

        Between(done, text.Length, found);
    }
}
