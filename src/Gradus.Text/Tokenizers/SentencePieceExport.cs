using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Formats;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers;

/// <summary>
/// The SentencePiece model that spells as a <c>tokenizer.json</c> does, where there is one: Unigram, and BPE of characters in which every token is made of
/// its own characters. What is made is tried on thousands of texts before it is given away.
/// </summary>
internal static class SentencePieceExport
{
    private const int Trials = 4000;

    /// <exception cref="UserException">There is no such model; the message says why.</exception>
    public static SentencePieceModel From(Tokenizer tokenizer)
    {
        var parts = tokenizer.Parts ?? throw Cannot("it is not made of parts that a tokenizer.json has");
        if (tokenizer is ByteLevelBpe)
            throw Cannot("it joins bytes, and SentencePiece joins characters");
        var spec = Spec(parts);
        var (kind, pieces, byteFallback) = parts.Model switch
        {
            UnigramModel unigram => (SentencePieceKind.Unigram, Unigram(unigram, parts), unigram.ByteIds is not null),
            BpeTokenModel bpe => (SentencePieceKind.Bpe, Bpe(bpe, parts), bpe.ByteFallback),
            _ => throw Cannot($"its model is {Components.KindOf(parts.Model.GetType())}; there are Unigram and BPE"),
        };
        if (parts.PreTokenizer is not null && kind == SentencePieceKind.Bpe && pieces.Exists(p => p.Type == SentencePieceType.Normal && p.Text.LastIndexOf(PieceModel.Mark, StringComparison.Ordinal) > 0))
            throw Cannot("it cuts words apart before it spells, yet has tokens that reach over a space");
        string Name(int? id, string otherwise) => id is { } i && i < pieces.Count && pieces[i].Type is SentencePieceType.Control or SentencePieceType.Unknown ? pieces[i].Text : otherwise;
        var model = new SentencePieceModel
        {
            Kind = kind, Pieces = pieces, ByteFallback = byteFallback, Normalization = spec,
            UnkPiece = pieces.Find(p => p.Type == SentencePieceType.Unknown).Text, BosPiece = Name(tokenizer.BosId, "<s>"), EosPiece = Name(tokenizer.EosId, "</s>"), PadPiece = Name(tokenizer.PadId, "<pad>"),
            OtherTraining = Training(pieces.Count, pieces.FindIndex(p => p.Type == SentencePieceType.Unknown), tokenizer),
        };
        model.Check("the SentencePiece model");
        Try(tokenizer, model);
        return model;
    }

    private static byte[] Training(int size, int unknown, Tokenizer tokenizer)
    {
        var training = new ProtoWriter();
        training.Int32(4, size);
        foreach (var (field, id) in new[] { (40, unknown), (41, tokenizer.BosId ?? -1), (42, tokenizer.EosId ?? -1), (43, tokenizer.PadId ?? -1) })
            training.Int32(field, id);
        return training.Written.ToArray();
    }

    /// <summary>What normaliser and pre-tokeniser come to.</summary>
    private static SentencePieceNormalization Spec(TokenizerParts parts)
    {
        CharsMap? map = null;
        var (collapses, prefix, marks) = (false, false, false);
        foreach (var step in Flat(parts.Normalizer))
            switch (step)
            {
                case PrecompiledNormalizer compiled when map is null && !collapses && !prefix && !marks:
                    map = compiled.Map;
                    break;
                case StripNormalizer or ReplaceNormalizer { Pattern: { IsRegex: true, Text: " {2,}" or @"\A +| +\z" or "^ +| +$" } }:
                    collapses = true;
                    break;
                case PrependNormalizer { Prepend: PieceModel.Mark }:
                    prefix = true;
                    break;
                case ReplaceNormalizer { Pattern: { IsRegex: false, Text: " " }, Content: PieceModel.Mark }:
                    marks = true;
                    break;
                default:
                    throw Cannot($"its normaliser {Components.KindOf(step.GetType())} is none of SentencePiece's");
            }

        PreTokenizer[] cutters = parts.PreTokenizer is SequencePreTokenizer sequence ? [.. sequence.Steps] : parts.PreTokenizer is { } one ? [one] : [];
        foreach (var step in cutters)
            switch (step)
            {
                case WhitespaceSplitPreTokenizer:
                    collapses = true;
                    break;
                case MetaspacePreTokenizer { Replacement.Value: '\u2581' } metaspace:
                    (marks, prefix) = (true, prefix || metaspace.PrependScheme != PrependScheme.Never);
                    break;
                default:
                    throw Cannot($"its pre-tokeniser {Components.KindOf(step.GetType())} is none of SentencePiece's");
            }

        if (!marks)
            throw Cannot("it does not write spaces as ▁");
        return new() { Name = map is null ? "identity" : "user_defined", CharsMap = map?.Blob ?? [], AddDummyPrefix = prefix, RemoveExtraWhitespaces = collapses };
    }

    private static IEnumerable<Normalizer> Flat(Normalizer? step) => step switch { null => [], SequenceNormalizer sequence => sequence.Steps.SelectMany(Flat), _ => [step] };

    private static List<SentencePiece> Unigram(UnigramModel model, TokenizerParts parts) =>
        Typed([.. model.Pieces.Select(p => new SentencePiece(p.Text, (float)p.Score))], parts, model.ByteIds is not null);

    /// <summary>A score for every token, by the merge that makes it; the characters come last.</summary>
    private static List<SentencePiece> Bpe(BpeTokenModel model, TokenizerParts parts)
    {
        if (!string.IsNullOrEmpty(model.Prefix) || !string.IsNullOrEmpty(model.Suffix) || model.Dropout is > 0)
            throw Cannot("its BPE has affixes or dropout");
        if (model is { FuseUnknown: false, ByteFallback: false })
            throw Cannot("each unknown character is a token of its own (fuse_unk is false), and SentencePiece makes one of a row");
        var pieces = Typed([.. Enumerable.Range(0, model.Vocabulary.Size).Select(id => new SentencePiece(model.Vocabulary.Name(id) ?? throw Cannot($"no token has id {id}"), 0))], parts, model.ByteFallback);
        var work = new MergeWork(model.Merges);
        var characters = 0;
        for (var id = 0; id < pieces.Count; id++)
        {
            if (pieces[id].Type != SentencePieceType.Normal)
                continue;
            int[] symbols = [.. pieces[id].Text.EnumerateRunes().Select(r => model.Vocabulary.Id(r.ToString()) ?? throw Cannot($"the token '{pieces[id].Text}' has a character that is no token"))];
            if (symbols.Length == 1)
                pieces[id] = pieces[id] with { Score = -(model.Merges.Count + ++characters) };
            else if (work.Merge(symbols, stopAt: 2) == 2 && model.Merges.Rank(symbols[0], symbols[1], out var joined) is not MergeTable.NoMerge and var rank && joined == id)
                pieces[id] = pieces[id] with { Score = -rank };
            else
                throw Cannot($"the token '{pieces[id].Text}' is never made by its merges");
        }

        return pieces;
    }

    /// <summary>The pieces with what they are; added tokens behind the model's own become pieces too.</summary>
    private static List<SentencePiece> Typed(List<SentencePiece> pieces, TokenizerParts parts, bool byteFallback)
    {
        var unknown = parts.Model.UnknownId ?? throw Cannot("it has no unknown token");
        foreach (var token in parts.Added.OrderBy(t => t.Id))
        {
            if (token.StripLeft || token.StripRight || token.SingleWord)
                throw Cannot($"the added token '{token.Content}' takes white space with it or stands as a word only");
            var type = token.Special ? SentencePieceType.Control : SentencePieceType.UserDefined;
            if (token.Id > pieces.Count)
                throw Cannot($"no token has id {pieces.Count}");
            if (token.Id == pieces.Count)
                pieces.Add(new(token.Content, 0, type));
            else if (token.Id != unknown)
                pieces[token.Id] = new(pieces[token.Id].Text, 0, type);
        }

        pieces[unknown] = pieces[unknown] with { Score = 0, Type = SentencePieceType.Unknown };
        for (var id = 0; byteFallback && id < pieces.Count; id++)
            if (pieces[id].Type == SentencePieceType.Normal && BytePieces.Read(pieces[id].Text) is not null)
                pieces[id] = pieces[id] with { Score = 0, Type = SentencePieceType.Byte };
        return pieces;
    }

    /// <summary>Both must spell alike: whatever the format cannot say would show here.</summary>
    private static void Try(Tokenizer tokenizer, SentencePieceModel model)
    {
        var made = new SentencePieceTokenizer(model, SentencePieceTokenizer.ReadMap(model.Normalization, "the SentencePiece model"), [], []);
        string[] texts = [.. model.Pieces.Where(p => p.Type == SentencePieceType.Normal).Select(p => p.Text.Replace(PieceModel.Mark, " ", StringComparison.Ordinal)), " ", "  ", "\n", "\t", "Zoë", "日本", "①", "e\u0301", "🤗", "x"];
        var draws = new Counter(1, "sentencepiece export");
        var at = 0UL;
        for (var trial = 0; trial < Trials; trial++)
        {
            var text = string.Concat(Enumerable.Range(0, 1 + draws.Below(at++, 7)).Select(_ => texts[draws.Below(at++, draws.Below(at++, 3) == 0 ? texts.Length : Math.Min(texts.Length, 2000))]));
            if (!tokenizer.Encode(text, addSpecialTokens: false).SequenceEqual(made.Encode(text, addSpecialTokens: false)))
                throw Cannot($"it would spell {System.Text.Json.JsonSerializer.Serialize(text)} in another way");
        }
    }

    private static UserException Cannot(string why) => new($"this tokenizer has no counterpart among SentencePiece models: {why}");
}
