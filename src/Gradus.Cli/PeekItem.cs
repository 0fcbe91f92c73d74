namespace Gradus.Cli;

/// <summary>A piece of what the model sees.</summary>
/// <param name="Text">Its words.</param>
/// <param name="Learned">It counts in the loss.</param>
/// <param name="Id">Its token, or null where there is no tokenizer.</param>
/// <param name="Border">A document ends before it: packed rows hold several.</param>
/// <param name="Label">What it stands for, where it is not text of the record: a tag, a class.</param>
internal sealed record PeekPiece(string Text, bool Learned, int? Id = null, bool Border = false, string? Label = null);

/// <summary>One record, or one packed row, as the model will see it.</summary>
/// <param name="Title">Its place, or the row's number.</param>
/// <param name="Kind"><c>packed row</c>, <c>conversation</c>, <c>chosen</c> …</param>
/// <param name="Pieces">In order.</param>
/// <param name="Notes">What a person should know: truncated, nothing to learn.</param>
internal sealed record PeekItem(string Title, string Kind, IReadOnlyList<PeekPiece> Pieces, IReadOnlyList<string> Notes)
{
    public int Tokens => Pieces.Count(p => p.Id is not null);

    public int LearnedTokens => Pieces.Count(p => p is { Id: not null, Learned: true });
}
