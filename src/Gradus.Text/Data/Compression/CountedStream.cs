namespace Gradus.Text.Data.Compression;

/// <summary>A stream that knows how far it was read, and may end earlier than what it reads from. What it reads from stays open.</summary>
internal sealed class CountedStream(Stream inner, long length = long.MaxValue) : DecodingStream
{
    /// <summary>Bytes read so far.</summary>
    public long Count { get; private set; }

    /// <summary>Bytes not read yet, when it has a length.</summary>
    public long Left => length - Count;

    public override int Read(Span<byte> buffer)
    {
        if (buffer.Length > Left)
            buffer = buffer[..(int)Left];
        var n = buffer.Length == 0 ? 0 : inner.Read(buffer);
        Count += n;
        return n;
    }
}
