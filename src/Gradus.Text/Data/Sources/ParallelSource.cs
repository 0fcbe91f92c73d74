using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources;

/// <summary>Two text files, line beside line: a sentence in one, its translation in the other; each pair a row of <c>source</c> and <c>target</c>.</summary>
[Component("parallel")]
public sealed record ParallelSource : RowSource
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The file of the translations; <see cref="SourceOptions.Path"/> is the file they translate.</summary>
    public string Target { get; init; } = "";

    /// <summary>Code of the language translated from, kept with each row.</summary>
    public string? SourceLanguage { get; init; }

    /// <summary>Code of the language translated into, kept with each row.</summary>
    public string? TargetLanguage { get; init; }

    protected internal override IReadOnlyList<string> FileEndings => [".txt", ".src", ".en"];

    protected internal override bool ClaimsByName => false;

    protected internal override IEnumerable<SourceRow> Rows(SourceFile file)
    {
        using var target = CompressedFile.Open(Target.Length > 0 ? Target : throw new UserException($"{file.Name}: a parallel source needs its target: the file of the translations."));
        var (a, b) = (new LineReader(file.Bytes, MaxRecordBytes), new LineReader(target, MaxRecordBytes));
        while (true)
        {
            var (hasA, hasB) = (a.TryRead(out var left), b.TryRead(out var right));
            if (hasA != hasB)
                throw new DamagedFileException($"{(hasA ? Target : file.Name)}: ends after {(hasA ? b.Line : a.Line)} lines, while {(hasA ? file.Name : Target)} goes on: they are no translation of each other line by line.");
            if (!hasA)
                yield break;
            var place = $"{file.Name}:{a.Line}";
            if (a.TooLong || b.TooLong)
                file.Bad(place, $"a line is longer than {MaxRecordBytes} bytes (max_record_bytes).", a.Offset, left.Span);
            else if (file.Utf8Text(left.Span, place, a.Offset) is { } source && file.Utf8Text(right.Span, $"{Target}:{b.Line}", b.Offset) is { } translation)
                yield return new SourceRow(Json(source, translation), place, a.Offset);
        }
    }

    private byte[] Json(byte[] source, byte[] target)
    {
        var buffer = new ArrayBufferWriter<byte>(source.Length + target.Length + 32);
        using var json = new Utf8JsonWriter(buffer, s_json);
        json.WriteStartObject();
        json.WriteString("source"u8, source);
        json.WriteString("target"u8, target);
        if (SourceLanguage is not null)
            json.WriteString("source_language", SourceLanguage);
        if (TargetLanguage is not null)
            json.WriteString("target_language", TargetLanguage);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
