using System.Buffers;
using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>A token that was added beside the model's own: matched in the text as a whole, before anything splits it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="Special">A control token: matched only when asked, left out when decoding.</param>
/// <param name="SingleWord">Matches only where no word character touches it.</param>
/// <param name="StripLeft">Takes the white space before it.</param>
/// <param name="StripRight">Takes the white space behind it.</param>
/// <param name="Normalized">Is matched, normalised, in the normalised text.</param>
internal sealed record AddedToken(
    int Id, string Content, bool Special, bool SingleWord = false, bool StripLeft = false, bool StripRight = false, bool Normalized = false);

/// <summary>Finds added tokens in text: leftmost first, the longest among those that start at the same place.</summary>
internal sealed class AddedTokens
{
    private readonly List<AddedToken?> _ends = [null]; // by node of the trie
    private readonly Dictionary<(int Node, byte Next), int> _children = [];
    private readonly IReadOnlyList<Piece>? _untrusted; // in order; null for none
    private readonly AlignedText? _over; // what the places of untrusted text are mapped through
    private readonly SearchValues<byte> _firstBytes;

    public AddedTokens(IEnumerable<AddedToken> tokens)
        : this(tokens.Select(t => (t, Encoding.UTF8.GetBytes(t.Content))))
    {
    }

    /// <param name="tokens">The tokens and what is looked for; an empty pattern matches nothing, of equal ones the first matches.</param>
    public AddedTokens(IEnumerable<(AddedToken Token, byte[] Pattern)> tokens)
    {
        foreach (var (token, pattern) in tokens)
        {
            var node = 0;
            foreach (var b in pattern)
            {
                if (!_children.TryGetValue((node, b), out var child))
                {
                    _children.Add((node, b), child = _ends.Count);
                    _ends.Add(null);
                }

                node = child;
            }

            if (node > 0)
                _ends[node] ??= token;
        }

        _firstBytes = SearchValues.Create([.. _children.Keys.Where(k => k.Node == 0).Select(k => k.Next)]);
    }

    private AddedTokens(AddedTokens all, IReadOnlyList<Piece> untrusted, AlignedText? over) =>
        (_ends, _children, _firstBytes, _untrusted, _over) = (all._ends, all._children, all._firstBytes, untrusted, over);

    public bool None => _children.Count == 0;

    /// <summary>The same tokens, but special ones are not found where they would take in any of these bytes of the original.</summary>
    /// <param name="untrusted">The stretches, in order.</param>
    /// <param name="over">The text that is searched, when that is not the original itself.</param>
    public AddedTokens Refusing(IReadOnlyList<Piece> untrusted, AlignedText? over = null) => new(this, untrusted, over);

    /// <summary>The next added token from <paramref name="from"/> on: its id and the bytes it covers; false when there is none.</summary>
    public bool Next(ReadOnlySpan<byte> text, int from, out int start, out int end, out int id) => Next(text, from, from, out start, out end, out id, out _);

    /// <summary>The same, when the search goes on behind a token whose stripping went further.</summary>
    /// <param name="text">The text.</param>
    /// <param name="searched">Where the last match ended, without what it stripped.</param>
    /// <param name="taken">Where the last token ended.</param>
    /// <param name="start">Where the token starts.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="id">Its id.</param>
    /// <param name="matched">Where its match ends, without what it strips.</param>
    public bool Next(ReadOnlySpan<byte> text, int searched, int taken, out int start, out int end, out int id, out int matched)
    {
        for (var at = searched; at < text.Length; at++)
        {
            var step = text[at..].IndexOfAny(_firstBytes);
            if (step < 0)
                break;
            at += step;
            if (LongestAt(text, at, out matched) is not { } token)
                continue;
            (start, end, id) = (at, matched, token.Id);
            if (token.SingleWord && (WordBefore(text, start) || WordAt(text, end)))
            {
                at = matched - 1; // what was matched is passed over, as in Hugging Face's library
                continue;
            }

            if (token.StripLeft)
                while (start > taken && SpaceBefore(text, start) is > 0 and var before && start - before >= taken)
                    start -= before;
            if (token.StripRight)
                while (end < text.Length && Decode(text, end, out var length) is var c && UnicodeData.IsPatternSpace(c))
                    end += length;
            return true;
        }

        (start, end, id, matched) = (text.Length, text.Length, -1, text.Length);
        return false;
    }

    private AddedToken? LongestAt(ReadOnlySpan<byte> text, int at, out int end)
    {
        AddedToken? longest = null;
        var start = end = at;
        for (var node = 0; at < text.Length && _children.TryGetValue((node, text[at]), out node);)
        {
            at++;
            if (_ends[node] is { } token && !(token.Special && _untrusted is not null && IsUntrusted(start, at)))
                (longest, end) = (token, at);
        }

        return longest;
    }

    private bool IsUntrusted(int start, int end)
    {
        if (_over is not null)
            (start, end) = _over.Origin(start, end);
        // The first stretch that ends behind the start is the only one that can begin before the end and matter.
        var (low, high) = (0, _untrusted!.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_untrusted[middle].End > start)
                high = middle;
            else
                low = middle + 1;
        }

        return low < _untrusted.Count && _untrusted[low].Start < end;
    }

    private static int Decode(ReadOnlySpan<byte> text, int at, out int length)
    {
        Rune.DecodeFromUtf8(text[at..], out var rune, out length);
        return rune.Value;
    }

    private static bool WordAt(ReadOnlySpan<byte> text, int at) => at < text.Length && UnicodeData.IsWord(Decode(text, at, out _));

    private static bool WordBefore(ReadOnlySpan<byte> text, int at) => at > 0 && WordAt(text, CharBefore(text, at));

    private static int SpaceBefore(ReadOnlySpan<byte> text, int at)
    {
        var start = CharBefore(text, at);
        return UnicodeData.IsPatternSpace(Decode(text, start, out var length)) && start + length == at ? length : 0;
    }

    private static int CharBefore(ReadOnlySpan<byte> text, int at)
    {
        Rune.DecodeLastFromUtf8(text[..at], out _, out var length);
        return at - length;
    }
}
