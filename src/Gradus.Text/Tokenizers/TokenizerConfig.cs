using System.Text.Json;
using System.Text.Json.Nodes;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers;

/// <summary>What <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c> beside a tokenizer say, so that saving keeps it: chat templates, lengths, classes.</summary>
/// <param name="Config">The first file, or null.</param>
/// <param name="SpecialTokens">The second, or null.</param>
internal sealed record TokenizerConfig(JsonObject? Config, JsonObject? SpecialTokens)
{
    public static TokenizerConfig None { get; } = new(null, null);

    /// <summary>Reads what lies in the folder of <paramref name="tokenizerFile"/>.</summary>
    public static TokenizerConfig Beside(string tokenizerFile)
    {
        var folder = Path.GetDirectoryName(tokenizerFile) ?? "";
        return new(Read(Path.Combine(folder, "tokenizer_config.json")), Read(Path.Combine(folder, "special_tokens_map.json")));
    }

    /// <summary>Writes both, with the special tokens that <paramref name="tokenizer"/> has.</summary>
    public void Write(string folder, Tokenizer tokenizer)
    {
        (string Key, int? Id)[] named = [("bos_token", tokenizer.BosId), ("eos_token", tokenizer.EosId), ("pad_token", tokenizer.PadId), ("unk_token", tokenizer.UnkId)];
        Durable.WriteFile(Path.Combine(folder, "tokenizer_config.json"), stream =>
        {
            var config = (JsonObject?)Config?.DeepClone() ?? [];
            Name(config, named, tokenizer);
            if (Config is null)
            {
                config["clean_up_tokenization_spaces"] = false;
                config["tokenizer_class"] = "PreTrainedTokenizerFast";
            }

            TokenizerJsonWriter.WriteNode(stream, config);
        });
        if (SpecialTokens is not null)
            Durable.WriteFile(Path.Combine(folder, "special_tokens_map.json"), stream =>
            {
                var map = (JsonObject)SpecialTokens.DeepClone();
                Name(map, named, tokenizer);
                TokenizerJsonWriter.WriteNode(stream, map);
            });
    }

    private static JsonObject? Read(string file)
    {
        if (!File.Exists(file))
            return null;
        using var document = StrictJson.ParseFile(file);
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? JsonObject.Create(document.RootElement.Clone())
            : throw new JsonField(file, document.RootElement).Error("expected an object");
    }

    private static void Name(JsonObject file, (string Key, int? Id)[] named, Tokenizer tokenizer)
    {
        foreach (var (key, id) in named)
        {
            if (id is not { } token)
                continue;
            var name = tokenizer.NameOf(token);
            var there = file[key] is JsonObject o ? o["content"] : file[key];
            if (there?.GetValueKind() != JsonValueKind.String || there.GetValue<string>() != name)
                file[key] = name;
        }
    }
}
