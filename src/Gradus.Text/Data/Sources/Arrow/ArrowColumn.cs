using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace Gradus.Text.Data.Sources.Arrow;

/// <summary>The values of one column of one batch: written as JSON one by one. Reading outside its buffers throws; the caller says it is damage.</summary>
internal sealed class ArrowColumn
{
    private readonly ReadOnlyMemory<byte> _validity, _offsets, _data;
    private readonly ArrowColumn[] _children;
    private readonly ArrowColumn? _dictionary;

    private ArrowColumn(ArrowField field, long length, ReadOnlyMemory<byte> validity, ReadOnlyMemory<byte> offsets, ReadOnlyMemory<byte> data, ArrowColumn[] children, ArrowColumn? dictionary) =>
        (Field, Length, _validity, _offsets, _data, _children, _dictionary) = (field, length, validity, offsets, data, children, dictionary);

    public ArrowField Field { get; }

    public long Length { get; }

    /// <summary>Takes a column's nodes and buffers, in the order the format has them.</summary>
    public static ArrowColumn Take(ArrowField field, ArrowBatch batch)
    {
        var length = batch.NextNode();
        if (field.Type == ArrowType.Null)
            return new ArrowColumn(field, length, default, default, default, [], null);
        var validity = batch.NextBuffer();
        switch (field.Type)
        {
            case ArrowType.Utf8 or ArrowType.Binary or ArrowType.LargeUtf8 or ArrowType.LargeBinary:
                return new ArrowColumn(field, length, validity, batch.NextBuffer(), batch.NextBuffer(), [], null);
            case ArrowType.List or ArrowType.LargeList or ArrowType.Map:
                var offsets = batch.NextBuffer();
                return new ArrowColumn(field, length, validity, offsets, default, [Take(field.Children[0], batch)], null);
            case ArrowType.Struct or ArrowType.FixedSizeList:
                return new ArrowColumn(field, length, validity, default, default, [.. field.Children.Select(child => Take(child, batch))], null);
            default:
                return new ArrowColumn(field, length, validity, default, batch.NextBuffer(), [], field.Dictionary is { } id ? batch.Dictionary(id) : null);
        }
    }

    /// <summary>One value.</summary>
    /// <exception cref="InvalidDataException">A text that is not UTF-8, or offsets that run backwards.</exception>
    public void Write(Utf8JsonWriter json, long row)
    {
        if (row < 0 || row >= Length)
            throw new InvalidDataException($"the column '{Field.Name}' has no row {row}");
        if (Field.Type == ArrowType.Null || (_validity.Length > 0 && (_validity.Span[checked((int)(row >> 3))] & (1 << (int)(row & 7))) == 0))
        {
            json.WriteNullValue();
            return;
        }

        if (_dictionary is not null)
        {
            _dictionary.Write(json, Integer(row));
            return;
        }

        switch (Field.Type)
        {
            case ArrowType.Utf8 or ArrowType.LargeUtf8:
                var text = Bytes(row).Span;
                if (StrictUtf8.FirstInvalid(text) is >= 0 and var bad)
                    throw new InvalidDataException($"the column '{Field.Name}' holds text that is not valid UTF-8 (byte {bad} of the value)");
                json.WriteStringValue(text);
                break;
            case ArrowType.Binary or ArrowType.LargeBinary:
                json.WriteBase64StringValue(Bytes(row).Span);
                break;
            case ArrowType.FixedSizeBinary:
                json.WriteBase64StringValue(_data.Span.Slice(checked((int)(row * Field.Width)), Field.Width));
                break;
            case ArrowType.Bool:
                json.WriteBooleanValue((_data.Span[checked((int)(row >> 3))] & (1 << (int)(row & 7))) != 0);
                break;
            case ArrowType.Int:
                if (Field is { Signed: false, Width: 64 })
                    json.WriteNumberValue((ulong)Integer(row));
                else
                    json.WriteNumberValue(Integer(row));
                break;
            case ArrowType.Float:
                WriteFloat(json, row);
                break;
            case ArrowType.Date:
                json.WriteStringValue((Field.Width == 32 ? DateTime.UnixEpoch.AddDays(Integer(row)) : DateTime.UnixEpoch.AddMilliseconds(Integer(row))).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                break;
            case ArrowType.Timestamp:
                json.WriteStringValue(DateTime.UnixEpoch.AddTicks(Field.Unit switch { 0 => checked(Integer(row) * TimeSpan.TicksPerSecond), 1 => checked(Integer(row) * TimeSpan.TicksPerMillisecond), 2 => checked(Integer(row) * 10), _ => Integer(row) / 100 }).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture));
                break;
            case ArrowType.List or ArrowType.LargeList or ArrowType.Map:
                var (start, end) = Range(row);
                WriteList(json, start, end);
                break;
            case ArrowType.FixedSizeList:
                WriteList(json, row * Field.Width, (row + 1) * Field.Width);
                break;
            case ArrowType.Struct:
                json.WriteStartObject();
                foreach (var child in _children)
                {
                    json.WritePropertyName(child.Field.Name);
                    child.Write(json, row);
                }

                json.WriteEndObject();
                break;
            default: // decimals, times, intervals: rarely text; their bytes are kept
                json.WriteBase64StringValue(_data.Span.Slice(checked((int)(row * (Field.Width / 8))), Field.Width / 8));
                break;
        }
    }

    private void WriteList(Utf8JsonWriter json, long start, long end)
    {
        json.WriteStartArray();
        for (var i = start; i < end; i++)
            _children[0].Write(json, i);
        json.WriteEndArray();
    }

    private void WriteFloat(Utf8JsonWriter json, long row)
    {
        var at = _data.Span[checked((int)(row * (Field.Width / 8)))..];
        var value = Field.Width switch { 16 => (double)BinaryPrimitives.ReadHalfLittleEndian(at), 32 => BinaryPrimitives.ReadSingleLittleEndian(at), _ => BinaryPrimitives.ReadDoubleLittleEndian(at) };
        if (!double.IsFinite(value))
            json.WriteNullValue(); // JSON has no other word for it
        else if (Field.Width == 32)
            json.WriteNumberValue((float)value);
        else
            json.WriteNumberValue(value);
    }

    private long Integer(long row)
    {
        var at = _data.Span[checked((int)(row * (Field.Width / 8)))..];
        return (Field.Width, Field.Signed) switch
        {
            (8, true) => (sbyte)at[0],
            (8, false) => at[0],
            (16, true) => BinaryPrimitives.ReadInt16LittleEndian(at),
            (16, false) => BinaryPrimitives.ReadUInt16LittleEndian(at),
            (32, true) => BinaryPrimitives.ReadInt32LittleEndian(at),
            (32, false) => BinaryPrimitives.ReadUInt32LittleEndian(at),
            _ => BinaryPrimitives.ReadInt64LittleEndian(at),
        };
    }

    private (long Start, long End) Range(long row)
    {
        var offsets = _offsets.Span;
        var (start, end) = Field.Type is ArrowType.LargeList or ArrowType.LargeUtf8 or ArrowType.LargeBinary
            ? (BinaryPrimitives.ReadInt64LittleEndian(offsets[checked((int)(8 * row))..]), BinaryPrimitives.ReadInt64LittleEndian(offsets[checked((int)(8 * (row + 1)))..]))
            : (BinaryPrimitives.ReadInt32LittleEndian(offsets[checked((int)(4 * row))..]), BinaryPrimitives.ReadInt32LittleEndian(offsets[checked((int)(4 * (row + 1)))..]));
        return start < 0 || end < start ? throw new InvalidDataException($"the column '{Field.Name}' has offsets that run backwards") : (start, end);
    }

    private ReadOnlyMemory<byte> Bytes(long row)
    {
        var (start, end) = Range(row);
        return end > _data.Length ? throw new InvalidDataException($"the column '{Field.Name}' points outside its bytes") : _data[(int)start..(int)end];
    }
}
