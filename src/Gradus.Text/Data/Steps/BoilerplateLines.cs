using System.Buffers;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>
/// Removes lines that frame a page and are not its text (RefinedWeb's line rules: Penedo et al., 2023, appendix G.2): capitals only, numbers
/// only, counters ("3 likes"), single words, and short lines that start, end or go like menus. A page that is mostly such lines is dropped.
/// </summary>
[Component("boilerplate-lines")]
public sealed record BoilerplateLines : LocalStep
{
    /// <summary>A line is in capitals when more than this share of its letters are.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxCapitals { get; init; } = 0.8;

    /// <summary>Menu words count in lines of at most so many words.</summary>
    [AtLeast(0)]
    public int MaxMenuWords { get; init; } = 10;

    /// <summary>Drops the page when more than this share of its words would go.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MaxRemovedWords { get; init; } = 0.05;

    /// <summary>Beginnings of menu lines, lower case.</summary>
    public IReadOnlyList<string> MenuBeginnings { get; init; } = ["sign-in", "sign in", "log in", "skip to content", "share this", "share on", "click here", "subscribe"];

    /// <summary>Ends of menu lines, lower case.</summary>
    public IReadOnlyList<string> MenuEndings { get; init; } = ["read more...", "read more…", "read more", "leave a comment", "view all", "see more", "learn more"];

    /// <summary>Parts of menu lines, lower case.</summary>
    public IReadOnlyList<string> MenuParts { get; init; } = ["items in cart", "add to cart", "all rights reserved", "back to top"];

    public override IDocumentStep Build() => new Step(this);

    private sealed class Step(BoilerplateLines o) : IDocumentStep
    {
        private static readonly HashSet<string> s_counted = new(StringComparer.OrdinalIgnoreCase) { "like", "likes", "share", "shares", "comment", "comments", "retweet", "retweets", "repost", "reposts", "quote", "quotes", "bookmark", "bookmarks", "upvote", "upvotes", "downvote", "downvotes", "download", "downloads", "view", "views", "follower", "followers", "reply", "replies" };

        private readonly byte[][] _beginnings = Utf8(o.MenuBeginnings), _endings = Utf8(o.MenuEndings), _parts = Utf8(o.MenuParts);
        private readonly ArrayBufferWriter<byte> _kept = new();

        public void Apply(Draft draft)
        {
            var text = draft.Text;
            var shape = draft.Shape;
            var runs = shape.Runs;
            var (run, removed, cut, total) = (0, 0, 0, shape.Words);
            var rules = new Dictionary<string, int>(StringComparer.Ordinal);
            _kept.ResetWrittenCount();
            foreach (var line in shape.Lines)
            {
                var (first, end, words) = (run, line.Start + line.Length, 0);
                for (; run < runs.Length && runs[run].Start < end; run++)
                    words += runs[run].Length > 0 ? 1 : 0;
                if (Rule(shape, shape.TextOf(line), runs[first..run], words) is not { } rule)
                    continue;
                rules[rule] = rules.GetValueOrDefault(rule) + 1;
                removed += words;
                _kept.Write(text[cut..line.Start]);
                cut = Math.Min(text.Length, end);
                var after = text[cut..].IndexOf((byte)'\n');
                cut = after < 0 ? text.Length : cut + after + 1;
            }

            if (rules.Count == 0)
                return;
            _kept.Write(text[cut..]);
            if (removed > o.MaxRemovedWords * total || _kept.WrittenSpan.IndexOfAnyExcept(" \t\r\n"u8) < 0)
            {
                draft.Drop("mostly-boilerplate", Figure.Of((double)removed / Math.Max(1, total)));
                return;
            }

            foreach (var (rule, count) in rules.OrderBy(r => r.Key, StringComparer.Ordinal))
                draft.CountEdits(rule, count);
            draft.Replace(_kept.WrittenSpan);
        }

        private string? Rule(TextShape shape, ReadOnlySpan<byte> line, ReadOnlySpan<WordSpan> runs, int words)
        {
            var (upper, letters, digits) = (0, 0, 0);
            foreach (var b in line)
            {
                upper += (uint)(b - 'A') < 26 ? 1 : 0;
                letters += (uint)((b | 0x20) - 'a') < 26 || b >= 0xC0 ? 1 : 0;
                digits += (uint)(b - '0') < 10 ? 1 : 0;
            }

            if (letters == 0)
                return digits > 0 ? "numbers-only" : null;
            if (words == 1 && runs.Length == 1 && !TextShape.EndsSentence(line))
                return "single-word";
            if (upper > o.MaxCapitals * letters && letters > 3)
                return "capitals";
            if (words == 2 && runs.Length == 2 && char.IsAsciiDigit((char)shape.TextOf(runs[0])[0]) && s_counted.Contains(Encoding.UTF8.GetString(shape.TextOf(runs[1]))))
                return "counter";
            if (words > o.MaxMenuWords)
                return null;
            foreach (var beginning in _beginnings)
                if (line.Length >= beginning.Length && Ascii.EqualsIgnoreCase(line[..beginning.Length], beginning) && !TextShape.EndsSentence(line))
                    return "menu";
            foreach (var ending in _endings)
                if (line.Length >= ending.Length && AsciiText.IndexOf(line[^ending.Length..], ending) == 0)
                    return "menu";
            foreach (var part in _parts)
                if (AsciiText.Contains(line, part))
                    return "menu";
            return null;
        }

        private static byte[][] Utf8(IReadOnlyList<string> texts) => [.. texts.Where(t => t.Length > 0).Select(t => Encoding.UTF8.GetBytes(t.ToLower(CultureInfo.InvariantCulture)))];
    }
}
