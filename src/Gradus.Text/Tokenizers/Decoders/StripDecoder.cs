using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>Takes up to so many of a character off the ends of every token.</summary>
[Component("Strip")]
internal sealed record StripDecoder : TokenDecoder
{
    public Rune Content { get; init; } = new(' ');

    public int Start { get; init; }

    public int Stop { get; init; }

    public override PipelinePart Read(JsonField field) => new StripDecoder { Content = field["content"].Character(), Start = field["start"].Count(), Stop = field["stop"].Count() };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteString("content", Content.ToString());
        json.WriteNumber("start", Start);
        json.WriteNumber("stop", Stop);
    }

    public override DecoderWork NewWork(DecoderWork next) => new Work(next, this);

    private sealed class Work(DecoderWork next, StripDecoder o) : DecoderWork
    {
        private readonly string _content = o.Content.ToString();
        private int _left = o.Start; // how many may still go at the start of this token
        private string _held = ""; // what may have to go if the token ends now

        public override void Push(string part, bool ends)
        {
            while (_left > 0 && part.Length > 0)
            {
                _left = part.StartsWith(_content, StringComparison.Ordinal) ? _left - 1 : 0;
                if (part.StartsWith(_content, StringComparison.Ordinal))
                    part = part[_content.Length..];
            }

            part = _held + part;
            var end = part.Length;
            for (var i = 0; i < o.Stop && part.AsSpan(0, end).EndsWith(_content, StringComparison.Ordinal); i++)
                end -= _content.Length;
            (_held, part) = ends ? ("", part[..end]) : (part[end..], part[..end]);
            if (part.Length > 0 || ends)
                next.Push(part, ends);
            if (ends)
                _left = o.Start;
        }

        public override void Flush() => next.Flush();
    }
}
