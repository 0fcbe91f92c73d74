using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>A way to make a vocabulary from text. The result depends on the texts and the options alone, not on threads or the order of texts.</summary>
[Socket("tokenizer-trainers")]
public abstract record TokenizerTrainerOptions
{
    /// <summary>Tokens in the vocabulary, special ones included. Fewer come out when the text has no more to merge.</summary>
    [AtLeast(2)]
    [AtMost(1 << 24)]
    public int VocabSize { get; init; } = 32_000;

    /// <summary>Control tokens: they get the first ids, in this order, and their text in the corpus is a border between documents.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<|endoftext|>"];

    /// <summary>Threads that count words; 0 for all processors.</summary>
    [AtLeast(0)]
    public int Threads { get; init; }

    /// <summary>
    /// Megabytes that distinct words may take, whatever the length of the corpus: beyond it they are counted on disk (in the folder for temporary files),
    /// with the same result, and where the distinct words alone are too many for the training, the rarest are left out.
    /// </summary>
    [AtLeast(1)]
    [AtMost(32_768)]
    public int MemoryMb { get; init; } = 4096;

    /// <summary>Learns a vocabulary from documents in UTF-8 (byte-level kinds: any bytes). They are read once.</summary>
    /// <param name="documents">The documents.</param>
    /// <param name="report">Receives what was seen of the corpus; null for nobody.</param>
    /// <exception cref="Foundation.Files.UserException">The options contradict each other or the text is empty.</exception>
    public abstract Tokenizer Train(IEnumerable<ReadOnlyMemory<byte>> documents, TrainingReport? report = null);
}
