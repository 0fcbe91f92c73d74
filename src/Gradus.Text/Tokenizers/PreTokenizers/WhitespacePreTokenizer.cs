using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Keeps words (<c>\w+</c>) and runs of marks (<c>[^\w\s]+</c>); white space goes.</summary>
[Component("Whitespace")]
internal sealed record WhitespacePreTokenizer : PreTokenizer
{
    private static readonly Words s_words = new();

    public override PipelinePart Read(JsonField field) => new WhitespacePreTokenizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Cut(CutText text) => text.Split(s_words, CutBehavior.Removed, invert: true);

    private sealed class Words : CutPattern
    {
        public override void Find(ReadOnlySpan<byte> text, List<PatternMatch> found)
        {
            var (start, last) = (0, 0);
            for (var at = 0; at < text.Length;)
            {
                Rune.DecodeFromUtf8(text[at..], out var rune, out var length);
                var kind = UnicodeData.IsWord(rune.Value) ? 1 : UnicodeData.IsPatternSpace(rune.Value) ? 0 : 2;
                if (kind != last)
                {
                    Add(start, at, last, found);
                    (start, last) = (at, kind);
                }

                at += length;
            }

            Add(start, text.Length, last, found);
        }

        private static void Add(int start, int end, int kind, List<PatternMatch> found)
        {
            if (end > start)
                found.Add(new(start, end, kind != 0));
        }
    }
}
