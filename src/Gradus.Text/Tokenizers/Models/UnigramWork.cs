using Gradus.Text.Tokenizers.Formats;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>
/// The best spelling (Viterbi), from left to right: for each place the best way to get there. Time grows with text × longest piece. A long text goes
/// through a window: where it is full, all ways that are still open are followed back to the place they have in common, and what lies before that is settled.
/// </summary>
/// <param name="model">The pieces.</param>
/// <param name="window">Places kept at once, at least; few enough to stay in a core's cache.</param>
internal sealed class UnigramWork(UnigramModel model, int window = 1 << 14) : TokenModelWork
{
    private const int KeptCapacity = 1 << 16;

    private struct Way
    {
        public double Score;
        public int Id, Start; // the last piece; Start -1: no way here yet
    }

    private readonly int _reach = Math.Max(4, model.LongestPiece);
    private Way[] _ways = [];
    private int _base; // the place of the text that _ways begins with

    /// <summary>Steps through the trie so far: the work, which a test holds against the length of the text.</summary>
    internal long Steps { get; private set; }

    public override void Spell(ReadOnlySpan<byte> piece, List<FoundToken> tokens)
    {
        var places = Math.Min(checked(piece.Length + 1), Math.Max(window, 4 * _reach));
        if (_ways.Length < places)
            _ways = new Way[Math.Max(64, places)];
        _ways.AsSpan(0, places).Fill(new Way { Start = -1 });
        _ways[0].Score = 0;
        _base = 0;
        var from = tokens.Count;
        Search(piece, places, tokens);
        Take(piece.Length, tokens);
        UnigramUnknowns.Settle(model, piece, tokens, from);
        if (_ways.Length > KeptCapacity)
            _ways = [];
    }

    private void Search(ReadOnlySpan<byte> text, int places, List<FoundToken> tokens)
    {
        var (trie, scores) = (model.Trie, model.Scores);
        // SentencePiece adds and compares in 64 bits but keeps the best sums in 32: near-ties fall as there.
        var single = model.Types is not null;
        var plain = model.Types?.Contains(SentencePieceType.UserDefined) != true;
        for (var start = 0; start < text.Length;)
        {
            if (Math.Min(text.Length, start + _reach) - _base >= places)
                places = Advance(start, text.Length, places, tokens);
            var ways = _ways.AsSpan(start - _base);
            var here = ways[0].Score;
            var width = UnigramUnknowns.Width(text[start]);
            var spelt = false;
            var node = 0u;
            var end = start;
            while (end < text.Length)
            {
                var id = trie.Step(ref node, text[end++]);
                if (id == DoubleArray.Dead)
                    break;
                if (id < 0)
                    continue;
                var score = (plain ? scores[id] : model.Score(id, end - start)) + here;
                ref var way = ref ways[end - start];
                if (way.Start < 0 || score > way.Score)
                    way = new Way { Score = single ? (float)score : score, Id = id, Start = start };
                spelt |= end - start == width;
            }

            Steps += end - start;
            if (!spelt)
            {
                ref var way = ref ways[width];
                var score = model.UnknownScore + here;
                if (single)
                    score = (float)score;
                if (way.Start < 0 || score > way.Score)
                    way = new Way { Score = score, Id = model.UnknownId ?? throw UnigramUnknowns.Missing(text.Slice(start, width)), Start = start };
            }

            start += width;
        }
    }

    /// <summary>Makes room from <paramref name="start"/> on: settles what all open ways share; where that is less than half, takes a larger window too. Returns the places there are now.</summary>
    private int Advance(int start, int length, int places, List<FoundToken> tokens)
    {
        // Whatever comes passes one of the places from here on that a way leads to already.
        var last = Math.Min(Math.Min(length, start + _reach - 1), _base + places - 1); // no way leads beyond the window yet
        var open = new SortedSet<int>();
        for (var place = start; place <= last; place++)
            if (place == start || _ways[place - _base].Start >= 0)
                open.Add(place);
        while (open.Count > 1 && open.Min > _base)
        {
            var furthest = open.Max;
            open.Remove(furthest);
            open.Add(_ways[furthest - _base].Start);
        }

        if (open.Count == 1 && open.Min > _base)
        {
            var settled = open.Min;
            Take(settled, tokens);
            _ways.AsSpan(settled - _base, last + 1 - settled).CopyTo(_ways);
            _ways.AsSpan(last + 1 - settled, places - (last + 1 - settled)).Fill(new Way { Start = -1 });
            _base = settled;
        }

        if (last + 1 - _base <= places / 2)
            return places;
        var more = checked(2 * places);
        if (_ways.Length < more)
            Array.Resize(ref _ways, more);
        _ways.AsSpan(places, more - places).Fill(new Way { Start = -1 });
        return more;
    }

    /// <summary>The tokens of the best way from <see cref="_base"/> to <paramref name="end"/>.</summary>
    private void Take(int end, List<FoundToken> tokens)
    {
        var from = tokens.Count;
        for (; end > _base; end = _ways[end - _base].Start)
            tokens.Add(new(_ways[end - _base].Id, _ways[end - _base].Start, end));
        tokens.Reverse(from, tokens.Count - from);
    }
}
