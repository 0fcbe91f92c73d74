using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Decoders;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PostProcessors;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers;

/// <summary>Hugging Face's <c>tokenizer.json</c>, with the special tokens that <c>tokenizer_config.json</c> beside it names.</summary>
[Component("tokenizer-json")]
internal sealed record TokenizerJsonFormat : TokenizerFormat
{
    public override int Order => 1;

    public override string Files => "tokenizer.json";

    public override bool Fits(string fileName) => fileName == "tokenizer.json";

    public override Tokenizer Read(string file)
    {
        using var document = StrictJson.ParseFile(file);
        var parts = ReadParts(new JsonField(file, document.RootElement));
        var unknown = parts.Model.UnknownId;
        int? Id(string? name) => name is null ? null : parts.Added.FirstOrDefault(t => t.Content == name)?.Id ?? parts.Model.Vocabulary.Id(name);
        var special = SpecialNames.Read(file, name => Id(name) is not null);
        var config = TokenizerConfig.Beside(file);
        if (ByteLevelParts.FastModel(parts) is { } fast)
            return new ByteLevelBpe(fast, parts) { BosId = Id(special.Bos), EosId = Id(special.Eos), PadId = Id(special.Pad), UnkId = Id(special.Unk) ?? unknown, Config = config };
        return new PipelineTokenizer(parts) { BosId = Id(special.Bos), EosId = Id(special.Eos), PadId = Id(special.Pad), UnkId = Id(special.Unk) ?? unknown, Config = config };
    }

    /// <summary>The parts of a file.</summary>
    public static TokenizerParts ReadParts(JsonField root)
    {
        var field = root["model"];
        var model = PipelinePart.ReadAs<TokenModel>(field, field["type"].OptionalText() ?? KindOf(field));
        List<AddedToken> added = [];
        foreach (var item in root["added_tokens"].OptionalItems())
            added.Add(new AddedToken(
                item["id"].Id(), item["content"].Text(), item["special"].Flag(), item["single_word"].Flag(), item["lstrip"].Flag(), item["rstrip"].Flag(),
                item["normalized"].Flag(otherwise: !item["special"].Flag())));
        BpeParts.CheckAdded(model.Vocabulary, added, $"{root.File}: model.vocab");
        if (field["unk_token"].OptionalText() is { } unknown && model.Vocabulary.Id(unknown) is null && !added.Exists(t => t.Content == unknown))
            throw field["unk_token"].Error($"'{unknown}' is not in the vocabulary");
        return new TokenizerParts
        {
            Normalizer = PipelinePart.ReadAny<Normalizer>(root["normalizer"]),
            PreTokenizer = PipelinePart.ReadAny<PreTokenizer>(root["pre_tokenizer"]),
            Model = model,
            PostProcessor = PipelinePart.ReadAny<PostProcessor>(root["post_processor"]),
            Decoder = PipelinePart.ReadAny<TokenDecoder>(root["decoder"]),
            Added = added,
            Truncation = ReadTruncation(root["truncation"]),
            Padding = ReadPadding(root["padding"]),
        };
    }

    // The oldest files do not say what their model is.
    private static string KindOf(JsonField model) =>
        !model["merges"].IsMissing ? "BPE" : model["vocab"].Value.ValueKind == JsonValueKind.Array ? "Unigram" : !model["max_input_chars_per_word"].IsMissing ? "WordPiece"
        : !model["unk_token"].IsMissing ? "WordLevel" : "BPE";

    private static TruncationOptions? ReadTruncation(JsonField field) => field.IsNull ? null : new()
    {
        MaxLength = field["max_length"].Count(),
        Stride = field["stride"].Count(),
        Strategy = field["strategy"].OneOf([.. Enum.GetValues<TruncationStrategy>().Select(s => (s.ToString(), s))]),
        Direction = field["direction"].IsMissing ? CutSide.Right : Side(field["direction"]),
    };

    private static PaddingOptions? ReadPadding(JsonField field)
    {
        if (field.IsNull)
            return null;
        var strategy = field["strategy"];
        var isText = strategy.Value.ValueKind == JsonValueKind.String;
        return new()
        {
            Length = isText ? strategy.OneOf(("BatchLongest", (int?)null)) : strategy["Fixed"].Count(),
            Direction = Side(field["direction"]),
            MultipleOf = field["pad_to_multiple_of"].IsNull ? 0 : field["pad_to_multiple_of"].Count(),
            PadId = field["pad_id"].Id(),
            PadTypeId = field["pad_type_id"].Count(),
            PadToken = field["pad_token"].Text(),
        };
    }

    private static CutSide Side(JsonField field) => field.OneOf(("Right", CutSide.Right), ("Left", CutSide.Left));
}
