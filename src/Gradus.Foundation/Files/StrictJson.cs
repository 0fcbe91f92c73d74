using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Gradus.Foundation.Files;

/// <summary>
/// JSON without surprises: duplicate keys, NaN, infinities and numbers that overflow to one (<c>1e999</c>), comments, trailing
/// commas, invalid UTF-8 and deep nesting are errors, each one line with file:line:column (columns count bytes from 1).
/// </summary>
public static class StrictJson
{
    /// <summary>Nesting allowed unless the caller says otherwise.</summary>
    public const int MaxDepth = 64;

    /// <summary>Reads and checks a file. The caller disposes the document.</summary>
    /// <exception cref="UserException">The file is missing, larger than <paramref name="maxBytes"/> or not strict JSON.</exception>
    public static JsonDocument ParseFile(string path, long maxBytes = 256L << 20)
    {
        try
        {
            var length = new FileInfo(path).Length;
            if (length > maxBytes)
                throw new UserException(string.Create(CultureInfo.InvariantCulture, $"{path}: {length} bytes, at most {maxBytes} are accepted"));
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path}: {(e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message)}", e);
        }
    }

    /// <summary>Checks and parses UTF-8 JSON; <paramref name="name"/> names it in errors. A byte-order mark is skipped.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8, string name, int maxDepth = MaxDepth)
    {
        utf8 = Check(utf8, name, maxDepth);
        return JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = maxDepth });
    }

    /// <summary>Binds to a type by the strict rules of .NET (unknown and missing members are errors); names are snake_case.</summary>
    public static T Read<T>(ReadOnlyMemory<byte> utf8, string name)
    {
        utf8 = Check(utf8, name, MaxDepth);
        try
        {
            return JsonSerializer.Deserialize<T>(utf8.Span, s_options) ?? throw new UserException($"{name}:1:1: null is not a {typeof(T).Name}");
        }
        catch (JsonException e)
        {
            throw Wrong(name, (e.LineNumber ?? 0) + 1, (e.BytePositionInLine ?? 0) + 1, Reason(e), e);
        }
    }

    private static readonly JsonSerializerOptions s_options = new(JsonSerializerOptions.Strict) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static ReadOnlyMemory<byte> Check(ReadOnlyMemory<byte> utf8, string name, int maxDepth)
    {
        if (utf8.Span.StartsWith("\uFEFF"u8))
            utf8 = utf8[3..];
        var bytes = utf8.Span;
        if (!Utf8.IsValid(bytes))
            throw At(name, bytes, FirstInvalid(bytes), "not valid UTF-8");
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = maxDepth });
        var names = new Stack<HashSet<string>>();
        try
        {
            while (reader.Read())
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject: names.Push(new HashSet<string>(StringComparer.Ordinal)); break;
                    case JsonTokenType.EndObject: names.Pop(); break;
                    case JsonTokenType.PropertyName when !names.Peek().Add(Text(ref reader, name, bytes)):
                        throw At(name, bytes, reader.TokenStartIndex, $"duplicate key '{Text(ref reader, name, bytes)}'");
                    case JsonTokenType.String: Text(ref reader, name, bytes); break;
                    case JsonTokenType.Number when !reader.TryGetDouble(out var number) || !double.IsFinite(number):
                        throw At(name, bytes, reader.TokenStartIndex, "the number is too large");
                }
        }
        catch (JsonException e)
        {
            throw Wrong(name, (e.LineNumber ?? 0) + 1, (e.BytePositionInLine ?? 0) + 1, Reason(e), e);
        }
        return utf8;
    }

    private static string Text(ref Utf8JsonReader reader, string name, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e) // an escaped lone surrogate
        {
            throw At(name, bytes, reader.TokenStartIndex, "not valid Unicode text", e);
        }
    }

    private static UserException At(string name, ReadOnlySpan<byte> bytes, long offset, string message, Exception? inner = null)
    {
        var before = bytes[..checked((int)offset)];
        return Wrong(name, before.Count((byte)'\n') + 1, before.Length - before.LastIndexOf((byte)'\n'), message, inner);
    }

    private static UserException Wrong(string name, long line, long column, string message, Exception? inner) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{name}:{line}:{column}: {message}"), inner);

    // The reader's own sentence ends in "LineNumber: 0 | BytePositionInLine: 4." (and "Path: $.x |"), which the prefix already says.
    private static string Reason(JsonException e)
    {
        var end = new[] { " Path:", " LineNumber:" }.Select(mark => e.Message.IndexOf(mark, StringComparison.Ordinal)).Where(i => i >= 0).DefaultIfEmpty(e.Message.Length).Min();
        return e.Message[..end].ReplaceLineEndings(" ");
    }

    private static long FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        long at = 0;
        while (System.Text.Rune.DecodeFromUtf8(bytes[(int)at..], out _, out var used) == System.Buffers.OperationStatus.Done)
            at += used;
        return at;
    }
}
