using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts at white space, which goes.</summary>
[Component("WhitespaceSplit")]
internal sealed record WhitespaceSplitPreTokenizer : PreTokenizer
{
    public static CutPattern White { get; } = new CharPattern(UnicodeData.IsWhiteSpace);

    public override PipelinePart Read(JsonField field) => new WhitespaceSplitPreTokenizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Cut(CutText text) => text.Split(White, CutBehavior.Removed);
}
