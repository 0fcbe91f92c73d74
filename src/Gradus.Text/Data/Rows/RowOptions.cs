using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Rows;

/// <summary>How rows of different lengths come together in batches.</summary>
public sealed record RowOptions
{
    /// <summary>Rows are shuffled, then sorted by length within so many; so a batch has rows of about one length and little is filled up. 0: not sorted.</summary>
    [AtLeast(0), AtMost(1 << 20)]
    public int GroupByLength { get; init; } = 256;

    /// <summary>Batches are filled up to a multiple of so many tokens.</summary>
    [AtLeast(1), AtMost(1024)]
    public int PadToMultipleOf { get; init; } = 8;

    /// <summary>In training, the share of the tokens that are shown as the unknown one, others each time a row comes (Iyyer et al., 2015).</summary>
    [AtLeast(0), Below(1)]
    public double WordDropout { get; init; }
}
