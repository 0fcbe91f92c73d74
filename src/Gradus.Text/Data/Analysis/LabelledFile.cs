using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Compression;
using Gradus.Text.Data.Sources;

namespace Gradus.Text.Data.Analysis;

/// <summary>Texts with a label: .jsonl rows with two fields, or lines of a text, a tab and the label (SST-2's form). Plain or compressed.</summary>
public static class LabelledFile
{
    private const int MaxRowBytes = 16 << 20;

    /// <summary>The rows, in order; a first .tsv line that says what the columns are is passed over.</summary>
    /// <exception cref="UserException">A row that is not so.</exception>
    public static IEnumerable<LabelledText> Read(string path, string textField = "text", string labelField = "label")
    {
        if (!File.Exists(path))
            throw new UserException($"{path}: there is no such file.");
        using var stream = CompressedFile.Open(path);
        var reader = new LineReader(stream, MaxRowBytes);
        var (json, any) = ((bool?)null, false);
        while (reader.TryRead(out var line))
        {
            var place = FormattableString.Invariant($"{path}:{reader.Line}");
            if (reader.TooLong)
                throw new UserException($"{place}: the row is longer than {MaxRowBytes >> 20} MB.");
            var text = Decoded(line, place);
            if (text.Trim().Length == 0)
                continue;
            json ??= text.StartsWith('{');
            if (json.Value)
            {
                any = true;
                yield return Row(line, place, textField, labelField);
                continue;
            }

            var tab = text.LastIndexOf('\t');
            if (tab <= 0 || tab == text.TrimEnd('\r').Length - 1)
                throw new UserException($"{place}: is neither JSON nor a text, a tab and a label.");
            var (body, label) = (text[..tab].Trim(), text[(tab + 1)..].Trim());
            if (!any && label == labelField)
                continue;
            any = true;
            yield return new LabelledText(body, label);
        }

        if (!any)
            throw new UserException($"{path}: no records.");
    }

    private static string Decoded(ReadOnlyMemory<byte> line, string place)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(line.Span);
        }
        catch (DecoderFallbackException e)
        {
            throw new UserException($"{place}: is not valid UTF-8.", e);
        }
    }

    private static LabelledText Row(ReadOnlyMemory<byte> line, string place, string textField, string labelField)
    {
        using var row = StrictJson.Parse(line, place);
        return new LabelledText(Field(row.RootElement, textField, place), Field(row.RootElement, labelField, place));
    }

    private static string Field(JsonElement row, string name, string place)
    {
        if (row.ValueKind != JsonValueKind.Object || !row.TryGetProperty(name, out var value))
            throw new UserException($"{place}: has no field '{name}'{(row.ValueKind == JsonValueKind.Object ? NearestName.Hint(name, row.EnumerateObject().Select(p => p.Name)) : "")}");
        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => throw new UserException($"{place}: field '{name}' is {(value.ValueKind == JsonValueKind.Null ? "null" : "no text")}."),
        };
    }
}
