using System.Buffers.Binary;
using System.Text;

namespace Gradus.Text.Data.Sources.Arrow;

/// <summary>A table of a FlatBuffer. Positions outside the buffer throw <see cref="ArgumentOutOfRangeException"/>, which the caller turns into damage.</summary>
internal readonly struct FlatTable(ReadOnlyMemory<byte> buffer, int at)
{
    public static FlatTable Root(ReadOnlyMemory<byte> buffer) => new(buffer, BinaryPrimitives.ReadInt32LittleEndian(buffer.Span));

    public long Int64(int field, long otherwise = 0) => Field(field) is > 0 and var p ? BinaryPrimitives.ReadInt64LittleEndian(buffer.Span[p..]) : otherwise;

    public int Int32(int field, int otherwise = 0) => Field(field) is > 0 and var p ? BinaryPrimitives.ReadInt32LittleEndian(buffer.Span[p..]) : otherwise;

    public short Int16(int field, short otherwise = 0) => Field(field) is > 0 and var p ? BinaryPrimitives.ReadInt16LittleEndian(buffer.Span[p..]) : otherwise;

    public byte Byte(int field, byte otherwise = 0) => Field(field) is > 0 and var p ? buffer.Span[p] : otherwise;

    public FlatTable? Table(int field) => Field(field) is > 0 and var p ? new FlatTable(buffer, Follow(p)) : null;

    public string String(int field)
    {
        if (Field(field) is not (> 0 and var p))
            return "";
        var start = Follow(p);
        return Encoding.UTF8.GetString(buffer.Span.Slice(start + 4, BinaryPrimitives.ReadInt32LittleEndian(buffer.Span[start..])));
    }

    /// <summary>The tables of a vector of tables.</summary>
    public IReadOnlyList<FlatTable> Tables(int field)
    {
        if (Field(field) is not (> 0 and var p))
            return [];
        var start = Follow(p);
        var count = BinaryPrimitives.ReadInt32LittleEndian(buffer.Span[start..]);
        if (count < 0 || count > (buffer.Length - start) / 4)
            throw new ArgumentOutOfRangeException(nameof(field));
        var tables = new FlatTable[count];
        for (var i = 0; i < count; i++)
            tables[i] = new FlatTable(buffer, Follow(start + 4 + (4 * i)));
        return tables;
    }

    /// <summary>The pairs of a vector of structs of two 64-bit numbers.</summary>
    public (long A, long B)[] Pairs(int field)
    {
        if (Field(field) is not (> 0 and var p))
            return [];
        var start = Follow(p);
        var count = BinaryPrimitives.ReadInt32LittleEndian(buffer.Span[start..]);
        if (count < 0 || count > (buffer.Length - start) / 16)
            throw new ArgumentOutOfRangeException(nameof(field));
        var pairs = new (long, long)[count];
        for (var i = 0; i < count; i++)
        {
            var pair = buffer.Span.Slice(start + 4 + (16 * i), 16);
            pairs[i] = (BinaryPrimitives.ReadInt64LittleEndian(pair), BinaryPrimitives.ReadInt64LittleEndian(pair[8..]));
        }

        return pairs;
    }

    private int Follow(int position) => checked(position + (int)BinaryPrimitives.ReadUInt32LittleEndian(buffer.Span[position..]));

    private int Field(int index)
    {
        var table = at - BinaryPrimitives.ReadInt32LittleEndian(buffer.Span[at..]);
        var entry = 4 + (2 * index);
        if (entry >= BinaryPrimitives.ReadUInt16LittleEndian(buffer.Span[table..]))
            return 0;
        var offset = BinaryPrimitives.ReadUInt16LittleEndian(buffer.Span[(table + entry)..]);
        return offset == 0 ? 0 : at + offset;
    }
}
