using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Export;

/// <summary>
/// Comma- or tab-separated rows. The first row's fields are the columns. A cell that a spreadsheet would run as a formula (<c>= + - @</c>,
/// tab or return in front) gets an apostrophe before it, unless it is a number.
/// </summary>
internal sealed class CsvRows(Stream stream, char separator) : IRowFormat
{
    private static readonly System.Buffers.SearchValues<char> s_quoted = System.Buffers.SearchValues.Create("\"\r\n\t,;|");

    private string[]? _columns;
    private long _row;

    public long Escaped { get; private set; }

    public void Add(ReadOnlySpan<byte> json)
    {
        using var parsed = JsonDocument.Parse(json.ToArray());
        _row++;
        if (_columns is null)
        {
            _columns = [.. parsed.RootElement.EnumerateObject().Select(p => p.Name)];
            Write(_columns);
        }

        foreach (var property in parsed.RootElement.EnumerateObject())
            if (!_columns.Contains(property.Name))
                throw new UserException(FormattableString.Invariant($"row {_row}: the field '{property.Name}' is not among the columns of the first row ({string.Join(", ", _columns)}); a table has the same fields in every row. Write .jsonl."));
        Write(_columns.Select(c => parsed.RootElement.TryGetProperty(c, out var value) ? Text(value) : ""));
    }

    public void Dispose() => stream.Dispose();

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };

    private void Write(IEnumerable<string> cells)
    {
        var line = new StringBuilder();
        var first = true;
        foreach (var cell in cells)
        {
            line.Append(first ? "" : separator.ToString());
            first = false;
            var text = Harmless(cell);
            if (text.AsSpan().ContainsAny(s_quoted) || text.StartsWith(' ') || text.EndsWith(' '))
                line.Append('"').Append(text.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
            else
                line.Append(text);
        }

        stream.Write(Encoding.UTF8.GetBytes(line.Append('\n').ToString()));
    }

    private string Harmless(string cell)
    {
        if (cell.Length == 0 || cell[0] is not ('=' or '+' or '-' or '@' or '\t' or '\r'))
            return cell;
        if (double.TryParse(cell, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out _))
            return cell;
        Escaped++;
        return "'" + cell;
    }
}
