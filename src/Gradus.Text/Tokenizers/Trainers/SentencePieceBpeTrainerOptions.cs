using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Formats;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>
/// BPE over characters with ▁ for spaces, as SentencePiece trains it: the most frequent pair first, among equals the shorter piece, then the
/// lower one. Encodes as SentencePiece does.
/// </summary>
[Component("sentencepiece-bpe")]
public sealed record SentencePieceBpeTrainerOptions : SentencePieceTrainerOptions
{
    internal override SentencePieceKind Kind => SentencePieceKind.Bpe;

    internal override IEnumerable<SentencePiece> Learn(PieceCorpus corpus, int room)
    {
        var merged = new SentencePieceBpeTrainer(corpus, new PieceRules(this)).Train(room - corpus.Alphabet.Count);
        return merged.Concat(corpus.Alphabet.Select(c => char.ConvertFromUtf32(c.Char))).Select((text, rank) => new SentencePiece(text, -rank));
    }
}

/// <summary>Counts every pair once, then keeps the counts right while merging: a merge only touches the places where its pair stands.</summary>
internal sealed class SentencePieceBpeTrainer
{
    /// <summary>A symbol of a word, linked to its neighbours in the word; -1 for none.</summary>
    private struct Place
    {
        public int Symbol, Previous, Next, Word;
        public int Pair; // the pair that it and the next symbol are; -1 where they may not merge or another merge took the symbol
    }

    private readonly PieceCorpus _corpus;
    private readonly PieceRules _rules;
    private readonly List<int[]> _symbols = [];
    private readonly List<byte[]> _bytes = [];
    private readonly Dictionary<byte[], int> _ids = new(BytesComparer.Instance);
    private readonly Dictionary<(int Left, int Right), bool> _allowed = [];
    private readonly PairCounts _pairs = new();
    private readonly PairQueue _queue;
    private readonly Place[] _places;

    public SentencePieceBpeTrainer(PieceCorpus corpus, PieceRules rules)
    {
        (_corpus, _rules) = (corpus, rules);
        _queue = new PairQueue(_pairs, 1, IsBefore);
        var places = new List<Place>();
        for (var word = 0; word < corpus.Words.Length; word++)
        {
            var points = PieceCorpus.CodePoints(corpus.Words[word]);
            for (var i = 0; i < points.Length; i++)
                places.Add(new Place { Symbol = Symbol([points[i]]), Previous = i == 0 ? -1 : places.Count - 1, Next = i + 1 == points.Length ? -1 : places.Count + 1, Word = word, Pair = -1 });
        }

        _places = [.. places];
    }

    /// <summary>The pieces that come out of so many merges, in order.</summary>
    public List<string> Train(int pieces)
    {
        for (var at = 0; at < _places.Length; at++)
            _places[at].Pair = Count(at);
        OfferNew();
        var made = new List<string>();
        var known = _symbols.Count;
        while (made.Count < pieces && _queue.Take() is >= 0 and var pair)
        {
            var id = Symbol([.. _symbols[_pairs.Left(pair)], .. _symbols[_pairs.Right(pair)]]);
            if (id >= known) // the same text may come from two pairs: two merges, one piece
            {
                made.Add(Encoding.UTF8.GetString(_bytes[id]));
                known = id + 1;
            }

            Merge(pair, id);
        }

        return made;
    }

    private void Merge(int pair, int id)
    {
        foreach (var at in _pairs.Places(pair))
        {
            ref var here = ref _places[at];
            if (here.Pair != pair)
                continue; // another merge was here since
            var times = _corpus.Times[here.Word];
            ref var gone = ref _places[here.Next];
            here.Symbol = id;
            if (here.Previous >= 0)
            {
                ref var before = ref _places[here.Previous];
                if (before.Pair >= 0)
                    _pairs.Remove(before.Pair, times);
                before.Pair = Count(here.Previous);
            }

            here.Next = gone.Next;
            if (gone.Next >= 0)
                _places[gone.Next].Previous = at;
            if (gone.Pair >= 0)
                _pairs.Remove(gone.Pair, times);
            gone.Pair = -1;
            here.Pair = Count(at);
        }

        _pairs.Clear(pair);
        OfferNew();
    }

    private int Count(int at)
    {
        var next = _places[at].Next;
        if (next < 0)
            return -1;
        var (left, right) = (_places[at].Symbol, _places[next].Symbol);
        if (!_allowed.TryGetValue((left, right), out var allowed))
            _allowed.Add((left, right), allowed = _rules.Allows([.. _symbols[left], .. _symbols[right]]));
        return allowed ? _pairs.Add(left, right, _corpus.Times[_places[at].Word], at) : -1;
    }

    private void OfferNew()
    {
        foreach (var pair in _pairs.TakeNew())
            _queue.Offer(pair);
    }

    private int Symbol(int[] points)
    {
        var text = new StringBuilder();
        foreach (var c in points)
            text.Append(new Rune(c));
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        if (_ids.TryGetValue(bytes, out var id))
            return id;
        _ids.Add(bytes, id = _symbols.Count);
        _symbols.Add(points);
        _bytes.Add(bytes);
        return id;
    }

    private bool IsBefore(int x, int y)
    {
        var (xLeft, xRight, yLeft, yRight) = (_pairs.Left(x), _pairs.Right(x), _pairs.Left(y), _pairs.Right(y));
        var (xLength, yLength) = (_symbols[xLeft].Length + _symbols[xRight].Length, _symbols[yLeft].Length + _symbols[yRight].Length);
        if (xLength != yLength)
            return xLength < yLength;
        byte[] xBytes = [.. _bytes[xLeft], .. _bytes[xRight]], yBytes = [.. _bytes[yLeft], .. _bytes[yRight]];
        var order = xBytes.AsSpan().SequenceCompareTo(yBytes);
        return order != 0 ? order < 0 : (xLeft, xRight).CompareTo((yLeft, yRight)) < 0;
    }
}
