using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Unicode's normalisation forms (UAX #15), which say of every character that comes out how many went in.</summary>
internal static class Decomposition
{
    private const byte FirstMark = 0xCC; // the lead byte of U+0300
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7, Vowels = 21, Trails = 28, Syllables = 11172;

    /// <summary>Decomposes a text and, if asked, composes it again.</summary>
    public static void Apply(AlignedText text, bool compatibility, bool compose)
    {
        if (Ascii.IsValid(text.Bytes))
            return;
        List<CharChange> changes = [];
        Decompose(text.Bytes, compatibility, changes);
        if (compose)
            Compose(changes);
        text.Transform(CollectionsMarshal.AsSpan(changes));
    }

    /// <summary>Whether the text is in form NFC, told without writing it anew: nearly all text is. False for what is not valid UTF-8.</summary>
    public static bool IsNfc(ReadOnlySpan<byte> text)
    {
        if (!Utf8.IsValid(text))
            return false;
        // Up to U+02FF nothing changes and nothing joins what is before it; a character that may begins a run, with the plain one before it.
        for (var at = 0; (uint)at < (uint)text.Length;)
        {
            if (text[at] < FirstMark)
            {
                at = text[at..].IndexOfAnyExceptInRange((byte)0, (byte)(FirstMark - 1)) is >= 0 and var skip ? at + skip : text.Length;
                continue;
            }

            Rune.DecodeFromUtf8(text[at..], out var rune, out var length);
            if (UnicodeData.Form(rune.Value) == FormC.Plain)
            {
                at += length;
                continue;
            }

            var start = at;
            while (start > 0 && start + 4 > at && (text[--start] & 0xC0) == 0x80)
            {
            }

            var end = at;
            for (; end < text.Length; end += length)
            {
                Rune.DecodeFromUtf8(text[end..], out rune, out length);
                if (UnicodeData.Form(rune.Value) == FormC.Plain)
                    break;
            }

            if (!RunIsNfc(text[start..end]))
                return false;
            at = end;
        }

        return true;
    }

    /// <summary>A plain character, or none, and the others behind it.</summary>
    private static bool RunIsNfc(ReadOnlySpan<byte> run)
    {
        var (starter, last) = (-1, 0);
        for (var rest = run; !rest.IsEmpty;)
        {
            Rune.DecodeFromUtf8(rest, out var rune, out var length);
            rest = rest[length..];
            var (c, form) = (rune.Value, UnicodeData.Form(rune.Value));
            var kind = UnicodeData.CombiningClass(c);
            if (form == FormC.Never || (kind != 0 && kind < last))
                return false;
            if (form == FormC.Joins && starter >= 0)
            {
                if (UnicodeData.Decompose(starter, compatibility: false) is not null || starter is >= HangulBase and < HangulBase + Syllables)
                    return RunIsNfcInFull(run); // a mark of the character may have to give way
                if ((last == 0 || last < kind) && Joined(starter, c) >= 0)
                    return false;
            }

            if (kind == 0)
                (starter, last) = (c, 0);
            else
                last = kind;
        }

        return true;
    }

    private static bool RunIsNfcInFull(ReadOnlySpan<byte> run)
    {
        List<CharChange> changes = [];
        Decompose(run, compatibility: false, changes);
        Compose(changes);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var (rune, _) in changes)
        {
            var length = new Rune(rune).EncodeToUtf8(utf8);
            if (!run.StartsWith(utf8[..length]))
                return false;
            run = run[length..];
        }

        return run.IsEmpty;
    }

    private static void Decompose(ReadOnlySpan<byte> text, bool compatibility, List<CharChange> changes)
    {
        var pending = 0; // changes from here on may still be sorted
        for (var at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf8(text[at..], out var rune, out var length);
            at += length;
            var c = rune.Value;
            if (c < 0x80)
            {
                Push(c, 0);
            }
            else if (c is >= HangulBase and < HangulBase + Syllables)
            {
                c -= HangulBase;
                Push(LeadBase + c / (Vowels * Trails), 0);
                Push(VowelBase + c % (Vowels * Trails) / Trails, 1);
                if (c % Trails > 0)
                    Push(TrailBase + c % Trails, 1);
            }
            else if (UnicodeData.Decompose(c, compatibility) is { } parts)
            {
                for (var i = 0; i < parts.Length; i++)
                    Push(parts[i], i > 0 ? 1 : 0);
            }
            else
            {
                Push(c, 0);
            }
        }

        Sort(changes, pending);

        void Push(int c, int change)
        {
            if (UnicodeData.CombiningClass(c) == 0)
            {
                Sort(changes, pending);
                changes.Add(new(c, change));
                pending = changes.Count;
                return;
            }

            changes.Add(new(c, change));
        }
    }

    /// <summary>Sorts marks by combining class, those of one class as they stand: by merging, for a text may be one long run of marks.</summary>
    private static void Sort(List<CharChange> changes, int from)
    {
        if (changes.Count - from < 2)
            return;
        var run = CollectionsMarshal.AsSpan(changes)[from..];
        var sorted = true;
        for (var i = 1; i < run.Length && sorted; i++)
            sorted = UnicodeData.CombiningClass(run[i - 1].Rune) <= UnicodeData.CombiningClass(run[i].Rune);
        if (sorted)
            return;
        CharChange[] ordered = [.. run.ToArray().OrderBy(c => UnicodeData.CombiningClass(c.Rune))]; // stable
        ordered.CopyTo(run);
    }

    private static void Compose(List<CharChange> changes)
    {
        var from = CollectionsMarshal.AsSpan(changes);
        var kept = 0;
        var starter = -1; // where the character stands that marks may join
        var last = 0; // the class of the last mark that did not join it; 0: none stands between
        for (var i = 0; i < from.Length; i++)
        {
            var (c, change) = from[i];
            var kind = UnicodeData.CombiningClass(c);
            if (starter >= 0 && (last == 0 || last < kind) && Joined(from[starter].Rune, c) is >= 0 and var joined)
            {
                from[starter] = new(joined, from[starter].Change + change - 1);
                continue;
            }

            if (kind == 0)
                (starter, last) = (kept, 0);
            else if (starter >= 0)
                last = kind;
            from[kept++] = from[i];
        }

        changes.RemoveRange(kept, changes.Count - kept);
    }

    private static int Joined(int a, int b)
    {
        if (a is >= LeadBase and < LeadBase + 19 && b is >= VowelBase and < VowelBase + Vowels)
            return HangulBase + ((a - LeadBase) * Vowels + b - VowelBase) * Trails;
        if (a is >= HangulBase and < HangulBase + Syllables && (a - HangulBase) % Trails == 0 && b is > TrailBase and < TrailBase + Trails)
            return a + b - TrailBase;
        return UnicodeData.Compose(a, b);
    }
}
