namespace Gradus.Text.Tokenizers.Formats;

/// <summary>The pre-tokenizers that GGUF files know by name (<c>tokenizer.ggml.pre</c>).</summary>
internal static class GgufPatterns
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Qwen2 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Gpt4o = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly (string[] Names, string[] Patterns)[] s_known =
    [
        (["gpt-2", "phi-2", "mpt", "olmo", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "gigachat", "roberta-bpe", "exaone", "trillion"], [Gpt2]),
        (["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "dbrx", "smaug-bpe"], [Llama3]),
        (["qwen2", "stablelm2", "hunyuan", "megrez", "deepseek-r1-qwen"], [Qwen2]),
        (["gpt-4o", "llama4"], [Gpt4o]),
        (["starcoder", "refact", "command-r", "smollm", "codeshell", "minerva-7b"], [@"\p{N}", Gpt2]),
        (["falcon"], [@"[\p{P}\$\+<=>\^~\|`]+", Gpt2, "[0-9][0-9][0-9]"]),
        (["deepseek-coder"], ["[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", @"\p{N}"]),
        (["default"], [@"[\p{P}\$\+<=>\^~\|]+", Gpt2, @"\p{N}+", "[0-9][0-9][0-9]"]),
    ];

    public static Splitter Splitter(GgufMetadata metadata, string key)
    {
        var name = metadata.Text(key) ?? "default";
        var patterns = Array.Find(s_known, k => k.Names.Contains(name)).Patterns
            ?? throw metadata.Wrong(key, $"the pre-tokenizer '{name}' is not known; known are {string.Join(", ", s_known.SelectMany(k => k.Names).Order(StringComparer.Ordinal))}");
        var splitter = patterns.Select(Of).Aggregate((first, second) => new ChainSplitter(first, second));
        return PreTokenizerOptions.ScannerFor(splitter.Pattern) ?? splitter;
    }

    /// <summary>Whether a piece that is a token is that token, merges or not: as Llama 3 has it.</summary>
    public static bool IgnoresMerges(string? name) => name is "llama-bpe" or "llama3" or "llama-v3" or "falcon3" or "pixtral";

    private static Splitter Of(string pattern) => PreTokenizerOptions.ScannerFor(pattern) ?? new PatternSplitter(NamedPattern.Regex(pattern, "tokenizer.ggml.pre", scanners: false));
}
