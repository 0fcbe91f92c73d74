using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>What becomes of the characters that no piece spells.</summary>
internal static class UnigramUnknowns
{
    /// <summary>The length of the character that begins with this byte (the text is valid UTF-8).</summary>
    public static int Width(byte first) => first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

    public static UserException Missing(ReadOnlySpan<byte> text) =>
        new($"the text holds '{Encoding.UTF8.GetString(text)}', which no piece spells, and the model has no unknown piece (unk_id)");

    /// <summary>Unknown characters in a row become one unknown token, or their bytes.</summary>
    public static void Settle(UnigramModel model, ReadOnlySpan<byte> text, List<FoundToken> tokens, int from)
    {
        if (model.UnknownId is not { } unknown)
            return;
        var first = from;
        while (first < tokens.Count && tokens[first].Id != unknown)
            first++;
        if (first == tokens.Count)
            return;
        var found = tokens.GetRange(first, tokens.Count - first);
        tokens.RemoveRange(first, found.Count);
        for (var i = 0; i < found.Count; i++)
        {
            var token = found[i];
            if (token.Id != unknown)
            {
                tokens.Add(token);
                continue;
            }

            while (i + 1 < found.Count && found[i + 1].Id == unknown)
                token = token with { End = found[++i].End };
            Add(model, text, token, tokens);
        }
    }

    private static void Add(UnigramModel model, ReadOnlySpan<byte> text, FoundToken token, List<FoundToken> tokens)
    {
        var run = text[token.Start..token.End];
        if (model.Types is null && model.Trie.Find(run) is >= 0 and var known)
        {
            tokens.Add(token with { Id = known }); // the Rust library looks fused unknowns up by their text
            return;
        }

        if (model.ByteIds is not { } bytes || !AllBytes(run, bytes))
        {
            tokens.Add(token);
            return;
        }

        foreach (var b in run)
            tokens.Add(token with { Id = bytes[b] });
    }

    private static bool AllBytes(ReadOnlySpan<byte> run, int[] bytes)
    {
        foreach (var b in run)
            if (bytes[b] < 0)
                return false;
        return true;
    }
}
