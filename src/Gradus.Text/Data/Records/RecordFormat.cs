using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Records;

/// <summary>
/// How rows become records. A format is one sealed record in one file: which fields it knows, which rows are its own, and what it makes
/// of one; a fault names row and field.
/// </summary>
[Socket("record-formats")]
public abstract record RecordFormat
{
    /// <summary>The file's name of a field, by the format's: <c>{ instruction: question, output: reply }</c>.</summary>
    public IReadOnlyDictionary<string, string> Columns { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The fields of the format that can be mapped.</summary>
    protected internal abstract IReadOnlyList<string> Fields { get; }

    /// <summary>When several formats fit a row, the lowest is taken: the one that asks for most.</summary>
    protected internal abstract int Rank { get; }

    /// <summary>Whether a row has this format's fields, in their types.</summary>
    private protected abstract bool Fits(RecordFields row);

    /// <summary>The records of a row; most have one.</summary>
    /// <exception cref="RecordFault">It is none; field and reason.</exception>
    private protected abstract IEnumerable<DataRecord> Make(RecordFields row);

    internal bool FitsRow(JsonElement row, string place)
    {
        try
        {
            return row.ValueKind == JsonValueKind.Object && Fits(new RecordFields(row, place, Columns));
        }
        catch (RecordFault)
        {
            return false;
        }
    }

    internal List<DataRecord> MakeAll(JsonElement row, string place) =>
        row.ValueKind == JsonValueKind.Object ? [.. Make(new RecordFields(row, place, Columns))] : throw new RecordFault("row", $"{RecordFields.Kind(row)} where an object has to be");
}
