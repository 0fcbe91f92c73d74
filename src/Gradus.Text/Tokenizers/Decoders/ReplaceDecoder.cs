using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>Replaces every match of a string or pattern, token by token.</summary>
[Component("Replace")]
internal sealed record ReplaceDecoder : TokenDecoder
{
    public NamedPattern Pattern { get; init; } = NamedPattern.Nothing;

    public string Content { get; init; } = "";

    public override PipelinePart Read(JsonField field) => new ReplaceDecoder { Pattern = NamedPattern.Read(field["pattern"], scanners: false), Content = field["content"].Text() };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        Pattern.Write(json, "pattern");
        json.WriteString("content", Content);
    }

    public override DecoderWork NewWork(DecoderWork next) => Pattern is { IsRegex: false, Text.Length: 1 } ? new CharWork(next, this) : new Work(next, this);

    public override byte[] Bytes(byte[] name) => Encoding.UTF8.GetBytes(Replaced(Encoding.UTF8.GetString(name)));

    private string Replaced(string token)
    {
        if (!Pattern.IsRegex)
            return Pattern.Text.Length == 0 ? token : token.Replace(Pattern.Text, Content, StringComparison.Ordinal);
        var utf8 = Encoding.UTF8.GetBytes(token);
        List<PatternMatch> matches = [];
        Pattern.Matcher.Find(utf8, matches);
        var text = new StringBuilder();
        foreach (var (start, end, match) in matches)
            text.Append(match ? Content : Encoding.UTF8.GetString(utf8.AsSpan(start, end - start)));
        return text.ToString();
    }

    /// <summary>A single character is found in parts of tokens as well.</summary>
    private sealed class CharWork(DecoderWork next, ReplaceDecoder o) : DecoderWork
    {
        public override void Push(string part, bool ends) => next.Push(o.Replaced(part), ends);

        public override void Flush() => next.Flush();
    }

    private sealed class Work(DecoderWork next, ReplaceDecoder o) : WholeTokenWork(next)
    {
        protected override void Token(string token) => Next.Push(o.Replaced(token), ends: true);
    }
}
