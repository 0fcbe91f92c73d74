using System.Buffers.Binary;

namespace Gradus.Text.Data.Compression;

/// <summary>
/// zip by its central directory. Stored and deflated entries; checksum and both sizes of each are compared. Refused as a whole: entries that
/// overlap (how the densest bombs are made), a directory of more entries than it may have, sizes that lie. Refused one by one: bad names,
/// names that come twice, encryption, other methods, archives inside.
/// </summary>
internal sealed class ZipReader(Stream file, string archive, IArchiveObserver observer)
{
    /// <summary>Most entries of one archive.</summary>
    public const int MaxEntries = 500_000;

    private const uint LocalMagic = 0x04034b50, CentralMagic = 0x02014b50, EndMagic = 0x06054b50, End64Magic = 0x06064b50, Locator64Magic = 0x07064b50;
    private const int LocalHeader = 30, CentralHeader = 46, EndRecord = 22;
    private const int MaxDirectoryBytes = 64 << 20;

    private long _produced; // over all entries

    private readonly record struct Entry(long Offset, long Packed, long Size, uint Crc, ushort Flags, ushort Method, string Name);

    public IEnumerable<ArchiveEntry> Entries()
    {
        var (count, directoryAt, directoryBytes) = FindDirectory();
        if (count > MaxEntries || directoryBytes > MaxDirectoryBytes)
            throw new DamagedFileException($"{archive}: the zip archive has {count} entries; at most {MaxEntries} are read. Repack it as several, or as .tar.gz.");
        var directory = new byte[directoryBytes];
        file.Position = directoryAt;
        if (file.ReadAtLeast(directory, directory.Length, throwOnEndOfStream: false) < directory.Length)
            throw Cut();
        RefuseOverlaps(directory, count, directoryAt);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var at = 0;
        for (long i = 0; i < count; i++)
        {
            var entry = ReadEntry(directory, ref at);
            if (entry.Name.EndsWith('/'))
                observer.NoFile("folder");
            else if (EntryName.Problem(entry.Name) is { } problem)
                observer.Refused(EntryName.Printable(entry.Name), $"the entry's name is not accepted: {problem}");
            else if ((entry.Flags & 1) != 0)
                observer.Refused(entry.Name, "the entry is encrypted");
            else if (entry.Method is not (0 or 8))
                observer.Refused(entry.Name, $"the entry is packed by method {entry.Method}; stored (0) and deflate (8) are read");
            else if (!seen.Add(entry.Name))
                observer.Refused(entry.Name, "the name comes twice");
            else
                yield return new ArchiveEntry(entry.Name, () => Open(entry));
        }
    }

    /// <summary>Random access, for formats that are zips themselves: the bytes of the entries with a name, first one first.</summary>
    public Dictionary<string, Func<Stream>> ByName()
    {
        var entries = new Dictionary<string, Func<Stream>>(StringComparer.Ordinal);
        foreach (var entry in Entries())
            entries.TryAdd(entry.Name, entry.Open);
        return entries;
    }

    private EntryStream Open(Entry entry)
    {
        Span<byte> header = stackalloc byte[LocalHeader];
        file.Position = entry.Offset;
        if (file.ReadAtLeast(header, LocalHeader, throwOnEndOfStream: false) < LocalHeader || BinaryPrimitives.ReadUInt32LittleEndian(header) != LocalMagic)
            throw Damaged($"there is no entry where '{entry.Name}' has to be");
        file.Position = entry.Offset + LocalHeader + BinaryPrimitives.ReadUInt16LittleEndian(header[26..]) + BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        return new EntryStream(this, entry);
    }

    /// <summary>Entries may not share bytes: each ends before the next begins, and all before the directory.</summary>
    private void RefuseOverlaps(byte[] directory, long count, long directoryAt)
    {
        var spans = new (long Start, long End)[count];
        var at = 0;
        for (long i = 0; i < count; i++)
        {
            var e = ReadEntry(directory, ref at, withName: false);
            if (e.Offset < 0 || e.Packed < 0 || e.Size < 0 || e.Offset > directoryAt - LocalHeader - e.Packed)
                throw Damaged("an entry that reaches outside the archive");
            spans[i] = (e.Offset, e.Offset + LocalHeader + e.Packed);
        }

        Array.Sort(spans);
        for (var i = 1; i < spans.Length; i++)
            if (spans[i].Start < spans[i - 1].End)
                throw new DamagedFileException($"{archive}: entries of the zip archive overlap; refused as a decompression bomb.");
    }

    private Entry ReadEntry(byte[] directory, ref int at, bool withName = true)
    {
        var e = directory.AsSpan(at);
        if (e.Length < CentralHeader || BinaryPrimitives.ReadUInt32LittleEndian(e) != CentralMagic)
            throw Damaged("its directory holds fewer entries than it says");
        var (nameLength, extraLength, commentLength) = (BinaryPrimitives.ReadUInt16LittleEndian(e[28..]), BinaryPrimitives.ReadUInt16LittleEndian(e[30..]), BinaryPrimitives.ReadUInt16LittleEndian(e[32..]));
        var length = CentralHeader + nameLength + extraLength + commentLength;
        if (e.Length < length)
            throw Damaged("its directory ends inside an entry");
        at += length;
        long packed = BinaryPrimitives.ReadUInt32LittleEndian(e[20..]), size = BinaryPrimitives.ReadUInt32LittleEndian(e[24..]), offset = BinaryPrimitives.ReadUInt32LittleEndian(e[42..]);
        for (var extra = e.Slice(CentralHeader + nameLength, extraLength); extra.Length >= 4;)
        {
            var (id, bytes) = (BinaryPrimitives.ReadUInt16LittleEndian(extra), BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]));
            if (extra.Length < 4 + bytes)
                break;
            if (id == 1) // zip64: the fields that did not fit, in this order
            {
                var wide = extra.Slice(4, bytes);
                size = Wide(size, ref wide);
                packed = Wide(packed, ref wide);
                offset = Wide(offset, ref wide);
            }

            extra = extra[(4 + bytes)..];
        }

        var name = withName ? EntryName.Decode(e.Slice(CentralHeader, nameLength)) : "";
        return new Entry(offset, packed, size, BinaryPrimitives.ReadUInt32LittleEndian(e[16..]), BinaryPrimitives.ReadUInt16LittleEndian(e[8..]), BinaryPrimitives.ReadUInt16LittleEndian(e[10..]), name);
    }

    private long Wide(long value, ref Span<byte> wide)
    {
        if (value != uint.MaxValue)
            return value;
        if (wide.Length < 8)
            throw Damaged("a zip64 field is missing");
        value = BinaryPrimitives.ReadInt64LittleEndian(wide);
        wide = wide[8..];
        return value;
    }

    private (long Count, long At, long Bytes) FindDirectory()
    {
        var tail = new byte[(int)Math.Min(file.Length, EndRecord + ushort.MaxValue)];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        for (var i = tail.Length - EndRecord; i >= 0; i--)
        {
            var end = tail.AsSpan(i);
            if (BinaryPrimitives.ReadUInt32LittleEndian(end) != EndMagic || EndRecord + BinaryPrimitives.ReadUInt16LittleEndian(end[20..]) > end.Length)
                continue;
            long count = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]), bytes = BinaryPrimitives.ReadUInt32LittleEndian(end[12..]), at = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
            var endAt = file.Length - tail.Length + i;
            if (count == ushort.MaxValue || bytes == uint.MaxValue || at == uint.MaxValue)
                (count, bytes, at) = Directory64(endAt) ?? (count, bytes, at);
            if (at < 0 || bytes < 0 || count < 0 || at > endAt - bytes || bytes < count * CentralHeader)
                throw Damaged("a directory that reaches outside the archive");
            return (count, at, bytes);
        }

        throw Cut();
    }

    private (long Count, long Bytes, long At)? Directory64(long endAt)
    {
        Span<byte> record = stackalloc byte[56];
        if (endAt < 20)
            return null;
        file.Position = endAt - 20;
        file.ReadExactly(record[..20]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(record) != Locator64Magic)
            return null;
        var at = BinaryPrimitives.ReadInt64LittleEndian(record[8..]);
        if (at < 0 || at > endAt - 20 - 56)
            throw Damaged("its zip64 end record lies outside it");
        file.Position = at;
        file.ReadExactly(record);
        return BinaryPrimitives.ReadUInt32LittleEndian(record) == End64Magic
            ? (BinaryPrimitives.ReadInt64LittleEndian(record[32..]), BinaryPrimitives.ReadInt64LittleEndian(record[40..]), BinaryPrimitives.ReadInt64LittleEndian(record[48..]))
            : throw Damaged("its zip64 end record is none");
    }

    private DamagedFileException Damaged(string what) => new($"{archive}: damaged zip archive: {what}.");

    private DamagedFileException Cut() => new($"{archive}: the zip archive is cut off: its directory, which stands at the end, is missing. Fetch it again.");

    /// <summary>The bytes of one entry, checked against what the directory says.</summary>
    private sealed class EntryStream : DecodingStream
    {
        private readonly ZipReader _zip;
        private readonly Entry _entry;
        private readonly CountedStream _packed;
        private readonly ByteSource? _source;
        private readonly Inflate? _inflate;
        private uint _crc;
        private long _size;
        private bool _ended;

        public EntryStream(ZipReader zip, Entry entry)
        {
            (_zip, _entry) = (zip, entry);
            _packed = new CountedStream(zip.File, entry.Packed);
            if (entry.Method == 8)
            {
                _source = new ByteSource(_packed);
                _inflate = new Inflate(_source);
            }
        }

        public override int Read(Span<byte> buffer)
        {
            if (_ended || buffer.Length == 0)
                return 0;
            int n;
            try
            {
                n = _inflate is not null ? _inflate.Read(buffer) : _packed.Read(buffer);
            }
            catch (EndOfStreamException)
            {
                throw Damaged("stops in the middle of its data");
            }
            catch (InvalidDataException e)
            {
                throw Damaged($"cannot be unpacked: {e.Message}");
            }

            _size += n;
            _zip._produced += n;
            BoundedExpansion.Check(_zip._produced, () => _zip.File.Length, _zip.ArchiveName);
            if (_size > _entry.Size)
                throw Damaged($"is longer than the {_entry.Size} bytes that the directory says");
            _crc = Crc32.Append(_crc, buffer[..n]);
            if (n > 0)
                return n;
            _ended = true;
            if (_size != _entry.Size)
                throw Damaged($"has {_size} bytes, the directory says {_entry.Size}");
            if (_crc != _entry.Crc)
                throw Damaged($"has the checksum {_crc:x8}, the directory says {_entry.Crc:x8}");
            return 0;
        }

        private DamagedFileException Damaged(string what) => new($"{_zip.ArchiveName}: the entry '{_entry.Name}' {what}.");
    }

    private Stream File => file;

    private string ArchiveName => archive;
}
