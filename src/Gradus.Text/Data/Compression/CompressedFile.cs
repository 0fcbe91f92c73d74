using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Compression;

/// <summary>Opens a data file, plain or compressed; what it is is decided by its first bytes, and a name that promises otherwise is an error.</summary>
internal static class CompressedFile
{
    /// <summary>Endings that are dropped before the kind of a file is judged by its name.</summary>
    public static readonly IReadOnlyList<string> Endings = [".gz", ".xz", ".zst", ".bz2"];

    private const int HeadBytes = 8;

    /// <summary>The file's uncompressed bytes.</summary>
    /// <exception cref="UserException">Missing, unreadable, cut or damaged, now or while reading.</exception>
    public static Stream Open(string path)
    {
        var file = OpenPlain(path);
        try
        {
            return Decompress(file, path, () => file.Position);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The file as it is on disk.</summary>
    public static FileStream OpenPlain(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(e is FileNotFoundException or DirectoryNotFoundException ? $"{path}: there is no such file." : $"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The uncompressed bytes of a stream, which the result owns.</summary>
    /// <param name="stream">From its first byte.</param>
    /// <param name="name">For messages; a compression ending is a promise.</param>
    /// <param name="consumed">Compressed bytes used so far, for the bound on expansion.</param>
    public static Stream Decompress(Stream stream, string name, Func<long> consumed)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        var n = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        head = head[..n];
        Stream whole;
        if (stream.CanSeek)
            (stream.Position, whole) = (stream.Position - n, stream);
        else
            whole = new PrefixedStream(head.ToArray(), stream);
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return new BoundedExpansion(new GzipReadStream(whole, name), consumed, name);
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]))
            return new BoundedExpansion(new XzReadStream(whole, name), consumed, name);
        if (head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
            return new BoundedExpansion(new ZstdReadStream(whole, name), consumed, name);
        if (head.StartsWith("BZh"u8) && n > 3 && head[3] is >= (byte)'1' and <= (byte)'9')
            return new BoundedExpansion(new Bzip2ReadStream(whole, name), consumed, name);
        if (Endings.FirstOrDefault(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase)) is { } ending)
            throw new DamagedFileException(n == 0 ? $"{name}: the file is empty; a {ending} file never is. Fetch it again." : $"{name}: named {ending} but does not start like one; it is cut, damaged or misnamed.");
        return whole;
    }

    /// <summary>Without its compression ending: <c>a.jsonl.gz</c> is <c>a.jsonl</c>; <c>a.tgz</c> is <c>a.tar</c>.</summary>
    public static string PlainName(string name)
    {
        foreach (var (shortForm, plain) in (ReadOnlySpan<(string, string)>)[(".tgz", ".tar"), (".tbz2", ".tar"), (".txz", ".tar")])
            if (name.EndsWith(shortForm, StringComparison.OrdinalIgnoreCase))
                return string.Concat(name.AsSpan(0, name.Length - shortForm.Length), plain);
        var ending = Endings.FirstOrDefault(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase));
        return name[..(name.Length - (ending?.Length ?? 0))];
    }
}
