using System.Buffers;
using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>Turns UTF-8 text into token ids and back. Instances are immutable once loaded and safe to use from many threads at once.</summary>
/// <remarks>
/// Text is text: a user who types <c>&lt;|endoftext|&gt;</c> gets the ids of those thirteen characters, never the control token.
/// Code that assembles prompts from trusted parts asks for the other reading with <see cref="EncodeParsed(string, bool)"/>,
/// which is what Hugging Face's <c>encode</c> does.
/// </remarks>
public abstract class Tokenizer
{
    /// <summary>One more than the highest id: the number of rows an embedding needs. Ids may have holes.</summary>
    public abstract int VocabSize { get; }

    /// <summary>The id that begins a document, or null when the files name none.</summary>
    public int? BosId { get; init; }

    /// <summary>The id that ends a document, or null when the files name none.</summary>
    public int? EosId { get; init; }

    /// <summary>The id that fills short rows, or null when the files name none.</summary>
    public int? PadId { get; init; }

    /// <summary>The id of what the vocabulary cannot spell, or null when the files name none.</summary>
    public int? UnkId { get; init; }

    /// <summary>Appends the ids of <paramref name="utf8"/> to <paramref name="ids"/>. Text that looks like a special token stays text.</summary>
    /// <param name="utf8">The text. Byte-level vocabularies take any bytes, valid UTF-8 or not.</param>
    /// <param name="ids">Receives the ids, after what it already holds.</param>
    /// <param name="addSpecialTokens">Adds what the post-processor asks for, a BOS for example.</param>
    public abstract void Encode(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens);

    /// <summary>As <see cref="Encode(ReadOnlySpan{byte}, List{int}, bool)"/>, but special tokens written out in the text become their ids.</summary>
    public virtual void EncodeParsed(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens) => Encode(utf8, ids, addSpecialTokens);

    /// <summary>The ids of <paramref name="text"/>; a lone surrogate counts as U+FFFD. Special-token text stays text.</summary>
    public int[] Encode(string text, bool addSpecialTokens = true) => Encode(text, addSpecialTokens, parse: false);

    /// <summary>The ids of <paramref name="text"/>, reading special tokens written out in it as such: for trusted text only.</summary>
    public int[] EncodeParsed(string text, bool addSpecialTokens = true) => Encode(text, addSpecialTokens, parse: true);

    /// <summary>Encodes every text, on <paramref name="threads"/> threads (0: all processors). The result does not depend on the number of threads.</summary>
    public int[][] EncodeBatch(IReadOnlyList<string> texts, bool addSpecialTokens = true, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        var results = new int[texts.Count][];
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads == 0 ? Environment.ProcessorCount : threads };
        Parallel.For(0, texts.Count, options, i => results[i] = Encode(texts[i], addSpecialTokens));
        return results;
    }

    /// <summary>The bytes this id stands for; empty for ids that stand for none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public abstract ReadOnlySpan<byte> TokenBytes(int id);

    /// <summary>The id of a token by the name its file gives it (<c>Ġthe</c>, <c>&lt;s&gt;</c>), or null.</summary>
    public abstract int? IdOf(string token);

    /// <summary>The name the file gives this id; empty for a hole in the numbering.</summary>
    public abstract string NameOf(int id);

    /// <summary>True for control tokens such as BOS, which decoding leaves out.</summary>
    public virtual bool IsSpecial(int id) => false;

    /// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c> into <paramref name="folder"/>, which is made if needed.</summary>
    public abstract void Save(string folder);

    /// <summary>True where a text starts with a space that its writer never typed (SentencePiece's dummy prefix): decoding takes it away again.</summary>
    internal virtual bool StartsWithAddedSpace => false;

    /// <summary>The text of <paramref name="ids"/>. Bytes that are no UTF-8 come out as U+FFFD, one for each maximal broken sequence.</summary>
    public virtual string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true)
    {
        var bytes = new ArrayBufferWriter<byte>(Math.Max(16, ids.Length * 5));
        var atStart = StartsWithAddedSpace;
        foreach (var id in ids)
        {
            var piece = TokenBytes(id);
            if (IsSpecial(id))
            {
                if (skipSpecialTokens)
                    continue;
            }
            else if (atStart)
            {
                atStart = false;
                if (piece is [(byte)' ', ..])
                    piece = piece[1..];
            }

            bytes.Write(piece);
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>Loads a tokenizer from a file or a folder; what it is is told by its name and content.</summary>
    /// <param name="path"><c>tokenizer.json</c>; GPT-2's <c>encoder.json</c> or <c>vocab.json</c> beside its merges; a <c>.tiktoken</c> file; llama2.c's
    /// <c>tok*.bin</c>; or a folder that holds one of these.</param>
    /// <exception cref="Foundation.Files.UserException">Nothing there is a tokenizer, or the file is malformed.</exception>
    public static Tokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return TokenizerFormat.Load(path);
    }

    private int[] Encode(string text, bool addSpecialTokens, bool parse)
    {
        ArgumentNullException.ThrowIfNull(text);
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var length = Encoding.UTF8.GetBytes(text, buffer);
            var ids = new List<int>(8 + length / 3);
            if (parse)
                EncodeParsed(buffer.AsSpan(0, length), ids, addSpecialTokens);
            else
                Encode(buffer.AsSpan(0, length), ids, addSpecialTokens);
            return [.. ids];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
