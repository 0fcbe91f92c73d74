namespace Gradus.Text.Tokenizers;

/// <summary>A piece of a text on its way through the pre-tokenizers: bytes <c>[Start, End)</c>, and the added token it is, or -1.</summary>
internal readonly record struct Cut(int Start, int End, int Id);

/// <summary>Normalised text and the pieces it is cut into so far. A pre-tokenizer cuts every piece that is no added token further, or rewrites it.</summary>
/// <param name="text">The text.</param>
/// <param name="startsText">Nothing of the original comes before it.</param>
internal sealed class CutText(AlignedText text, bool startsText)
{
    private List<Cut> _cuts = [], _next = [];
    private readonly List<PatternMatch> _matches = [];
    private readonly List<Piece> _pieces = [];

    public AlignedText Text => text;

    /// <summary>Whether this piece begins where the original text begins.</summary>
    public bool IsFirst(Cut cut) => text.Tracks ? text.Origin(cut.Start, cut.End).Start == 0 : startsText && cut.Start == 0;

    public IReadOnlyList<Cut> Cuts => _cuts;

    /// <summary>Appends a piece; empty ones are dropped.</summary>
    public void Add(int start, int end, int id = -1)
    {
        if (end > start)
            _cuts.Add(new(start, end, id));
    }

    /// <summary>Cuts every open piece where <paramref name="pattern"/> matches; <paramref name="behavior"/> says what becomes of the matches.</summary>
    public void Split(CutPattern pattern, CutBehavior behavior, bool invert = false)
    {
        foreach (var cut in _cuts)
        {
            if (cut.Id >= 0)
            {
                _next.Add(cut);
                continue;
            }

            _matches.Clear();
            pattern.Find(text.Bytes[cut.Start..cut.End], _matches);
            AddAll(cut.Start, behavior, invert);
        }

        Swap();
    }

    /// <summary>Cuts every open piece into the pieces that <paramref name="cutter"/> appends; the rest is dropped.</summary>
    public void SplitInto(Action<ReadOnlySpan<byte>, List<Piece>> cutter)
    {
        foreach (var cut in _cuts)
        {
            if (cut.Id >= 0)
            {
                _next.Add(cut);
                continue;
            }

            _pieces.Clear();
            cutter(text.Bytes[cut.Start..cut.End], _pieces);
            foreach (var (start, end) in _pieces)
                _next.Add(new(cut.Start + start, cut.Start + end, -1));
        }

        Swap();
    }

    /// <summary>Cuts every open piece into the parts whose starts <paramref name="cutter"/> appends; what lies before the first is dropped.</summary>
    public void SplitAt(Action<ReadOnlySpan<byte>, List<int>> cutter)
    {
        List<int> starts = [];
        foreach (var cut in _cuts)
        {
            if (cut.Id >= 0)
            {
                _next.Add(cut);
                continue;
            }

            starts.Clear();
            cutter(text.Bytes[cut.Start..cut.End], starts);
            for (var i = 0; i < starts.Count; i++)
            {
                var end = i + 1 < starts.Count ? cut.Start + starts[i + 1] : cut.End;
                if (end > cut.Start + starts[i])
                    _next.Add(new(cut.Start + starts[i], end, -1));
            }
        }

        Swap();
    }

    /// <summary>Rewrites every open piece: <paramref name="rewrite"/> keeps and puts what it becomes. Added tokens stay.</summary>
    public void Rewrite(Action<AlignedText, Cut> rewrite)
    {
        foreach (var cut in _cuts)
        {
            var start = text.Written;
            if (cut.Id >= 0)
                text.Keep(cut.Start, cut.End);
            else
                rewrite(text, cut);
            if (text.Written > start)
                _next.Add(new(start, text.Written, cut.Id));
        }

        text.Commit();
        Swap();
    }

    private void AddAll(int shift, CutBehavior behavior, bool invert)
    {
        // What the pattern gives covers the piece without gaps: matches and what lies between. Empty matches count until the end.
        var first = _next.Count;
        var previous = false;
        var backwards = behavior == CutBehavior.MergedWithNext;
        for (var i = 0; i < _matches.Count; i++)
        {
            var (start, end, match) = _matches[backwards ? _matches.Count - 1 - i : i];
            match ^= invert;
            var joins = _next.Count > first && behavior switch
            {
                CutBehavior.Contiguous => match == previous,
                CutBehavior.MergedWithPrevious or CutBehavior.MergedWithNext => match && !previous,
                _ => false,
            };
            if (joins)
                _next[^1] = backwards ? _next[^1] with { Start = shift + start } : _next[^1] with { End = shift + end };
            else if (!match || behavior != CutBehavior.Removed)
                _next.Add(new(shift + start, shift + end, -1));
            previous = match;
        }

        if (backwards)
            _next.Reverse(first, _next.Count - first);
        var kept = first;
        for (var i = first; i < _next.Count; i++)
            if (_next[i].End > _next[i].Start)
                _next[kept++] = _next[i];
        _next.RemoveRange(kept, _next.Count - kept);
    }

    private void Swap()
    {
        (_cuts, _next) = (_next, _cuts);
        _next.Clear();
    }
}
