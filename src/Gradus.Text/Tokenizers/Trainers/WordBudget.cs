namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>What counting may hold in memory, and what of it training may be given.</summary>
/// <param name="Spill">Bytes of the counts of all threads; beyond it they go to disk.</param>
/// <param name="Keep">Bytes that training takes for the words it is given, as <see cref="Cost"/> reckons them.</param>
internal readonly record struct WordBudget(long Spill, long Keep)
{
    /// <summary>Trainers keep a record a symbol with its neighbours and pair, the places of pairs, and a record a word.</summary>
    private const long ByteCost = 40, WordCost = 64;

    /// <summary>The memory of a training, half of it for each of its two stages' largest structure.</summary>
    public static WordBudget Of(TokenizerTrainerOptions options) => new(((long)options.MemoryMb << 20) / 2, (long)options.MemoryMb << 20);

    public static long Cost(int length) => ByteCost * length + WordCost;
}
