using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts at white space, which goes, and round every punctuation mark.</summary>
[Component("BertPreTokenizer")]
internal sealed record BertPreTokenizer : PreTokenizer
{
    private const byte Word = 0, White = 1, Mark = 2;

    private static readonly byte[] s_ascii = [.. Enumerable.Range(0, 128).Select(Kind)];

    public override PipelinePart Read(JsonField field) => new BertPreTokenizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Cut(CutText text) => text.SplitInto(Pieces);

    private static byte Kind(int c) => UnicodeData.IsWhiteSpace(c) ? White : UnicodeData.IsPunctuation(c) ? Mark : Word;

    private static void Pieces(ReadOnlySpan<byte> text, List<Piece> pieces)
    {
        var start = 0; // of the word that is open
        var ascii = s_ascii;
        for (var at = 0; at < text.Length;)
        {
            var length = 1;
            byte kind;
            if (text[at] < 0x80)
            {
                kind = ascii[text[at]];
            }
            else
            {
                Rune.DecodeFromUtf8(text[at..], out var rune, out length);
                kind = Kind(rune.Value);
            }

            if (kind != Word)
            {
                if (at > start)
                    pieces.Add(new(start, at));
                if (kind == Mark)
                    pieces.Add(new(at, at + length));
                start = at + length;
            }

            at += length;
        }

        if (text.Length > start)
            pieces.Add(new(start, text.Length));
    }
}
