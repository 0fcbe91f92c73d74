namespace Gradus.Text.Data.Compression;

/// <summary>
/// Stops a decompression bomb: beyond 64 MB of output, more than 400 bytes out for each byte in. Real text packs 3 to 20 fold. So the
/// output of a file is bounded by 400 times its size on disk.
/// </summary>
internal sealed class BoundedExpansion(Stream inner, Func<long> consumed, string name) : DecodingStream
{
    public const long FreeBytes = 64L << 20;
    public const long Ratio = 400;
    private long _out;
    private DamagedFileException? _fault;

    public override int Read(Span<byte> buffer)
    {
        if (_fault is not null) // the same one again: whoever reports faults counts it once
            throw _fault;
        try
        {
            var n = inner.Read(buffer);
            _out += n;
            Check(_out, consumed, name);
            return n;
        }
        catch (DamagedFileException e)
        {
            _fault = e;
            throw;
        }
    }

    /// <exception cref="DamagedFileException">So much came out of so little.</exception>
    public static void Check(long produced, Func<long> consumed, string name)
    {
        if (produced > FreeBytes && produced / Ratio > consumed())
            throw new DamagedFileException($"{name}: expands more than {Ratio} times ({produced >> 20} MB so far); refused as a decompression bomb.");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
