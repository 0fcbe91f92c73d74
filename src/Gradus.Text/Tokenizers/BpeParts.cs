using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers;

/// <summary>Checks that vocabularies and merge lists from any file format share: each fault is one clear line.</summary>
internal static class BpeParts
{
    /// <summary>Checks ids and names: no empty token, no id twice, no hole that no added token fills.</summary>
    /// <param name="vocab">Name → id, with where it stands, in file order.</param>
    /// <param name="added">Added tokens: may repeat a token of the vocabulary with the same id, may fill holes.</param>
    /// <param name="where">File and field, for errors.</param>
    /// <param name="allowHoles">Ids without a token are no fault: the added tokens are not known yet.</param>
    public static void CheckVocabulary(IReadOnlyDictionary<string, int> vocab, IReadOnlyList<AddedToken> added, string where, bool allowHoles = false)
    {
        if (vocab.Count == 0)
            throw new UserException($"{where}: the vocabulary is empty");
        var owners = new Dictionary<int, string>(vocab.Count);
        foreach (var (name, id) in vocab)
        {
            if (name.Length == 0)
                throw new UserException($"{where}: the token with id {id} is empty");
            if (!owners.TryAdd(id, name))
                throw new UserException($"{where}: '{owners[id]}' and '{name}' both have id {id}; every id belongs to one token");
        }

        CheckAdded(owners, name => vocab.TryGetValue(name, out var id) ? id : null, added, where);

        var contents = added.Select(t => t.Content).ToHashSet(StringComparer.Ordinal);
        // Added tokens may be numbered with holes (cl100k's are); the model's own tokens may not: a hole there is a lost line.
        var own = 0;
        var highest = -1;
        foreach (var (name, id) in vocab)
            if (!contents.Contains(name))
                (own, highest) = (own + 1, Math.Max(highest, id));
        for (var id = 0; !allowHoles && id <= highest; id++) // stops at the first hole, so a huge id costs nothing
            if (!owners.ContainsKey(id))
                throw new UserException($"{where}: ids go up to {highest} but there are only {own} tokens; the first id without a token is {id}");
    }

    /// <summary>Checks the added tokens of a model: none twice, none under two ids, none with the id of another, and no hole left in the model's numbering.</summary>
    public static void CheckAdded(Vocabulary model, IReadOnlyList<AddedToken> added, string where)
    {
        var owners = new Dictionary<int, string>();
        foreach (var id in added.Select(t => t.Id))
            if (id < model.Size && model.Name(id) is { } name)
                owners[id] = name;
        CheckAdded(owners, model.Id, added, where);
        var contents = added.Select(t => t.Content).ToHashSet(StringComparer.Ordinal);
        var (own, highest) = (0, -1);
        for (var id = 0; id < model.Size; id++)
            if (model.Name(id) is { } name && !contents.Contains(name))
                (own, highest) = (own + 1, id);
        for (var id = 0; id <= highest; id++)
            if (model.Name(id) is null && !owners.ContainsKey(id))
                throw new UserException($"{where}: ids go up to {highest} but there are only {own} tokens; the first id without a token is {id}");
    }

    private static void CheckAdded(Dictionary<int, string> owners, Func<string, int?> idOf, IReadOnlyList<AddedToken> added, string where)
    {
        var contents = new HashSet<string>(StringComparer.Ordinal);
        foreach (var token in added)
        {
            if (token.Content.Length == 0)
                throw new UserException($"{where}: the added token with id {token.Id} is empty");
            if (!contents.Add(token.Content))
                throw new UserException($"{where}: the token '{token.Content}' is added twice");
            if (idOf(token.Content) is { } id && id != token.Id)
                throw new UserException($"{where}: the added token '{token.Content}' has id {token.Id}, but {id} in the vocabulary");
            if (!owners.TryAdd(token.Id, token.Content) && owners[token.Id] != token.Content)
                throw new UserException($"{where}: the added token '{token.Content}' has id {token.Id}, which belongs to '{owners[token.Id]}'");
        }
    }

    /// <summary>Adds one merge by the names of its parts.</summary>
    /// <param name="merges">Receives it.</param>
    /// <param name="vocab">Name → id.</param>
    /// <param name="left">First part.</param>
    /// <param name="right">Second part.</param>
    /// <param name="rank">Its place in the list.</param>
    /// <param name="where">Names the merge in errors: called only then.</param>
    /// <param name="prefix">What names start with that do not start a word: the second part loses it.</param>
    public static void AddMerge(MergeTable merges, IReadOnlyDictionary<string, int> vocab, string left, string right, int rank, Func<string> where, string prefix = "")
    {
        if (left.Length == 0 || right.Length == 0)
            throw new UserException($"{where()}: a merge joins two tokens, but one of '{left}' and '{right}' is empty");
        if (!vocab.TryGetValue(left, out var leftId))
            throw new UserException($"{where()}: '{left}' is not in the vocabulary");
        if (!vocab.TryGetValue(right, out var rightId))
            throw new UserException($"{where()}: '{right}' is not in the vocabulary");
        if (!right.StartsWith(prefix, StringComparison.Ordinal))
            throw new UserException($"{where()}: the second part of '{left} {right}' does not start with '{prefix}' (continuing_subword_prefix)");
        var joined = left + right[prefix.Length..];
        if (!vocab.TryGetValue(joined, out var id))
            throw new UserException($"{where()}: '{left}' and '{right}' join to '{joined}', which is not in the vocabulary");
        if (!merges.Add(leftId, rightId, rank, id))
            throw new UserException($"{where()}: '{left} {right}' is merged a second time");
    }

    /// <summary>The model of a byte-level vocabulary whose names are written in GPT-2's byte alphabet.</summary>
    public static BpeModel ByteLevel(
        IReadOnlyDictionary<string, int> vocab, MergeTable merges, Splitter splitter, IReadOnlyList<AddedToken> added, bool ignoreMerges = false)
    {
        var addedNames = added.Select(t => t.Content).ToHashSet(StringComparer.Ordinal);
        var tokens = new List<(int, string, byte[])>(vocab.Count + added.Count);
        var byteIds = new int[256];
        Array.Fill(byteIds, -1);
        var whole = ignoreMerges ? new Dictionary<byte[], int>(BytesComparer.Instance) : null;
        foreach (var (name, id) in vocab)
        {
            if (addedNames.Contains(name))
                continue;
            var bytes = ByteAlphabet.Read(name);
            tokens.Add((id, name, bytes ?? System.Text.Encoding.UTF8.GetBytes(name)));
            if (bytes is [var single])
                byteIds[single] = id;
            if (bytes is not null)
                whole?.TryAdd(bytes, id);
        }

        foreach (var token in added)
            tokens.Add((token.Id, token.Content, System.Text.Encoding.UTF8.GetBytes(token.Content)));
        return new BpeModel
        {
            Vocabulary = new Vocabulary(tokens),
            Merges = merges,
            Splitter = splitter,
            ByteIds = byteIds,
            Added = added,
            IgnoreMerges = ignoreMerges,
            WholePieces = whole?.GetAlternateLookup<ReadOnlySpan<byte>>(),
        };
    }
}
