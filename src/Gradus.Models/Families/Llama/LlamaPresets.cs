namespace Gradus.Models.Families.Llama;

/// <summary>Published shapes.</summary>
internal static class LlamaPresets
{
    private static readonly RopeScaling s_long = new() { Factor = 8, LowFreqFactor = 1, HighFreqFactor = 4, OriginalMaxPositionEmbeddings = 8192 };

    // Width, inner width, layers, query heads, key/value heads.
    public static IReadOnlyList<ModelPreset> All { get; } =
    [
        new("llama-7b", First(4096, 11008, 32, 32)),
        new("llama-13b", First(5120, 13824, 40, 40)),
        new("llama-2-7b", Second(4096, 11008, 32, 32, 32)),
        new("llama-2-13b", Second(5120, 13824, 40, 40, 40)),
        new("llama-2-70b", Second(8192, 28672, 80, 64, 8)),
        new("llama-3-8b", Third(4096, 14336, 32, 32)),
        new("llama-3-70b", Third(8192, 28672, 80, 64)),
        new("llama-3.1-8b", Third(4096, 14336, 32, 32) with { MaxPositionEmbeddings = 131072, RopeScaling = s_long }),
        new("llama-3.1-70b", Third(8192, 28672, 80, 64) with { MaxPositionEmbeddings = 131072, RopeScaling = s_long }),
        new("llama-3.2-1b", Small(2048, 16, 32, 64)),
        new("llama-3.2-3b", Small(3072, 28, 24, 128)),
        new("stories260k", new LlamaOptions
        {
            VocabSize = 512, HiddenSize = 64, IntermediateSize = 172, NumHiddenLayers = 5, NumAttentionHeads = 8, NumKeyValueHeads = 4,
            MaxPositionEmbeddings = 512, RmsNormEps = 1e-5, TieWordEmbeddings = true, BosTokenId = 1, EosTokenId = [2],
        }),
        new("llama-tiny", new LlamaOptions
        {
            VocabSize = 61, HiddenSize = 16, IntermediateSize = 24, NumHiddenLayers = 2, NumAttentionHeads = 4, NumKeyValueHeads = 2,
            MaxPositionEmbeddings = 24, AttentionDropout = 0.1, RmsNormEps = 1e-5,
        }),
    ];

    private static LlamaOptions First(int width, int inner, int layers, int heads) => new()
    {
        VocabSize = 32000, HiddenSize = width, IntermediateSize = inner, NumHiddenLayers = layers, NumAttentionHeads = heads, BosTokenId = 1, EosTokenId = [2],
    };

    private static LlamaOptions Second(int width, int inner, int layers, int heads, int keyValueHeads) =>
        First(width, inner, layers, heads) with { NumKeyValueHeads = keyValueHeads, MaxPositionEmbeddings = 4096, RmsNormEps = 1e-5 };

    private static LlamaOptions Third(int width, int inner, int layers, int heads) => Second(width, inner, layers, heads, 8) with
    {
        VocabSize = 128256, MaxPositionEmbeddings = 8192, RopeTheta = 500000, BosTokenId = 128000, EosTokenId = [128001],
    };

    private static LlamaOptions Small(int width, int layers, int heads, int headWidth) => Third(width, 8192, layers, heads) with
    {
        HeadDim = headWidth, MaxPositionEmbeddings = 131072, TieWordEmbeddings = true, RopeScaling = s_long with { Factor = 32 },
    };
}
