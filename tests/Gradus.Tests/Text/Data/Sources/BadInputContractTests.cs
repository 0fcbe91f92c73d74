using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources;
using Gradus.Text.Data.Sources.DuckDb;

namespace Gradus.Tests.Text.Data.Sources;

/// <summary>What every source promises, whatever it is given. A new source is tested here without a line.</summary>
public sealed class BadInputContractTests : SourceBench
{
    public static TheoryData<string> Kinds() => [.. Components.Of(typeof(SourceOptions)).Select(c => c.Kind)];

    private static SourceOptions Source(string kind, string path)
    {
        var source = (SourceOptions)Activator.CreateInstance(Components.Of(typeof(SourceOptions)).First(c => c.Kind == kind).Type)!;
        return source is ParallelSource parallel ? parallel with { Path = path, Target = path } : source with { Path = path };
    }

    private static string Ending(SourceOptions source) => source.FileEndings[0];

    private static bool NeedsWhatIsNotHere(string kind) => kind is "parquet" && !DuckDbLibrary.IsHere();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Nothing_is_one_line(string kind)
    {
        Assert.SkipWhen(NeedsWhatIsNotHere(kind), "needs libduckdb");
        foreach (var bytes in new byte[][] { [], " \r\n\t\n"u8.ToArray(), "\uFEFF"u8.ToArray(), [0] })
        {
            var source = Source(kind, "");
            source = Source(kind, Write("empty" + Ending(source), bytes));
            var message = Record(source);
            Assert.True(message is null ? bytes is [0] : !message.Contains('\n', StringComparison.Ordinal), message ?? "no error");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Damage_never_crashes_and_with_skip_never_stops(string kind)
    {
        Assert.SkipWhen(NeedsWhatIsNotHere(kind), "needs libduckdb");
        var counter = new Counter(3, kind);
        var seeds = Seeds();
        for (ulong i = 0; i < 120; i++)
        {
            var bytes = seeds[(int)counter.Below(4 * i, seeds.Count)].ToArray();
            var (at, length) = ((int)counter.Below((4 * i) + 1, bytes.Length), (int)counter.Below((4 * i) + 2, 40));
            if (i % 3 == 0)
                bytes = bytes[..at];
            else
                for (var j = at; j < Math.Min(bytes.Length, at + length); j++)
                    bytes[j] = (byte)counter.Below((4 * i) + 3 + ((ulong)j << 20), 256);
            var source = Source(kind, "");
            source = Source(kind, Write("a" + Ending(source), bytes));
            Record(source);
            var skipping = Record(source with { BadRecords = BadRecords.Skip });
            Assert.True(skipping is null || skipping.Contains("no records", StringComparison.Ordinal), skipping);
        }
    }

    [Theory]
    [InlineData("text")]
    [InlineData("jsonl")]
    [InlineData("csv")]
    [InlineData("conll")]
    [InlineData("mbox")]
    [InlineData("json")]
    [InlineData("warc")]
    [InlineData("html")]
    [InlineData("mediawiki")]
    public void A_line_of_a_gigabyte_costs_the_cap_not_its_length(string kind)
    {
        var source = Source(kind, "");
        var path = System.IO.Path.Combine(Folder, "sparse" + Ending(source));
        using (var file = File.Create(path))
        {
            var start = Encoding.ASCII.GetBytes(kind switch { "json" => "[{\"text\":\"", "warc" => "WARC/1.0\r\nX: ", "mediawiki" => "<mediawiki><page><title>", _ => "x" });
            file.Write(start);
            file.SetLength(1L << 30); // sparse: no disk, a gigabyte of NUL bytes without a line feed
        }

        source = Source(kind, path) with { MaxRecordBytes = 1 << 20, BadRecords = BadRecords.Skip };
        if (source is TextSource text)
            source = text with { Documents = TextUnit.Line };
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Contains("no records", Record(source));
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 24 << 20);
    }

    [Fact]
    [Row("B1")]
    public void Quarantine_keeps_file_offset_reason_and_bytes_of_every_bad_record()
    {
        var path = Write("a.jsonl", Encoding.Latin1.GetBytes("{\"text\":\"fine\"}\n{\"text\":3}\n{\"text\":\"\u00FF\"}\n" + new string('x', 200_000) + "\n{\"text\":\"fine too\"}\n"));
        var file = System.IO.Path.Combine(Folder, QuarantineFile.Name);
        var source = new JsonlSource { Path = path, BadRecords = BadRecords.Quarantine, MaxRecordBytes = 150_000 };
        Assert.Contains("no quarantine file", Fails(source));
        using (var quarantine = new QuarantineFile(file))
        {
            var report = new SourceReport { Quarantine = quarantine };
            Assert.Equal(["fine", "fine too"], source.Read(report).Select(Text));
            Assert.Equal((3L, 3L), (report.Skipped, quarantine.Count));
        }

        var records = QuarantineFile.Read(file).ToList();
        Assert.Equal([16L, 27, 40], records.Select(r => r.Offset));
        Assert.Equal(["{\"text\":3}", "{\"text\":\"\u00FF\"}"], records.Take(2).Select(r => Encoding.Latin1.GetString(Convert.FromBase64String(r.Base64))));
        Assert.Equal((150_000L, QuarantineFile.MaxBytes, path, $"{path}:4"), (records[2].Bytes, Convert.FromBase64String(records[2].Base64).Length, records[2].File, records[2].Place));
        Assert.StartsWith("the row is longer than 150000 bytes", records[2].Reason);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(99)]
    [Row("B1")]
    public void A_cut_gzip_file_stops_or_keeps_what_was_whole(int percent)
    {
        var counter = new Counter(4, "cut");
        var lines = Enumerable.Range(0, 2000).Select(i => $"{{\"text\":\"{counter.UInt64((ulong)i):x} {i}\"}}").ToList();
        var packed = Gzip(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
        var source = new JsonlSource { Path = Write("a.jsonl.gz", packed[..(packed.Length * percent / 100)]) };
        Assert.Contains("cut off", Fails(source));
        var report = new SourceReport();
        List<string> kept = [];
        try
        {
            foreach (var document in (source with { BadRecords = BadRecords.Skip }).Read(report))
                kept.Add(Text(document));
        }
        catch (UserException e)
        {
            Assert.Contains("no records left", e.Message);
        }

        Assert.Equal(lines.Take(kept.Count).Select(l => l[9..^2]), kept);
        Assert.True(percent < 50 || kept.Count > 700, $"{kept.Count} of 2000");
        Assert.Contains("cut off", report.Reasons[^1]);
    }

    /// <summary>The error, if any; anything but a <see cref="UserException"/> fails the test.</summary>
    private static string? Record(SourceOptions source)
    {
        try
        {
            ReadAll(source);
            return null;
        }
        catch (UserException e)
        {
            return e.Message;
        }
    }

    private static List<byte[]> Seeds() =>
    [
        Encoding.UTF8.GetBytes("{\"text\":\"some words\",\"url\":\"x\"}\n{\"text\":\"more\"}\n"),
        Encoding.UTF8.GetBytes("id,text\n1,\"a\nb\"\n2,c\n"),
        Encoding.UTF8.GetBytes("<!doctype html><html><body><p>words <b>and</b> words</p></body></html>"),
        Encoding.UTF8.GetBytes("<mediawiki><page><title>a</title><ns>0</ns><revision><text>'''a''' {{b}} [[c|d]]</text></revision></page></mediawiki>"),
        Encoding.UTF8.GetBytes("<posts><row Id=\"1\" PostTypeId=\"1\" Body=\"x\" Title=\"y\"/></posts>"),
        Encoding.UTF8.GetBytes("WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nwords\r\n\r\n"),
        Encoding.UTF8.GetBytes("From a@x Thu Apr 25 12:57:54 2019\nFrom: a\nSubject: s\n\nbody\n"),
        Encoding.UTF8.GetBytes("a\tO\nb\tB-x\n\nc\tO\n"),
        Zip(("mimetype", "application/epub+zip"), ("a.opf", "<package><manifest><item id=\"a\" href=\"a.xhtml\"/></manifest><spine><itemref idref=\"a\"/></spine></package>"), ("a.xhtml", "<p>words</p>"), ("a.txt", "words")),
        Tar(System.Formats.Tar.TarEntryFormat.Pax, ("a.txt", "words"), ("b.jsonl", "{\"text\":\"w\"}")),
        Gzip("words and words and words"u8.ToArray()),
    ];
}
