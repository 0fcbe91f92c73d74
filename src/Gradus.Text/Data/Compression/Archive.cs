namespace Gradus.Text.Data.Compression;

/// <summary>One file of an archive. Its bytes are valid until the next entry is asked for.</summary>
/// <param name="Name">As the archive has it, with slashes.</param>
/// <param name="Open">Opens its bytes; may be called once, or not at all.</param>
internal readonly record struct ArchiveEntry(string Name, Func<Stream> Open);

/// <summary>What an archive says about entries that are not files, or not acceptable.</summary>
internal interface IArchiveObserver
{
    /// <summary>An entry that is refused: its name, its method, its place.</summary>
    void Refused(string entry, string why);

    /// <summary>An entry that is no file: a link, a device.</summary>
    void NoFile(string rule);
}

/// <summary>
/// zip and tar as containers of files, read from front to back without touching the disk. Limits: entries of a zip, one level of nesting
/// (two for the layouts that need it), and the bound of <see cref="BoundedExpansion"/> over the archive as a whole.
/// </summary>
internal static class Archive
{
    private const int TarBlock = 512;

    /// <summary>Archive endings, after any compression ending.</summary>
    public static bool IsNamed(string plainName) => plainName.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) || plainName.EndsWith(".tar", StringComparison.OrdinalIgnoreCase);

    public static bool IsZip(Stream file)
    {
        Span<byte> head = stackalloc byte[4];
        var n = file.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        file.Position = 0;
        return n == 4 && (head.SequenceEqual("PK\u0003\u0004"u8) || head.SequenceEqual("PK\u0005\u0006"u8));
    }

    /// <summary>Looks at a stream's first block; the stream that comes back starts at the beginning again.</summary>
    public static bool IsTar(ref Stream stream)
    {
        var head = new byte[TarBlock];
        var n = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        stream = stream.CanSeek ? Rewound(stream, n) : new PrefixedStream(head.AsMemory(0, n), stream);
        return n == TarBlock && TarReader.IsHeader(head);
    }

    private static Stream Rewound(Stream stream, int n)
    {
        stream.Position -= n;
        return stream;
    }

    /// <summary>The entries of a file on disk that was found to be a zip.</summary>
    public static IEnumerable<ArchiveEntry> Zip(Stream file, string name, IArchiveObserver observer) => new ZipReader(file, name, observer).Entries();

    /// <summary>The entries of a stream of tar blocks, already decompressed.</summary>
    public static IEnumerable<ArchiveEntry> Tar(Stream stream, string name, IArchiveObserver observer) => new TarReader(stream, name, observer).Entries();
}
