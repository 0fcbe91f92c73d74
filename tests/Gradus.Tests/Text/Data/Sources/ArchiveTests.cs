using System.Buffers.Binary;
using System.Formats.Tar;
using System.Text;
using Gradus.Text.Data.Compression;
using Gradus.Text.Data.Sources;

namespace Gradus.Tests.Text.Data.Sources;

public sealed class ArchiveTests : SourceBench
{
    private static readonly (string, string)[] s_files = [("a.txt", "one"), ("deep/er/b.txt", "two"), ("c.bin", "never"), ("d.jsonl.gz", "x")];

    [Theory]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    [Row("B1")]
    public void Tar_archives_are_folders_of_files(TarEntryFormat format)
    {
        var longName = string.Concat(Enumerable.Repeat("folder/", 20)) + "long.txt"; // over the 100 bytes of a header
        var tar = Tar(format, [.. s_files, (format == TarEntryFormat.Ustar ? "e/long.txt" : longName, "three")]);
        foreach (var path in new[] { Write("x.tar", tar), Write("x.tar.gz", Gzip(tar)), Write("x.tgz", Gzip(tar)) })
        {
            var (documents, report) = ReadAll(new TextSource { Path = path });
            Assert.Equal(["one", "two", "three"], documents.Select(Text));
            Assert.Equal($"{path}!deep/er/b.txt", documents[1].Origin);
            Assert.Equal(2, report.LeftOut["archive: other file"]);
        }
    }

    [Fact]
    [Row("B1")]
    public void Zip_archives_are_folders_of_files_packed_or_stored()
    {
        var (documents, report) = ReadAll(new TextSource { Path = Write("x.zip", Zip(s_files)) });
        Assert.Equal(["one", "two"], documents.Select(Text));
        Assert.Equal(2, report.LeftOut["archive: other file"]);
        var inner = Gzip("{\"text\":\"packed twice\"}\n"u8.ToArray());
        Assert.Equal(["packed twice"], Texts(new JsonlSource { Path = Write("y.zip", Stored(("a.jsonl.gz", inner))) }));
    }

    [Fact]
    public void Every_cut_of_a_tar_archive_is_an_error()
    {
        var tar = Tar(TarEntryFormat.Ustar, ("a.txt", new string('x', 700)), ("b.txt", "two"));
        for (var length = 512; length < tar.Length - 512; length += 32) // of the two blocks that end it, one suffices
            Assert.Contains("cut off", Fails(new TextSource { Path = Write("a.tar", tar[..length]) }));
        foreach (var percent in new[] { 1, 50, 99 })
        {
            var packed = Gzip(tar);
            Assert.Contains("cut", Fails(new TextSource { Path = Write("a.tar.gz", packed[..(packed.Length * percent / 100)]) }));
        }
    }

    [Fact]
    public void Every_cut_of_a_zip_archive_is_an_error()
    {
        var zip = Zip(("a.txt", new string('x', 700)), ("b.txt", "two"));
        for (var length = 4; length < zip.Length; length++)
            Assert.Contains("cut off", Fails(new TextSource { Path = Write("a.zip", zip[..length]) }));
    }

    [Fact]
    public void Flipped_bits_of_a_zip_are_errors_or_change_nothing_that_is_read()
    {
        var text = string.Concat(Enumerable.Range(0, 60).Select(i => $"line {i * i}\n"));
        var zip = Zip(("a.txt", text));
        var changed = 0;
        for (var at = 0; at < zip.Length; at++)
            for (var bit = 0; bit < 8; bit++)
            {
                var flipped = zip.ToArray();
                flipped[at] ^= (byte)(1 << bit);
                try
                {
                    foreach (var read in Texts(new TextSource { Path = Write("a.zip", flipped) }))
                        changed += read == text ? 0 : 1;
                }
                catch (Gradus.Foundation.Files.UserException)
                {
                }
            }

        // Flips of the first four bytes make it no zip, hence text: only these may show other bytes, and then as invalid UTF-8, not silently.
        Assert.Equal(0, changed);
    }

    [Theory]
    [InlineData("../x.txt", "climbs")]
    [InlineData("a/../../x.txt", "climbs")]
    [InlineData("..\\x.txt", "climbs")]
    [InlineData("/etc/x.txt", "absolute")]
    [InlineData("\\x.txt", "absolute")]
    [InlineData("C:\\x.txt", "absolute")]
    [InlineData("a\u202Etxt.exe.txt", "direction")]
    [InlineData("a\nb.txt", "control")]
    public void Names_that_lie_are_refused_and_nothing_is_written(string name, string says)
    {
        foreach (var path in new[] { Write("x.zip", Zip(("fine.txt", "fine"), (name, "evil"))), Write("x.tar", Tar(TarEntryFormat.Pax, ("fine.txt", "fine"), (name, "evil"))) })
        {
            var before = Directory.GetFileSystemEntries(Folder).Length;
            var message = Fails(new TextSource { Path = path });
            Assert.Contains(says, message);
            Assert.DoesNotContain(message, char.IsControl);
            var (documents, report) = ReadAll(new TextSource { Path = path, BadRecords = BadRecords.Skip });
            Assert.Equal(["fine"], documents.Select(Text));
            Assert.Equal(1, report.Skipped);
            Assert.Equal(before, Directory.GetFileSystemEntries(Folder).Length);
        }
    }

    [Fact]
    public void Harmless_oddities_of_names_stay_labels()
    {
        // Nothing is extracted, so names that only some file systems mind are names like any other.
        (string, string)[] files = [("CON.txt", "a"), ("trailing. .txt", "b"), ("Case.txt", "c"), ("case.txt", "d")];
        Assert.Equal(["a", "b", "c", "d"], Texts(new TextSource { Path = Write("x.zip", Zip(files)) }));
        Assert.Contains("longer than 1024 bytes", Fails(new TextSource { Path = Write("y.zip", Zip((new string('n', 4096) + ".txt", "x"))) }));
    }

    [Fact]
    public void Links_devices_and_pipes_are_counted_and_passed_over()
    {
        var packed = new MemoryStream();
        using (var tar = new TarWriter(packed, TarEntryFormat.Pax, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "link.txt") { LinkName = "/etc/passwd" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "hard.txt") { LinkName = "a.txt" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.CharacterDevice, "device.txt"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Fifo, "pipe.txt"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "folder.txt/"));
            tar.WriteEntry(Entry(TarEntryFormat.Pax, "a.txt", "fine"));
        }

        var (documents, report) = ReadAll(new TextSource { Path = Write("x.tar", packed.ToArray()) });
        Assert.Equal(["fine"], documents.Select(Text));
        Assert.Equal((2, 1, 1, 1), (report.LeftOut["archive: link"], report.LeftOut["archive: device"], report.LeftOut["archive: pipe"], report.LeftOut["archive: folder"]));
    }

    [Fact]
    public void Duplicates_encryption_and_archives_inside_archives_are_refused()
    {
        Assert.Contains("comes twice", Fails(new TextSource { Path = Write("x.zip", Zip(("a.txt", "1"), ("a.txt", "2"))) }));
        Assert.Contains("archive inside an archive", Fails(new TextSource { Path = Write("y.zip", Stored(("inner.zip", Zip(("a.txt", "1"))))) }));
        Assert.Contains("archive inside an archive", Fails(new TextSource { Path = Write("z.zip", Stored(("inner.tar.gz", Gzip(Tar(TarEntryFormat.Pax, ("a.txt", "1")))))) }));
        var locked = Stored(("a.txt", "x"u8.ToArray()));
        locked[locked.Length - 22 - 46 - 5 + 8] |= 1; // the directory's flags
        Assert.Contains("encrypted", Fails(new TextSource { Path = Write("l.zip", locked) }));
    }

    [Theory]
    [InlineData(-1, "longer than the 2 bytes")]
    [InlineData(1, "has 3 bytes, the directory says 4")]
    public void Sizes_that_lie_are_errors(int by, string says)
    {
        var zip = Stored(("a.txt", "abc"u8.ToArray()));
        var size = zip.AsSpan(zip.Length - 22 - 46 - 5 + 24, 4);
        BinaryPrimitives.WriteInt32LittleEndian(size, BinaryPrimitives.ReadInt32LittleEndian(size) + by);
        Assert.Contains(says, Fails(new TextSource { Path = Write("a.zip", zip) }));
    }

    [Fact]
    public void Overlapping_entries_are_a_bomb()
    {
        // Two directory entries that point at one local file: the seed of the densest zip bombs.
        var zip = Stored(("a.txt", new byte[100]), ("b.txt", new byte[100]));
        var second = zip.Length - 22 - 46 - 5;
        BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(second + 42), 0);
        Assert.Contains("overlap", Fails(new TextSource { Path = Write("a.zip", zip) }));
    }

    [Fact]
    public void A_zip_of_a_million_empty_entries_is_refused_at_once_in_little_memory()
    {
        var entry = new byte[46 + 1];
        BinaryPrimitives.WriteUInt32LittleEndian(entry, 0x02014b50);
        entry[28] = 1;
        entry[46] = (byte)'a';
        var zip = new byte[4 + (1_000_000 * entry.Length) + 56 + 20 + 22];
        "PK\u0003\u0004"u8.CopyTo(zip);
        for (var i = 0; i < 1_000_000; i++)
            entry.CopyTo(zip, 4 + (i * entry.Length));
        var end = zip.AsSpan(4 + (1_000_000 * entry.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06064b50);
        BinaryPrimitives.WriteInt64LittleEndian(end[32..], 1_000_000);
        BinaryPrimitives.WriteInt64LittleEndian(end[40..], 1_000_000L * entry.Length);
        BinaryPrimitives.WriteInt64LittleEndian(end[48..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(end[56..], 0x07064b50);
        BinaryPrimitives.WriteInt64LittleEndian(end[64..], 4 + (1_000_000L * entry.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(end[76..], 0x06054b50);
        end.Slice(76 + 8, 12).Fill(0xFF);
        var path = Write("a.zip", zip);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Contains("has 1000000 entries", Fails(new TextSource { Path = path }));
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 10 << 20);
    }

    [Fact]
    public void A_zip_that_expands_too_far_is_refused_however_its_entries_share_the_output()
    {
        var packed = new MemoryStream();
        using (var zip = new System.IO.Compression.ZipArchive(packed, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
            for (var i = 0; i < 10; i++) // ten of 10 MB each: none alone goes over the free 64 MB
            {
                using var stream = zip.CreateEntry($"{i}.txt", System.IO.Compression.CompressionLevel.SmallestSize).Open();
                stream.Write(Enumerable.Repeat((byte)'a', 10_000_000).ToArray());
            }

        Assert.Contains("bomb", Fails(new TextSource { Path = Write("a.zip", packed.ToArray()) }));
    }

    [Fact]
    public void A_damaged_entry_costs_itself_and_the_rest_is_read()
    {
        var zip = Stored(("a.txt", "fine"u8.ToArray()), ("b.txt", "spoilt"u8.ToArray()), ("c.txt", "fine too"u8.ToArray()));
        zip[zip.AsSpan().IndexOf("spoilt"u8)] ^= 1;
        Assert.Contains("'b.txt' has the checksum", Fails(new TextSource { Path = Write("a.zip", zip) }));
        var (documents, report) = ReadAll(new TextSource { Path = Write("a.zip", zip), BadRecords = BadRecords.Skip });
        Assert.Equal(["fine", "fine too"], documents.ConvertAll(Text));
        Assert.Equal(1L, report.Skipped);
    }

    [Fact]
    public void Two_thousand_megabytes_of_zstd_window_are_refused()
    {
        // Frame header: no content size, window exponent 21: 2^31 bytes; then one raw block of one byte, the last.
        var path = Write("a.txt.zst", [0x28, 0xB5, 0x2F, 0xFD, 0x00, 21 << 3, 0x09, 0x00, 0x00, (byte)'x']);
        Assert.Contains("damaged zstd data", Fails(new TextSource { Path = path }));
        var small = Write("b.txt.zst", [0x28, 0xB5, 0x2F, 0xFD, 0x00, 10 << 3, 0x09, 0x00, 0x00, (byte)'x']); // the control: 2^20
        Assert.Equal(["x"], Texts(new TextSource { Path = small }));
    }

    [Fact]
    public void A_bzip2_bomb_is_refused()
    {
        // 80,000,000 zeros by bzip2 1.0.8, fifty-fold behind each other.
        var stream = Convert.FromBase64String(Bzip2Zeros);
        using var bomb = CompressedFile.Open(Write("a.bz2", [.. Enumerable.Repeat(stream, 50).SelectMany(s => s)]));
        Assert.Contains("bomb", Assert.Throws<DamagedFileException>(() => bomb.CopyTo(Stream.Null)).Message);
    }

    /// <summary>A zip of stored entries, byte by byte: what no library would write.</summary>
    private static byte[] Stored(params (string Name, byte[] Bytes)[] entries)
    {
        var (zip, directory) = (new MemoryStream(), new MemoryStream());
        foreach (var (name, bytes) in entries)
        {
            var at = (int)zip.Position;
            var header = new byte[46];
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), Crc32.Append(0, bytes));
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(20), bytes.Length);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(24), bytes.Length);
            header[28] = (byte)name.Length;
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(42), at);
            zip.Write("PK\u0003\u0004"u8);
            zip.Write(new byte[10]);
            zip.Write(header.AsSpan(16, 16));
            zip.Write(Encoding.ASCII.GetBytes(name));
            zip.Write(bytes);
            "PK\u0001\u0002"u8.CopyTo(header);
            directory.Write(header);
            directory.Write(Encoding.ASCII.GetBytes(name));
        }

        var end = new byte[22];
        "PK\u0005\u0006"u8.CopyTo(end);
        end[8] = end[10] = (byte)entries.Length;
        BinaryPrimitives.WriteInt32LittleEndian(end.AsSpan(12), (int)directory.Length);
        BinaryPrimitives.WriteInt32LittleEndian(end.AsSpan(16), (int)zip.Length);
        return [.. zip.ToArray(), .. directory.ToArray(), .. end];
    }

    private const string Bzip2Zeros = "QlpoOTFBWSZTWQ4J4t8BX45AAMAAAAggADCATUZCoCWpCoCXMUFZJlNZ5rrG9wEFMECAwAAAIAAIIAAwzAUppgUSBsQUSB4u5IpwoSH1UgaS";
}
