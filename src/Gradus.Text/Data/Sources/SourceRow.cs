namespace Gradus.Text.Data.Sources;

/// <summary>One row of a table-like file as a JSON object, whatever the format: what text, metadata and task records are taken from.</summary>
/// <param name="Json">One JSON object in valid UTF-8, not yet checked further.</param>
/// <param name="Place"><c>file:line</c>, or <c>file:row</c> where there are no lines.</param>
/// <param name="Offset">First byte in the uncompressed file, or -1.</param>
public readonly record struct SourceRow(ReadOnlyMemory<byte> Json, string Place, long Offset = -1);
