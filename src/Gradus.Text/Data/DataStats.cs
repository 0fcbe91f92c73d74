using System.Text;
using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data;

/// <summary>Counts over documents in constant memory: sizes, words, and what the metadata says.</summary>
public sealed class DataStats(Tokenizer? tokenizer = null)
{
    private const int MostKinds = 1000; // different values of a field that are counted apart; the rest is "other"

    private readonly SortedDictionary<string, long> _languages = new(StringComparer.Ordinal), _licenses = new(StringComparer.Ordinal), _origins = new(StringComparer.Ordinal), _years = new(StringComparer.Ordinal);
    private readonly List<int> _ids = [];

    public long Documents { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Unicode code points.</summary>
    public long Characters { get; private set; }

    /// <summary>Runs of anything between white space; languages without spaces have few.</summary>
    public long Words { get; private set; }

    /// <summary>With a tokenizer: its tokens, without end-of-text.</summary>
    public long? Tokens { get; private set; } = tokenizer is null ? null : 0;

    /// <summary>Bytes a document.</summary>
    public LengthHistogram Lengths { get; } = new();

    /// <summary>Documents by what their metadata says.</summary>
    public IReadOnlyDictionary<string, long> Languages => _languages;

    public IReadOnlyDictionary<string, long> Licenses => _licenses;

    public IReadOnlyDictionary<string, long> Origins => _origins;

    public IReadOnlyDictionary<string, long> Years => _years;

    public void Add(Document document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var utf8 = document.Utf8.Span;
        Documents++;
        Bytes += utf8.Length;
        Lengths.Add(utf8.Length);
        var inWord = false;
        for (var at = 0; at < utf8.Length;)
        {
            Rune.DecodeFromUtf8(utf8[at..], out var rune, out var used);
            at += used;
            Characters++;
            var space = Rune.IsWhiteSpace(rune);
            if (!space && !inWord)
                Words++;
            inWord = !space;
        }

        if (tokenizer is not null)
        {
            _ids.Clear();
            tokenizer.Encode(utf8, _ids, addSpecialTokens: false);
            Tokens += _ids.Count;
        }

        if (document.Meta is not { } meta)
            return;
        Count(_languages, meta.GetValueOrDefault(MetaKeys.Language));
        Count(_licenses, meta.GetValueOrDefault(MetaKeys.License));
        Count(_origins, meta.GetValueOrDefault(MetaKeys.Source));
        Count(_years, meta.GetValueOrDefault(MetaKeys.Date) is { Length: >= 4 } date ? date[..4] : null);
    }

    private static void Count(SortedDictionary<string, long> counts, string? value)
    {
        if (value is null)
            return;
        if (counts.Count >= MostKinds && !counts.ContainsKey(value))
            value = "other";
        counts[value] = counts.GetValueOrDefault(value) + 1;
    }
}
