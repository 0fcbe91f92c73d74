using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>GPT-2's two files: <c>encoder.json</c> with <c>vocab.bpe</c>, or <c>vocab.json</c> with <c>merges.txt</c>, with or without a common prefix.</summary>
[Component("gpt2-files")]
internal sealed record Gpt2Format : TokenizerFormat
{
    public override int Order => 2;

    private static readonly (string Vocabulary, string Merges)[] s_pairs =
        [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"), ("vocab.json", "vocab.bpe"), ("encoder.json", "merges.txt")];

    public override string Files => "vocab.json + merges.txt (encoder.json + vocab.bpe)";

    public override bool Fits(string fileName) => s_pairs.Any(p => fileName.EndsWith(p.Vocabulary, StringComparison.Ordinal) || fileName.EndsWith(p.Merges, StringComparison.Ordinal));

    public override Tokenizer Read(string file)
    {
        var (vocabFile, mergesFile) = FindBoth(file);
        using var document = StrictJson.ParseFile(vocabFile);
        var vocab = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, field) in new JsonField(vocabFile, document.RootElement).Properties())
            vocab.Add(name, field.Id());

        AddedToken[] added = vocab.TryGetValue("<|endoftext|>", out var end) ? [new(end, "<|endoftext|>", Special: true)] : [];
        BpeParts.CheckVocabulary(vocab, added, vocabFile);
        int? special = added.Length == 0 ? null : end;
        return new ByteLevelBpe(BpeParts.ByteLevel(vocab, ReadMerges(mergesFile, vocab), Gpt2Splitter.Instance, added)) { BosId = special, EosId = special, UnkId = special };
    }

    private static MergeTable ReadMerges(string file, Dictionary<string, int> vocab)
    {
        var merges = new MergeTable(vocab.Count);
        var number = 0;
        var rank = 0;
        try
        {
            foreach (var line in File.ReadLines(file, new UTF8Encoding(false, throwOnInvalidBytes: true)))
            {
                number++;
                if (line.Length == 0 || (number == 1 && line.StartsWith("#version", StringComparison.Ordinal)))
                    continue;
                var parts = line.Split(' ');
                var at = number;
                string Where() => string.Create(CultureInfo.InvariantCulture, $"{file}:{at}");
                if (parts.Length != 2)
                    throw new UserException($"{Where()}: a merge is two tokens with one space between, found {parts.Length}: '{line}'");
                BpeParts.AddMerge(merges, vocab, parts[0], parts[1], rank++, Where);
            }
        }
        catch (DecoderFallbackException e)
        {
            throw new UserException(string.Create(CultureInfo.InvariantCulture, $"{file}: not valid UTF-8 after line {number}"), e);
        }

        return merges;
    }

    private static (string Vocabulary, string Merges) FindBoth(string file)
    {
        var found = s_pairs
            .SelectMany(p => new[] { Swap(file, p.Vocabulary, p), Swap(file, p.Merges, p) })
            .FirstOrDefault(p => p.Vocabulary is not null && File.Exists(p.Vocabulary) && File.Exists(p.Merges));
        return found.Vocabulary is null
            ? throw new UserException($"{file}: its other half is not beside it; a GPT-2 vocabulary is vocab.json + merges.txt or encoder.json + vocab.bpe")
            : (found.Vocabulary, found.Merges!);
    }

    private static (string? Vocabulary, string? Merges) Swap(string file, string ending, (string Vocabulary, string Merges) pair)
    {
        if (!file.EndsWith(ending, StringComparison.Ordinal))
            return (null, null);
        var stem = file[..^ending.Length];
        return (stem + pair.Vocabulary, stem + pair.Merges);
    }
}
