namespace Gradus.Text.Data.Compression;

/// <summary>A stream whose first bytes have been looked at: they are given again.</summary>
internal sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream rest) : DecodingStream
{
    private int _at;

    public override int Read(Span<byte> buffer)
    {
        if (_at >= prefix.Length)
            return rest.Read(buffer);
        var n = Math.Min(buffer.Length, prefix.Length - _at);
        prefix.Span.Slice(_at, n).CopyTo(buffer);
        _at += n;
        return n;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            rest.Dispose();
        base.Dispose(disposing);
    }
}
