using System.Buffers;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>
/// A corpus as trainers of pieces see it: its distinct words (▁ at the front) and how often each occurs, characters beyond the alphabet replaced.
/// Sorted, the most frequent first, so that nothing depends on the order of documents or on threads.
/// </summary>
internal sealed class PieceCorpus
{
    private const int MaxLine = 4096; // where spaces do not cut, lines are cut at the last space before this many bytes

    private PieceCorpus(byte[][] words, long[] times, IReadOnlyList<(int Char, long Times)> alphabet) => (Words, Times, Alphabet) = (words, times, alphabet);

    /// <summary>Distinct words in UTF-8.</summary>
    public byte[][] Words { get; }

    public long[] Times { get; }

    /// <summary>The characters that are covered, the most frequent first.</summary>
    public IReadOnlyList<(int Char, long Times)> Alphabet { get; }

    public static PieceCorpus Read(IEnumerable<ReadOnlyMemory<byte>> documents, SentencePieceNormalizer normalizer, SentencePieceTrainerOptions options, TrainingReport? report = null)
    {
        var counts = Count(documents, normalizer, options, report);
        if (counts.Count == 0)
            throw new UserException("there is no text to train a tokenizer on");
        var chars = new Dictionary<int, long>();
        for (var i = 0; i < counts.Count; i++)
            for (var rest = counts.Word(i); !rest.IsEmpty;)
            {
                Rune.DecodeFromUtf8(rest, out var rune, out var length);
                rest = rest[length..];
                if (rune.Value is not (0 or PieceRules.Unknown))
                    chars[rune.Value] = chars.GetValueOrDefault(rune.Value) + counts.Times(i);
            }

        var all = (double)chars.Values.Sum();
        var alphabet = new List<(int Char, long Times)>();
        var covered = 0L;
        foreach (var (c, times) in chars.OrderByDescending(c => c.Value).ThenBy(c => c.Key))
        {
            if ((float)(covered / all) >= (float)options.CharacterCoverage)
                break;
            covered += times;
            alphabet.Add((c, times));
        }

        var known = alphabet.Select(c => c.Char).ToHashSet();
        var words = new WordCounts();
        var buffer = new ArrayBufferWriter<byte>();
        for (var i = 0; i < counts.Count; i++)
        {
            buffer.Clear();
            for (var rest = counts.Word(i); !rest.IsEmpty;)
            {
                Rune.DecodeFromUtf8(rest, out var rune, out var length);
                buffer.Write(known.Contains(rune.Value) ? rest[..length] : "\u2585"u8);
                rest = rest[length..];
            }

            words.Add(buffer.WrittenSpan, counts.Times(i));
        }

        var sorted = DocumentCounter.Sorted(words);
        return new([.. sorted.Select(w => w.Word)], [.. sorted.Select(w => w.Times)], alphabet);
    }

    /// <summary>The code points of UTF-8.</summary>
    public static int[] CodePoints(ReadOnlySpan<byte> utf8)
    {
        var points = new List<int>(utf8.Length);
        while (!utf8.IsEmpty)
        {
            Rune.DecodeFromUtf8(utf8, out var rune, out var length);
            points.Add(rune.Value);
            utf8 = utf8[length..];
        }

        return [.. points];
    }

    private static WordCounts Count(IEnumerable<ReadOnlyMemory<byte>> documents, SentencePieceNormalizer normalizer, SentencePieceTrainerOptions options, TrainingReport? report)
    {
        var borders = new AddedTokens(options.SpecialTokens.Select((t, i) => new AddedToken(i, t, Special: true)));
        var symbols = new AddedTokens(options.UserDefined.Select((t, i) => new AddedToken(i, t, Special: false)));
        return DocumentCounter.Count(documents, options, report, (document, counts) =>
        {
            foreach (var line in document.Split((byte)'\n'))
                AddLine(counts, document[line], borders, symbols, normalizer, options.SplitByWhitespace);
        });
    }

    private static void AddLine(WordCounts counts, ReadOnlySpan<byte> line, AddedTokens borders, AddedTokens symbols, SentencePieceNormalizer normalizer, bool split)
    {
        var at = 0;
        for (var more = true; more;)
        {
            more = borders.Next(line, at, out var start, out var end, out _);
            var text = new AlignedText(line[at..start], track: false);
            normalizer.Apply(text);
            AddWords(counts, text.Bytes, symbols, split);
            at = end;
        }
    }

    /// <summary>User-defined symbols are left out, and nothing spans them.</summary>
    private static void AddWords(WordCounts counts, ReadOnlySpan<byte> text, AddedTokens symbols, bool split)
    {
        var at = 0;
        while (!symbols.None && symbols.Next(text, at, out var start, out var end, out _))
        {
            Add(counts, text[at..start], split);
            at = end;
        }

        Add(counts, text[at..], split);
    }

    private static void Add(WordCounts counts, ReadOnlySpan<byte> text, bool split)
    {
        var mark = "\u2581"u8;
        while (!text.IsEmpty)
        {
            var end = text.Length;
            if (split)
                end = text[1..].IndexOf(mark) is >= 0 and var next ? next + 1 : text.Length;
            else if (text.Length > MaxLine)
                end = text[..MaxLine].LastIndexOf(mark) is > 0 and var last ? last : CharBorder(text, MaxLine);
            counts.Add(text[..end], 1);
            text = text[end..];
        }
    }

    private static int CharBorder(ReadOnlySpan<byte> text, int at)
    {
        while (at > 1 && (text[at] & 0xC0) == 0x80)
            at--;
        return at;
    }
}
