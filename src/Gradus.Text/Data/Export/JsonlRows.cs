namespace Gradus.Text.Data.Export;

/// <summary>One object a line.</summary>
internal sealed class JsonlRows(Stream stream) : IRowFormat
{
    public void Add(ReadOnlySpan<byte> json)
    {
        if (json.IndexOfAny((byte)'\n', (byte)'\r') >= 0) // written over several lines: said again on one
        {
            using var parsed = System.Text.Json.JsonDocument.Parse(json.ToArray());
            json = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(parsed.RootElement, s_json);
        }

        stream.Write(json);
        stream.Write("\n"u8);
    }

    public void Dispose() => stream.Dispose();

    private static readonly System.Text.Json.JsonSerializerOptions s_json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
