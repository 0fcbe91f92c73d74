namespace Gradus.Text.Tokenizers.Models;

/// <summary>Tokens by the bytes of their names.</summary>
internal static class ByteKeys
{
    public static Dictionary<byte[], int> Of(Vocabulary vocabulary)
    {
        var ids = new Dictionary<byte[], int>(vocabulary.Size, BytesComparer.Instance);
        for (var id = 0; id < vocabulary.Size; id++)
            if (vocabulary.Name(id) is not null)
                ids[vocabulary.Bytes(id).ToArray()] = id;
        return ids;
    }
}
