using System.Buffers;
using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Text.Data.Steps;

/// <summary>
/// Unicode as it was meant: UTF-8 that was once read as Windows-1252 is put right ("cafÃ©"), every line break becomes LF, control and
/// invisible characters go, and the text is brought to form NFC. Doing it twice changes nothing more.
/// </summary>
/// <remarks>Joiners (U+200C, U+200D) stay: Persian, Indic scripts and emoji need them. Wide and fixed spaces are for <c>whitespace</c>.</remarks>
[Component("unicode-repair")]
public sealed record UnicodeRepair : LocalStep
{
    /// <summary>Repairs UTF-8 that was read as Windows-1252 or Latin-1.</summary>
    public bool Mojibake { get; init; } = true;

    /// <summary>Composes characters (form NFC).</summary>
    public bool Compose { get; init; } = true;

    public override IDocumentStep Build() => new Step(this);

    private sealed class Step(UnicodeRepair o) : IDocumentStep
    {
        // Printable ASCII, tab and LF: what nothing here changes.
        private static readonly SearchValues<byte> s_plain = SearchValues.Create([0x09, 0x0A, .. Enumerable.Range(0x20, 0x5F).Select(b => (byte)b)]);

        private readonly ArrayBufferWriter<byte> _out = new();

        public void Apply(Draft draft)
        {
            if (draft.Text.IndexOfAnyExcept(s_plain) < 0)
                return;
            // Each part can bring forth work for another, so until nothing changes; every round but the last shortens or composes.
            for (var round = 0; round < 16; round++)
            {
                var changed = false;
                while (o.Mojibake && Mojibaked(draft.Text) is > 0 and var repaired)
                {
                    draft.CountEdits("mojibake", repaired);
                    draft.Replace(_out.WrittenSpan);
                    changed = true;
                }

                if (Clean(draft.Text) is > 0 and var cleaned)
                {
                    if (_out.WrittenCount == 0)
                    {
                        draft.Drop("control-characters-only");
                        return;
                    }

                    draft.CountEdits("control-character", cleaned);
                    draft.Replace(_out.WrittenSpan);
                    changed = true;
                }

                if (o.Compose && NeedsComposing(draft.Text))
                {
                    var text = new AlignedText(draft.Text, track: false);
                    Decomposition.Apply(text, compatibility: false, compose: true);
                    if (!text.Bytes.SequenceEqual(draft.Text))
                    {
                        draft.CountEdits("composed-document");
                        draft.Replace(text.Bytes);
                        changed = true;
                    }
                }

                if (!changed)
                    return;
            }
        }

        /// <summary>Writes the text with misread characters put right; how many there were.</summary>
        private int Mojibaked(ReadOnlySpan<byte> text)
        {
            // What was once a lead byte C2 to F0 is now U+00C2 to U+00F0: C3 and a second byte.
            if (text.IndexOf((byte)0xC3) < 0)
                return 0;
            _out.ResetWrittenCount();
            var found = 0;
            Span<byte> bytes = stackalloc byte[4];
            for (var at = 0; at < text.Length;)
            {
                var next = text[at..].IndexOf((byte)0xC3);
                if (next < 0)
                    next = text.Length - at;
                _out.Write(text.Slice(at, next));
                at += next;
                if (at == text.Length)
                    break;
                if (Misread(text[at..], bytes, out var length, out var used) && Rune.DecodeFromUtf8(bytes[..length], out _, out var whole) == OperationStatus.Done && whole == length)
                {
                    _out.Write(bytes[..length]);
                    at += used;
                    found++;
                    continue;
                }

                _out.Write(text.Slice(at, 2));
                at += 2;
            }

            return found;
        }

        /// <summary>The bytes that a run of characters was, if the first was a lead byte of a character that mojibake is made of.</summary>
        private static bool Misread(ReadOnlySpan<byte> text, Span<byte> bytes, out int length, out int used)
        {
            (length, used) = (0, 0);
            var wanted = 1;
            while (length < wanted)
            {
                if (used >= text.Length)
                    return false;
                Rune.DecodeFromUtf8(text[used..], out var rune, out var n);
                var b = Windows1252(rune.Value);
                if (b < 0 || length > 0 && b is < 0x80 or > 0xBF)
                    return false;
                if (length == 0)
                {
                    // Latin, Greek, Cyrillic, Hebrew and Arabic letters; punctuation and signs; emoji. Other leads are likelier letters that
                    // stand beside a quotation mark.
                    wanted = b switch { >= 0xC2 and <= 0xC5 or >= 0xCE and <= 0xD1 or >= 0xD7 and <= 0xD9 => 2, 0xE2 or 0xEF => 3, 0xF0 => 4, _ => 0 };
                    if (wanted == 0)
                        return false;
                }

                bytes[length++] = (byte)b;
                used += n;
            }

            return bytes[0] switch
            {
                0xE2 => bytes[1] is >= 0x80 and <= 0x86 or 0x88 or 0x89 or >= 0x94 and <= 0x9E, // punctuation, currency, arrows, signs
                0xEF => bytes[1] is 0xBB or 0xBC or 0xBD or 0xBF or 0xB8,
                0xF0 => bytes[1] == 0x9F,
                _ => true,
            };
        }

        /// <summary>The byte of a character in Windows-1252, its five holes as in Latin-1; -1 when it has none.</summary>
        private static int Windows1252(int c) => c switch
        {
            < 0x100 => c is >= 0x80 ? c : -1,
            0x20AC => 0x80, 0x201A => 0x82, 0x0192 => 0x83, 0x201E => 0x84, 0x2026 => 0x85, 0x2020 => 0x86, 0x2021 => 0x87, 0x02C6 => 0x88, 0x2030 => 0x89,
            0x0160 => 0x8A, 0x2039 => 0x8B, 0x0152 => 0x8C, 0x017D => 0x8E, 0x2018 => 0x91, 0x2019 => 0x92, 0x201C => 0x93, 0x201D => 0x94, 0x2022 => 0x95,
            0x2013 => 0x96, 0x2014 => 0x97, 0x02DC => 0x98, 0x2122 => 0x99, 0x0161 => 0x9A, 0x203A => 0x9B, 0x0153 => 0x9C, 0x017E => 0x9E, 0x0178 => 0x9F,
            _ => -1,
        };

        /// <summary>Writes the text without characters that show nothing, with LF for every line break; how many changed.</summary>
        private int Clean(ReadOnlySpan<byte> text)
        {
            _out.ResetWrittenCount();
            var changed = 0;
            for (var at = 0; at < text.Length;)
            {
                var b = text[at];
                if (b is >= 0x20 and < 0x7F or 0x09 or 0x0A)
                {
                    var run = text[at..].IndexOfAnyExcept(s_plain);
                    run = run < 0 ? text.Length - at : run;
                    _out.Write(text.Slice(at, run));
                    at += run;
                    continue;
                }

                if (b < 0x80)
                {
                    changed++;
                    if (b == 0x0D)
                    {
                        _out.Write("\n"u8);
                        at += at + 1 < text.Length && text[at + 1] == 0x0A ? 2 : 1;
                        continue;
                    }

                    if (b is 0x0B or 0x0C)
                        _out.Write("\n"u8);
                    at++;
                    continue;
                }

                Rune.DecodeFromUtf8(text[at..], out var rune, out var used);
                switch (Fate(rune.Value))
                {
                    case 0:
                        _out.Write(text.Slice(at, used));
                        break;
                    case 1:
                        changed++;
                        break;
                    default:
                        _out.Write("\n"u8);
                        changed++;
                        break;
                }

                at += used;
            }

            return changed;
        }

        /// <summary>0: stays; 1: goes; 2: is a line break.</summary>
        private static int Fate(int c) => c switch
        {
            0x85 or 0x2028 or 0x2029 => 2,
            < 0xA0 or 0xAD or 0x180E or 0x200B or 0x200E or 0x200F or >= 0x202A and <= 0x202E or >= 0x2060 and <= 0x206F or 0xFEFF => 1,
            >= 0xFDD0 and <= 0xFDEF or >= 0xFFF9 and <= 0xFFFB or >= 0xE0000 and <= 0xE007F => 1,
            _ => (c & 0xFFFE) == 0xFFFE ? 1 : 0,
        };

        private static bool NeedsComposing(ReadOnlySpan<byte> text)
        {
            for (var at = 0; at < text.Length;)
            {
                if (text[at] < 0xCC) // below U+0300 nothing is changed by NFC
                {
                    at++;
                    continue;
                }

                Rune.DecodeFromUtf8(text[at..], out var rune, out var used);
                var c = rune.Value;
                if (UnicodeData.CombiningClass(c) != 0 || c is >= 0x1100 and <= 0x11FF || UnicodeData.Decompose(c, compatibility: false) is not null || c is >= 0x0900 and < 0x1100)
                    return true;
                at += used;
            }

            return false;
        }
    }
}
