using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Puts a string before every text that is not empty.</summary>
[Component("Prepend")]
internal sealed record PrependNormalizer : Normalizer
{
    private readonly byte[] _utf8 = [];

    public string Prepend
    {
        get => Encoding.UTF8.GetString(_utf8);
        init => _utf8 = Encoding.UTF8.GetBytes(value);
    }

    public override PipelinePart Read(JsonField field) => new PrependNormalizer { Prepend = field["prepend"].Text() };

    public override void WriteSettings(Utf8JsonWriter json) => json.WriteString("prepend", Prepend);

    public override void Apply(AlignedText text) => Put(text, _utf8);

    /// <summary>The same for other steps.</summary>
    public static void Put(AlignedText text, ReadOnlySpan<byte> prefix)
    {
        if (text.Bytes.IsEmpty || prefix.IsEmpty)
            return;
        text.Put(prefix, 0, AlignedText.CharLength(text.Bytes[0])); // it stands for the first character too
        text.Keep(0, text.Bytes.Length);
        text.Commit();
    }
}
