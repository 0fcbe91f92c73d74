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
internal sealed record AddedToken(int Id, string Content, bool Special, bool SingleWord = false, bool StripLeft = false, bool StripRight = false);

/// <summary>Finds added tokens in text: leftmost first, the longest among those that start at the same place.</summary>
internal sealed class AddedTokens
{
    private readonly (byte[] Bytes, AddedToken Token)[] _tokens; // longest first
    private readonly SearchValues<byte> _firstBytes;

    public AddedTokens(IEnumerable<AddedToken> tokens)
    {
        _tokens = [.. tokens.Select(t => (Encoding.UTF8.GetBytes(t.Content), t)).OrderByDescending(t => t.Item1.Length)];
        _firstBytes = SearchValues.Create([.. _tokens.Select(t => t.Bytes[0]).Distinct()]);
    }

    public bool None => _tokens.Length == 0;

    /// <summary>The next added token from <paramref name="from"/> on: its id and the bytes it covers; false when there is none.</summary>
    public bool Next(ReadOnlySpan<byte> text, int from, out int start, out int end, out int id)
    {
        for (var at = from; at < text.Length; at++)
        {
            var step = text[at..].IndexOfAny(_firstBytes);
            if (step < 0)
                break;
            at += step;
            foreach (var (bytes, token) in _tokens)
            {
                if (!text[at..].StartsWith(bytes))
                    continue;
                (start, end, id) = (at, at + bytes.Length, token.Id);
                if (token.SingleWord && (WordBefore(text, start) || WordAt(text, end)))
                    continue;
                while (token.StripLeft && start > from && SpaceBefore(text, start) is > 0 and var before && start - before >= from)
                    start -= before;
                while (token.StripRight && end < text.Length && CharClass.At(text, end, out var length) == CharClass.Space)
                    end += length;
                return true;
            }
        }

        (start, end, id) = (text.Length, text.Length, -1);
        return false;
    }

    private static bool WordAt(ReadOnlySpan<byte> text, int at) =>
        at < text.Length && (text[at] == '_' || CharClass.At(text, at, out _) is CharClass.Letter or CharClass.Number);

    private static bool WordBefore(ReadOnlySpan<byte> text, int at) => at > 0 && WordAt(text, CharBefore(text, at));

    private static int SpaceBefore(ReadOnlySpan<byte> text, int at)
    {
        var start = CharBefore(text, at);
        return CharClass.At(text, start, out var length) == CharClass.Space && start + length == at ? length : 0;
    }

    private static int CharBefore(ReadOnlySpan<byte> text, int at)
    {
        Rune.DecodeLastFromUtf8(text[..at], out _, out var length);
        return at - length;
    }
}
