using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Gradus.Text.Data;
using Gradus.Text.Data.Sources;

namespace Gradus.Tests.Text.Data.Sources;

/// <summary>What the tests of sources share: files to read, and what came of them.</summary>
public abstract class SourceBench : IDisposable
{
    private readonly TempFolder _temp = Repo.Temp();

    protected string Folder => _temp.Path;

    public void Dispose()
    {
        _temp.Dispose();
        GC.SuppressFinalize(this);
    }

    protected string Write(string name, byte[] bytes)
    {
        var path = _temp.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    protected string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    protected static (List<Document> Documents, SourceReport Report) ReadAll(SourceOptions source)
    {
        var report = new SourceReport();
        return ([.. source.Read(report)], report);
    }

    protected static List<string> Texts(SourceOptions source) => [.. ReadAll(source).Documents.Select(Text)];

    protected static string Text(Document document) => Encoding.UTF8.GetString(document.Utf8.Span);

    protected static string Fails(SourceOptions source) => Assert.ThrowsAny<Gradus.Foundation.Files.UserException>(() => ReadAll(source)).Message;

    protected static byte[] Gzip(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    protected static byte[] Zip(params (string Name, string Text)[] entries)
    {
        var packed = new MemoryStream();
        using (var zip = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, text) in entries)
            {
                using var stream = zip.CreateEntry(name, CompressionLevel.Optimal).Open();
                stream.Write(Encoding.UTF8.GetBytes(text));
            }

        return packed.ToArray();
    }

    protected static byte[] Tar(TarEntryFormat format, params (string Name, string Text)[] entries)
    {
        var packed = new MemoryStream();
        using (var tar = new TarWriter(packed, format, leaveOpen: true))
            foreach (var (name, text) in entries)
                tar.WriteEntry(Entry(format, name, text));
        return packed.ToArray();
    }

    protected static TarEntry Entry(TarEntryFormat format, string name, string text)
    {
        TarEntry entry = format switch
        {
            TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
            TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
            _ => new PaxTarEntry(TarEntryType.RegularFile, name),
        };
        entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return entry;
    }
}
