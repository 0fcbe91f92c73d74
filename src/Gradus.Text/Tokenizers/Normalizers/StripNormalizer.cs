using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Removes white space at the ends.</summary>
[Component("Strip")]
internal sealed record StripNormalizer : Normalizer
{
    public bool Left { get; init; } = true;

    public bool Right { get; init; } = true;

    public override PipelinePart Read(JsonField field) => new StripNormalizer { Left = field["strip_left"].RequiredFlag(), Right = field["strip_right"].RequiredFlag() };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteBoolean("strip_left", Left);
        json.WriteBoolean("strip_right", Right);
    }

    public override void Apply(AlignedText text)
    {
        var (start, end) = (0, text.Bytes.Length);
        while (Left && start < end && Rune.DecodeFromUtf8(text.Bytes[start..end], out var rune, out var length) == System.Buffers.OperationStatus.Done && UnicodeData.IsWhiteSpace(rune.Value))
            start += length;
        while (Right && end > start && Rune.DecodeLastFromUtf8(text.Bytes[start..end], out var rune, out var length) == System.Buffers.OperationStatus.Done && UnicodeData.IsWhiteSpace(rune.Value))
            end -= length;
        if (end - start == text.Bytes.Length)
            return;
        text.Keep(start, end);
        text.Commit();
    }
}
