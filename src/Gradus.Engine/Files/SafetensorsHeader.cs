using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Gradus.Foundation.Files;

namespace Gradus.Engine.Files;

/// <summary>
/// The header of a safetensors file, parsed and checked. Layout of the file: 8 bytes little-endian N, N bytes of JSON
/// (<c>{"name": {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {string: string}}</c>, spaces allowed
/// after it), then the data, which the tensors must cover exactly.
/// </summary>
/// <remarks>
/// Verdicts are those of the reference parser (the safetensors crate, 0.6/0.7), and where its specification is stricter than
/// its code, those of the specification: the header starts with <c>{</c>, no key occurs twice, a tensor is an object.
/// One verdict is ours alone: a dimension of 2^63 or more is refused even beside a zero dimension.
/// </remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>Longest header accepted, in bytes; the reference's limit.</summary>
    public const int Longest = 100_000_000;

    /// <summary>Bytes before the header.</summary>
    public const int Prefix = 8;

    private readonly string _file;
    private readonly List<(string Name, string Type, long[] Shape, ulong Begin, ulong End)> _found = [];
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);

    private SafetensorsHeader(string file) => _file = file;

    /// <summary>Free-form pairs of the header.</summary>
    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Tensors by name, in the order of their data.</summary>
    public Dictionary<string, TensorEntry> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Checks the length in the first eight bytes against the limit and the file.</summary>
    public static int ReadLength(string file, ReadOnlySpan<byte> prefix, long fileLength)
    {
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > Longest)
            throw new UserException($"{file}: not a safetensors file: its first 8 bytes promise a header of {length} bytes, and {Longest} is the most allowed");
        if (length > (ulong)fileLength - Prefix)
            throw new UserException($"{file}: the header should be {length} bytes, but only {fileLength - Prefix} follow; the file is cut short or is not safetensors");
        return (int)length;
    }

    /// <summary>Parses and checks a header; <paramref name="fileLength"/> is that of the whole file.</summary>
    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long fileLength)
    {
        var header = new SafetensorsHeader(file);
        if (json.IsEmpty || json[0] != (byte)'{')
            throw header.Refuse("the header does not start with '{'; this is not a safetensors file");
        if (!Utf8.IsValid(json))
            throw header.Refuse("the header is not valid UTF-8");
        try
        {
            header.Read(json);
        }
        catch (JsonException problem)
        {
            throw header.Refuse($"the header is not valid JSON (line {problem.LineNumber + 1}, byte {problem.BytePositionInLine})");
        }
        catch (InvalidOperationException)
        {
            throw header.Refuse("the header holds a string with half a surrogate pair (\\ud800 … \\udfff)");
        }

        header.Place(Prefix + json.Length, fileLength);
        return header;
    }

    private void Read(ReadOnlySpan<byte> json)
    {
        // serde_json stops at 128 levels, too.
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 127 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            if (!_keys.Add(key))
                throw Refuse($"tensor {Quote.Name(key)}: occurs twice in the header");
            reader.Read();
            if (key == "__metadata__")
                ReadMetadata(ref reader);
            else
                ReadTensor(ref reader, key);
        }

        reader.Read(); // throws when anything but white space follows the object
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Refuse("__metadata__ is not an object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Refuse($"__metadata__: the value of {Quote.Name(key)} is not a string");
            if (!Metadata.TryAdd(key, reader.GetString()!))
                throw Refuse($"__metadata__: {Quote.Name(key)} occurs twice");
        }
    }

    private void ReadTensor(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw RefuseTensor(name, "its description is not an object");
        string? type = null;
        List<ulong>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            switch (key)
            {
                case "dtype":
                    if (type is not null)
                        throw RefuseTensor(name, "'dtype' is given twice");
                    type = reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw RefuseTensor(name, "'dtype' is not a string");
                    break;
                case "shape":
                    if (shape is not null)
                        throw RefuseTensor(name, "'shape' is given twice");
                    shape = ReadNumbers(ref reader, name, "shape");
                    break;
                case "data_offsets":
                    if (offsets is not null)
                        throw RefuseTensor(name, "'data_offsets' is given twice");
                    offsets = ReadNumbers(ref reader, name, "data_offsets");
                    break;
                default:
                    Skip(ref reader); // the reference ignores other keys
                    break;
            }
        }

        if (type is null || shape is null || offsets is null)
            throw RefuseTensor(name, $"'{(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}' is missing");
        if (offsets.Count != 2)
            throw RefuseTensor(name, $"'data_offsets' holds {offsets.Count} numbers instead of 2");
        if (shape.FindIndex(n => n > long.MaxValue) is var at and >= 0)
            throw RefuseTensor(name, $"dimension {at} of the shape is {shape[at]}, which no file can hold");
        _found.Add((name, type, [.. shape.Select(n => (long)n)], offsets[0], offsets[1]));
    }

    private List<ulong> ReadNumbers(ref Utf8JsonReader reader, string name, string key)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw RefuseTensor(name, $"'{key}' is not a list of numbers");
        List<ulong> numbers = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number)
                throw RefuseTensor(name, $"'{key}' is not a list of numbers");
            // Digits only: 1.0, 1e3 and -0 are no counts, whatever their value.
            if (reader.ValueSpan.ContainsAnyExceptInRange((byte)'0', (byte)'9') || !reader.TryGetUInt64(out var number))
                throw RefuseTensor(name, $"'{key}' holds {Quote.Name(Encoding.UTF8.GetString(reader.ValueSpan))}, which is not a whole number from 0 to 2^64-1");
            numbers.Add(number);
        }

        return numbers;
    }

    private static void Skip(ref Utf8JsonReader reader)
    {
        var depth = reader.CurrentDepth;
        do
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                _ = reader.GetString(); // an ignored string must be a string all the same
        }
        while ((reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray || reader.CurrentDepth > depth) && reader.Read());
    }

    /// <summary>Lays the tensors end to end and refuses any hole, overlap, lie about size, or byte left over.</summary>
    private void Place(long dataStart, long fileLength)
    {
        // Files may list tensors in any order; a tensor of no bytes sorts before the one that starts where it does.
        _found.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)) is var order and not 0 ? order : string.CompareOrdinal(a.Name, b.Name));
        var available = (ulong)(fileLength - dataStart);
        var (at, before) = (0UL, "");
        foreach (var (name, type, shape, begin, end) in _found)
        {
            if (end < begin)
                throw RefuseTensor(name, $"its data ends at byte {end}, before it begins at {begin}");
            if (begin != at)
            {
                var previous = before.Length == 0 ? "the data starts at 0" : $"the tensor before it, {before}, ends at {at}";
                throw RefuseTensor(name, $"its data begins at byte {begin}, but {previous}: the tensors {(begin < at ? "overlap" : "leave a hole")}");
            }

            var bytes = Size(name, type, shape);
            if (bytes != end - begin)
                throw RefuseTensor(name, $"{type} {Quote.Shape(shape)} needs {bytes} bytes, but its data_offsets [{begin}, {end}] hold {end - begin}");
            if (end > available)
                throw RefuseTensor(name, $"its data ends at byte {end}, but the file holds only {available} bytes of data; it is cut short");
            Entries.Add(name, new TensorEntry(name, type, shape, dataStart + (long)begin, (long)bytes) { File = _file });
            (at, before) = (end, Quote.Name(name));
        }

        if (at != available)
            throw Refuse($"the tensors end at byte {at} of the data, but {available - at} more bytes follow; something was appended, or the header was changed");
    }

    private ulong Size(string name, string type, long[] shape)
    {
        if (!StoredTypes.TryGetBits(type, out var bits))
            throw RefuseTensor(name, $"unknown dtype {Quote.Name(type)}");
        try
        {
            // Left to right as the reference: a zero does not excuse an overflow before it.
            var count = shape.Aggregate(1UL, (product, n) => checked(product * (ulong)n));
            var total = checked(count * (ulong)bits);
            return total % 8 == 0 ? total / 8 : throw RefuseTensor(name, $"{type} {Quote.Shape(shape)} does not fill whole bytes");
        }
        catch (OverflowException)
        {
            throw RefuseTensor(name, $"the size of {type} {Quote.Shape(shape)} overflows 64 bits");
        }
    }

    private UserException Refuse(string what) => new($"{_file}: {what}");

    private UserException RefuseTensor(string name, string what) => new($"{_file}: tensor {Quote.Name(name)}: {what}");
}
