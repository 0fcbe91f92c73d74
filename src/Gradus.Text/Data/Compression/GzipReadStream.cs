namespace Gradus.Text.Data.Compression;

/// <summary>
/// gzip (RFC 1952), any number of members, every footer checked. .NET's <c>GZipStream</c> reads a file cut in the middle as a
/// shorter file, and ignores what follows the last member; a half-downloaded corpus would train quietly.
/// </summary>
internal sealed class GzipReadStream : DecodingStream
{
    private readonly Stream _file;
    private readonly string _name;
    private readonly ByteSource _source;
    private readonly Inflate _inflate;
    private uint _crc;
    private uint _size;
    private bool _inMember, _ended;

    public GzipReadStream(Stream file, string name)
    {
        (_file, _name) = (file, name);
        _source = new ByteSource(file);
        _inflate = new Inflate(_source);
    }

    public override int Read(Span<byte> buffer)
    {
        try
        {
            while (!_ended && buffer.Length > 0)
            {
                if (!_inMember)
                    BeginMember();
                if (_ended)
                    break;
                var n = _inflate.Read(buffer);
                if (n == 0)
                {
                    EndMember();
                    continue;
                }

                _crc = Crc32.Append(_crc, buffer[..n]);
                unchecked
                {
                    _size += (uint)n;
                }

                return n;
            }

            return 0;
        }
        catch (EndOfStreamException)
        {
            throw new DamagedFileException($"{_name}: the gzip file is cut off: it stops at byte {_source.Position} in the middle of its data. Fetch it again.");
        }
        catch (InvalidDataException e)
        {
            throw new DamagedFileException($"{_name}: damaged gzip data near byte {_source.Position}: {e.Message}.", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }

    private void BeginMember()
    {
        var start = _source.Position;
        var first = _source.Next();
        if (first < 0 && start > 0)
        {
            _ended = true;
            return;
        }

        if (first != 0x1F || Next() != 0x8B)
            throw new InvalidDataException(start == 0 ? "it does not start like a gzip file" : $"bytes after the end of the data (from byte {start}) that are no gzip member");
        if (Next() != 8)
            throw new InvalidDataException("an unknown compression method");
        var flags = Next();
        if ((flags & 0xE0) != 0)
            throw new InvalidDataException("reserved header flags");
        for (var i = 0; i < 6; i++)
            Next(); // time, hints, system
        if ((flags & 4) != 0)
        {
            for (var left = Next() | (Next() << 8); left > 0; left--)
                Next();
        }

        for (var strings = ((flags >> 3) & 1) + ((flags >> 4) & 1); strings > 0; strings--)
        {
            while (Next() != 0)
            {
            }
        }

        if ((flags & 2) != 0)
        {
            Next();
            Next();
        }

        _inflate.Reset();
        (_crc, _size, _inMember) = (0, 0, true);
    }

    private void EndMember()
    {
        var crc = Word();
        var size = Word();
        if (crc != _crc)
            throw new InvalidDataException($"the checksum is {_crc:x8}, the file says {crc:x8}");
        if (size != _size)
            throw new InvalidDataException("the length of the data is not what the file says");
        _inMember = false;
    }

    private uint Word() => (uint)(Next() | (Next() << 8) | (Next() << 16) | (Next() << 24));

    private int Next()
    {
        var b = _source.Next();
        return b < 0 ? throw new EndOfStreamException() : b;
    }
}

/// <summary>CRC-32 as gzip and zip use it (polynomial 0xEDB88320), eight bytes a round.</summary>
internal static class Crc32
{
    private static readonly uint[][] s_table = BuildTable();

    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        crc = ~crc;
        var t = s_table;
        while (data.Length >= 8)
        {
            var low = crc ^ System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(data);
            var high = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            crc = t[7][low & 255] ^ t[6][(low >> 8) & 255] ^ t[5][(low >> 16) & 255] ^ t[4][low >> 24]
                ^ t[3][high & 255] ^ t[2][(high >> 8) & 255] ^ t[1][(high >> 16) & 255] ^ t[0][high >> 24];
            data = data[8..];
        }

        foreach (var b in data)
            crc = t[0][(crc ^ b) & 255] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[][] BuildTable()
    {
        var table = new uint[8][];
        for (var k = 0; k < 8; k++)
            table[k] = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var c = i;
            for (var bit = 0; bit < 8; bit++)
                c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            table[0][i] = c;
        }

        for (var k = 1; k < 8; k++)
            for (var i = 0; i < 256; i++)
                table[k][i] = table[0][table[k - 1][i] & 255] ^ (table[k - 1][i] >> 8);
        return table;
    }
}
