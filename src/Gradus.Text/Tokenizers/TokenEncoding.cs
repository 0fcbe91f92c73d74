namespace Gradus.Text.Tokenizers;

/// <summary>A stretch of a text: from <see cref="Start"/> up to, not including, <see cref="End"/>.</summary>
/// <param name="Start">Where it begins.</param>
/// <param name="End">Where it ends.</param>
public readonly record struct TextSpan(int Start, int End);

/// <summary>A text, or a pair of texts, as tokens with all that is known of each: what Hugging Face's library calls an encoding.</summary>
public sealed class TokenEncoding
{
    internal TokenEncoding(EncodingDraft draft)
    {
        var tokens = draft.Tokens;
        Ids = [.. tokens.Select(t => t.Id)];
        TypeIds = [.. tokens.Select(t => t.Type)];
        Tokens = [.. tokens.Select(t => t.Text)];
        ByteOffsets = [.. tokens.Select(t => new TextSpan(t.Bytes.Start, t.Bytes.End))];
        CharOffsets = [.. tokens.Select(t => new TextSpan(t.Chars.Start, t.Chars.End))];
        WordIds = [.. tokens.Select(t => t.Word < 0 ? (int?)null : t.Word)];
        SpecialTokensMask = [.. tokens.Select(t => t.Special ? 1 : 0)];
        AttentionMask = [.. tokens.Select(t => t.Attended ? 1 : 0)];
        var sequences = new int?[tokens.Count];
        if (draft.Sequences.Count == 0)
            Array.Fill(sequences, 0);
        foreach (var (sequence, (start, end)) in draft.Sequences.OrderBy(s => s.Key))
            sequences.AsSpan(start, end - start).Fill(sequence);
        SequenceIds = sequences;
        Overflowing = [.. draft.Overflowing.Select(o => new TokenEncoding(o))];
    }

    /// <summary>The ids.</summary>
    public IReadOnlyList<int> Ids { get; }

    /// <summary>Which segment of the model's input each token is in: BERT's 0 and 1.</summary>
    public IReadOnlyList<int> TypeIds { get; }

    /// <summary>The names of the tokens; for an added token, the text that it matched.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>The bytes of the text, in UTF-8, that each token stands for. (0, 0) for special tokens. A token that holds a part of a character covers all of it.</summary>
    public IReadOnlyList<TextSpan> ByteOffsets { get; }

    /// <summary>The same in characters (Unicode code points).</summary>
    public IReadOnlyList<TextSpan> CharOffsets { get; }

    /// <summary>The number of the piece, as the pre-tokenizer cut them, that each token is from; null for special tokens.</summary>
    public IReadOnlyList<int?> WordIds { get; }

    /// <summary>0 for tokens of the first text, 1 for those of the second, null for special tokens.</summary>
    public IReadOnlyList<int?> SequenceIds { get; }

    /// <summary>1 for tokens that the post-processor or padding put there.</summary>
    public IReadOnlyList<int> SpecialTokensMask { get; }

    /// <summary>1 for tokens the model is to see, 0 for padding.</summary>
    public IReadOnlyList<int> AttentionMask { get; }

    /// <summary>What truncation cut off, each part as long as the encoding itself.</summary>
    public IReadOnlyList<TokenEncoding> Overflowing { get; }
}
