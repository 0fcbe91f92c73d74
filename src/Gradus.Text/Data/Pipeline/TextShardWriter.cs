using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Pipeline;

/// <summary>Writes one split of a text dataset: a JSON object a line, the text under <c>text</c>, what is known of it under its usual names.</summary>
internal sealed class TextShardWriter(string folder, string split, TextOutputOptions options) : IDisposable
{
    private static readonly JsonWriterOptions s_row = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<TextShard> _shards = [];
    private readonly ArrayBufferWriter<byte> _row = new(1 << 16);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Stream? _stream;
    private FileStream? _file;
    private string _name = "";
    private long _documents, _bytes;

    public IReadOnlyList<TextShard> Shards => _shards;

    public long Documents => _shards.Sum(s => s.Documents);

    public long TextBytes => _shards.Sum(s => s.TextBytes);

    public void Add(Document document)
    {
        if (_stream is null)
            Open();
        _row.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_row, s_row))
        {
            json.WriteStartObject();
            json.WriteString("text"u8, document.Utf8.Span);
            foreach (var (key, value) in (document.Meta ?? new Dictionary<string, string>()).OrderBy(m => m.Key, StringComparer.Ordinal))
                if (key is not ("text" or "origin"))
                    json.WriteString(key, value);
            json.WriteString("origin"u8, document.Origin);
            json.WriteEndObject();
        }

        _row.Write("\n"u8);
        _stream!.Write(_row.WrittenSpan);
        _hash.AppendData(_row.WrittenSpan);
        _documents++;
        _bytes += document.Utf8.Length;
        if (_bytes >= options.ShardBytes)
            Close();
    }

    public void Finish() => Close();

    public void Dispose()
    {
        _stream?.Dispose();
        _file?.Dispose();
        _hash.Dispose();
    }

    private void Open()
    {
        _name = FormattableString.Invariant($"{split}/shard-{_shards.Count:D5}.jsonl{(options.Compression == TextCompression.Zstd ? ".zst" : "")}");
        var path = Path.Combine(folder, _name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        _stream = options.Compression == TextCompression.Zstd ? new ZstdWriteStream(_file) : _file;
    }

    private void Close()
    {
        if (_stream is null)
            return;
        if (_stream is ZstdWriteStream packed)
            packed.Finish();
        _file!.Flush();
        var size = _file.Length;
        _stream.Dispose();
        _file.Dispose();
        _shards.Add(new TextShard { Name = _name, Bytes = size, Documents = _documents, TextBytes = _bytes, Sha256 = Convert.ToHexStringLower(_hash.GetHashAndReset()) });
        (_stream, _file, _documents, _bytes) = (null, null, 0, 0);
    }
}
