using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data;

/// <summary>One file of a shard folder.</summary>
internal sealed record TokenFile
{
    public required string Name { get; init; }

    public required long Bytes { get; init; }

    public required string Sha256 { get; init; }
}

/// <summary><c>manifest.json</c> of a shard folder. Everything that is needed to trust and read its files.</summary>
internal sealed record TokenManifest
{
    public const string FileName = "manifest.json";
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions s_options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n" };

    public required int Version { get; init; }

    /// <summary>SHA-256 of the tokenizer's <c>tokenizer.json</c>.</summary>
    public required string Tokenizer { get; init; }

    public required int VocabSize { get; init; }

    /// <summary><c>u16</c> or <c>u32</c>, little-endian.</summary>
    public required string Dtype { get; init; }

    public required int? EndOfText { get; init; }

    public required string Split { get; init; }

    public required long Documents { get; init; }

    /// <summary>End-of-text tokens included.</summary>
    public required long Tokens { get; init; }

    /// <summary>UTF-8 bytes of the documents' text.</summary>
    public required long TextBytes { get; init; }

    /// <summary>Tokens in every shard but the last.</summary>
    public required long TokensPerShard { get; init; }

    /// <summary>Where each document starts, and where the last one ends: documents + 1 little-endian u64.</summary>
    public required TokenFile Offsets { get; init; }

    public required IReadOnlyList<TokenFile> Shards { get; init; }

    public int TokenBytes => Dtype == "u16" ? 2 : 4;

    public static string ShardName(int index) => FormattableString.Invariant($"shard-{index:D5}.tokens");

    public void Write(string folder) => File.WriteAllText(System.IO.Path.Combine(folder, FileName), JsonSerializer.Serialize(this, s_options) + "\n");

    /// <exception cref="UserException">Missing, malformed, of another version, or at odds with itself.</exception>
    public static TokenManifest Read(string folder)
    {
        var path = System.IO.Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new UserException($"{folder}: holds no {FileName}; it is not a folder of token shards.");
        var m = StrictJson.Read<TokenManifest>(File.ReadAllBytes(path), path);
        void Require(bool condition, string what)
        {
            if (!condition)
                throw new UserException($"{path}: {what}. Prepare the data again.");
        }

        Require(m.Version == CurrentVersion, $"version {m.Version} is not known; this build reads version {CurrentVersion}");
        Require(m.Dtype is "u16" or "u32", $"dtype '{m.Dtype}' is neither u16 nor u32");
        Require(m.VocabSize > 0 && (m.Dtype == "u32" || m.VocabSize <= 1 << 16), $"a vocabulary of {m.VocabSize} does not fit {m.Dtype}");
        Require(m.Documents >= 0 && m.Tokens >= 0 && m.TextBytes >= 0 && m.TokensPerShard > 0 && m.Tokens <= 1L << 48, "a count is negative or too large");
        Require(m.EndOfText is null || (m.EndOfText >= 0 && m.EndOfText < m.VocabSize), "end_of_text is outside the vocabulary");
        Require(m.Offsets.Name == TokenShards.OffsetsName && m.Offsets.Bytes == checked((m.Documents + 1) * 8), "the offsets file does not match the number of documents");
        Require(m.Shards.Count == (m.Tokens + m.TokensPerShard - 1) / m.TokensPerShard, "the number of shards does not match the number of tokens");
        for (var i = 0; i < m.Shards.Count; i++)
        {
            var tokens = Math.Min(m.TokensPerShard, m.Tokens - i * m.TokensPerShard);
            Require(m.Shards[i].Name == ShardName(i) && m.Shards[i].Bytes == tokens * m.TokenBytes, $"shard {i} ('{m.Shards[i].Name}') has another name or size than its place asks for");
        }

        return m;
    }
}
