using System.Buffers;
using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers;

/// <summary>Turns UTF-8 text into token ids and back. Instances are immutable once loaded and safe to use from many threads at once.</summary>
/// <remarks>
/// Text is text: a user who types <c>&lt;|endoftext|&gt;</c> gets the ids of those thirteen characters, never the control token.
/// Code that assembles prompts from trusted parts asks for the other reading with <see cref="EncodeParsed(string, bool)"/>,
/// which is what Hugging Face's <c>encode</c> does.
/// </remarks>
public abstract class Tokenizer
{
    private const int KeptIds = 1 << 16; // one huge text should not pin its scratch for ever

    [ThreadStatic]
    private static List<int>? t_ids;

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

    /// <summary>
    /// Appends the ids of a spelling drawn at random, where the model can (BPE-dropout, subword sampling): the same for the same seed, and other seeds
    /// draw independently. Special-token text stays text.
    /// </summary>
    /// <param name="utf8">The text.</param>
    /// <param name="ids">Receives the ids, after what it already holds.</param>
    /// <param name="seed">Any number.</param>
    /// <param name="dropout">The share of merges that BPE leaves out (Provilkov et al., 2020): 0 for none, 1 for all; null for what the tokenizer's file says.</param>
    /// <param name="addSpecialTokens">Adds what the post-processor asks for.</param>
    /// <exception cref="NotSupportedException">A dropout is given, and the model has no merges to leave out.</exception>
    public virtual void Sample(ReadOnlySpan<byte> utf8, List<int> ids, int seed, double? dropout = null, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var options = new TokenizeOptions { SamplingSeed = seed, Dropout = dropout, AddSpecialTokens = addSpecialTokens };
        ids.AddRange(PostProcessors.PostProcessor.Finish(Parts?.PostProcessor, Draft(utf8, 0, options), null, addSpecialTokens).Tokens.Select(t => t.Id));
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
    public virtual void Save(string folder) => TokenizerJsonWriter.Save(folder, this, Parts ?? throw new NotSupportedException("this tokenizer has no parts to save"));

    /// <summary>Writes a SentencePiece <c>.model</c> that gives the same ids, without what a post-processor adds round texts: the format does not hold that.</summary>
    /// <exception cref="UserException">No such model spells as this tokenizer does; the message says why.</exception>
    public virtual void SaveSentencePiece(string file) => Durable.WriteFile(file, stream => stream.Write(SentencePieceExport.From(this).Write()));

    /// <summary>How the tokenizer's file cuts texts; applied only where <see cref="TokenizeOptions.Truncation"/> is set to it.</summary>
    public TruncationOptions? FileTruncation => Parts?.Truncation;

    /// <summary>How the tokenizer's file fills texts up; applied only where <see cref="TokenizeOptions.Padding"/> is set to it.</summary>
    public PaddingOptions? FilePadding => Parts?.Padding;

    /// <summary>The parts as <c>tokenizer.json</c> writes them, or null where it cannot.</summary>
    internal virtual TokenizerParts? Parts => null;

    /// <summary>What the files beside <c>tokenizer.json</c> say, kept for saving.</summary>
    internal TokenizerConfig Config { get; init; } = TokenizerConfig.None;

    /// <summary>The tokens of a text, or of a pair of texts, with their offsets and all else that is known of them.</summary>
    /// <param name="text">The text.</param>
    /// <param name="pair">The second text of a pair, or null.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="ArgumentException">The truncation leaves no room for a token or its stride is too long.</exception>
    public TokenEncoding Tokenize(string text, string? pair = null, TokenizeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        options ??= new();
        var draft = Finished(text, pair, options);
        Pad([draft], options.Padding);
        return new(draft);
    }

    /// <summary>The same for many texts and pairs; padding to the longest is to the longest of them all.</summary>
    public TokenEncoding[] TokenizeBatch(IReadOnlyList<(string Text, string? Pair)> texts, TokenizeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        var drafts = new EncodingDraft[texts.Count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads == 0 ? Environment.ProcessorCount : options.Threads };
        Parallel.For(0, texts.Count, parallel, i => drafts[i] = Finished(texts[i].Text, texts[i].Pair, options));
        Pad(drafts, options.Padding);
        return [.. drafts.Select(d => new TokenEncoding(d))];
    }

    /// <summary>The tokens of one text before truncation and post-processing.</summary>
    internal virtual EncodingDraft Draft(ReadOnlySpan<byte> utf8, int type, TokenizeOptions o) =>
        throw new NotSupportedException("this tokenizer gives ids only");

    /// <summary>The draws of a seed. Seeds in a row are mixed first: plain generators of neighbouring seeds begin alike.</summary>
    internal static Random Draws(int seed) => new((int)(new Counter((uint)seed, "spellings").UInt32(0) >> 1));

    internal static void CheckDropout(TokenizeOptions o)
    {
        if (o.Dropout is not { } share)
            return;
        if (share is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(o), share, "Dropout is a share from 0 to 1.");
        if (o.SamplingSeed is null)
            throw new ArgumentException("Dropout draws at random: give a SamplingSeed too.", nameof(o));
    }

    /// <summary>True where a text starts with a space that its writer never typed (SentencePiece's dummy prefix): decoding takes it away again.</summary>
    internal virtual bool StartsWithAddedSpace => false;

    internal virtual DecodeStream NewDecodeStream(bool skipSpecialTokens) => new BytesDecodeStream(this, skipSpecialTokens);

    /// <summary>The text of <paramref name="ids"/>. Bytes that are no UTF-8 come out as U+FFFD.</summary>
    public virtual string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true)
    {
        var stream = NewDecodeStream(skipSpecialTokens);
        var text = new StringBuilder(ids.Length * 4);
        foreach (var id in ids)
            text.Append(stream.Push(id));
        return text.Append(stream.Flush()).ToString();
    }

    /// <summary>Loads a tokenizer from a file or a folder; what it is is told by its name and content.</summary>
    /// <param name="path"><c>tokenizer.json</c>; GPT-2's <c>encoder.json</c> or <c>vocab.json</c> beside its merges; a <c>.tiktoken</c> file; llama2.c's
    /// <c>tok*.bin</c>; or a folder that holds one of these.</param>
    /// <exception cref="UserException">Nothing there is a tokenizer, or the file is malformed.</exception>
    public static Tokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return TokenizerFormat.Load(path);
    }

    private EncodingDraft Finished(string text, string? pair, TokenizeOptions o)
    {
        var step = Parts?.PostProcessor;
        var first = Draft(Encoding.UTF8.GetBytes(text), 0, o);
        var second = pair is null ? null : Draft(Encoding.UTF8.GetBytes(pair), 1, o);
        if (o.Truncation is { } truncation)
            (first, second) = Truncation.Apply(first, second, truncation, o.AddSpecialTokens ? step?.Added(pair is not null) ?? 0 : 0);
        return PostProcessors.PostProcessor.Finish(step, first, second, o.AddSpecialTokens);
    }

    private static void Pad(EncodingDraft[] drafts, PaddingOptions? padding)
    {
        if (padding is null || drafts.Length == 0)
            return;
        var length = padding.Length ?? drafts.Max(d => d.Tokens.Count);
        if (padding.MultipleOf > 1 && length % padding.MultipleOf is > 0 and var over)
            length = checked(length + padding.MultipleOf - over);
        foreach (var draft in drafts)
            draft.Pad(length, padding);
    }

    private int[] Encode(string text, bool addSpecialTokens, bool parse)
    {
        ArgumentNullException.ThrowIfNull(text);
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var length = Encoding.UTF8.GetBytes(text, buffer);
            var ids = t_ids ?? [];
            t_ids = null; // taken: whoever encodes while this list is in use makes another
            ids.Clear();
            if (parse)
                EncodeParsed(buffer.AsSpan(0, length), ids, addSpecialTokens);
            else
                Encode(buffer.AsSpan(0, length), ids, addSpecialTokens);
            int[] result = [.. ids];
            if (ids.Capacity <= KeptIds)
                t_ids = ids;
            return result;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
