using System.Runtime.CompilerServices;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>Which of several equally frequent pairs is merged first.</summary>
public enum BpeTies
{
    /// <summary>The pair of lowest ids, left before right: what Hugging Face's trainer does.</summary>
    LowestIds,

    /// <summary>The pair of greatest bytes, left before right: what Stanford's CS336 reference does.</summary>
    GreatestBytes,
}

/// <summary>
/// Byte-level BPE (Gage, 1994; Sennrich et al., 2016): starts from the 256 bytes and keeps joining the most frequent neighbours.
/// Ids: special tokens, then the bytes in the order of their characters in vocabulary files, then the merges.
/// </summary>
[Component("bpe")]
public sealed record BpeTrainerOptions : TokenizerTrainerOptions
{
    /// <summary>How text is cut before pairs are counted.</summary>
    public PreTokenizerOptions PreTokenizer { get; init; } = new Gpt2PreTokenizerOptions();

    /// <summary>Pairs that occur less often are not merged.</summary>
    [AtLeast(1)]
    public int MinFrequency { get; init; } = 1;

    /// <summary>Which of several equally frequent pairs goes first.</summary>
    public BpeTies Ties { get; init; } = BpeTies.LowestIds;

    /// <inheritdoc/>
    public override Tokenizer Train(IEnumerable<ReadOnlyMemory<byte>> documents, TrainingReport? report = null)
    {
        ArgumentNullException.ThrowIfNull(documents);
        if (SpecialTokens.FirstOrDefault(string.IsNullOrEmpty) is not null)
            throw new UserException("special_tokens: a special token is empty");
        if (SpecialTokens.Distinct(StringComparer.Ordinal).Count() != SpecialTokens.Count)
            throw new UserException("special_tokens: a special token is named twice");
        if (SpecialTokens.FirstOrDefault(t => t.Length == 1 && ByteAlphabet.Read(t) is not null) is { } single)
            throw new UserException($"special_tokens: '{single}' is how the vocabulary writes a single byte; special tokens need a longer text");
        if (VocabSize < SpecialTokens.Count + 256)
            throw new UserException($"vocab_size: {VocabSize} is too few; a byte-level vocabulary has 256 bytes and here {SpecialTokens.Count} special tokens, at least {SpecialTokens.Count + 256}");

        var special = SpecialTokens.Select((content, id) => new AddedToken(id, content, Special: true)).ToArray();
        var splitter = PreTokenizer.Build();
        return Prepare(documents, splitter, special, report).Train(splitter, special);
    }

    /// <summary>A method of its own, so that nothing holds the counts while the trainer works.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private BpeTrainer Prepare(IEnumerable<ReadOnlyMemory<byte>> documents, Splitter splitter, AddedToken[] special, TrainingReport? report)
    {
        var words = WordCounter.Count(documents, splitter, new AddedTokens(special), this, report);
        if (words.Count == 0)
            throw new UserException("there is no text to train a tokenizer on");
        return new BpeTrainer(this, words);
    }
}

/// <summary>Counts every pair once, then keeps the counts right while merging: a merge only touches the places where its pair stands.</summary>
internal sealed class BpeTrainer
{
    /// <summary>A symbol of a word, linked to its neighbours in the word; -1 for none.</summary>
    private struct Place
    {
        public int Symbol, Previous, Next, Word;
        public int Pair; // the pair that it and the next symbol are; -1 at the end of a word and where a merge took the symbol
    }

    private readonly BpeTrainerOptions _options;
    private readonly List<byte[]> _tokens = [];
    private readonly Dictionary<byte[], int> _ids = new(BytesComparer.Instance);
    private readonly PairCounts _pairs = new();
    private readonly PairQueue _queue;
    private readonly Place[] _places; // all words, one behind the other
    private readonly long[] _times; // how often each word occurs

    public BpeTrainer(BpeTrainerOptions options, WordCounts words)
    {
        _options = options;
        _queue = new PairQueue(_pairs, Math.Max(1, options.MinFrequency), options.Ties == BpeTies.LowestIds ? HasLowerIds : HasGreaterBytes);
        foreach (var special in options.SpecialTokens)
            _tokens.Add(System.Text.Encoding.UTF8.GetBytes(special));
        var byteIds = new int[256];
        foreach (var b in ByteAlphabet.InCharOrder())
        {
            byteIds[b] = _tokens.Count;
            _tokens.Add([b]);
            _ids.Add([b], byteIds[b]);
        }

        _times = new long[words.Count];
        var total = 0;
        for (var w = 0; w < words.Count; w++)
            total = checked(total + words.Word(w).Length);
        _places = new Place[total];
        var at = 0;
        for (var w = 0; w < words.Count; w++)
        {
            _times[w] = words.Times(w);
            var word = words.Word(w);
            for (var i = 0; i < word.Length; i++, at++)
                _places[at] = new Place { Symbol = byteIds[word[i]], Previous = i == 0 ? -1 : at - 1, Next = i + 1 == word.Length ? -1 : at + 1, Word = w, Pair = -1 };
        }
    }

    public Tokenizer Train(Splitter splitter, AddedToken[] special)
    {
        // All pairs are counted before their places are laid out: then each list is given its room at once.
        for (var at = 0; at < _places.Length; at++)
            if (_places[at].Next is >= 0 and var next)
                _places[at].Pair = _pairs.Count(_places[at].Symbol, _places[next].Symbol, _times[_places[at].Word]);
        _pairs.Lay();
        for (var at = 0; at < _places.Length; at++)
            if (_places[at].Pair is >= 0 and var pair)
                _pairs.Put(pair, at);
        OfferNew();

        var merges = new List<(int Left, int Right, int Id)>();
        while (_tokens.Count < _options.VocabSize && _queue.Take() is >= 0 and var next)
        {
            var (left, right) = (_pairs.Left(next), _pairs.Right(next));
            byte[] bytes = [.. _tokens[left], .. _tokens[right]];
            if (_options.SpecialTokens.Contains(ByteAlphabet.Write(bytes), StringComparer.Ordinal))
                continue; // ordinary text may not become a control token
            if (!_ids.TryGetValue(bytes, out var id))
            {
                id = _tokens.Count;
                _tokens.Add(bytes);
                _ids.Add(bytes, id);
            }

            merges.Add((left, right, id)); // the same bytes may come from two pairs: two merges, one token
            Merge(next, id);
        }

        return Build(splitter, special, merges);
    }

    private void Merge(int pair, int id)
    {
        var places = _places;
        foreach (var at in _pairs.Places(pair))
        {
            ref var here = ref places[at];
            if (here.Pair != pair)
                continue; // another merge was here since
            ref var gone = ref places[here.Next];
            var times = _times[here.Word];
            here.Symbol = id;
            if (here.Previous >= 0)
            {
                ref var before = ref places[here.Previous];
                _pairs.Remove(before.Pair, times);
                before.Pair = _pairs.Add(before.Symbol, id, times, here.Previous);
            }

            here.Next = gone.Next;
            here.Pair = -1;
            if (gone.Next >= 0)
            {
                ref var after = ref places[gone.Next];
                after.Previous = at;
                _pairs.Remove(gone.Pair, times);
                here.Pair = _pairs.Add(id, after.Symbol, times, at);
            }

            gone.Pair = -1;
        }

        _pairs.Clear(pair);
        OfferNew();
    }

    private void OfferNew()
    {
        foreach (var pair in _pairs.TakeNew())
            _queue.Offer(pair);
    }

    private bool HasLowerIds(int x, int y) =>
        _pairs.Left(x) != _pairs.Left(y) ? _pairs.Left(x) < _pairs.Left(y) : _pairs.Right(x) < _pairs.Right(y);

    private bool HasGreaterBytes(int x, int y)
    {
        var order = _pairs.Left(x) == _pairs.Left(y) ? 0 : _tokens[_pairs.Left(x)].AsSpan().SequenceCompareTo(_tokens[_pairs.Left(y)]);
        return order != 0 ? order > 0 : _tokens[_pairs.Right(x)].AsSpan().SequenceCompareTo(_tokens[_pairs.Right(y)]) > 0;
    }

    private ByteLevelBpe Build(Splitter splitter, AddedToken[] special, List<(int Left, int Right, int Id)> merges)
    {
        var vocab = new Dictionary<string, int>(_tokens.Count, StringComparer.Ordinal);
        foreach (var token in special)
            vocab.Add(token.Content, token.Id);
        for (var id = special.Length; id < _tokens.Count; id++)
            vocab.Add(ByteAlphabet.Write(_tokens[id]), id);
        var table = new MergeTable(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
            table.Add(merges[rank].Left, merges[rank].Right, rank, merges[rank].Id);
        int? end = Array.Find(special, t => t.Content == "<|endoftext|>")?.Id;
        return new ByteLevelBpe(BpeParts.ByteLevel(vocab, table, splitter, special)) { BosId = end, EosId = end };
    }
}
