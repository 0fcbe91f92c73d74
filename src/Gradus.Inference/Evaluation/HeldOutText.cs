using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;

namespace Gradus.Inference.Evaluation;

/// <summary>A text that a model is judged on, as tokens.</summary>
public static class HeldOutText
{
    private const int MostBytesPerToken = 64; // on average, in any text: more need not be encoded

    /// <summary>Reads a text (one document), or .jsonl (a document a row, field 'text'); compressed as well.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tokenizer">Text to ids.</param>
    /// <param name="most">About so many tokens from the beginning; the last document is cut between two words.</param>
    /// <exception cref="UserException">There is no such file, or there is nothing to predict in it.</exception>
    public static TokenStream Read(string path, Tokenizer tokenizer, long most = long.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(tokenizer);
        SourceOptions source = path.Contains(".jsonl", StringComparison.Ordinal) ? new JsonlSource { Path = path } : new TextSource { Path = path };
        var (documents, bytes, left) = (new List<IReadOnlyList<int>>(), 0L, most);
        foreach (var document in source.Read(new SourceReport()))
        {
            var text = document.Utf8.Span;
            if (text.Length / MostBytesPerToken > left) text = Cut(text, (int)left * MostBytesPerToken);
            var ids = Encode(text, tokenizer);
            if (ids.Count > left)
            {
                text = Cut(text, (int)((Int128)text.Length * left / ids.Count));
                ids = Encode(text, tokenizer);
                left = 0;
            }
            documents.Add(ids);
            (bytes, left) = (bytes + text.Length, left - ids.Count);
            if (left <= 0) break;
        }
        if (documents.Sum(d => (long)d.Count) < 2) throw new UserException($"{path}: has fewer than two tokens; there is nothing to predict");
        return TokenStream.Of(documents, tokenizer.VocabSize, tokenizer.EosId, bytes);
    }

    private static List<int> Encode(ReadOnlySpan<byte> text, Tokenizer tokenizer)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, ids, addSpecialTokens: false);
        return ids;
    }

    // Before the last white space that fits; in a script without any, between two characters.
    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text, int bytes)
    {
        var blank = text[..bytes].LastIndexOfAny(" \t\r\n"u8);
        if (blank > 0) return text[..blank];
        while (bytes > 0 && (text[bytes] & 0xC0) == 0x80) bytes--;
        return text[..bytes];
    }
}
