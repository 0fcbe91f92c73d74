using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;

namespace Gradus.Engine.Files;

/// <summary>A tensor to write: what the header says of it, and where its bytes come from.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="DType">Element type.</param>
/// <param name="Shape">Dimensions, outermost first; empty for a scalar.</param>
/// <param name="Write">Writes exactly <see cref="ByteCount"/> bytes, row-major and little-endian. Called once, when the tensor's turn comes.</param>
public sealed record TensorContent(string Name, DType DType, long[] Shape, Action<Stream> Write)
{
    /// <summary>A tensor whose bytes are in memory.</summary>
    public TensorContent(string name, DType type, long[] shape, ReadOnlyMemory<byte> data)
        : this(name, type, shape, stream => stream.Write(data.Span))
    {
    }

    /// <summary>Bytes of data.</summary>
    public long ByteCount => Shape.Aggregate((long)DType.ByteSize, (product, n) => checked(product * n));
}

/// <summary>
/// Writes safetensors files: the same tensors and metadata give the same bytes, laid out as the reference writer lays them
/// out (widest types first, then by name; header padded with spaces to a multiple of eight, so the data is aligned).
/// </summary>
public static class SafetensorsWriter
{
    // The reference's order of types; data of a wide type comes first, so nothing is misaligned.
    private static readonly DType[] Order =
        [DType.Int64, DType.Float64, DType.Float32, DType.Int32, DType.BFloat16, DType.Float16, DType.Int16, DType.Int8, DType.UInt8, DType.Bool];

    /// <summary>
    /// Writes a file atomically and durably: under a temporary name, synced, then renamed over <paramref name="path"/>. The old
    /// file stays whole until then, so a provider may read from it, mapped or not; on failure nothing is left behind.
    /// </summary>
    /// <exception cref="ArgumentException">A name twice, a name that is <c>__metadata__</c>, a negative dimension, or a provider that writes more or fewer bytes than its shape needs.</exception>
    public static void Write(string path, IEnumerable<TensorContent> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var sorted = Sort(tensors);
        var header = Header(sorted, metadata);
        Durable.WriteFile(path, stream =>
        {
            Span<byte> prefix = stackalloc byte[SafetensorsHeader.Prefix];
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
            stream.Write(prefix);
            stream.Write(header);
            foreach (var tensor in sorted)
            {
                using var counted = new CountedStream(stream, tensor);
                tensor.Write(counted);
                counted.CheckComplete();
            }
        });
    }

    private static TensorContent[] Sort(IEnumerable<TensorContent> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        // Names by their UTF-8 bytes: ordinal comparison of UTF-16 puts U+E000 … U+FFFF after what lies beyond them.
        var keyed = tensors.Select(tensor => (Type: Array.IndexOf(Order, tensor.DType), Name: new UTF8Encoding(false, true).GetBytes(tensor.Name), tensor)).ToArray();
        Array.Sort(keyed, (a, b) => a.Type != b.Type ? a.Type.CompareTo(b.Type) : a.Name.AsSpan().SequenceCompareTo(b.Name));
        TensorContent[] sorted = [.. keyed.Select(key => key.tensor)];
        HashSet<string> seen = new(["__metadata__"], StringComparer.Ordinal);
        foreach (var tensor in sorted)
        {
            if (!seen.Add(tensor.Name))
                throw new ArgumentException($"Two tensors are named {Quote.Name(tensor.Name)}, or the name is reserved", nameof(tensors));
            if (tensor.Shape.Any(n => n < 0))
                throw new ArgumentException($"Tensor {Quote.Name(tensor.Name)} has the shape {Quote.Shape(tensor.Shape)}", nameof(tensors));
        }

        return sorted;
    }

    private static byte[] Header(TensorContent[] sorted, IReadOnlyDictionary<string, string>? metadata)
    {
        var json = new StringBuilder("{");
        if (metadata is { Count: > 0 })
        {
            json.Append("\"__metadata__\":{");
            foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                AppendString(json, key).Append(':');
                AppendString(json, value).Append(',');
            }

            json[^1] = '}';
            json.Append(',');
        }

        var at = 0L;
        foreach (var tensor in sorted)
        {
            var end = checked(at + tensor.ByteCount);
            AppendString(json, tensor.Name).Append(CultureInfo.InvariantCulture,
                $":{{\"dtype\":\"{tensor.DType.SafetensorsName}\",\"shape\":[{string.Join(',', tensor.Shape)}],\"data_offsets\":[{at},{end}]}},");
            at = end;
        }

        if (json.Length > 1)
            json.Length--; // the last comma
        var text = new UTF8Encoding(false, true).GetBytes(json.Append('}').ToString());
        var padded = new byte[(text.Length + 7) / 8 * 8];
        padded.AsSpan().Fill((byte)' ');
        text.CopyTo(padded, 0);
        return padded.Length <= SafetensorsHeader.Longest
            ? padded
            : throw new ArgumentException($"The header would be {padded.Length} bytes; {SafetensorsHeader.Longest} is the most a reader accepts", nameof(sorted));
    }

    /// <summary>A JSON string with the escapes the reference writes, so that equal content is equal bytes.</summary>
    private static StringBuilder AppendString(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (var c in text)
        {
            json = c switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\b' => json.Append("\\b"),
                '\f' => json.Append("\\f"),
                '\n' => json.Append("\\n"),
                '\r' => json.Append("\\r"),
                '\t' => json.Append("\\t"),
                < ' ' => json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => json.Append(c),
            };
        }

        return json.Append('"');
    }

    /// <summary>Passes a provider's bytes on and holds it to the number its shape promised.</summary>
    private sealed class CountedStream(Stream inner, TensorContent tensor) : Stream
    {
        private readonly long _due = tensor.ByteCount;
        private long _written;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _written;

        public override long Position { get => _written; set => throw new NotSupportedException(); }

        public void CheckComplete()
        {
            if (_written != _due)
                throw Wrong($"only {_written}");
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.Length > _due - _written)
                throw Wrong($"at least {_written + buffer.Length}");
            inner.Write(buffer);
            _written += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void WriteByte(byte value) => Write([value]);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private ArgumentException Wrong(string written) =>
            new($"Tensor {Quote.Name(tensor.Name)}, {tensor.DType.SafetensorsName} {Quote.Shape(tensor.Shape)}, needs {_due} bytes; its provider wrote {written}");
    }
}
