using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Compression;
using Gradus.Text.Data.Sources.Tables;

namespace Gradus.Text.Data.Sources;

/// <summary>CSV and TSV: the first row names the columns, one of them holds the text. Formulas are text like any other.</summary>
[Component("csv")]
public sealed record CsvSource : RowSource, IValidated
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>One character; <c>tab</c> for tabs. Null finds it: of comma, tab, semicolon and bar the one that the first lines agree on.</summary>
    public string? Separator { get; init; }

    /// <summary>Whether the first row names the columns; null: when none of its cells is empty or a number. Without, they are column1, column2 …</summary>
    public bool? Header { get; init; }

    /// <summary>Whether quotes wrap cells; null: yes, but not with tabs, where a quote is only a quote.</summary>
    public bool? Quotes { get; init; }

    protected internal override IReadOnlyList<string> FileEndings => [".csv", ".tsv", ".tab"];

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (Separator is { } s && SeparatorByte(s) is null)
            yield return (nameof(Separator), "one ASCII character, or 'tab'");
    }

    protected internal override IEnumerable<SourceRow> Rows(SourceFile file)
    {
        var head = new byte[SourceGuess.HeadBytes * 4];
        head = head[..file.Bytes.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        var separator = Separator is { } given ? SeparatorByte(given)!.Value : Guess(head);
        using var stream = new PrefixedStream(head, file.Bytes);
        byte[][]? names = null;
        foreach (var record in new CsvReader(stream, separator, Quotes ?? separator != '\t', MaxRecordBytes).Records())
        {
            var place = $"{file.Name}:{record.Line}";
            if (record.Cells is not { } cells)
            {
                file.Bad(place, record.Fault!, record.Offset, record.Raw.Span);
                continue;
            }

            if (names is null)
            {
                var isHeader = Header ?? LooksLikeNames(cells);
                names = Names(cells, isHeader, place);
                if (isHeader)
                    continue;
            }

            if (cells.Count != names.Length)
                file.Bad(place, $"the row has {cells.Count} cells, the first row has {names.Length}.", record.Offset, record.Raw.Span);
            else if (file.Utf8Text(record.Raw.Span, place, record.Offset) is not null)
                yield return new SourceRow(Json(names, cells), place, record.Offset);
        }
    }

    /// <summary>A row as an object of texts. Bytes that are not UTF-8 get here only when they are to be replaced.</summary>
    private static byte[] Json(byte[][] names, IReadOnlyList<ReadOnlyMemory<byte>> cells)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, s_json);
        json.WriteStartObject();
        for (var i = 0; i < names.Length; i++)
            json.WriteString(names[i], StrictUtf8.FirstInvalid(cells[i].Span) < 0 ? cells[i].Span : StrictUtf8.Replace(cells[i].Span, new SourceReport()));
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[][] Names(IReadOnlyList<ReadOnlyMemory<byte>> cells, bool isHeader, string place)
    {
        var names = new List<string>();
        for (var i = 0; i < cells.Count; i++)
        {
            var name = isHeader ? EntryName.Decode(cells[i].Span).Trim() : "";
            name = name.Length > 0 ? name : FormattableString.Invariant($"column{i + 1}");
            if (names.Count < 1000 && names.Contains(name))
                throw new DamagedFileException($"{place}: the column '{name}' comes twice; name columns apart, or set header: false.");
            names.Add(name);
        }

        return [.. names.Select(Encoding.UTF8.GetBytes)];
    }

    private static bool LooksLikeNames(IReadOnlyList<ReadOnlyMemory<byte>> cells)
    {
        for (var i = 0; i < cells.Count; i++)
        {
            var cell = EntryName.Decode(cells[i].Span).Trim();
            if ((cell.Length == 0 && i > 0) || cell.Length > 64 || double.TryParse(cell, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out _))
                return false;
        }

        return true;
    }

    /// <summary>The separator that cuts the first lines into the same number of cells, more than one; the most cells win, and commas a tie.</summary>
    private static byte Guess(ReadOnlySpan<byte> head)
    {
        var (best, most) = ((byte)',', 1);
        foreach (var candidate in ",\t;|"u8)
        {
            var counts = new CsvReader(new MemoryStream(head.ToArray()), candidate, candidate != '\t', head.Length + 1).Records().Take(10).Select(r => r.Cells?.Count ?? 0).ToList();
            if (counts.Count > 1)
                counts.RemoveAt(counts.Count - 1); // the last line may be cut by the look
            if (counts.Count > 0 && counts[0] > most && counts.Count(c => c == counts[0]) * 10 >= counts.Count * 8)
                (best, most) = (candidate, counts[0]);
        }

        return best;
    }

    private static byte? SeparatorByte(string text) => text is "tab" or "\\t" ? (byte)'\t' : text is [var c] && char.IsAscii(c) && c is not ('"' or '\n' or '\r') ? (byte)c : null;
}
