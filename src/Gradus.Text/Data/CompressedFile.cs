using Gradus.Foundation.Files;

namespace Gradus.Text.Data;

/// <summary>Opens a data file, plain or compressed; what it is is decided by its first bytes, and a name that promises otherwise is an error.</summary>
internal static class CompressedFile
{
    /// <summary>Endings that are dropped before the kind of a file is judged by its name.</summary>
    public static readonly IReadOnlyList<string> Endings = [".gz", ".xz", ".zst", ".bz2"];

    /// <summary>The file's uncompressed bytes.</summary>
    /// <exception cref="UserException">Missing, unreadable, cut or damaged, now or while reading.</exception>
    public static Stream Open(string path)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(e is FileNotFoundException or DirectoryNotFoundException ? $"{path}: there is no such file." : $"{path}: cannot be read: {e.Message}", e);
        }

        try
        {
            Span<byte> head = stackalloc byte[6];
            var n = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            file.Position = 0;
            head = head[..n];
            if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
                return new BoundedExpansion(new GzipReadStream(file, path), file, path);
            if (head.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]))
                return new BoundedExpansion(new XzReadStream(file, path), file, path);
            if (head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
                return new BoundedExpansion(new ZstdReadStream(file, path), file, path);
            if (head.StartsWith("BZh"u8))
                throw new UserException($"{path}: bzip2 is not read yet; unpack it first (bunzip2) or use gzip, xz or zstd.");
            if (Endings.FirstOrDefault(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase)) is { } ending)
                throw new UserException(n == 0 ? $"{path}: the file is empty; a {ending} file never is. Fetch it again." : $"{path}: named {ending} but does not start like one; it is cut, damaged or misnamed.");
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Stops a decompression bomb: beyond 64 MB of output, more than 400 bytes out for each byte in. Real text packs 3 to 20 fold.</summary>
    private sealed class BoundedExpansion(Stream inner, FileStream file, string path) : DecodingStream
    {
        private const long FreeBytes = 64L << 20;
        private const long Ratio = 400;
        private long _out;

        public override int Read(Span<byte> buffer)
        {
            var n = inner.Read(buffer);
            _out += n;
            if (_out > FreeBytes && _out / Ratio > file.Position)
                throw new UserException($"{path}: expands more than {Ratio} times ({_out >> 20} MB so far); refused as a decompression bomb.");
            return n;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
