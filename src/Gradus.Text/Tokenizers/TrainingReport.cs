namespace Gradus.Text.Tokenizers;

/// <summary>What training a tokenizer saw of its corpus; filled in while it runs.</summary>
public sealed class TrainingReport
{
    /// <summary>Distinct words that the vocabulary was learnt from.</summary>
    public long Words { get; internal set; }

    /// <summary>Distinct words left out because with them the training would not have fitted into its memory: the rarest.</summary>
    public long WordsLeftOut { get; internal set; }

    /// <summary>How often the words left out occur, all together.</summary>
    public long OccurrencesLeftOut { get; internal set; }

    /// <summary>Words as often as this and less were left out; 0 where none were. Of those exactly as often a part may have been kept.</summary>
    public long LeftOutUpTo { get; internal set; }

    /// <summary>How many times counts were written to disk to make room.</summary>
    public int Spills { get; internal set; }
}
