using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>For speech models (Graves et al., 2006): a token said several times in a row is one, blanks go, and a mark stands between words.</summary>
[Component("CTC")]
internal sealed record CtcDecoder : TokenDecoder
{
    public string PadToken { get; init; } = "<pad>";

    public string WordDelimiterToken { get; init; } = "|";

    public bool Cleanup { get; init; } = true;

    public override PipelinePart Read(JsonField field) => new CtcDecoder
    {
        PadToken = field["pad_token"].Text(), WordDelimiterToken = field["word_delimiter_token"].Text(), Cleanup = field["cleanup"].RequiredFlag(),
    };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteString("pad_token", PadToken);
        json.WriteString("word_delimiter_token", WordDelimiterToken);
        json.WriteBoolean("cleanup", Cleanup);
    }

    public override DecoderWork NewWork(DecoderWork next) => new Work(next, this);

    private sealed class Work(DecoderWork next, CtcDecoder o) : WholeTokenWork(next)
    {
        private string? _last;

        protected override void Token(string token)
        {
            if (token == _last)
                return;
            _last = token;
            var text = o.PadToken.Length == 0 ? token : token.Replace(o.PadToken, "", StringComparison.Ordinal);
            if (o.Cleanup)
            {
                text = WordPieceDecoder.CleanUp(text);
                if (o.WordDelimiterToken.Length > 0)
                    text = text.Replace(o.WordDelimiterToken, " ", StringComparison.Ordinal);
            }

            if (text.Length > 0)
                Next.Push(text, ends: true);
        }
    }
}
