namespace Gradus.Text.Tokenizers;

/// <summary>The tokens of a model: id ↔ name ↔ bytes. Names are as the file writes them; bytes are what a token decodes to.</summary>
internal sealed class Vocabulary
{
    private readonly string?[] _names;
    private readonly int[] _starts; // bytes of id i: _bytes[_starts[i].._starts[i + 1]]
    private readonly byte[] _bytes;
    private readonly Dictionary<string, int> _ids;

    /// <param name="tokens">(id, name, bytes), ids distinct and not negative, names distinct.</param>
    public Vocabulary(IReadOnlyCollection<(int Id, string Name, byte[] Bytes)> tokens)
    {
        Size = tokens.Count == 0 ? 0 : checked(tokens.Max(t => t.Id) + 1);
        _names = new string?[Size];
        _ids = new Dictionary<string, int>(tokens.Count, StringComparer.Ordinal);
        var bytes = new byte[Size][];
        foreach (var (id, name, content) in tokens)
        {
            _names[id] = name;
            bytes[id] = content;
            _ids.Add(name, id);
        }

        _starts = new int[Size + 1];
        for (var id = 0; id < Size; id++)
            _starts[id + 1] = checked(_starts[id] + (bytes[id]?.Length ?? 0));
        _bytes = new byte[_starts[Size]];
        for (var id = 0; id < Size; id++)
            bytes[id]?.CopyTo(_bytes, _starts[id]);
    }

    /// <summary>One more than the highest id.</summary>
    public int Size { get; }

    public ReadOnlySpan<byte> Bytes(int id)
    {
        Check(id);
        return _bytes.AsSpan(_starts[id].._starts[id + 1]);
    }

    /// <summary>The name, or null for a hole in the numbering.</summary>
    public string? Name(int id)
    {
        Check(id);
        return _names[id];
    }

    /// <summary>A vocabulary that has these tokens too; their bytes are those of their names.</summary>
    public Vocabulary With(IEnumerable<(int Id, string Name)> more)
    {
        List<(int, string, byte[])> tokens = [];
        for (var id = 0; id < Size; id++)
            if (_names[id] is { } name)
                tokens.Add((id, name, Bytes(id).ToArray()));
        tokens.AddRange(more.Select(t => (t.Id, t.Name, System.Text.Encoding.UTF8.GetBytes(t.Name))));
        return new(tokens);
    }

    public int? Id(string name) => _ids.TryGetValue(name, out var id) ? id : null;

    private void Check(int id)
    {
        if ((uint)id >= (uint)Size)
            throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has ids 0 to {Size - 1}.");
    }
}
