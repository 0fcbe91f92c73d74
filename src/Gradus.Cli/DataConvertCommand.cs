using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Export;
using Gradus.Text.Data.Sources;

namespace Gradus.Cli;

/// <summary><c>gradus data convert</c>: any source into one file of rows.</summary>
internal static class DataConvertCommand
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var input = new Argument<string>("in") { Description = "A file, folder or glob of any kind that is read, or a .yaml with a data section" };
        var output = new Argument<string>("out") { Description = "The file to write: .jsonl, .csv or .tsv (plain, .gz or .zst), or .parquet" };
        var documents = new Option<bool>("--documents") { Description = "Text and metadata only, also where the input is rows of other fields" };
        var bad = new Option<string?>("--bad") { Description = "What to do with a bad record: stop, skip or quarantine (OUT.quarantine.jsonl)", HelpName = "policy" };
        var set = new Option<string[]>("--set") { Description = "Overrides a key of the .yaml" };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("convert", """
            Reads any source and writes its rows or documents as one file, whole or not at all. In CSV, cells that a spreadsheet would run are made text.

            Examples:
              gradus data convert CC-MAIN.warc.gz pages.jsonl.zst
              gradus data convert train-00000.parquet train.csv --bad skip
            """) { input, output, documents, bad, set, json };
        command.SetAction(result =>
        {
            var (from, to) = (result.GetRequiredValue(input), result.GetRequiredValue(output));
            if (Path.GetFullPath(from) == Path.GetFullPath(to)) throw new UserException($"{to}: is the input; name another file.");
            var data = DataInput.Of([from], result.GetValue(set) ?? [], DataInput.Policy(result.GetValue(bad))).Data;
            using var quarantine = new QuarantineFile(to + "." + QuarantineFile.Name);
            var report = new SourceReport { Quarantine = quarantine };
            using var writer = RowWriter.Create(to);
            Write(data, result.GetValue(documents), report, writer);
            writer.Finish();
            if (Terminal.IsLive) Terminal.Live("");
            Show(to, writer, report, quarantine, result.GetValue(json));
            return ExitCode.Done;
        });
        return command;
    }

    private static void Write(DataOptions data, bool documents, SourceReport report, RowWriter writer)
    {
        if (!documents && data.Sources.All(s => s is RowSource))
        {
            foreach (var source in data.Sources.Cast<RowSource>())
                foreach (var path in source.Files())
                    foreach (var row in source.ReadRows(path, report))
                        Add(writer, Checked(row));
        }
        else
        {
            foreach (var source in data.Sources)
                foreach (var document in source.Read(report))
                    Add(writer, Row(document));
        }

        if (writer.Rows == 0) throw new UserException(report.Skipped > 0 ? $"no records left: {report.Skipped} were skipped; the first: {report.Reasons[0]}" : "no records.");
    }

    private static void Add(RowWriter writer, ReadOnlySpan<byte> row)
    {
        writer.Add(row);
        if (Terminal.IsLive && writer.Rows % 10_000 == 0) Terminal.Live(string.Create(CultureInfo.InvariantCulture, $"{writer.Rows:N0} rows"));
    }

    // Rows pass through as they are, so each is read once here: what is written is JSON.
    private static ReadOnlySpan<byte> Checked(SourceRow row)
    {
        using var _ = StrictJson.Parse(row.Json, row.Place);
        return row.Json.Span;
    }

    /// <summary>A document as a row: text, then its metadata in ordinal order.</summary>
    internal static ReadOnlySpan<byte> Row(Document document)
    {
        var buffer = new ArrayBufferWriter<byte>(document.Utf8.Length + 256);
        using (var json = new Utf8JsonWriter(buffer, s_json))
        {
            json.WriteStartObject();
            json.WriteString("text"u8, document.Utf8.Span);
            foreach (var (key, value) in document.Meta ?? new Dictionary<string, string>())
                json.WriteString(key == "text" ? "meta_text" : key, value);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan;
    }

    private static void Show(string to, RowWriter writer, SourceReport report, QuarantineFile quarantine, bool json)
    {
        var bytes = new FileInfo(to).Length;
        if (json)
        {
            Terminal.Json(new { File = to, writer.Rows, Bytes = bytes, report.Skipped, SkippedBecause = report.Reasons, Quarantined = quarantine.Count, Quarantine = quarantine.Count > 0 ? quarantine.Path : null, report.Empty, report.LeftOut, writer.EscapedFormulas });
            return;
        }

        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{to}: {writer.Rows:N0} rows, {bytes / 1e6:F1} MB"));
        if (writer.EscapedFormulas > 0) Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{writer.EscapedFormulas:N0} cells began like a formula and were made text"));
        DataStatsCommand.Left(report, quarantine);
    }
}
