using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Replaces every match of a string or pattern.</summary>
[Component("Replace")]
internal sealed record ReplaceNormalizer : Normalizer
{
    private readonly byte[] _utf8 = [];

    public NamedPattern Pattern { get; init; } = NamedPattern.Nothing;

    public string Content
    {
        get => Encoding.UTF8.GetString(_utf8);
        init => _utf8 = Encoding.UTF8.GetBytes(value);
    }

    public override PipelinePart Read(JsonField field) => new ReplaceNormalizer { Pattern = NamedPattern.Read(field["pattern"], scanners: false), Content = field["content"].Text() };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        Pattern.Write(json, "pattern");
        json.WriteString("content", Content);
    }

    public override void Apply(AlignedText text)
    {
        List<PatternMatch> matches = [];
        Pattern.Matcher.Find(text.Bytes, matches);
        if (!matches.Exists(m => m.Matches))
            return;
        foreach (var (start, end, match) in matches)
            if (!match)
                text.Keep(start, end);
            else if (end > 0)
                text.PutForLast(_utf8, end);
            else
                text.Put(_utf8, 0, 0);
        text.Commit();
    }
}
