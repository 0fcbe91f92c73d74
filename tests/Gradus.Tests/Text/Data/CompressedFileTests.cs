using System.IO.Compression;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Compression;

namespace Gradus.Tests.Text.Data;

public sealed class CompressedFileTests : IDisposable
{
    private readonly TempFolder _temp = Repo.Temp();

    public void Dispose() => _temp.Dispose();

    private static byte[] Text(int bytes)
    {
        var counter = new Counter(1, "text");
        var text = new byte[bytes];
        for (var i = 0; i < bytes; i++)
            text[i] = (byte)"etaoin shrdlu\n"[counter.Below((ulong)i, 14)];
        return text;
    }

    private static byte[] Gzip(byte[] text, CompressionLevel level = CompressionLevel.Optimal)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, level))
            gzip.Write(text);
        return packed.ToArray();
    }

    private byte[] Read(byte[] file, string name = "a.gz")
    {
        var path = _temp.File(name);
        File.WriteAllBytes(path, file);
        using var stream = CompressedFile.Open(path);
        var all = new MemoryStream();
        stream.CopyTo(all);
        return all.ToArray();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(1_000_003)]
    public void Gzip_reads_back(int bytes)
    {
        var text = Text(bytes);
        foreach (var level in new[] { CompressionLevel.NoCompression, CompressionLevel.Fastest, CompressionLevel.SmallestSize })
            if (bytes > 0) // GZipStream writes nothing at all for nothing
                Assert.Equal(text, Read(Gzip(text, level)));
        Assert.Equal(text, Read([.. "\x1f\u008b\b\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0".Select(c => (byte)c), .. bytes > 0 ? Gzip(text) : []]));
    }

    [Fact]
    public void Gzip_of_incompressible_and_of_repeated_bytes_reads_back()
    {
        var counter = new Counter(2, "noise");
        var noise = Enumerable.Range(0, 200_000).Select(i => (byte)counter.Below((ulong)i, 256)).ToArray();
        Assert.Equal(noise, Read(Gzip(noise)));
        var zeros = new byte[3_000_000];
        Assert.Equal(zeros, Read(Gzip(zeros)));
    }

    [Fact]
    public void Two_gzip_members_are_one_text() =>
        Assert.Equal([.. Text(5000), .. Text(777)], Read([.. Gzip(Text(5000)), .. Gzip(Text(777))]));

    [Fact]
    public void Optional_gzip_header_fields_are_passed_over()
    {
        var plain = Gzip(Text(300));
        byte[] header = [0x1F, 0x8B, 8, 4 | 8 | 16 | 2, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3, .. "name\0comment\0"u8, 9, 9];
        Assert.Equal(Text(300), Read([.. header, .. plain[10..]]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(50)]
    [InlineData(99)]
    public void A_gzip_file_cut_at_any_percentage_is_an_error(int percent)
    {
        var file = Gzip(Text(100_000));
        var e = Assert.ThrowsAny<UserException>(() => Read(file[..(file.Length * percent / 100)]));
        Assert.Contains("a.gz", e.Message);
        Assert.Contains(percent == 0 ? "empty" : "cut off", e.Message);
    }

    [Fact]
    public void Every_cut_of_a_small_gzip_file_is_an_error()
    {
        var file = Gzip(Text(200));
        for (var length = 0; length < file.Length; length++)
            Assert.ThrowsAny<UserException>(() => Read(file[..length]));
    }

    [Fact]
    public void Every_flipped_bit_of_gzip_data_is_an_error_or_changes_nothing()
    {
        var file = Gzip(Text(200));
        var harmless = 0;
        for (var at = 10; at < file.Length; at++) // the ten bytes before hold time and hints, which nothing checks
            for (var bit = 0; bit < 8; bit++)
            {
                var flipped = file.ToArray();
                flipped[at] ^= (byte)(1 << bit);
                try
                {
                    using var gzip = new GzipReadStream(new MemoryStream(flipped), "a.gz");
                    var text = new MemoryStream();
                    gzip.CopyTo(text);
                    Assert.Equal(Text(200), text.ToArray());
                    harmless++;
                }
                catch (UserException)
                {
                }
            }

        Assert.InRange(harmless, 0, 7); // the unused bits of the last byte before the checksum
    }

    [Fact]
    public void The_base_library_reads_a_cut_gzip_file_as_a_shorter_one()
    {
        // The negative control: why GzipReadStream exists. When this fails, .NET has learned, and ours can go.
        var file = Gzip(Text(100_000));
        using var gzip = new GZipStream(new MemoryStream(file[..(file.Length / 2)]), CompressionMode.Decompress);
        var all = new MemoryStream();
        gzip.CopyTo(all);
        Assert.InRange(all.Length, 1, 99_999);
    }

    [Fact]
    public void Bytes_behind_gzip_data_are_an_error()
    {
        var e = Assert.ThrowsAny<UserException>(() => Read([.. Gzip(Text(100)), .. "junk"u8]));
        Assert.Contains("after the end of the data", e.Message);
    }

    [Fact]
    public void A_file_that_is_not_what_its_name_says_is_an_error() =>
        Assert.Contains("named .gz", Assert.ThrowsAny<UserException>(() => Read("plain text"u8.ToArray())).Message);

    [Fact]
    public void Compressed_bytes_are_told_by_content_whatever_the_name() =>
        Assert.Equal(Text(100), Read(Gzip(Text(100)), "a.txt"));

    [Fact]
    public void A_missing_file_is_one_line() =>
        Assert.Contains("no such file", Assert.ThrowsAny<UserException>(() => CompressedFile.Open(_temp.File("nothing.txt"))).Message);

    [Fact]
    public void Bzip2_reads_one_stream_or_several()
    {
        var file = File.ReadAllBytes(Repo.SharedData("mediawiki/enwiki-table-markup.xml.bz2"));
        var text = Read(file, "a.bz2");
        Assert.StartsWith("<mediawiki", System.Text.Encoding.UTF8.GetString(text));
        Assert.EndsWith("</mediawiki>", System.Text.Encoding.UTF8.GetString(text).TrimEnd());
        Assert.Equal([.. text, .. text], Read([.. file, .. file], "two.bz2"));
        Assert.Contains("after the end of the data", Assert.Throws<DamagedFileException>(() => Read([.. file, .. "junk"u8], "a.bz2")).Message);
    }

    [Fact]
    public void Every_cut_and_every_flipped_bit_of_bzip2_is_an_error()
    {
        // ("gradus " × 40 + 300 × "a" + all 256 byte values) by bzip2 1.0.8: runs, move-to-front and every symbol.
        var file = Convert.FromBase64String(Bzip2Sample);
        byte[] text = [.. System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("gradus ", 40)) + new string('a', 300)), .. Enumerable.Range(0, 256).Select(i => (byte)i)];
        Assert.Equal(text, Read(file, "a.bz2"));
        for (var length = 4; length < file.Length; length++)
            Assert.Contains("cut off", Assert.Throws<DamagedFileException>(() => Read(file[..length], "a.bz2")).Message);
        var harmless = 0;
        for (var at = 4; at < file.Length; at++)
            for (var bit = 0; bit < 8; bit++)
            {
                var flipped = file.ToArray();
                flipped[at] ^= (byte)(1 << bit);
                try
                {
                    using var bzip2 = new Bzip2ReadStream(new MemoryStream(flipped), "a.bz2");
                    var read = new MemoryStream();
                    bzip2.CopyTo(read);
                    Assert.Equal(text, read.ToArray());
                    harmless++;
                }
                catch (DamagedFileException)
                {
                }
            }

        // A flip is an error, or it changes nothing (checked above): up to 7 unused bits at the end, and code lengths of symbols that do not occur.
        Assert.InRange(harmless, 0, 7 + 8);
    }

    [Fact]
    public void A_decompression_bomb_is_refused()
    {
        var member = Gzip(new byte[1 << 20], CompressionLevel.SmallestSize); // a thousandfold
        var path = _temp.File("bomb.gz");
        File.WriteAllBytes(path, [.. Enumerable.Repeat(member, 80).SelectMany(m => m)]);
        using var stream = CompressedFile.Open(path);
        Assert.Contains("bomb", Assert.ThrowsAny<UserException>(() => stream.CopyTo(Stream.Null)).Message);
    }

    [Fact]
    public void Xz_reads_and_every_cut_is_an_error()
    {
        var path = Repo.SharedData("eval-llmfoundry/symbolic_problem_solving/svamp.jsonl.xz");
        var file = File.ReadAllBytes(path);
        var text = Read(file, "a.xz");
        Assert.Equal((byte)'{', text[0]);
        Assert.Equal((byte)'\n', text[^1]);
        Assert.Equal([.. text, .. text], Read([.. file, .. file], "two.xz"));
        foreach (var percent in new[] { 1, 10, 50, 99 })
            Assert.Contains("cut off", Assert.ThrowsAny<UserException>(() => Read(file[..(file.Length * percent / 100)], "a.xz")).Message);
        Assert.ThrowsAny<UserException>(() => Read([.. file, .. "junk"u8], "a.xz"));
        var flipped = file.ToArray();
        flipped[file.Length / 2] ^= 4;
        Assert.ThrowsAny<UserException>(() => Read(flipped, "a.xz"));
    }

    [Fact]
    public void Zstd_reads_and_every_cut_is_an_error()
    {
        // "Gradus reads zstd.\n" × 20 by the zstd 1.5.4 command line, checksum on.
        var file = Convert.FromBase64String(ZstdSample);
        var text = Read(file, "a.zst");
        Assert.Equal(string.Concat(Enumerable.Repeat("Gradus reads zstd.\n", 20)), System.Text.Encoding.UTF8.GetString(text));
        Assert.Equal([.. text, .. text], Read([.. file, .. file], "two.zst"));
        for (var length = 4; length < file.Length; length++)
            Assert.Contains("cut off", Assert.ThrowsAny<UserException>(() => Read(file[..length], "a.zst")).Message);
        Assert.ThrowsAny<UserException>(() => Read([.. file, .. "junk"u8], "a.zst"));
        var flipped = file.ToArray();
        flipped[^1] ^= 1;
        Assert.ThrowsAny<UserException>(() => Read(flipped, "a.zst"));
    }

    [Fact]
    public void A_missing_system_library_is_one_line_that_names_the_package()
    {
        File.WriteAllBytes(_temp.File("a.zst"), Convert.FromBase64String(ZstdSample));
        File.WriteAllBytes(_temp.File("a.xz"), [0xFD, .. "7zXZ\0"u8, 0, 4]);
        using var child = Children.Start("no-codecs", null, _temp.File("a.zst"), _temp.File("a.xz"));
        var says = child.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        child.WaitForExit();
        Assert.Equal(2, says.Length);
        Assert.EndsWith("a.zst: reading zstd needs libzstd.so.1, which is not on this machine. On Debian: apt install libzstd1.", says[0]);
        Assert.EndsWith("a.xz: reading xz needs liblzma.so.5, which is not on this machine. On Debian: apt install liblzma5.", says[1]);
    }

    /// <summary>A process in which no system library can be loaded for Gradus.Text.</summary>
    internal static int Child(string[] args)
    {
        System.Runtime.InteropServices.NativeLibrary.SetDllImportResolver(typeof(CompressedFile).Assembly, (name, _, _) => throw new DllNotFoundException(name));
        foreach (var path in args)
        {
            try
            {
                CompressedFile.Open(path).Dispose();
            }
            catch (UserException e)
            {
                Console.WriteLine(e.Message);
            }
        }

        return 0;
    }

    private const string Bzip2Sample = "QlpoOTFBWSZTWblTU3gAAIh/////////////////////////////////////////////sAD6kIAAAAAAAAAACYAAAAAAAAAABMAAAAAAAAAAAAAAAAAAJgJhJgAJgACYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAESpommRpkwExMBMDSaaGTRgCaYTAACZBkZMExPIRgAmmIYBGmBMmAAAARiYjAEyMAAIZGAmAA+IBhCRcgj5JIS8rlk3MJyjmlJUVlhaXF/OMDEy55maGpsOAAEBwc9A6Ozw9PmYaNLS4vMDEyMzQ1Njc4OTo7PD0+P/4gIKEhoiKjI6QkpSWmJqcnqCipKaoqqyusLK0tri73e93/B1xbyaMBnHgACAYHiaBgAAgafG1EghCAOJsbW7yN7g4+UcPJQABA5OgAAgLF8qAAEDoRebzurs7vDy9Pb4+vz/6ID0wMFB+r1+yEhYaHiImKi5WWl5iZmpucnZ6foKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr/AwcLDxMXGx8jJysvMzc7P0NHS09TV1tfY2drb3N3e3+Dh4uPk5ebn6Onq6+zt7u/w8fLz/3p6+3v8fMv9Tn/+/z9F3JFOFCQuVNTeA=";

    private const string ZstdSample = "KLUv/QRY1QAAmEdyYWR1cyByZWFkcyB6c3RkLgoBAM1MnWE6X+Jy";
}
