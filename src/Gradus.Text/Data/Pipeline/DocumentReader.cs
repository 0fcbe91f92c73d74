using System.Buffers.Binary;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Microsoft.Win32.SafeHandles;

namespace Gradus.Text.Data.Pipeline;

/// <summary>Reads what <see cref="DocumentWriter"/> wrote: all of it in order and checked, or one document by its number.</summary>
internal sealed class DocumentReader : IDisposable
{
    private readonly string _folder;
    private readonly SafeFileHandle _file, _offsets;

    public DocumentReader(string folder)
    {
        _folder = folder;
        _file = File.OpenHandle(Path.Combine(folder, DocumentWriter.FileName));
        _offsets = File.OpenHandle(Path.Combine(folder, DocumentWriter.OffsetsName));
    }

    public static ReadOnlySpan<byte> Magic => "GRADOCS1"u8;

    /// <summary>Documents in the file.</summary>
    public long Documents => RandomAccess.GetLength(_offsets) / 8;

    /// <summary>All documents, in order.</summary>
    /// <exception cref="UserException">The file is damaged or cut.</exception>
    public IEnumerable<Document> Read()
    {
        var head = new byte[24];
        var block = new byte[DocumentWriter.BlockBytes + (1 << 14)];
        ReadExactly(head.AsSpan(0, 8), 0);
        if (!head.AsSpan(0, 8).SequenceEqual(Magic))
            throw Damaged("it does not start as it should");
        var at = 8L;
        var (documents, bytes) = (0L, 0L);
        while (true)
        {
            ReadExactly(head.AsSpan(0, 8), at);
            var length = BinaryPrimitives.ReadInt32LittleEndian(head);
            var check = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4));
            if (length == 0)
                break;
            if (length < 0)
                throw Damaged("a block has a length below zero");
            if (length > RandomAccess.GetLength(_file) - at)
                throw Damaged("a block is longer than the file");
            if (block.Length < length)
                block = new byte[length];
            ReadExactly(block.AsSpan(0, length), at + 8);
            if (Crc32C.Of(block.AsSpan(0, length)) != check)
                throw Damaged($"the checksum of the block at byte {at} is wrong");
            for (var next = 0; next < length;)
            {
                var document = Parse(block.AsSpan(0, length), ref next);
                documents++;
                bytes += document.Utf8.Length;
                yield return document;
            }

            at += 8 + length;
        }

        ReadExactly(head, at);
        if (Crc32C.Of(head.AsSpan(8)) != BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4)) || BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(8)) != documents || BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(16)) != bytes || Documents != documents)
            throw Damaged("its end does not say what was in it");
    }

    /// <summary>One document by its number. Its checksum was looked at when the file was read in order.</summary>
    public Document Read(long ordinal)
    {
        Span<byte> offset = stackalloc byte[8];
        if (RandomAccess.Read(_offsets, offset, 8 * ordinal) != 8)
            throw Damaged($"it has no document {ordinal}");
        var start = BinaryPrimitives.ReadInt64LittleEndian(offset);
        // The next record's offset would bound this one, but a block's head may stand between: so the length is found by reading on.
        for (var size = 1 << 13; ; size *= 4)
        {
            var buffer = new byte[size];
            var n = RandomAccess.Read(_file, buffer, start);
            if (n < size)
                Array.Resize(ref buffer, n);
            var next = 0;
            if (TryParse(buffer, ref next) is { } document)
                return document;
            if (n < size)
                throw Damaged($"document {ordinal} is cut");
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _offsets.Dispose();
    }

    private Document Parse(ReadOnlySpan<byte> block, ref int at) => TryParse(block, ref at) ?? throw Damaged("a record runs over the end of its block");

    private static Document? TryParse(ReadOnlySpan<byte> block, ref int at)
    {
        if (!TryText(block, ref at, out var origin) || at >= block.Length)
            return null;
        var split = block[at++];
        if (!TryLength(block, ref at, out var pairs))
            return null;
        Dictionary<string, string>? meta = null;
        for (; pairs > 0; pairs--)
        {
            if (!TryText(block, ref at, out var key) || !TryText(block, ref at, out var value))
                return null;
            (meta ??= new Dictionary<string, string>(StringComparer.Ordinal))[key] = value;
        }

        if (!TryLength(block, ref at, out var length) || length > block.Length - at)
            return null;
        var text = block.Slice(at, length).ToArray();
        at += length;
        return new Document(text, origin, split == 0 ? null : (DataSplit)(split - 1), meta);
    }

    private static bool TryText(ReadOnlySpan<byte> block, ref int at, out string text)
    {
        text = "";
        if (!TryLength(block, ref at, out var length) || length > block.Length - at)
            return false;
        text = Encoding.UTF8.GetString(block.Slice(at, length));
        at += length;
        return true;
    }

    private static bool TryLength(ReadOnlySpan<byte> block, ref int at, out int length)
    {
        length = 0;
        for (var shift = 0; shift < 32 && at < block.Length; shift += 7)
        {
            var b = block[at++];
            length |= (b & 0x7F) << shift;
            if (b < 0x80)
                return length >= 0;
        }

        return false;
    }

    private void ReadExactly(Span<byte> buffer, long at)
    {
        while (buffer.Length > 0)
        {
            var n = RandomAccess.Read(_file, buffer, at);
            if (n == 0)
                throw Damaged("it is cut");
            buffer = buffer[n..];
            at += n;
        }
    }

    private UserException Damaged(string what) => new($"{Path.Combine(_folder, DocumentWriter.FileName)}: is damaged: {what}. Delete the folder {_folder}; it is made again.");
}
