using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Sources;

/// <summary>CoNLL columns: a word and its tag a line, an empty line between sentences; each sentence a row of <c>tokens</c> and <c>tags</c>.</summary>
[Component("conll")]
public sealed record ConllSource : RowSource
{
    private const int MaxTokens = 100_000;

    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    protected internal override IReadOnlyList<string> FileEndings => [".conll", ".conll2003", ".bio", ".iob", ".iob2"];

    protected internal override IEnumerable<SourceRow> Rows(SourceFile file)
    {
        var reader = new LineReader(file.Bytes, MaxRecordBytes);
        var tokens = new List<(byte[] Token, byte[] Tag)>();
        var (first, offset, fault) = (1L, 0L, (string?)null);
        while (true)
        {
            var more = reader.TryRead(out var line);
            var blank = !more || line.Span.IndexOfAnyExcept(" \t\r"u8) < 0;
            if (!blank)
            {
                if (tokens.Count == 0 && fault is null)
                    (first, offset) = (reader.Line, reader.Offset);
                if (line.Span.StartsWith("-DOCSTART-"u8))
                    continue;
                fault ??= Add(line.Span, tokens, reader, file);
                continue;
            }

            if (fault is not null)
                file.Bad($"{file.Name}:{first}", fault, offset);
            else if (tokens.Count > 0)
                yield return new SourceRow(Json(tokens), $"{file.Name}:{first}", offset);
            tokens.Clear();
            fault = null;
            if (!more)
                yield break;
        }
    }

    /// <summary>The first column is the word, the last the tag; tabs part columns where there are any.</summary>
    private static string? Add(ReadOnlySpan<byte> line, List<(byte[], byte[])> tokens, LineReader reader, SourceFile file)
    {
        var tab = line.IndexOf((byte)'\t') >= 0 ? (byte)'\t' : (byte)' ';
        line = line.TrimEnd(" \t\r"u8);
        var (firstEnd, lastStart) = (line.IndexOf(tab), line.LastIndexOf(tab) + 1);
        if (reader.TooLong || tokens.Count == MaxTokens)
            return $"line {reader.Line}: a line or a sentence beyond all measure.";
        if (firstEnd <= 0 || lastStart >= line.Length)
            return $"line {reader.Line} has no two columns: a word and its tag.";
        var token = line[..firstEnd];
        var tag = line[lastStart..];
        if (StrictUtf8.FirstInvalid(token) >= 0 || StrictUtf8.FirstInvalid(tag) >= 0)
        {
            if (file.Utf8Text(line, $"{file.Name}:{reader.Line}", reader.Offset) is null)
                return $"line {reader.Line} is not valid UTF-8.";
            token = StrictUtf8.Replace(token, new SourceReport());
            tag = StrictUtf8.Replace(tag, new SourceReport());
        }

        tokens.Add((token.ToArray(), tag.ToArray()));
        return null;
    }

    private static byte[] Json(List<(byte[] Token, byte[] Tag)> tokens)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, s_json);
        json.WriteStartObject();
        json.WriteStartArray("tokens"u8);
        foreach (var (token, _) in tokens)
            json.WriteStringValue(token);
        json.WriteEndArray();
        json.WriteStartArray("tags"u8);
        foreach (var (_, tag) in tokens)
            json.WriteStringValue(tag);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
