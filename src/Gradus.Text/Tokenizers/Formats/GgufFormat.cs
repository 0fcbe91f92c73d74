using System.Globalization;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Decoders;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PostProcessors;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers.Formats;

/// <summary>The vocabulary inside a GGUF model file (<c>tokenizer.ggml.*</c>): byte-level BPE, BERT's WordPiece, SentencePiece's BPE and Unigram.</summary>
[Component("gguf")]
internal sealed record GgufFormat : TokenizerFormat
{
    private const string Key = "tokenizer.ggml.";

    public override int Order => 6;

    public override string Files => "*.gguf";

    public override bool Fits(string fileName) => fileName.EndsWith(".gguf", StringComparison.Ordinal);

    public override Tokenizer Read(string file)
    {
        var metadata = GgufMetadata.Read(file);
        var kind = metadata.Text(Key + "model") ?? throw metadata.Wrong(Key + "model", "missing; this file holds no tokenizer");
        var tokens = metadata.Texts(Key + "tokens") ?? throw metadata.Wrong(Key + "tokens", "missing; expected an array of strings");
        var types = Types(metadata, tokens.Length);
        return kind switch
        {
            "gpt2" => Bytes(metadata, tokens, types),
            "bert" => Bert(metadata, tokens, types),
            "llama" => Pieces(metadata, tokens, types, SentencePieceKind.Bpe),
            "t5" => Pieces(metadata, tokens, types, SentencePieceKind.Unigram),
            _ => throw metadata.Wrong(Key + "model", $"'{kind}' is not supported; supported are gpt2, bert, llama and t5"),
        };
    }

    private static SentencePieceType[] Types(GgufMetadata metadata, int count)
    {
        if (metadata.Numbers(Key + "token_type") is not { } types)
            return [.. Enumerable.Repeat(SentencePieceType.Normal, count)];
        if (types.Length != count)
            throw metadata.Wrong(Key + "token_type", string.Create(CultureInfo.InvariantCulture, $"{types.Length} types for {count} tokens"));
        return [.. types.Select(t => t is >= 1 and <= 6 && t == Math.Floor(t) ? (SentencePieceType)(int)t
            : throw metadata.Wrong(Key + "token_type", string.Create(CultureInfo.InvariantCulture, $"{t} is no type of token; types are 1 to 6")))];
    }

    private static Dictionary<string, int> Vocabulary(GgufMetadata metadata, IEnumerable<string> names, IReadOnlyList<AddedToken> added)
    {
        var vocab = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var name in names)
            if (!vocab.TryAdd(name, vocab.Count))
                throw metadata.Wrong(Key + "tokens", string.Create(CultureInfo.InvariantCulture, $"tokens {vocab[name]} and {vocab.Count} are both '{name}'"));
        BpeParts.CheckVocabulary(vocab, added, metadata.Wrong(Key + "tokens", "").Message.TrimEnd(' ', ':'));
        return vocab;
    }

    private static AddedToken[] Added(string[] tokens, SentencePieceType[] types) =>
    [
        .. types.Select((type, id) => (type, id)).Where(t => t.type is SentencePieceType.Control or SentencePieceType.Unknown or SentencePieceType.UserDefined)
            .Select(t => new AddedToken(t.id, tokens[t.id], Special: t.type != SentencePieceType.UserDefined)),
    ];

    private static ByteLevelBpe Bytes(GgufMetadata metadata, string[] tokens, SentencePieceType[] types)
    {
        var added = Added(tokens, types);
        var vocab = Vocabulary(metadata, tokens, added);
        var merges = new MergeTable(vocab.Count);
        var rank = 0;
        foreach (var merge in metadata.Texts(Key + "merges") ?? throw metadata.Wrong(Key + "merges", "missing; expected an array of strings"))
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"{Key}merges[{rank}]");
            var cut = merge.IndexOf(' ', 1);
            if (cut < 0)
                throw metadata.Wrong(at, $"a merge is two tokens with a space between, found '{merge}'");
            BpeParts.AddMerge(merges, vocab, merge[..cut], merge[(cut + 1)..], rank++, () => metadata.Wrong(at, "").Message.TrimEnd(' ', ':'));
        }

        var model = BpeParts.ByteLevel(vocab, merges, GgufPatterns.Splitter(metadata, Key + "pre"), added, ignoreMerges: GgufPatterns.IgnoresMerges(metadata.Text(Key + "pre")));
        var (bos, eos) = (metadata.Id(Key + "bos_token_id", tokens.Length), metadata.Id(Key + "eos_token_id", tokens.Length));
        model = model with
        {
            Before = metadata.Flag(Key + "add_bos_token") == true && bos is { } b ? [b] : [],
            After = metadata.Flag(Key + "add_eos_token") == true && eos is { } e ? [e] : [],
            AddPrefixSpace = metadata.Flag(Key + "add_space_prefix") == true,
        };
        return new ByteLevelBpe(model) { BosId = bos, EosId = eos, PadId = metadata.Id(Key + "padding_token_id", tokens.Length), UnkId = metadata.Id(Key + "unknown_token_id", tokens.Length) };
    }

    private static PipelineTokenizer Bert(GgufMetadata metadata, string[] tokens, SentencePieceType[] types)
    {
        // GGUF writes words with the mark of SentencePiece and the rest without ##; brackets stay as they are.
        string[] names = [.. tokens.Select(t => t.StartsWith('[') && t.EndsWith(']') ? t : t.StartsWith(PieceModel.Mark, StringComparison.Ordinal) ? t[1..] : "##" + t)];
        var added = Added(names, types);
        var vocab = Vocabulary(metadata, names, added);
        int Id(string key, int otherwise) => metadata.Id(Key + key, tokens.Length) ?? otherwise;
        var (unknown, cls) = (Id("unknown_token_id", 100), Id("cls_token_id", metadata.Id(Key + "bos_token_id", tokens.Length) ?? 101));
        var separator = Id("seperator_token_id", Id("separator_token_id", 102)); // the first is how files spell it
        if (Math.Max(unknown, Math.Max(cls, separator)) >= names.Length)
            throw metadata.Wrong(Key + "tokens", string.Create(CultureInfo.InvariantCulture, $"{names.Length} tokens; the ids of [UNK], [CLS] and [SEP] are not among them"));
        var parts = new TokenizerParts
        {
            Normalizer = new BertNormalizer(),
            PreTokenizer = new BertPreTokenizer(),
            Model = new WordPieceModel { Tokens = VocabularyJson.Named(vocab), UnknownToken = names[unknown] },
            PostProcessor = TemplateProcessor.Pairs(new(names[cls], cls), new(names[separator], separator)),
            Decoder = new WordPieceDecoder(),
            Added = added,
        };
        return new PipelineTokenizer(parts) { BosId = cls, EosId = separator, PadId = metadata.Id(Key + "padding_token_id", tokens.Length), UnkId = unknown };
    }

    private static SentencePieceTokenizer Pieces(GgufMetadata metadata, string[] tokens, SentencePieceType[] types, SentencePieceKind kind)
    {
        var scores = metadata.Numbers(Key + "scores") ?? throw metadata.Wrong(Key + "scores", "missing; expected an array of numbers");
        if (scores.Length != tokens.Length)
            throw metadata.Wrong(Key + "scores", string.Create(CultureInfo.InvariantCulture, $"{scores.Length} scores for {tokens.Length} tokens"));
        if (Array.FindIndex(scores, s => !double.IsFinite(s)) is >= 0 and var bad)
            throw metadata.Wrong(string.Create(CultureInfo.InvariantCulture, $"{Key}scores[{bad}]"), "not a number");
        _ = Vocabulary(metadata, tokens, []);
        var (bos, eos) = (metadata.Id(Key + "bos_token_id", tokens.Length), metadata.Id(Key + "eos_token_id", tokens.Length));
        var charsMap = metadata.Numbers(Key + "precompiled_charsmap") is { } map ? map.Select(b => (byte)(int)b).ToArray() : [];
        var model = new SentencePieceModel
        {
            Kind = kind,
            Pieces = [.. tokens.Select((t, id) => new SentencePiece(t, (float)scores[id], types[id]))],
            ByteFallback = types.Contains(SentencePieceType.Byte),
            UnkPiece = Array.IndexOf(types, SentencePieceType.Unknown) is >= 0 and var unknown ? tokens[unknown] : "<unk>",
            BosPiece = bos is { } b ? tokens[b] : "<s>",
            EosPiece = eos is { } e ? tokens[e] : "</s>",
            PadPiece = metadata.Id(Key + "padding_token_id", tokens.Length) is { } pad ? tokens[pad] : "<pad>",
            Normalization = new SentencePieceNormalization
            {
                CharsMap = charsMap,
                AddDummyPrefix = metadata.Flag(Key + "add_space_prefix") ?? true,
                RemoveExtraWhitespaces = metadata.Flag(Key + "remove_extra_whitespaces") ?? kind == SentencePieceKind.Unigram,
            },
        };
        var before = metadata.Flag(Key + "add_bos_token") ?? kind == SentencePieceKind.Bpe;
        var after = metadata.Flag(Key + "add_eos_token") ?? kind == SentencePieceKind.Unigram;
        return new SentencePieceTokenizer(
            model, SentencePieceTokenizer.ReadMap(model.Normalization, metadata.Wrong(Key + "precompiled_charsmap", "").Message.TrimEnd(' ', ':')),
            before && bos is { } first ? [first] : [], after && eos is { } last ? [last] : []);
    }
}
