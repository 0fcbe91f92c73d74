using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Formats;

/// <summary>Reads a protocol-buffer message field by field, strictly: what is truncated, too long or of the wrong wire type is one clear line.</summary>
internal ref struct ProtoReader
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);
    private static readonly string[] s_wires = ["a number", "64 bits", "bytes", "a group", "a group's end", "32 bits", "wire type 6", "wire type 7"];

    private readonly ReadOnlySpan<byte> _data;
    private readonly string _file, _path;
    private readonly int _origin; // where the message begins in the file
    private int _at, _start, _wire;

    public ProtoReader(ReadOnlySpan<byte> data, string file, string path, int origin)
    {
        _data = data;
        (_file, _path, _origin) = (file, path, origin);
    }

    /// <summary>The number of the field that <see cref="Next"/> came to.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field; false at the end. What was not read of the last one is passed over by <see cref="Skip"/> only.</summary>
    public bool Next()
    {
        if (_at == _data.Length)
            return false;
        _start = _at;
        var key = Varint("a field's key");
        _wire = (int)(key & 7);
        if (key >> 3 is 0 or > 0x1FFFFFFF)
            throw Error($"field number {key >> 3} does not exist; this is no SentencePiece model, or it is damaged");
        Field = (int)(key >> 3);
        return true;
    }

    public string Text(string name)
    {
        var bytes = Bytes(name);
        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new UserException(Error($"{name} is not valid UTF-8").Message, e);
        }
    }

    public ReadOnlySpan<byte> Bytes(string name)
    {
        Expect(2, name);
        var length = Varint($"the length of {name}");
        if (length > (ulong)(_data.Length - _at))
            throw Error($"{name} is {length} bytes long, but only {_data.Length - _at} follow");
        var bytes = _data.Slice(_at, (int)length);
        _at += bytes.Length;
        return bytes;
    }

    public ProtoReader Message(string name)
    {
        var bytes = Bytes(name);
        return new(bytes, _file, _path.Length == 0 ? name : $"{_path}.{name}", _origin + _at - bytes.Length);
    }

    public float Single(string name)
    {
        Expect(5, name);
        if (_data.Length - _at < 4)
            throw Error($"{name}: the file ends inside it");
        var value = BinaryPrimitives.ReadSingleLittleEndian(_data[_at..]);
        _at += 4;
        return float.IsNaN(value) ? throw Error($"{name} is not a number") : value;
    }

    public int Int32(string name)
    {
        Expect(0, name);
        var value = (long)Varint(name);
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw Error($"{name}: {value} is no 32-bit number");
    }

    public bool Flag(string name)
    {
        Expect(0, name);
        return Varint(name) != 0;
    }

    /// <summary>Passes over the field; returns it whole, key included, so that a writer can put it back.</summary>
    public ReadOnlySpan<byte> Skip()
    {
        switch (_wire)
        {
            case 0:
                Varint("a number");
                break;
            case 1:
                Pass(8);
                break;
            case 2:
                Bytes("a field");
                break;
            case 5:
                Pass(4);
                break;
            default:
                throw Error($"field {Field} is {s_wires[_wire]}, which models do not hold; this is no SentencePiece model, or it is damaged");
        }

        return _data[_start.._at];
    }

    public readonly UserException Error(string why) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{_file}: {(_path.Length == 0 ? "" : _path + " ")}at byte {_origin + _start}: {why}"));

    private void Pass(int bytes)
    {
        if (_data.Length - _at < bytes)
            throw Error($"the file ends inside field {Field}");
        _at += bytes;
    }

    private readonly void Expect(int wire, string name)
    {
        if (_wire != wire)
            throw Error($"{name} is stored as {s_wires[_wire]}, expected {s_wires[wire]}; this is no SentencePiece model, or it is damaged");
    }

    private ulong Varint(string name)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_at == _data.Length)
                throw Error($"the file ends inside {name}");
            var b = _data[_at++];
            if (shift == 63 && b > 1)
                break;
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }

        throw Error($"{name} is longer than 64 bits");
    }
}
