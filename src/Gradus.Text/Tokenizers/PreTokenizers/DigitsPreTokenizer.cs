using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts round numbers, or round every digit.</summary>
[Component("Digits")]
internal sealed record DigitsPreTokenizer : PreTokenizer
{
    private static readonly CharPattern s_digits = new(UnicodeData.IsNumeric);

    public bool IndividualDigits { get; init; }

    public override PipelinePart Read(JsonField field) => new DigitsPreTokenizer { IndividualDigits = field["individual_digits"].RequiredFlag() };

    public override void WriteSettings(Utf8JsonWriter json) => json.WriteBoolean("individual_digits", IndividualDigits);

    public override void Cut(CutText text) => text.Split(s_digits, IndividualDigits ? CutBehavior.Isolated : CutBehavior.Contiguous);
}
