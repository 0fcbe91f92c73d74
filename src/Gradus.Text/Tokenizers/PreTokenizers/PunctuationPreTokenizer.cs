using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts at punctuation marks.</summary>
[Component("Punctuation")]
internal sealed record PunctuationPreTokenizer : PreTokenizer
{
    /// <summary>Unicode's marks, and ASCII's symbols too.</summary>
    public static CutPattern Marks { get; } = new CharPattern(UnicodeData.IsPunctuation);

    public CutBehavior Behavior { get; init; } = CutBehavior.Isolated;

    public override PipelinePart Read(JsonField field) =>
        new PunctuationPreTokenizer { Behavior = field["behavior"].IsMissing ? CutBehavior.Isolated : SplitPreTokenizer.ReadBehavior(field["behavior"]) };

    public override void WriteSettings(Utf8JsonWriter json) => json.WriteString("behavior", Behavior.ToString());

    public override void Cut(CutText text) => text.Split(Marks, Behavior);
}
