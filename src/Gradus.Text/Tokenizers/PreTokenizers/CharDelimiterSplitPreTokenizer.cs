using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts at a character, which goes.</summary>
[Component("CharDelimiterSplit")]
internal sealed record CharDelimiterSplitPreTokenizer : PreTokenizer
{
    public Rune Delimiter { get; init; } = new(' ');

    public override PipelinePart Read(JsonField field) => new CharDelimiterSplitPreTokenizer { Delimiter = field["delimiter"].Character() };

    public override void WriteSettings(Utf8JsonWriter json) => json.WriteString("delimiter", Delimiter.ToString());

    public override void Cut(CutText text) => text.Split(new StringPattern(Encoding.UTF8.GetBytes(Delimiter.ToString())), CutBehavior.Removed);
}
