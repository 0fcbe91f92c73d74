using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Text;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>The rules of C4 (Raffel et al., 2020, section 2.2): lines that are sentences, pages that hold a few of them, no placeholder text, no code.</summary>
/// <remarks>Bad words are the user's own list: see <c>word-list</c>. C4's removal of repeated three-sentence spans is <c>exact-dedup</c> by line.</remarks>
[Component("c4")]
public sealed record C4Quality : LocalStep
{
    /// <summary>Keeps only lines that end as sentences do.</summary>
    public bool TerminalPunctuation { get; init; } = true;

    /// <summary>Fewest words of a line that stays.</summary>
    [AtLeast(0)]
    public int MinWordsPerLine { get; init; } = 5;

    /// <summary>Fewest sentences of a page.</summary>
    [AtLeast(0)]
    public int MinSentences { get; init; } = 3;

    /// <summary>Longest word of a line that stays, in characters.</summary>
    [AtLeast(1)]
    public int MaxWordLength { get; init; } = 1000;

    /// <summary>Removes lines that speak of JavaScript.</summary>
    public bool Javascript { get; init; } = true;

    /// <summary>Removes lines about cookies, terms of use and privacy policies.</summary>
    public bool Policies { get; init; } = true;

    /// <summary>Removes marks such as [1] and [citation needed].</summary>
    public bool Citations { get; init; } = true;

    /// <summary>Drops pages that hold "lorem ipsum".</summary>
    public bool LoremIpsum { get; init; } = true;

    /// <summary>Drops pages with a curly bracket: mostly code.</summary>
    public bool CurlyBrackets { get; init; } = true;

    public override IDocumentStep Build() => new Step(this);

    private sealed class Step(C4Quality o) : IDocumentStep
    {
        private static readonly SearchValues<string> s_policies = SearchValues.Create(["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"], StringComparison.OrdinalIgnoreCase);

        private readonly ArrayBufferWriter<byte> _kept = new(), _line = new();
        private readonly TextShape _lineShape = new();

        public void Apply(Draft draft)
        {
            var text = draft.Text;
            if (o.CurlyBrackets && text.Contains((byte)'{'))
            {
                draft.Drop("curly-bracket");
                return;
            }

            if (o.LoremIpsum && AsciiText.Contains(text, "lorem ipsum"u8))
            {
                draft.Drop("lorem-ipsum");
                return;
            }

            // Asked of the page once; a mark of a citation may stand within a word of a line.
            var marks = o.Citations && text.Contains((byte)'[');
            var mayHaveJavascript = o.Javascript && (marks || AsciiText.Contains(text, "javascript"u8));
            var mayHavePolicy = o.Policies && (marks || HoldsPolicyWords(text));
            _kept.ResetWrittenCount();
            var shape = draft.Shape;
            var lines = shape.Lines;
            var runs = shape.Runs;
            var (run, sentences, citations) = (0, 0, 0);
            var (noPunctuation, tooShort, javascript, policy, longWord) = (0, 0, 0, 0, 0);
            foreach (var line in lines)
            {
                var end = line.Start + line.Length;
                var (words, longest) = (0, 0);
                for (; run < runs.Length && runs[run].Start < end; run++)
                {
                    words += runs[run].Length > 0 ? 1 : 0;
                    longest = Math.Max(longest, runs[run].Characters); // 0 for punctuation
                }

                var bytes = shape.TextOf(line);
                if (marks && bytes.Contains((byte)'[') && WithoutCitations(bytes) is > 0 and var taken)
                {
                    // The rules are for the line as it will stand.
                    citations += taken;
                    _lineShape.Reset(_line.WrittenMemory);
                    bytes = _lineShape.Lines is [var only, ..] ? _lineShape.TextOf(only) : [];
                    (words, longest) = (_lineShape.Words, 0);
                    foreach (var word in _lineShape.Runs)
                        longest = Math.Max(longest, word.Characters);
                }

                if (o.TerminalPunctuation && (!TextShape.EndsSentence(bytes) || TextShape.EndsInEllipsis(bytes)))
                    noPunctuation++;
                else if (longest > o.MaxWordLength)
                    longWord++;
                else if (words < o.MinWordsPerLine)
                    tooShort++;
                else if (mayHaveJavascript && AsciiText.Contains(bytes, "javascript"u8))
                    javascript++;
                else if (mayHavePolicy && IsPolicy(bytes))
                    policy++;
                else
                {
                    if (_kept.WrittenCount > 0)
                        _kept.Write("\n"u8);
                    var start = _kept.WrittenCount;
                    _kept.Write(bytes);
                    sentences += Sentences(_kept.WrittenSpan[start..]);
                }
            }

            draft.CountEdits("line-without-end-mark", noPunctuation);
            draft.CountEdits("line-with-long-word", longWord);
            draft.CountEdits("short-line", tooShort);
            draft.CountEdits("javascript-line", javascript);
            draft.CountEdits("policy-line", policy);
            draft.CountEdits("citation", citations);
            if (sentences < o.MinSentences || _kept.WrittenCount == 0)
                draft.Drop("too-few-sentences", sentences.ToString(CultureInfo.InvariantCulture));
            else if (!_kept.WrittenSpan.SequenceEqual(text))
                draft.Replace(_kept.WrittenSpan);
        }

        private static bool HoldsPolicyWords(ReadOnlySpan<byte> text) => AsciiText.Contains(text, "cookie"u8) || AsciiText.Contains(text, "terms of use"u8) || AsciiText.Contains(text, "privacy policy"u8);

        private static bool IsPolicy(ReadOnlySpan<byte> line) =>
            HoldsPolicyWords(line) && Encoding.UTF8.GetString(line).AsSpan().ContainsAny(s_policies);

        /// <summary>Writes the line without marks of citations; how many there were.</summary>
        private int WithoutCitations(ReadOnlySpan<byte> line)
        {
            _line.ResetWrittenCount();
            var found = 0;
            while (line.IndexOf((byte)'[') is >= 0 and var open)
            {
                var rest = line[open..];
                var length = rest.StartsWith("[edit]"u8) ? 6 : rest.StartsWith("[citation needed]"u8) ? 17 : Number(rest);
                _line.Write(line[..(length > 0 ? open : open + 1)]);
                found += length > 0 ? 1 : 0;
                line = line[(open + Math.Max(1, length))..];
            }

            _line.Write(line);
            return found;
        }

        private static int Number(ReadOnlySpan<byte> text)
        {
            var at = 1;
            while (at < text.Length && at < 6 && char.IsAsciiDigit((char)text[at]))
                at++;
            return at > 1 && at < text.Length && text[at] == (byte)']' ? at + 1 : 0;
        }

        /// <summary>End marks followed by white space, a closing quote or bracket, or the end.</summary>
        private static int Sentences(ReadOnlySpan<byte> line)
        {
            var count = 0;
            for (var at = 0; line[at..].IndexOfAny((byte)'.', (byte)'!', (byte)'?') is >= 0 and var skip;)
            {
                var next = at + skip + 1;
                while (next < line.Length && line[next] is (byte)'"' or (byte)'\'' or (byte)')' or (byte)']' or (byte)'.' or (byte)'!' or (byte)'?')
                    next++;
                if (next < line.Length && line[next..].StartsWith("”"u8))
                    next += 3;
                if (next == line.Length || line[next] is (byte)' ' or (byte)'\t')
                    count++;
                at = next;
            }

            return count;
        }
    }
}

/// <summary>Searches in UTF-8 that look past the case of ASCII letters.</summary>
internal static class AsciiText
{
    /// <param name="text">Where to look.</param>
    /// <param name="lower">What to find, in lower case.</param>
    public static bool Contains(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower) => IndexOf(text, lower) >= 0;

    /// <inheritdoc cref="Contains"/>
    public static int IndexOf(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower)
    {
        // Where both its first and its last byte fit, 32 places at a time, the rest is compared. The bit of the case is set in all: what fits for that reason alone fails then.
        var (first, last) = ((byte)(lower[0] | 0x20), (byte)(lower[^1] | 0x20));
        var (at, places) = (0, text.Length - lower.Length + 1);
        for (; at <= places - Vector256<byte>.Count; at += Vector256<byte>.Count)
        {
            var begins = Vector256.Equals(Vector256.Create(text[at..]) | Vector256.Create((byte)0x20), Vector256.Create(first));
            var ends = Vector256.Equals(Vector256.Create(text[(at + lower.Length - 1)..]) | Vector256.Create((byte)0x20), Vector256.Create(last));
            for (var fits = (begins & ends).ExtractMostSignificantBits(); fits != 0; fits &= fits - 1)
            {
                var place = at + BitOperations.TrailingZeroCount(fits);
                if (Ascii.EqualsIgnoreCase(text.Slice(place, lower.Length), lower))
                    return place;
            }
        }

        for (; at < places; at++)
            if ((text[at] | 0x20) == first && Ascii.EqualsIgnoreCase(text.Slice(at, lower.Length), lower))
                return at;
        return -1;
    }
}
