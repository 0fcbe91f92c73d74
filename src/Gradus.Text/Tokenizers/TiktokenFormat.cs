using System.Buffers.Text;
using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>tiktoken's rank files: a line a token, its bytes in base64 and its rank. The pattern and the special ids go by the file's name.</summary>
[Component("tiktoken")]
internal sealed record TiktokenFormat : TokenizerFormat
{
    public override int Order => 3;

    // The files do not say what they are; these are the published facts (openai_public.py of tiktoken).
    private static readonly (string Name, Splitter Splitter, (string Token, int Id)[] Special)[] s_known =
    [
        ("gpt2", Gpt2Splitter.Instance, [("<|endoftext|>", 50256)]),
        ("r50k_base", Gpt2Splitter.Instance, [("<|endoftext|>", 50256)]),
        ("p50k_base", Gpt2Splitter.Instance, [("<|endoftext|>", 50256)]),
        ("p50k_edit", Gpt2Splitter.Instance, [("<|endoftext|>", 50256), ("<|fim_prefix|>", 50281), ("<|fim_middle|>", 50282), ("<|fim_suffix|>", 50283)]),
        ("cl100k_base", Cl100kSplitter.Instance,
            [("<|endoftext|>", 100257), ("<|fim_prefix|>", 100258), ("<|fim_middle|>", 100259), ("<|fim_suffix|>", 100260), ("<|endofprompt|>", 100276)]),
        ("o200k_base", O200kSplitter.Instance, [("<|endoftext|>", 199999), ("<|endofprompt|>", 200018)]),
    ];

    public override string Files => "*.tiktoken";

    public override bool Fits(string fileName) => fileName.EndsWith(".tiktoken", StringComparison.Ordinal);

    public override Tokenizer Read(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        var known = Array.Find(s_known, k => k.Name == name);
        if (known.Name is null)
            throw new UserException($"{file}: a rank file's pattern and special tokens go by its name, and '{name}' is unknown{NearestName.Hint(name, s_known.Select(k => k.Name))}");

        var ids = ReadRanks(file);
        var added = known.Special.Select(s => new AddedToken(s.Id, s.Token, Special: true)).ToArray();
        var vocab = new Dictionary<string, int>(ids.Count, StringComparer.Ordinal);
        foreach (var (bytes, id) in ids)
            vocab.Add(ByteAlphabet.Write(bytes), id);
        BpeParts.CheckVocabulary(vocab, added, file);
        for (var b = 0; b < 256; b++)
            if (!ids.ContainsKey([(byte)b]))
                throw new UserException($"{file}: the byte 0x{b:X2} has no rank; every single byte needs one");

        var model = BpeParts.ByteLevel(vocab, MergesOf(ids), known.Splitter, added, ignoreMerges: true);
        return new ByteLevelBpe(model) { BosId = known.Special[0].Id, EosId = known.Special[0].Id };
    }

    /// <summary>
    /// tiktoken joins any two neighbours whose bytes together are a token, whatever they were made from. But the merges inside of what
    /// becomes one token are the same wherever it stands, so of all the ways to halve a token at most one ever happens: the last merge of
    /// its own bytes. The others are left out: half the table, and a list of merges such as <c>tokenizer.json</c> wants it.
    /// </summary>
    internal static MergeTable MergesOf(Dictionary<byte[], int> ids)
    {
        // In the order of ranks: what a token is made of was made before it, by the merges there are so far.
        var merges = new MergeTable(ids.Count);
        var work = new MergeWork(merges);
        var symbols = new int[ids.Keys.Max(bytes => bytes.Length)];
        int[] singles = [.. Enumerable.Range(0, 256).Select(b => ids[[(byte)b]])];
        foreach (var (bytes, id) in ids.OrderBy(t => t.Value))
        {
            for (var i = 0; i < bytes.Length; i++)
                symbols[i] = singles[bytes[i]];
            if (bytes.Length == 1)
                continue;
            if (work.Merge(symbols.AsSpan(0, bytes.Length)) != 2)
                return MergesInAnyOrder(ids);
            merges.Add(symbols[0], symbols[1], id, id);
        }

        return merges;
    }

    /// <summary>The same for files in which a token needs one of higher rank than its own: through a table of every way to halve every token.</summary>
    internal static MergeTable MergesInAnyOrder(Dictionary<byte[], int> ids)
    {
        var lookup = ids.GetAlternateLookup<ReadOnlySpan<byte>>();
        var all = new MergeTable(ids.Count * 2);
        foreach (var (bytes, id) in ids)
            for (var cut = 1; cut < bytes.Length; cut++)
                if (lookup.TryGetValue(bytes.AsSpan(0, cut), out var left) && lookup.TryGetValue(bytes.AsSpan(cut), out var right))
                    all.Add(left, right, id, id);

        var merges = new MergeTable(ids.Count);
        var work = new MergeWork(all);
        var symbols = new int[ids.Keys.Max(bytes => bytes.Length)];
        int[] singles = [.. Enumerable.Range(0, 256).Select(b => ids[[(byte)b]])];
        foreach (var (bytes, id) in ids)
        {
            for (var i = 0; i < bytes.Length; i++)
                symbols[i] = singles[bytes[i]];
            if (work.Merge(symbols.AsSpan(0, bytes.Length), stopAt: 2) == 2 && all.Rank(symbols[0], symbols[1], out var joined) == id && joined == id)
                merges.Add(symbols[0], symbols[1], id, id);
        }

        return merges;
    }

    internal static Dictionary<byte[], int> ReadRanks(string file)
    {
        var content = File.ReadAllBytes(file);
        var ids = new Dictionary<byte[], int>(content.Length / 16, BytesComparer.Instance);
        var number = 0;
        foreach (var range in content.AsSpan().Split((byte)'\n'))
        {
            number++;
            var line = content.AsSpan(range).TrimEnd((byte)'\r');
            if (line.IsEmpty)
                continue;
            var space = line.IndexOf((byte)' ');
            var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(Math.Max(0, space))];
            if (space <= 0 || Base64.DecodeFromUtf8(line[..space], bytes, out _, out var length) != System.Buffers.OperationStatus.Done || length == 0)
                throw Wrong("expected a token in base64, a space and its rank");
            if (!Utf8Parser.TryParse(line[(space + 1)..], out int rank, out var used) || used != line.Length - space - 1 || rank is < 0 or int.MaxValue)
                throw Wrong($"the rank is no whole number from 0 to {int.MaxValue - 1}");
            if (!ids.TryAdd(bytes[..length], rank))
                throw Wrong($"the token '{ByteAlphabet.Write(bytes.AsSpan(0, length))}' stands here a second time");
        }

        return ids;

        UserException Wrong(string why) => new(string.Create(CultureInfo.InvariantCulture, $"{file}:{number}: {why}"));
    }
}
