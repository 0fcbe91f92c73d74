using System.Buffers.Binary;
using System.Security.Cryptography;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data;

/// <summary>
/// Which documents train, which validate, which test. A document's own content decides, so adding documents moves none of the
/// others, and copies of one document never stand on both sides. Case, spaces and ASCII punctuation do not count as content.
/// </summary>
public sealed record SplitOptions : IValidated
{
    /// <summary>Share of the documents to validate on.</summary>
    [AtLeast(0)]
    [Below(1)]
    public double Validation { get; init; } = 0.05;

    /// <summary>Share of the documents to test on.</summary>
    [AtLeast(0)]
    [Below(1)]
    public double Test { get; init; } = 0.05;

    /// <summary>Another seed is another split.</summary>
    [AtLeast(0)]
    public long Seed { get; init; }

    /// <summary>The split of a document with this text.</summary>
    public DataSplit Of(ReadOnlySpan<byte> utf8)
    {
        foreach (var (key, message) in Problems())
            throw new UserException($"split.{key}: {message}");
        var u = Unit(utf8);
        return u < Test ? DataSplit.Test : u < Test + Validation ? DataSplit.Validation : DataSplit.Train;
    }

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (Validation + Test >= 1)
            yield return ("test", FormattableString.Invariant($"with validation {Validation} and test {Test} nothing is left to train on; their sum must be below 1"));
    }

    /// <summary>Uniform in [0, 1) by content: 53 bits of SHA-256 over the seed and the letters, digits and non-ASCII bytes.</summary>
    private double Unit(ReadOnlySpan<byte> utf8)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> buffer = stackalloc byte[1024];
        BinaryPrimitives.WriteInt64LittleEndian(buffer, Seed);
        var (n, content) = (8, false);
        foreach (var b in utf8)
        {
            var lower = (byte)(b is >= (byte)'A' and <= (byte)'Z' ? b | 0x20 : b);
            if (lower is not (>= (byte)'a' and <= (byte)'z' or >= (byte)'0' and <= (byte)'9' or >= 0x80))
                continue;
            content = true;
            buffer[n++] = lower;
            if (n == buffer.Length)
            {
                sha.AppendData(buffer);
                n = 0;
            }
        }

        sha.AppendData(buffer[..n]);
        if (!content) // punctuation only: then that is the content
            sha.AppendData(utf8);
        Span<byte> hash = stackalloc byte[32];
        sha.GetHashAndReset(hash);
        return (BinaryPrimitives.ReadUInt64LittleEndian(hash) >> 11) * (1.0 / (1UL << 53));
    }
}
