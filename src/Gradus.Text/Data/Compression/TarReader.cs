namespace Gradus.Text.Data.Compression;

/// <summary>
/// tar from front to back: ustar, GNU long names and base-256 sizes, pax paths and sizes. Every header's checksum is compared, and an
/// archive that stops before its end mark is cut. Links, devices and pipes are counted and passed over; they hold no text.
/// </summary>
internal sealed class TarReader(Stream stream, string archive, IArchiveObserver observer)
{
    private const int Block = 512;
    private const int MaxHeaderData = 1 << 20; // a pax header or a long name beyond this is an attack

    private readonly byte[] _header = new byte[Block];
    private readonly byte[] _skipped = new byte[1 << 16];
    private long _position;
    private DamagedFileException? _fault; // given again to whoever reads on, so that it is counted once

    private string ArchiveName => archive;

    public static bool IsHeader(ReadOnlySpan<byte> block) => ReadOctal(block.Slice(148, 8)) is { } wanted && wanted == Checksum(block) && (block[257..].StartsWith("ustar"u8) || block[0] != 0);

    public IEnumerable<ArchiveEntry> Entries()
    {
        string? longName = null;
        long? paxSize = null;
        while (ReadHeader())
        {
            var at = _position - Block;
            var type = (char)_header[156];
            var size = ReadNumber(_header.AsSpan(124, 12)) ?? throw Damaged(at, "a size that is no number");
            if (type is 'x' or 'L' or 'g' or 'K')
            {
                var data = ReadData(size, at);
                if (type == 'L')
                    longName = EntryName.Decode(Terminated(data));
                else if (type == 'x')
                    ReadPax(data, at, ref longName, ref paxSize);
                continue;
            }

            var name = longName ?? HeaderName();
            size = paxSize ?? size;
            (longName, paxSize) = (null, null);
            if (size < 0)
                throw Damaged(at, "a negative size");
            var data2 = new CountedStream(stream, size);
            if (type is '0' or '\0' or '7')
            {
                if (name.EndsWith('/')) // a folder, the old way
                    observer.NoFile("folder");
                else if (EntryName.Problem(name) is { } problem)
                    observer.Refused(EntryName.Printable(name), $"the entry's name is not accepted: {problem}");
                else
                    yield return new ArchiveEntry(name, () => new EntryStream(data2, this));
            }
            else if (type == '5')
            {
                observer.NoFile("folder");
            }
            else
            {
                observer.NoFile(type switch { '1' or '2' => "link", '3' or '4' => "device", '6' => "pipe", _ => "unknown tar entry" });
                if (type is '1' or '2' or '3' or '4' or '6')
                    data2 = new CountedStream(stream, 0); // their size field speaks of something else
            }

            Skip(data2, at);
        }
    }

    private bool ReadHeader()
    {
        var n = stream.ReadAtLeast(_header, Block, throwOnEndOfStream: false);
        _position += n;
        if (n < Block)
            throw new DamagedFileException($"{archive}: the tar archive is cut off: it stops at byte {_position} without its end mark. Fetch it again.");
        if (_header.AsSpan().IndexOfAnyExcept((byte)0) < 0)
        {
            while (stream.Read(_skipped) > 0) // to the end, so that the checksum of a compressed archive is seen
            {
            }

            return false;
        }

        return ReadOctal(_header.AsSpan(148, 8)) == Checksum(_header) ? true : throw Damaged(_position - Block, "a header whose checksum is wrong");
    }

    private string HeaderName()
    {
        var name = EntryName.Decode(Terminated(_header.AsSpan(0, 100)));
        var prefix = _header.AsSpan(257).StartsWith("ustar\0"u8) ? EntryName.Decode(Terminated(_header.AsSpan(345, 155))) : "";
        return prefix.Length > 0 ? prefix + "/" + name : name;
    }

    private byte[] ReadData(long size, long at)
    {
        if (size is < 0 or > MaxHeaderData)
            throw Damaged(at, "a header of impossible size");
        var data = new byte[size];
        var part = new CountedStream(stream, size);
        var n = part.ReadAtLeast(data, data.Length, throwOnEndOfStream: false);
        Skip(part, at); // says so when it was cut
        return data[..n];
    }

    /// <summary>Records of a pax header: <c>LENGTH KEY=VALUE\n</c>.</summary>
    private void ReadPax(ReadOnlySpan<byte> data, long at, ref string? name, ref long? size)
    {
        while (data.Length > 0 && data[0] != 0)
        {
            var space = data.IndexOf((byte)' ');
            if (space <= 0 || !System.Buffers.Text.Utf8Parser.TryParse(data[..space], out int length, out var used) || used != space || length <= space + 1 || length > data.Length)
                throw Damaged(at, "a pax header that is no list of records");
            var record = data[(space + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals > 0 && record[..equals].SequenceEqual("path"u8))
                name = EntryName.Decode(record[(equals + 1)..]);
            else if (equals > 0 && record[..equals].SequenceEqual("size"u8))
                size = System.Buffers.Text.Utf8Parser.TryParse(record[(equals + 1)..], out long s, out _) ? s : throw Damaged(at, "a pax size that is no number");
            data = data[length..];
        }
    }

    /// <summary>The rest of an entry and its padding.</summary>
    private void Skip(CountedStream data, long at)
    {
        while (data.Left > 0 && data.Read(_skipped) > 0)
        {
        }

        if (data.Left > 0)
            throw _fault ??= new DamagedFileException($"{archive}: the tar archive is cut off in the entry at byte {at}: {data.Left} bytes are missing. Fetch it again.");
        var padding = (int)(-data.Count & (Block - 1));
        var n = stream.ReadAtLeast(_skipped.AsSpan(0, padding), padding, throwOnEndOfStream: false);
        if (n < padding)
            throw new DamagedFileException($"{archive}: the tar archive is cut off behind the entry at byte {at}. Fetch it again.");
        _position += data.Count + padding;
    }

    private DamagedFileException Damaged(long at, string what) => new($"{archive}: damaged tar archive at byte {at}: {what}.");

    private static ReadOnlySpan<byte> Terminated(ReadOnlySpan<byte> field) => field.IndexOf((byte)0) is >= 0 and var end ? field[..end] : field;

    private static long? ReadNumber(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) == 0)
            return ReadOctal(field);
        long value = field[0] & 0x3F; // GNU: base 256, big-endian, the sign in bit 6
        if ((field[0] & 0x40) != 0)
            return -1;
        foreach (var b in field[1..])
        {
            if (value > long.MaxValue >> 8)
                return null;
            value = (value << 8) | b;
        }

        return value;
    }

    private static long? ReadOctal(ReadOnlySpan<byte> field)
    {
        field = field.Trim(" \0"u8);
        long value = 0;
        foreach (var b in field)
        {
            if (b is < (byte)'0' or > (byte)'7')
                return null;
            value = (value << 3) | (uint)(b - '0');
        }

        return value;
    }

    private static long Checksum(ReadOnlySpan<byte> block)
    {
        long sum = 8 * ' '; // the checksum's own field counts as spaces
        for (var i = 0; i < Block; i++)
            if (i is < 148 or >= 156)
                sum += block[i];
        return sum;
    }

    /// <summary>An entry's bytes. When the archive ends before they do it is cut, which must not look like a shorter file.</summary>
    private sealed class EntryStream(CountedStream data, TarReader owner) : DecodingStream
    {
        public override int Read(Span<byte> buffer)
        {
            var n = data.Read(buffer);
            if (n == 0 && buffer.Length > 0 && data.Left > 0)
                throw owner._fault ??= new DamagedFileException($"{owner.ArchiveName}: the tar archive is cut off: {data.Left} bytes of an entry are missing. Fetch it again.");
            return n;
        }
    }
}
