namespace Gradus.Text.Data;

/// <summary>
/// Rows of tokens for one forward pass, row-major: element (b, t) is at <c>b * Length + t</c>. Shapes are [Rows, Length] throughout.
/// </summary>
public sealed class TokenBatch
{
    /// <summary>A target that no loss counts.</summary>
    public const int Ignore = -100;

    /// <summary>An all-zero batch whose targets are all ignored.</summary>
    public TokenBatch(int rows, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        (Rows, Length) = (rows, length);
        var size = checked(rows * length);
        (Ids, Targets, Positions, Documents) = (new int[size], new int[size], new int[size], new int[size]);
        Array.Fill(Targets, Ignore);
    }

    public int Rows { get; }

    public int Length { get; }

    /// <summary>Input token ids.</summary>
    public int[] Ids { get; }

    /// <summary>What each input is to be given: the token that follows it, the token that was masked, its label …; or <see cref="Ignore"/>.</summary>
    public int[] Targets { get; }

    /// <summary>Segment of each input, for families that tell the texts of a pair apart; null: all 0.</summary>
    public int[]? Types { get; internal set; }

    /// <summary>How much each target counts in the loss; null: 1 each.</summary>
    public float[]? Weights { get; internal set; }

    /// <summary>Where targets are numbers and not classes: the numbers, at the same places; null: they are classes.</summary>
    public float[]? Values { get; internal set; }

    /// <summary>Position of each input in its row, or, with a document mask, in its document's part of the row.</summary>
    public int[] Positions { get; }

    /// <summary>With a document mask: which document of the row, from 0; attention stays within one. What fills a short row up is a document of its own. Otherwise all 0.</summary>
    public int[] Documents { get; }

    /// <summary>Some row holds more than one document, so attention needs the mask.</summary>
    public bool HasDocumentBorders { get; internal set; }

    /// <summary>Targets that count: what a loss sum is divided by.</summary>
    public long TargetCount { get; internal set; }

    /// <summary>One row of one of the arrays.</summary>
    internal Span<int> Row(int[] of, int row) => of.AsSpan(row * Length, Length);
}

/// <summary>
/// Batches by number: a pure function of (data, options, seed, number), so a run resumes at any step without replaying anything
/// and every rank can compute its own rows.
/// </summary>
public interface IBatchSource
{
    /// <summary>Tokens a row.</summary>
    int Length { get; }

    /// <summary>Rows in one pass over the data.</summary>
    long RowsPerEpoch { get; }

    /// <summary>Input tokens in one pass over the data.</summary>
    long TokensPerEpoch { get; }

    /// <summary>Rows <paramref name="first"/> … <paramref name="first"/> + <paramref name="rows"/> − 1 of the endless sequence of rows.</summary>
    TokenBatch Rows(long first, int rows);

    /// <summary>The <paramref name="index"/>-th batch of <paramref name="rows"/> rows.</summary>
    TokenBatch Batch(long index, int rows) => Rows(checked(index * rows), rows);
}
