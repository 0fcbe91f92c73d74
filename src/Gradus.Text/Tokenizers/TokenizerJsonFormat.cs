using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>Hugging Face's <c>tokenizer.json</c>, with the special tokens that <c>tokenizer_config.json</c> beside it names. BPE models, byte-level or of pieces.</summary>
[Component("tokenizer-json")]
internal sealed record TokenizerJsonFormat : TokenizerFormat
{
    public override int Order => 1;

    public override string Files => "tokenizer.json";

    public override bool Fits(string fileName) => fileName == "tokenizer.json";

    public override Tokenizer Read(string file)
    {
        using var document = StrictJson.ParseFile(file);
        var root = new JsonField(file, document.RootElement);
        var model = root["model"];
        var type = model["type"].OptionalText() ?? "BPE";
        if (type != "BPE")
            throw model["type"].Error($"'{type}' is not supported; supported is BPE");
        foreach (var option in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
            if (model[option].OptionalText() is { Length: > 0 } affix)
                throw model[option].Error($"'{affix}' is not supported; supported is none");
        if (!model["dropout"].IsNull && (!model["dropout"].Value.TryGetDouble(out var dropout) || dropout != 0))
            throw model["dropout"].Error("random merges are not supported; supported are null and 0");

        var vocab = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, field) in model["vocab"].Properties())
            vocab.Add(name, field.Id());
        var added = ReadAdded(root["added_tokens"]);
        BpeParts.CheckVocabulary(vocab, added, $"{file}: model.vocab");
        var unknown = model["unk_token"].OptionalText();
        if (unknown is not null && !vocab.ContainsKey(unknown) && !added.Exists(t => t.Content == unknown))
            throw model["unk_token"].Error($"'{unknown}' is not in the vocabulary");

        var merges = ReadMerges(model["merges"], vocab);
        var (before, after) = PostProcessor.Read(root["post_processor"]);
        int? Id(string? name) => name is null ? null
            : added.Find(t => t.Content == name)?.Id ?? (vocab.TryGetValue(name, out var id) ? id : null);
        var special = SpecialNames.Read(file, name => Id(name) is not null);

        var preTokenizer = PipelineJson.Read(root["pre_tokenizer"]);
        if (preTokenizer.ByteLevel)
        {
            if (!root["normalizer"].IsNull)
                throw root["normalizer"].Error($"'{root["normalizer"]["type"].OptionalText()}' is not supported for byte-level models; supported is null");
            var bpe = BpeParts.ByteLevel(vocab, merges, preTokenizer.Splitter, added, model["ignore_merges"].Flag());
            if (unknown is not null && Array.IndexOf(bpe.ByteIds, -1) is >= 0 and var missing)
                throw model["unk_token"].Error($"'{unknown}' would stand for the byte 0x{missing:X2}, which the vocabulary lacks; byte-level models need all 256 bytes");
            return new ByteLevelBpe(bpe with { AddPrefixSpace = preTokenizer.AddPrefixSpace, Before = before, After = after })
            {
                BosId = Id(special.Bos), EosId = Id(special.Eos), PadId = Id(special.Pad), UnkId = Id(special.Unk ?? unknown),
            };
        }

        var pieces = new PieceModel(vocab, merges, added)
        {
            Prefix = PipelineJson.ReadPrefix(root), Before = before, After = after,
            UnknownId = Id(unknown), FuseUnknown = model["fuse_unk"].Flag(), ByteFallback = model["byte_fallback"].Flag(),
        };
        return new PieceBpe(pieces) { BosId = Id(special.Bos), EosId = Id(special.Eos), PadId = Id(special.Pad), UnkId = Id(special.Unk ?? unknown) };
    }

    private static List<AddedToken> ReadAdded(JsonField list)
    {
        var added = new List<AddedToken>();
        foreach (var item in list.OptionalItems())
            added.Add(new AddedToken(
                item["id"].Id(), item["content"].Text(), item["special"].Flag(), item["single_word"].Flag(), item["lstrip"].Flag(), item["rstrip"].Flag()));
        return added;
    }

    private static MergeTable ReadMerges(JsonField list, Dictionary<string, int> vocab)
    {
        var merges = new MergeTable(list.Value.ValueKind == System.Text.Json.JsonValueKind.Array ? list.Value.GetArrayLength() : 0);
        var rank = 0;
        foreach (var item in list.Items())
        {
            var isText = item.Value.ValueKind == System.Text.Json.JsonValueKind.String;
            string[] parts = isText ? item.Text().Split(' ') : [.. item.Items().Select(part => part.Text())];
            if (parts.Length != 2)
                throw item.Error($"a merge has two parts, this one has {parts.Length}");
            BpeParts.AddMerge(merges, vocab, parts[0], parts[1], rank++, () => $"{item.File}: {item.Path}");
        }

        return merges;
    }
}
