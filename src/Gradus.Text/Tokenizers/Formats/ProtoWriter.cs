using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Gradus.Text.Tokenizers.Formats;

/// <summary>Writes the protocol-buffer messages that <see cref="ProtoReader"/> reads.</summary>
internal sealed class ProtoWriter
{
    private readonly ArrayBufferWriter<byte> _out = new();

    public ReadOnlySpan<byte> Written => _out.WrittenSpan;

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint((ulong)field << 3 | 2);
        Varint((ulong)value.Length);
        _out.Write(value);
    }

    public void Single(int field, float value)
    {
        Varint((ulong)field << 3 | 5);
        BinaryPrimitives.WriteSingleLittleEndian(_out.GetSpan(4), value);
        _out.Advance(4);
    }

    public void Int32(int field, int value)
    {
        Varint((ulong)field << 3);
        Varint((ulong)(long)value); // negative numbers take ten bytes, as in every writer of the format
    }

    public void Flag(int field, bool value) => Int32(field, value ? 1 : 0);

    /// <summary>Fields as <see cref="ProtoReader.Skip"/> gave them.</summary>
    public void Raw(ReadOnlySpan<byte> fields) => _out.Write(fields);

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _out.Write([(byte)(value | 0x80)]);
        _out.Write([(byte)value]);
    }
}
