using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Cuts where the script changes; Japanese kana count as Han, spaces belong to every script.</summary>
[Component("UnicodeScripts")]
internal sealed record UnicodeScriptsPreTokenizer : PreTokenizer
{
    public override PipelinePart Read(JsonField field) => new UnicodeScriptsPreTokenizer();

    public override void WriteSettings(Utf8JsonWriter json)
    {
    }

    public override void Cut(CutText text)
    {
        var (han, hiragana, katakana) = (UnicodeData.ScriptNamed("Han"), UnicodeData.ScriptNamed("Hiragana"), UnicodeData.ScriptNamed("Katakana"));
        text.SplitAt((piece, starts) => // spaces before the first letter are in no part, as in Hugging Face's library
        {
            var last = 0;
            for (var at = 0; at < piece.Length;)
            {
                Rune.DecodeFromUtf8(piece[at..], out var rune, out var length);
                var script = UnicodeData.Script(rune.Value);
                if (script == hiragana || script == katakana)
                    script = han;
                if (script != 0)
                {
                    if (last != script)
                        starts.Add(at);
                    last = script;
                }

                at += length;
            }
        });
    }
}
