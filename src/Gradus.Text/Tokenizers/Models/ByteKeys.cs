namespace Gradus.Text.Tokenizers.Models;

/// <summary>Tokens by the bytes of their names.</summary>
internal static class ByteKeys
{
    public static Dictionary<byte[], int> Of(Vocabulary vocabulary, IReadOnlySet<int> without)
    {
        var ids = new Dictionary<byte[], int>(vocabulary.Size, BytesComparer.Instance);
        for (var id = 0; id < vocabulary.Size; id++)
            if (vocabulary.Name(id) is not null && !without.Contains(id))
                ids[vocabulary.Bytes(id).ToArray()] = id;
        return ids;
    }
}
