using System.Buffers;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>White space as running text has it: one space between words, none at line ends, at most one blank line, none at either end of the text.</summary>
[Component("whitespace")]
public sealed record Whitespace : LocalStep
{
    /// <summary>Leaves the white space at the start of lines, as code needs it.</summary>
    public bool KeepIndentation { get; init; }

    /// <summary>Most blank lines in a row.</summary>
    [AtLeast(0)]
    public int MaxBlankLines { get; init; } = 1;

    public override IDocumentStep Build() => new Step(this);

    private sealed class Step(Whitespace o) : IDocumentStep
    {
        // White space but spaces, and what may begin other white space in UTF-8.
        private static readonly SearchValues<byte> s_notPlain = SearchValues.Create([0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0xC2, 0xE1, 0xE2, 0xE3]);

        private readonly ArrayBufferWriter<byte> _out = new();

        public void Apply(Draft draft)
        {
            var text = draft.Text;
            _out.ResetWrittenCount();
            var blanks = 0;
            for (var at = 0; at < text.Length;)
            {
                var end = text[at..].IndexOf((byte)'\n');
                end = end < 0 ? text.Length : at + end;
                var start = _out.WrittenCount;
                Line(text[at..end], start > 0 ? 1 + Math.Min(blanks, o.MaxBlankLines) : 0);
                blanks = _out.WrittenCount == start ? blanks + 1 : 0;
                at = end + 1;
            }

            if (_out.WrittenCount == 0)
            {
                draft.Drop("blank");
                return;
            }

            if (_out.WrittenSpan.SequenceEqual(text))
                return;
            draft.Replace(_out.WrittenSpan);
            draft.CountEdits("document");
        }

        /// <summary>Whether a line stays as it is, at a glance; most do.</summary>
        private static bool IsClean(ReadOnlySpan<byte> line)
        {
            if (line.IsEmpty || line[0] == (byte)' ' || line[^1] == (byte)' ' || line.IndexOf("  "u8) >= 0)
                return false;
            for (var at = 0; line[at..].IndexOfAny(s_notPlain) is >= 0 and var skip; at++)
            {
                at += skip;
                if (TextShape.SpaceAt(line[at..]) > 0)
                    return false;
            }

            return true;
        }

        /// <summary>Writes line breaks and the line, or nothing for a blank one.</summary>
        private void Line(ReadOnlySpan<byte> line, int breaks)
        {
            if (IsClean(line))
            {
                for (; breaks > 0; breaks--)
                    _out.Write("\n"u8);
                _out.Write(line);
                return;
            }

            var (at, first, pending) = (0, true, false);
            var indent = 0;
            while (at < line.Length)
            {
                var space = TextShape.SpaceAt(line[at..]);
                if (space > 0)
                {
                    at += space;
                    pending = true;
                    indent = first ? at : indent;
                    continue;
                }

                var word = at;
                while (at < line.Length && !(line[at] is 0x20 or (>= 0x09 and <= 0x0D) or >= 0x80 && TextShape.SpaceAt(line[at..]) > 0))
                    at++;
                if (first)
                {
                    for (; breaks > 0; breaks--)
                        _out.Write("\n"u8);
                    if (o.KeepIndentation)
                        _out.Write(line[..indent]);
                }
                else if (pending)
                {
                    _out.Write(" "u8);
                }

                _out.Write(line[word..at]);
                (first, pending) = (false, false);
            }
        }
    }
}
