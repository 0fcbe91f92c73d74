using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Sources;

/// <summary>One line of <c>quarantine.jsonl</c>: a record that could not be used.</summary>
public sealed record QuarantinedRecord
{
    /// <summary>Path, or <c>archive!entry</c>.</summary>
    public required string File { get; init; }

    /// <summary><c>file:line</c> where there are lines.</summary>
    public required string Place { get; init; }

    /// <summary>First byte in the uncompressed file, or -1 where the format cannot say.</summary>
    public required long Offset { get; init; }

    public required string Reason { get; init; }

    /// <summary>Bytes of the record that were at hand.</summary>
    public required long Bytes { get; init; }

    /// <summary>The first of these bytes, at most <see cref="QuarantineFile.MaxBytes"/>.</summary>
    public string Base64 { get; init; } = "";
}

/// <summary>Where records go that could not be used, so that none is lost: one JSON object a line. The file appears with its first record.</summary>
public sealed class QuarantineFile(string path) : IDisposable
{
    /// <summary>Bytes kept of each record.</summary>
    public const int MaxBytes = 64 << 10;

    public const string Name = "quarantine.jsonl";

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private readonly Lock _gate = new();
    private FileStream? _file;

    public string Path { get; } = path;

    /// <summary>Records written.</summary>
    public long Count { get; private set; }

    public void Dispose()
    {
        lock (_gate)
            _file?.Dispose();
    }

    /// <summary>The records of a file, to look at or to try again.</summary>
    public static IEnumerable<QuarantinedRecord> Read(string path)
    {
        var line = 0;
        foreach (var text in File.ReadLines(path))
            yield return StrictJson.Read<QuarantinedRecord>(System.Text.Encoding.UTF8.GetBytes(text), $"{path}:{++line}");
    }

    internal void Add(QuarantinedRecord record, ReadOnlySpan<byte> bytes)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(record with { Base64 = Convert.ToBase64String(bytes[..Math.Min(bytes.Length, MaxBytes)]) }, s_json);
        lock (_gate)
        {
            _file ??= new FileStream(Path, FileMode.Create, FileAccess.Write, FileShare.Read);
            _file.Write(line);
            _file.WriteByte((byte)'\n');
            Count++;
        }
    }
}
