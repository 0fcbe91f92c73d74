using Gradus.Text.Tokenizers.Decoders;
using Gradus.Text.Tokenizers.Formats;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PostProcessors;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers;

/// <summary>A SentencePiece model as steps of the pipeline: exactly, and as <c>tokenizer.json</c> can say it.</summary>
internal static class SentencePieceParts
{
    /// <summary>The model as SentencePiece applies it.</summary>
    /// <param name="file">The model.</param>
    /// <param name="map">Its compiled rules, or null.</param>
    /// <param name="before">Control pieces that begin a text.</param>
    /// <param name="after">Control pieces that end a text.</param>
    public static TokenizerParts Exact(SentencePieceModel file, CharsMap? map, int[] before, int[] after) => new()
    {
        Normalizer = Normalizer(file.Normalization, map) with
        {
            WhitespaceAsSuffix = file.WhitespaceAsSuffix,
            UserDefined = [.. file.Pieces.Where(p => p.Type == SentencePieceType.UserDefined).Select(p => p.Text)],
        },
        Model = file.Kind == SentencePieceKind.Unigram ? UnigramModel.From(file) : SentencePieceSpeller.From(file),
        PostProcessor = before.Length + after.Length == 0 ? null : TemplateProcessor.Frame(Named(file, before), Named(file, after)),
        Added = [.. Added(file, SentencePieceType.Control)],
    };

    public static SentencePieceNormalizer Normalizer(SentencePieceNormalization spec, CharsMap? map) => new()
    {
        Map = map,
        AddDummyPrefix = spec.AddDummyPrefix,
        RemoveExtraWhitespaces = spec.RemoveExtraWhitespaces,
        EscapeWhitespaces = spec.EscapeWhitespaces,
    };

    /// <summary>
    /// The same in Hugging Face's terms, which the Rust library reads; null where they have no words for it (models of words or characters,
    /// spaces as suffixes or not marked). Other ids come out only for text that holds ▁ itself, where a rule fits across graphemes, and round
    /// user-defined symbols.
    /// </summary>
    public static TokenizerParts? ForJson(SentencePieceModel file, TokenizerParts exact)
    {
        if (file.Kind is SentencePieceKind.Word or SentencePieceKind.Char || file.WhitespaceAsSuffix || !file.Normalization.EscapeWhitespaces)
            return null;
        var within = file.Pieces.Any(p => p.Text.LastIndexOf(PieceModel.Mark, StringComparison.Ordinal) > 0);
        return exact with
        {
            Normalizer = new SequenceNormalizer { Steps = [.. Steps(file.Normalization, ((SentencePieceNormalizer)exact.Normalizer!).Map)] },
            PreTokenizer = file.Kind == SentencePieceKind.Unigram && !within ? new MetaspacePreTokenizer { PrependScheme = PrependScheme.Never } : null,
            Model = exact.Model is SentencePieceSpeller speller ? Bpe(speller) : Unigram((UnigramModel)exact.Model, file.ByteFallback),
            Decoder = new SequenceDecoder { Steps = [.. Decoders(file.Normalization)] },
            Added = [.. Added(file, SentencePieceType.Unknown), .. exact.Added, .. file.Kind == SentencePieceKind.Bpe ? Added(file, SentencePieceType.UserDefined) : []],
        };
    }

    private static IEnumerable<Normalizer> Steps(SentencePieceNormalization spec, CharsMap? map)
    {
        if (map is not null)
            yield return new PrecompiledNormalizer { Map = map };
        if (spec.RemoveExtraWhitespaces)
        {
            // Not the step Strip: that takes tabs and line feeds too, which stay where the rules do not turn them into spaces.
            yield return Replace("^ +| +$", "");
            yield return Replace(" {2,}", " ");
        }

        if (spec.AddDummyPrefix)
            yield return new PrependNormalizer { Prepend = PieceModel.Mark };
        yield return new ReplaceNormalizer { Pattern = NamedPattern.String(" "), Content = PieceModel.Mark };

        static ReplaceNormalizer Replace(string pattern, string by) =>
            new() { Pattern = NamedPattern.Regex(pattern.Replace("^", @"\A", StringComparison.Ordinal).Replace("$", @"\z", StringComparison.Ordinal), "normalizer", scanners: false), Content = by };
    }

    private static IEnumerable<TokenDecoder> Decoders(SentencePieceNormalization spec)
    {
        yield return new ReplaceDecoder { Pattern = NamedPattern.String(PieceModel.Mark), Content = " " };
        yield return new ByteFallbackDecoder();
        yield return new FuseDecoder();
        if (spec.AddDummyPrefix)
            yield return new StripDecoder { Start = 1 };
    }

    /// <summary>User-defined pieces get the score that makes them win; unused ones one that makes them lose.</summary>
    private static UnigramModel Unigram(UnigramModel exact, bool byteFallback) => UnigramModel.From(
        [.. exact.Pieces.Select((p, id) => (p.Text, exact.Types![id] switch
        {
            SentencePieceType.UserDefined => exact.Score(id, exact.Vocabulary.Bytes(id).Length),
            SentencePieceType.Unused => exact.UnknownScore * 10,
            _ => p.Score,
        }))],
        exact.UnknownId, byteFallback);

    private static BpeTokenModel Bpe(SentencePieceSpeller exact)
    {
        var merges = new MergeTable(exact.Merges.Count);
        var rank = 0;
        foreach (var (left, right, _, id) in exact.Merges.ByRank())
            if (Math.Max(left, right) < exact.Pieces.Count && exact.Pieces[id].Type == SentencePieceType.Normal)
                merges.Add(left, right, rank++, id);
        return new BpeTokenModel
        {
            Tokens = exact.Vocabulary, Merges = merges, UnknownToken = exact.Pieces[exact.Unknown].Text, FuseUnknown = true, ByteFallback = exact.ByteIds is not null,
        };
    }

    private static IEnumerable<AddedToken> Added(SentencePieceModel file, SentencePieceType type) => file.Pieces.Select((p, id) => (p, id))
        .Where(p => p.p.Type == type).Select(p => new AddedToken(p.id, p.p.Text, Special: type != SentencePieceType.UserDefined));

    private static NamedId[] Named(SentencePieceModel file, int[] ids) => [.. ids.Select(id => new NamedId(file.Pieces[id].Text, id))];
}
