namespace Gradus.Text.Tokenizers;

/// <summary>Filling texts up to a length.</summary>
public sealed record PaddingOptions
{
    /// <summary>The length; null for that of the longest text of the batch.</summary>
    public int? Length { get; init; }

    /// <summary>Lengths are rounded up to a multiple of this; 0 and 1 do nothing.</summary>
    public int MultipleOf { get; init; }

    /// <summary>The side that is filled.</summary>
    public CutSide Direction { get; init; } = CutSide.Right;

    /// <summary>The id that fills.</summary>
    public int PadId { get; init; }

    /// <summary>Its type id.</summary>
    public int PadTypeId { get; init; }

    /// <summary>Its name.</summary>
    public string PadToken { get; init; } = "[PAD]";
}
