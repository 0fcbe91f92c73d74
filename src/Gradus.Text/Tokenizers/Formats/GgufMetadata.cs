using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Formats;

/// <summary>The metadata of a GGUF file: name → value, as far as the tokenizer needs it. Tensors are not looked at.</summary>
internal sealed class GgufMetadata
{
    private const int MaxEntries = 1 << 16, MaxLength = 1 << 28, HeaderBytes = 1 << 28;

    private readonly Dictionary<string, object> _values = new(StringComparer.Ordinal);
    private readonly string _file;
    private readonly byte[] _content;
    private int _at;
    private string _key = "";

    private GgufMetadata(string file, byte[] content) => (_file, _content) = (file, content);

    /// <exception cref="UserException">The file is no GGUF file, or damaged.</exception>
    public static GgufMetadata Read(string file)
    {
        using var stream = File.OpenRead(file);
        var content = new byte[(int)Math.Min(stream.Length, HeaderBytes)]; // metadata come first; weights may be gigabytes behind them
        stream.ReadExactly(content);
        var metadata = new GgufMetadata(file, content);
        metadata.Parse();
        return metadata;
    }

    public bool Has(string key) => _values.ContainsKey(key);

    public string? Text(string key) => Get<string>(key, "a string");

    public string[]? Texts(string key) => Get<string[]>(key, "an array of strings");

    public double[]? Numbers(string key) => Get<double[]>(key, "an array of numbers");

    public bool? Flag(string key) => _values.ContainsKey(key) ? Get<object>(key, "true or false") as bool? ?? throw Wrong(key, "expected true or false") : null;

    /// <summary>An id below <paramref name="size"/>.</summary>
    public int? Id(string key, int size)
    {
        if (!_values.TryGetValue(key, out var value))
            return null;
        return value is double id && id >= 0 && id < size && id == Math.Floor(id)
            ? (int)id
            : throw Wrong(key, string.Create(CultureInfo.InvariantCulture, $"{value} is no id of the vocabulary's {size} tokens"));
    }

    public UserException Wrong(string key, string what) => new($"{_file}: {key}: {what}");

    private T? Get<T>(string key, string expected)
        where T : class => !_values.TryGetValue(key, out var value) ? null : value as T ?? throw Wrong(key, $"expected {expected}");

    private void Parse()
    {
        if (!_content.AsSpan().StartsWith("GGUF"u8))
            throw new UserException($"{_file}: not a GGUF file: it does not start with 'GGUF'");
        _at = 4;
        var version = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
        if (version is not (2 or 3))
            throw new UserException(string.Create(CultureInfo.InvariantCulture, $"{_file}: GGUF version {version} is not supported; supported are 2 and 3 (little-endian)"));
        _ = Take(8); // tensors
        var entries = Length(MaxEntries, "entries of metadata");
        for (var i = 0; i < entries; i++)
        {
            _key = string.Create(CultureInfo.InvariantCulture, $"metadata entry {i}");
            _key = Text();
            if (!_values.TryAdd(_key, Value(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))))
                throw Wrong(_key, "stands in the file a second time");
        }
    }

    private object Value(uint type)
    {
        if (type == 8)
            return Text();
        if (type != 9)
            return type == 7 ? Number(7) != 0 : Number(type);
        var item = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
        var count = Length(MaxLength, "items");
        if (item == 8)
        {
            var texts = new string[Math.Min(count, _content.Length / 8)];
            if (count > texts.Length)
                throw Damaged();
            for (var i = 0; i < count; i++)
                texts[i] = Text();
            return texts;
        }

        if (item == 9)
            throw Wrong(_key, "arrays of arrays are not supported");
        var numbers = new double[Math.Min(count, _content.Length)];
        if (count > numbers.Length)
            throw Damaged();
        for (var i = 0; i < count; i++)
            numbers[i] = Number(item);
        return numbers;
    }

    private double Number(uint type) => type switch
    {
        0 or 7 => Take(1)[0],
        1 => (sbyte)Take(1)[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2)),
        3 => BinaryPrimitives.ReadInt16LittleEndian(Take(2)),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(Take(4)),
        5 => BinaryPrimitives.ReadInt32LittleEndian(Take(4)),
        6 => BinaryPrimitives.ReadSingleLittleEndian(Take(4)),
        10 => BinaryPrimitives.ReadUInt64LittleEndian(Take(8)),
        11 => BinaryPrimitives.ReadInt64LittleEndian(Take(8)),
        12 => BinaryPrimitives.ReadDoubleLittleEndian(Take(8)),
        _ => throw Wrong(_key, string.Create(CultureInfo.InvariantCulture, $"the value type {type} is not known; the file is damaged")),
    };

    private string Text()
    {
        var bytes = Take(Length(MaxLength, "bytes of text"));
        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Wrong(_key, "not valid UTF-8");
    }

    private int Length(int most, string of)
    {
        var length = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        return length <= (ulong)most ? (int)length : throw Wrong(_key.Length == 0 ? "header" : _key, string.Create(CultureInfo.InvariantCulture, $"{length} {of}; the file is damaged"));
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _content.Length - _at)
            throw Damaged();
        _at += count;
        return _content.AsSpan(_at - count, count);
    }

    private UserException Damaged() => Wrong(_key.Length == 0 ? "header" : _key, string.Create(CultureInfo.InvariantCulture, $"the file ends at byte {_content.Length}, inside this entry"));
}
