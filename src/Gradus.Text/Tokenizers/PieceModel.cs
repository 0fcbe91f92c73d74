namespace Gradus.Text.Tokenizers;

/// <summary>What models of pieces, SentencePiece's and those like it, have in common.</summary>
internal static class PieceModel
{
    /// <summary>The mark for a space, U+2581.</summary>
    public const string Mark = "\u2581";
}
