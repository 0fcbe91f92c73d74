using System.Globalization;

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

    /// <summary>The byte that a token such as <c>&lt;0x0A&gt;</c> stands for, or null.</summary>
    public static byte? ByteOf(string name) =>
        name is ['<', '0', 'x', var a, var b, '>'] && char.IsAsciiHexDigitUpper(a) && char.IsAsciiHexDigitUpper(b)
            ? byte.Parse([a, b], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
            : null;
}
