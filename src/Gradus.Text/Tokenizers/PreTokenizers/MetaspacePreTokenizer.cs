using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>Where a text gets a mark for a space that nobody typed.</summary>
internal enum PrependScheme
{
    /// <summary>Before every piece.</summary>
    Always,

    /// <summary>At the very start of the text.</summary>
    First,

    /// <summary>Nowhere.</summary>
    Never,
}

/// <summary>SentencePiece's: writes spaces as marks and cuts before them.</summary>
[Component("Metaspace")]
internal sealed record MetaspacePreTokenizer : PreTokenizer
{
    public Rune Replacement { get; init; } = new('\u2581');

    public PrependScheme PrependScheme { get; init; } = PrependScheme.Always;

    public bool Split { get; init; } = true;

    public override PipelinePart Read(JsonField field)
    {
        var (replacement, scheme, split) = ReadSettings(field);
        return new MetaspacePreTokenizer { Replacement = replacement, PrependScheme = scheme, Split = split };
    }

    public override void WriteSettings(Utf8JsonWriter json) => WriteSettings(json, Replacement, PrependScheme, Split);

    public override bool NeedsOrigins => PrependScheme == PrependScheme.First;

    public override void Cut(CutText text)
    {
        var mark = Encoding.UTF8.GetBytes(Replacement.ToString());
        text.Rewrite((t, cut) =>
        {
            if (PrependScheme != PrependScheme.Never && t.Bytes[cut.Start] != ' ' && !t.Bytes[cut.Start..cut.End].StartsWith(mark)
                && (PrependScheme == PrependScheme.Always || text.IsFirst(cut)))
                t.Put(mark, cut.Start, cut.Start + AlignedText.CharLength(t.Bytes[cut.Start]));
            for (var at = cut.Start; at < cut.End;)
            {
                var space = t.Bytes[at..cut.End].IndexOf((byte)' ');
                if (space < 0)
                {
                    t.Keep(at, cut.End);
                    break;
                }

                t.Keep(at, at + space);
                t.Put(mark, at + space, at + space + 1);
                at += space + 1;
            }
        });
        if (Split)
            text.Split(new StringPattern(mark), CutBehavior.MergedWithNext);
    }

    /// <summary>The settings that the decoder of the same name shares.</summary>
    public static (Rune Replacement, PrependScheme Scheme, bool Split) ReadSettings(JsonField field)
    {
        var scheme = field["prepend_scheme"].IsMissing
            ? PrependScheme.Always
            : field["prepend_scheme"].OneOf(("always", PrependScheme.Always), ("first", PrependScheme.First), ("never", PrependScheme.Never));
        if (!field["add_prefix_space"].Flag(otherwise: true)) // files from before prepend_scheme
        {
            if (scheme != PrependScheme.Never && !field["prepend_scheme"].IsMissing)
                throw field["add_prefix_space"].Error($"false, but prepend_scheme is '{field["prepend_scheme"].Text()}'; it would have to be 'never'");
            scheme = PrependScheme.Never;
        }

        return (field["replacement"].Character(), scheme, field["split"].Flag(otherwise: true));
    }

    public static void WriteSettings(Utf8JsonWriter json, Rune replacement, PrependScheme scheme, bool split)
    {
        json.WriteString("replacement", replacement.ToString());
        json.WriteString("prepend_scheme", scheme switch { PrependScheme.Always => "always", PrependScheme.First => "first", _ => "never" });
        json.WriteBoolean("split", split);
    }
}
