using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>BERT's: a space before every token that starts a word; with cleanup, none before punctuation and English contractions.</summary>
[Component("WordPiece")]
internal sealed record WordPieceDecoder : TokenDecoder
{
    public string Prefix { get; init; } = "##";

    public bool Cleanup { get; init; } = true;

    public override PipelinePart Read(JsonField field) => new WordPieceDecoder { Prefix = field["prefix"].Text(), Cleanup = field["cleanup"].RequiredFlag() };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteString("prefix", Prefix);
        json.WriteBoolean("cleanup", Cleanup);
    }

    public override DecoderWork NewWork(DecoderWork next) => new Work(next, this);

    public override byte[] Bytes(byte[] name) => Encoding.UTF8.GetBytes(Written(Encoding.UTF8.GetString(name)));

    /// <summary>Takes the spaces away that splitting at punctuation put into English text.</summary>
    public static string CleanUp(string text) => !text.Contains(' ', StringComparison.Ordinal) ? text : text
        .Replace(" .", ".", StringComparison.Ordinal).Replace(" ?", "?", StringComparison.Ordinal).Replace(" !", "!", StringComparison.Ordinal)
        .Replace(" ,", ",", StringComparison.Ordinal).Replace(" ' ", "'", StringComparison.Ordinal).Replace(" n't", "n't", StringComparison.Ordinal)
        .Replace(" 'm", "'m", StringComparison.Ordinal).Replace(" do not", " don't", StringComparison.Ordinal).Replace(" 's", "'s", StringComparison.Ordinal)
        .Replace(" 've", "'ve", StringComparison.Ordinal).Replace(" 're", "'re", StringComparison.Ordinal);

    private string Written(string token)
    {
        token = token.StartsWith(Prefix, StringComparison.Ordinal) ? token[Prefix.Length..] : " " + token;
        return Cleanup ? CleanUp(token) : token;
    }

    private sealed class Work(DecoderWork next, WordPieceDecoder o) : WholeTokenWork(next)
    {
        private bool _first = true;

        protected override void Token(string token)
        {
            Next.Push(!_first ? o.Written(token) : o.Cleanup ? CleanUp(token) : token, ends: true);
            _first = false;
        }
    }
}
