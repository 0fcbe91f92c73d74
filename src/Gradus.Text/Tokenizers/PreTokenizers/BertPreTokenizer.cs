using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts at white space, which goes, and round every punctuation mark.</summary>
[Component("BertPreTokenizer")]
internal sealed record BertPreTokenizer : PreTokenizer
{
    public override PipelinePart Read(JsonField field) => new BertPreTokenizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Cut(CutText text)
    {
        text.Split(WhitespaceSplitPreTokenizer.White, CutBehavior.Removed);
        text.Split(PunctuationPreTokenizer.Marks, CutBehavior.Isolated);
    }
}
