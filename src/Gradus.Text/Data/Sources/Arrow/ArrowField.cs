namespace Gradus.Text.Data.Sources.Arrow;

/// <summary>The types of the Arrow format that are read, by their numbers in it.</summary>
internal enum ArrowType : byte
{
    Null = 1,
    Int = 2,
    Float = 3,
    Binary = 4,
    Utf8 = 5,
    Bool = 6,
    Decimal = 7,
    Date = 8,
    Time = 9,
    Timestamp = 10,
    Interval = 11,
    List = 12,
    Struct = 13,
    FixedSizeBinary = 15,
    FixedSizeList = 16,
    Map = 17,
    Duration = 18,
    LargeBinary = 19,
    LargeUtf8 = 20,
    LargeList = 21,
}

/// <summary>A column, or a part of one.</summary>
/// <param name="Name">Of the field.</param>
/// <param name="Type">Of its values, or of their numbers in a dictionary.</param>
/// <param name="Width">Bits of a number; length of a fixed list.</param>
/// <param name="Signed">Whether integers have a sign.</param>
/// <param name="Unit">Of a date or time.</param>
/// <param name="Children">Parts.</param>
/// <param name="Dictionary">The dictionary its values are numbers of, or null.</param>
internal sealed record ArrowField(string Name, ArrowType Type, int Width, bool Signed, int Unit, IReadOnlyList<ArrowField> Children, long? Dictionary, ArrowField? Values)
{
    private const int MaxDepth = 32;

    public static ArrowField Read(FlatTable field, int depth = 0)
    {
        if (depth > MaxDepth)
            throw new InvalidDataException($"columns nested deeper than {MaxDepth}");
        var name = field.String(0);
        var type = (ArrowType)field.Byte(2);
        if (!Enum.IsDefined(type))
            throw new InvalidDataException($"the column '{name}' has a type (number {(int)type}) that is not read");
        var detail = field.Table(3);
        var (width, signed, unit) = type switch
        {
            ArrowType.Int => (detail?.Int32(0) ?? 0, (detail?.Byte(1) ?? 0) != 0, 0),
            ArrowType.Float => ((detail?.Int16(0) ?? 0) switch { 0 => 16, 1 => 32, _ => 64 }, true, 0),
            ArrowType.Bool => (1, false, 0),
            ArrowType.Decimal => (detail?.Int32(2, 128) ?? 128, true, 0),
            ArrowType.Date => ((detail?.Int16(0, 1) ?? 1) == 0 ? 32 : 64, true, detail?.Int16(0, 1) ?? 1),
            ArrowType.Time => (detail?.Int32(1, 32) ?? 32, true, detail?.Int16(0, 1) ?? 1),
            ArrowType.Timestamp or ArrowType.Duration => (64, true, detail?.Int16(0) ?? 0),
            ArrowType.Interval => ((detail?.Int16(0) ?? 0) switch { 0 => 32, 1 => 64, _ => 128 }, true, 0),
            ArrowType.FixedSizeBinary or ArrowType.FixedSizeList => (detail?.Int32(0) ?? 0, false, 0),
            _ => (0, false, 0),
        };
        if (width < 0 || (type == ArrowType.Int && width is not (8 or 16 or 32 or 64)))
            throw new InvalidDataException($"the column '{name}' has an impossible width");
        var whole = new ArrowField(name, type, width, signed, unit, [.. field.Tables(5).Select(child => Read(child, depth + 1))], null, null);
        if (field.Table(4) is not { } dictionary)
            return whole;
        var index = dictionary.Table(1);
        return new ArrowField(name, ArrowType.Int, index?.Int32(0) ?? 32, (index?.Byte(1) ?? 1) != 0, 0, [], dictionary.Int64(0), whole);
    }
}
