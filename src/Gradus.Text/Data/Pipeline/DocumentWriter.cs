using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Gradus.Foundation.Kernels;

namespace Gradus.Text.Data.Pipeline;

/// <summary>
/// Writes a file of documents between two stages. Not JSON lines, although the result of a pipeline is: a stage reads what the one before
/// wrote at the speed of memory, any document can be read alone (a decision compares candidates), and damage is found.
/// </summary>
/// <remarks>
/// <c>GRADOCS1</c>, then blocks (u32 length, u32 CRC-32C, that many bytes) of whole records, then a block of length 0 whose checksum field is
/// followed by u64 documents and u64 text bytes. A record: origin, split (0: none, else 1 + split), pairs of meta data in ordinal order, text;
/// strings have their length before them (LEB128). All numbers little-endian. Beside it <c>offsets</c>: a u64 for each record.
/// </remarks>
internal sealed class DocumentWriter : IDisposable
{
    public const string FileName = "documents", OffsetsName = "offsets";
    public const int BlockBytes = 1 << 18;

    private readonly FileStream _file, _offsets;
    private readonly ArrayBufferWriter<byte> _block = new(BlockBytes + (1 << 14));
    private readonly ArrayBufferWriter<byte> _starts = new(1 << 12);

    public DocumentWriter(string folder)
    {
        _file = new FileStream(Path.Combine(folder, FileName), FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        _offsets = new FileStream(Path.Combine(folder, OffsetsName), FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        _file.Write(DocumentReader.Magic);
    }

    public long Documents { get; private set; }

    public long TextBytes { get; private set; }

    public void Add(Document document)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_starts.GetSpan(8), (ulong)(_file.Position + 8 + _block.WrittenCount));
        _starts.Advance(8);
        WriteText(document.Origin);
        _block.Write([(byte)(document.Split is { } split ? 1 + (int)split : 0)]);
        WriteLength(document.Meta?.Count ?? 0);
        if (document.Meta is { } meta)
        {
            foreach (var (key, value) in meta.OrderBy(m => m.Key, StringComparer.Ordinal))
            {
                WriteText(key);
                WriteText(value);
            }
        }

        WriteLength(document.Utf8.Length);
        _block.Write(document.Utf8.Span);
        Documents++;
        TextBytes += document.Utf8.Length;
        if (_block.WrittenCount >= BlockBytes)
            FlushBlock();
    }

    /// <summary>Writes the end; a file without it is cut.</summary>
    public void Finish()
    {
        FlushBlock();
        Span<byte> end = stackalloc byte[24];
        end.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(end[8..], Documents);
        BinaryPrimitives.WriteInt64LittleEndian(end[16..], TextBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(end[4..], Crc32C.Of(end[8..]));
        _file.Write(end);
        Dispose();
    }

    public void Dispose()
    {
        _file.Dispose();
        _offsets.Dispose();
    }

    private void FlushBlock()
    {
        if (_block.WrittenCount == 0)
            return;
        Span<byte> head = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(head, _block.WrittenCount);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], Crc32C.Of(_block.WrittenSpan));
        _file.Write(head);
        _file.Write(_block.WrittenSpan);
        _block.ResetWrittenCount();
        _offsets.Write(_starts.WrittenSpan);
        _starts.ResetWrittenCount();
    }

    private void WriteText(string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        WriteLength(bytes);
        _block.Advance(Encoding.UTF8.GetBytes(text, _block.GetSpan(bytes)));
    }

    private void WriteLength(int length)
    {
        var span = _block.GetSpan(5);
        var n = 0;
        for (var rest = (uint)length; ; rest >>= 7)
        {
            span[n++] = (byte)(rest < 0x80 ? rest : rest | 0x80);
            if (rest < 0x80)
                break;
        }

        _block.Advance(n);
    }
}
