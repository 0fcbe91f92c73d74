using Gradus.Foundation.Files;
using Gradus.Text.Data;

namespace Gradus.Tests.Training;

/// <summary>Rows over a list of tokens, in order and again from the start; some targets of some rows masked, so that counts are unequal.</summary>
internal sealed class TestRows(int[] tokens, int length, double masked = 0) : IBatchSource
{
    private readonly Counter _mask = new(7, "mask");

    public int Length => length;
    public long RowsPerEpoch => (tokens.Length - 1) / length;
    public long TokensPerEpoch => RowsPerEpoch * length;

    public TokenBatch Rows(long first, int rows)
    {
        var batch = new TokenBatch(rows, length) { Values = new float[rows * length] };
        for (var r = 0; r < rows; r++)
            for (var t = 0; t < length; t++)
            {
                var (at, row) = (r * length + t, first + r);
                var from = row % RowsPerEpoch * length + t;
                (batch.Ids[at], batch.Positions[at]) = (tokens[from], t);
                // Whole rows differ in how much of them is masked, as with prompts of different lengths.
                if (_mask.Unit((ulong)(row * length + t)) < masked * (row % 5) / 4.0) continue;
                batch.Targets[at] = tokens[from + 1];
                batch.Values[at] = tokens[from + 1] / 17f; // what a regression is to say here
                batch.TargetCount++;
            }
        return batch;
    }

    /// <summary>Tokens drawn from a sharp bigram distribution: learnable, and its entropy is known to be below the unigram's.</summary>
    public static TestRows Bigrams(int vocab = 17, int count = 4000, int length = 12, double masked = 0)
    {
        var draws = new Counter(3, "bigrams");
        var tokens = new int[count];
        for (var i = 1; i < count; i++)
            tokens[i] = draws.Unit((ulong)i) < 0.9 ? (tokens[i - 1] * 5 + 3) % vocab : draws.Below((ulong)(count + i), vocab);
        return new TestRows(tokens, length, masked);
    }
}
