namespace Gradus.Text.Data.Records;

/// <summary>Why a row is no record: the field and the reason. It stays inside the room; the row's reader turns it into a bad record.</summary>
internal sealed class RecordFault(string field, string why) : Exception($"field '{field}': {why}");
