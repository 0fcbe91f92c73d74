using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>
/// Extended grapheme clusters (UAX #29) of UTF-8 text, with the Unicode version of the Rust library; .NET's own is another. Flags of two regional
/// indicators are left out: the one step that asks cares for clusters of less than 6 bytes, and a flag has 8.
/// </summary>
internal static class Graphemes
{
    private const int SyllableBase = 0xAC00, Syllables = 11172, Trails = 28, Joiner = 0x200D;

    /// <summary>Where the cluster ends that begins at <paramref name="start"/>. The text is valid, the start inside it and the end of a cluster.</summary>
    public static int End(ReadOnlySpan<byte> text, int start)
    {
        Rune.DecodeFromUtf8(text[start..], out var rune, out var length);
        var end = start + length;
        var (before, state) = (rune.Value, default(State).After(rune.Value));
        while (end < text.Length)
        {
            Rune.DecodeFromUtf8(text[end..], out rune, out length);
            if (!Joined(before, rune.Value, state))
                break;
            end += length;
            (before, state) = (rune.Value, state.After(rune.Value));
        }

        return end;
    }

    private static bool Joined(int before, int c, State state)
    {
        if (before == '\r' && c == '\n')
            return true;
        var (left, right) = (UnicodeData.Cluster(before), UnicodeData.Cluster(c));
        if (((left | right) & ClusterClass.Control) != 0)
            return false;
        if ((right & ClusterClass.Joins) != 0 || (left & ClusterClass.Prepended) != 0)
            return true;
        if (state.Picture == 2 && (right & ClusterClass.Picture) != 0)
            return true;
        if (state.Conjunct == 2 && (right & ClusterClass.Consonant) != 0)
            return true;
        return (Jamo(before), Jamo(c)) switch
        {
            ('L', 'L' or 'V' or 'v' or 't') => true,
            ('V' or 'v', 'V' or 'T') => true,
            ('T' or 't', 'T') => true,
            _ => false,
        };
    }

    /// <summary>L, V and T as Unicode names them; a syllable of two is v, one of three t; else 0.</summary>
    private static char Jamo(int c) => c is >= SyllableBase and < SyllableBase + Syllables ? (c - SyllableBase) % Trails == 0 ? 'v' : 't' : UnicodeData.Jamo(c);

    /// <summary>What the two rules with a memory have seen of the cluster so far.</summary>
    /// <param name="Picture">1: a pictograph and marks; 2: and a zero-width joiner.</param>
    /// <param name="Conjunct">1: a consonant and marks; 2: and a linker among them.</param>
    private readonly record struct State(int Picture, int Conjunct)
    {
        public State After(int c)
        {
            var kind = UnicodeData.Cluster(c);
            var picture = (kind & ClusterClass.Picture) != 0 ? 1 : Picture != 1 ? 0 : c == Joiner ? 2 : (kind & ClusterClass.Extends) != 0 ? 1 : 0;
            var conjunct = (kind & ClusterClass.Consonant) != 0 ? 1 : Conjunct == 0 ? 0 : (kind & ClusterClass.Linker) != 0 ? 2 : (kind & ClusterClass.InConjunct) != 0 ? Conjunct : 0;
            return new(picture, conjunct);
        }
    }
}
