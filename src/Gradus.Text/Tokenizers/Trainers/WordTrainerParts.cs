using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>What trainers share whose tokens stay within words that a pipeline cuts.</summary>
internal static class WordTrainerParts
{
    /// <summary>The words of a corpus as the steps cut them, the most frequent first. Special tokens are borders and left out.</summary>
    public static (byte[] Word, long Times)[] Count(IEnumerable<ReadOnlyMemory<byte>> documents, TokenizerTrainerOptions options, TrainingReport? report, Normalizer? normalizer, PreTokenizer preTokenizer)
    {
        var borders = new AddedTokens(options.SpecialTokens.Select((t, i) => new AddedToken(i, t, Special: true)));
        var words = DocumentCounter.Sorted(DocumentCounter.Count(documents, options, report, (document, counts) =>
        {
            var at = 0;
            for (var more = true; more;)
            {
                more = borders.Next(document, at, out var start, out var end, out _);
                foreach (var line in document[at..start].Split((byte)'\n'))
                {
                    var text = new AlignedText(document[at..start][line], track: false);
                    normalizer?.Apply(text);
                    var cuts = new CutText(text, startsText: true);
                    cuts.Add(0, text.Bytes.Length);
                    preTokenizer.Cut(cuts);
                    foreach (var (from, to, _) in cuts.Cuts)
                        counts.Add(text.Bytes[from..to], 1);
                }

                at = end;
            }
        }));
        return words.Length > 0 ? words : throw new UserException("there is no text to train a tokenizer on");
    }

    /// <summary>The special tokens with the first ids; the unknown token must be among them.</summary>
    public static AddedToken[] Special(TokenizerTrainerOptions options, string unknown)
    {
        if (options.SpecialTokens.FirstOrDefault(string.IsNullOrEmpty) is not null)
            throw new UserException("special_tokens: a special token is empty");
        if (options.SpecialTokens.GroupBy(t => t, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new UserException($"special_tokens: '{twice.Key}' is there twice");
        if (!options.SpecialTokens.Contains(unknown, StringComparer.Ordinal))
            throw new UserException($"special_tokens: '{unknown}' (unknown_token) is not among them");
        return [.. options.SpecialTokens.Select((t, id) => new AddedToken(id, t, Special: true))];
    }
}
