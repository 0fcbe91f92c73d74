using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers;

/// <summary>Which tokens begin, end and fill: from <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c> beside the file, else by the names in common use.</summary>
internal sealed record SpecialNames(string? Bos, string? Eos, string? Pad, string? Unk)
{
    private static readonly string[] s_bos = ["<|begin_of_text|>", "<s>", "<bos>", "<|endoftext|>"];
    private static readonly string[] s_eos = ["<|end_of_text|>", "</s>", "<eos>", "<|endoftext|>"];
    private static readonly string[] s_pad = ["<pad>", "<|pad|>", "[PAD]"];
    private static readonly string[] s_unk = ["<unk>", "[UNK]"];

    public static SpecialNames Read(string tokenizerFile, Func<string, bool> exists)
    {
        var folder = Path.GetDirectoryName(tokenizerFile) ?? "";
        foreach (var name in new[] { "tokenizer_config.json", "special_tokens_map.json" })
        {
            var file = Path.Combine(folder, name);
            if (!File.Exists(file))
                continue;
            using var document = StrictJson.ParseFile(file);
            var root = new JsonField(file, document.RootElement);
            return new(Token(root["bos_token"], exists), Token(root["eos_token"], exists), Token(root["pad_token"], exists), Token(root["unk_token"], exists));
        }

        string? First(string[] names) => Array.Find(names, n => exists(n));
        return new(First(s_bos), First(s_eos), First(s_pad), First(s_unk));
    }

    private static string? Token(JsonField field, Func<string, bool> exists)
    {
        if (field.IsNull)
            return null;
        var name = field.Value.ValueKind == JsonValueKind.Object ? field["content"].Text() : field.Text();
        return exists(name) ? name : throw field.Error($"'{name}' is not a token of the tokenizer.json beside it");
    }
}
