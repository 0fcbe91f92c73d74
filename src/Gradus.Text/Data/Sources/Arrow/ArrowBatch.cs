using System.Buffers.Binary;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources.Arrow;

/// <summary>A record batch while its columns are taken from it: nodes and buffers, one behind the other.</summary>
internal sealed class ArrowBatch(FlatTable header, ReadOnlyMemory<byte> body, IReadOnlyDictionary<long, ArrowColumn> dictionaries, string name)
{
    private const long MaxBuffer = 1L << 30;

    private readonly (long Length, long Nulls)[] _nodes = header.Pairs(1);
    private readonly (long Offset, long Length)[] _buffers = header.Pairs(2);
    private readonly int _codec = header.Table(3) is { } compression ? compression.Byte(0) : -1;
    private int _node, _buffer;

    public long Rows { get; } = header.Int64(0);

    public long NextNode() => _node < _nodes.Length && _nodes[_node].Length is >= 0 and <= int.MaxValue ? _nodes[_node++].Length : throw new InvalidDataException("a column without its node, or with a negative length");

    public ReadOnlyMemory<byte> NextBuffer()
    {
        if (_buffer >= _buffers.Length)
            throw new InvalidDataException("a column without its buffers");
        var (offset, length) = _buffers[_buffer++];
        if (offset < 0 || length < 0 || offset > body.Length - length)
            throw new InvalidDataException("a buffer outside its batch");
        var bytes = body.Slice((int)offset, (int)length);
        return _codec < 0 || bytes.Length == 0 ? bytes : Unpack(bytes);
    }

    public ArrowColumn Dictionary(long id) => dictionaries.GetValueOrDefault(id) ?? throw new InvalidDataException($"the dictionary {id} is missing");

    /// <summary>A packed buffer: its length, then the bytes; -1 says that they are as they are.</summary>
    private ReadOnlyMemory<byte> Unpack(ReadOnlyMemory<byte> bytes)
    {
        var length = BinaryPrimitives.ReadInt64LittleEndian(bytes.Span);
        if (length == -1)
            return bytes[8..];
        if (length is < 0 or > MaxBuffer || length / BoundedExpansion.Ratio > bytes.Length + (BoundedExpansion.FreeBytes / BoundedExpansion.Ratio))
            throw new InvalidDataException("a buffer that unpacks to an impossible size");
        if (_codec != 1)
            throw new InvalidDataException("buffers packed with LZ4, which is not read; write the file with zstd or unpacked");
        using var zstd = new ZstdReadStream(new MemoryStream(bytes[8..].ToArray(), writable: false), name);
        var unpacked = new byte[length];
        return zstd.ReadAtLeast(unpacked, unpacked.Length, throwOnEndOfStream: false) == length ? unpacked : throw new InvalidDataException("a buffer shorter than it says");
    }
}
