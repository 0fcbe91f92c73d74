using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Decoders;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PostProcessors;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>
/// WordPiece (Schuster and Nakajima, 2012): keeps joining the pair that raises the likelihood of the corpus most for each occurrence:
/// count(ab) / (count(a) · count(b)). Among equals the more frequent, then the lower by text. Encodes as BERT. Memory: the distinct words.
/// </summary>
[Component("wordpiece")]
public sealed record WordPieceTrainerOptions : TokenizerTrainerOptions
{
    /// <summary>The defaults.</summary>
    public WordPieceTrainerOptions() => SpecialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    /// <summary>Pairs that occur less often are not joined: without a bound the score favours the rarest.</summary>
    [AtLeast(1)]
    public int MinFrequency { get; init; } = 20;

    /// <summary>Writes everything in lower case, without accents.</summary>
    public bool Lowercase { get; init; } = true;

    /// <summary>What names of tokens start with that do not start a word.</summary>
    public string Prefix { get; init; } = "##";

    /// <summary>What stands for words that do not come out even; one of the special tokens.</summary>
    public string UnknownToken { get; init; } = "[UNK]";

    /// <inheritdoc/>
    public override Tokenizer Train(IEnumerable<ReadOnlyMemory<byte>> documents, TrainingReport? report = null)
    {
        ArgumentNullException.ThrowIfNull(documents);
        var special = WordTrainerParts.Special(this, UnknownToken);
        var (normalizer, preTokenizer) = (new BertNormalizer { Lowercase = Lowercase }, new BertPreTokenizer());
        var trainer = new WordPieceTrainer(WordTrainerParts.Count(documents, this, report, normalizer, preTokenizer), Prefix, MinFrequency);
        if (VocabSize < special.Length + trainer.Alphabet)
            throw new UserException($"vocab_size: {VocabSize} is too few; {special.Length} special tokens and {trainer.Alphabet} characters make {special.Length + trainer.Alphabet}");
        var names = trainer.Train(VocabSize - special.Length).Except(SpecialTokens, StringComparer.Ordinal);
        var vocab = SpecialTokens.Concat(names).Select((name, id) => KeyValuePair.Create(name, id)).ToArray();
        int? Id(string name) => Array.Find(special, t => t.Content == name)?.Id;
        return new PipelineTokenizer(new TokenizerParts
        {
            Normalizer = normalizer,
            PreTokenizer = preTokenizer,
            Model = new WordPieceModel { Tokens = VocabularyJson.Named(vocab), UnknownToken = UnknownToken, Prefix = Prefix },
            PostProcessor = Id("[CLS]") is { } cls && Id("[SEP]") is { } sep ? TemplateProcessor.Frame([new("[CLS]", cls)], [new("[SEP]", sep)]) : null,
            Decoder = new WordPieceDecoder { Prefix = Prefix },
            Added = special,
        })
        {
            UnkId = Id(UnknownToken), PadId = Id("[PAD]"),
        };
    }
}

/// <summary>Keeps counts of symbols and pairs right while joining. A join changes the scores of all pairs of its two symbols: they are offered anew.</summary>
internal sealed class WordPieceTrainer
{
    /// <summary>A symbol of a word, linked to its neighbours in the word; -1 for none.</summary>
    private struct Place
    {
        public int Symbol, Previous, Next, Word, Pair;
    }

    private readonly (byte[] Word, long Times)[] _words;
    private readonly string _prefix;
    private readonly int _minimum;
    private readonly List<string> _names = [];
    private readonly List<long> _counts = [];
    private readonly List<List<int>> _pairsOf = []; // by symbol: the pairs it is in
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly PairCounts _pairs = new();
    private readonly PriorityQueue<int, (double Score, long Count, int Pair)> _queue;
    private readonly Place[] _places;
    private int _listed; // pairs that _pairsOf knows

    public WordPieceTrainer((byte[] Word, long Times)[] words, string prefix, int minimum)
    {
        (_words, _prefix, _minimum) = (words, prefix, minimum);
        _queue = new(Comparer<(double Score, long Count, int Pair)>.Create(Compare));
        var alphabet = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (word, _) in words)
            alphabet.UnionWith(Characters(word));
        foreach (var name in alphabet)
            Symbol(name);
        Alphabet = alphabet.Count;
        var places = new List<Place>();
        for (var w = 0; w < words.Length; w++)
        {
            var names = Characters(words[w].Word).ToArray();
            for (var i = 0; i < names.Length; i++)
            {
                var symbol = Symbol(names[i]);
                _counts[symbol] += words[w].Times;
                places.Add(new Place { Symbol = symbol, Previous = i == 0 ? -1 : places.Count - 1, Next = i + 1 == names.Length ? -1 : places.Count + 1, Word = w, Pair = -1 });
            }
        }

        _places = [.. places];
    }

    /// <summary>How many tokens the single characters take.</summary>
    public int Alphabet { get; }

    /// <summary>The tokens: characters, then joins in order; fewer when there are no more frequent pairs.</summary>
    public IEnumerable<string> Train(int tokens)
    {
        for (var at = 0; at < _places.Length; at++)
            Count(at);
        OfferNew(-1, -1);
        while (_names.Count < tokens && _queue.TryDequeue(out var pair, out var entry))
        {
            if (_pairs.Count(pair) != entry.Count || Score(pair) != entry.Score)
                continue; // it was offered anew since
            var (left, right) = (_pairs.Left(pair), _pairs.Right(pair));
            Merge(pair, Symbol(_names[left] + _names[right][_prefix.Length..]));
            OfferNew(left, right);
        }

        return _names;
    }

    private void Merge(int pair, int id)
    {
        foreach (var at in _pairs.Places(pair))
        {
            ref var here = ref _places[at];
            if (here.Pair != pair)
                continue; // another join was here since
            var times = _words[here.Word].Times;
            ref var gone = ref _places[here.Next];
            _counts[here.Symbol] -= times;
            _counts[gone.Symbol] -= times;
            _counts[id] += times;
            here.Symbol = id;
            if (here.Previous >= 0)
            {
                _pairs.Remove(_places[here.Previous].Pair, times);
                Count(here.Previous);
            }

            here.Next = gone.Next;
            if (gone.Next >= 0)
            {
                _places[gone.Next].Previous = at;
                _pairs.Remove(gone.Pair, times);
            }

            gone.Pair = here.Pair = -1;
            Count(at);
        }

        _pairs.Clear(pair);
    }

    private void Count(int at)
    {
        ref var place = ref _places[at];
        if (place.Next >= 0)
            place.Pair = _pairs.Add(place.Symbol, _places[place.Next].Symbol, _words[place.Word].Times, at);
    }

    private void OfferNew(int left, int right)
    {
        foreach (var pair in _pairs.TakeNew())
            Offer(pair);
        for (; _listed < _pairs.Total; _listed++)
        {
            _pairsOf[_pairs.Left(_listed)].Add(_listed);
            if (_pairs.Left(_listed) != _pairs.Right(_listed))
                _pairsOf[_pairs.Right(_listed)].Add(_listed);
        }

        foreach (var symbol in left == right ? [left] : new[] { left, right })
            if (symbol >= 0)
                foreach (var pair in _pairsOf[symbol])
                    Offer(pair);
    }

    private void Offer(int pair)
    {
        if (_pairs.Count(pair) >= _minimum)
            _queue.Enqueue(pair, (Score(pair), _pairs.Count(pair), pair));
    }

    private double Score(int pair) => (double)_pairs.Count(pair) / ((double)_counts[_pairs.Left(pair)] * _counts[_pairs.Right(pair)]);

    private int Compare((double Score, long Count, int Pair) x, (double Score, long Count, int Pair) y)
    {
        if (x.Score != y.Score)
            return y.Score.CompareTo(x.Score);
        if (x.Count != y.Count)
            return y.Count.CompareTo(x.Count);
        var left = string.CompareOrdinal(_names[_pairs.Left(x.Pair)], _names[_pairs.Left(y.Pair)]);
        return left != 0 ? left : string.CompareOrdinal(_names[_pairs.Right(x.Pair)], _names[_pairs.Right(y.Pair)]);
    }

    private int Symbol(string name)
    {
        if (_ids.TryGetValue(name, out var id))
            return id;
        _ids.Add(name, id = _names.Count);
        _names.Add(name);
        _counts.Add(0);
        _pairsOf.Add([]);
        return id;
    }

    private IEnumerable<string> Characters(byte[] word)
    {
        var prefix = "";
        foreach (var rune in Encoding.UTF8.GetString(word).EnumerateRunes())
        {
            yield return prefix + rune;
            prefix = _prefix;
        }
    }
}
