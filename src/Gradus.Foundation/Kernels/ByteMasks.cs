using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Gradus.Foundation.Kernels;

/// <summary>What the first 64 bytes of a text are, a bit each, the first byte in the lowest bit; 0 beyond the end of a shorter text.</summary>
/// <param name="Space">ASCII white space: space, tab, line feed, vertical tab, form feed, carriage return.</param>
/// <param name="Letter">ASCII letters.</param>
/// <param name="Alphanumeric">ASCII letters and digits.</param>
/// <param name="Wide">Not ASCII.</param>
/// <param name="WideSpaceLead">First bytes of which some UTF-8 forms are white space: 0xC2, 0xE1, 0xE2, 0xE3.</param>
public readonly record struct ByteMasks(ulong Space, ulong Letter, ulong Alphanumeric, ulong Wide, ulong WideSpaceLead)
{
    /// <summary>Bytes looked at.</summary>
    public const int Count = 64;

    /// <summary>The masks of the first 64 bytes.</summary>
    public static ByteMasks Of(ReadOnlySpan<byte> text)
    {
        if (!Vector256.IsHardwareAccelerated)
            return OfScalar(text);
        if (text.Length < Count)
        {
            Span<byte> padded = stackalloc byte[Count];
            padded.Clear();
            text.CopyTo(padded);
            return Of(padded);
        }

        ref var first = ref MemoryMarshal.GetReference(text);
        var (low, high) = (Vector256.LoadUnsafe(ref first), Vector256.LoadUnsafe(ref first, 32));
        var wide = Bits(low, high);
        return new ByteMasks(
            Bits(Space32(low), Space32(high)),
            Bits(Letter32(low), Letter32(high)),
            Bits(Letter32(low) | Digit32(low), Letter32(high) | Digit32(high)),
            wide,
            wide == 0 ? 0 : Bits(Lead32(low), Lead32(high)));
    }

    /// <summary>One byte after the other: the oracle of the vectors, and the way of processors without them.</summary>
    internal static ByteMasks OfScalar(ReadOnlySpan<byte> text)
    {
        var (space, letter, alphanumeric, wide, lead) = (0UL, 0UL, 0UL, 0UL, 0UL);
        for (var i = 0; i < Math.Min(Count, text.Length); i++)
        {
            var (b, bit) = (text[i], 1UL << i);
            space |= b is 0x20 or (>= 0x09 and <= 0x0D) ? bit : 0;
            letter |= char.IsAsciiLetter((char)b) ? bit : 0;
            alphanumeric |= char.IsAsciiLetterOrDigit((char)b) ? bit : 0;
            wide |= b >= 0x80 ? bit : 0;
            lead |= b is 0xC2 or 0xE1 or 0xE2 or 0xE3 ? bit : 0;
        }

        return new ByteMasks(space, letter, alphanumeric, wide, lead);
    }

    private static ulong Bits(Vector256<byte> low, Vector256<byte> high) => low.ExtractMostSignificantBits() | (ulong)high.ExtractMostSignificantBits() << 32;

    private static Vector256<byte> Within(Vector256<byte> v, byte from, byte count) => Vector256.LessThan(v - Vector256.Create(from), Vector256.Create(count));

    private static Vector256<byte> Space32(Vector256<byte> v) => Vector256.Equals(v, Vector256.Create((byte)0x20)) | Within(v, 0x09, 5);

    private static Vector256<byte> Letter32(Vector256<byte> v) => Within(v | Vector256.Create((byte)0x20), (byte)'a', 26);

    private static Vector256<byte> Digit32(Vector256<byte> v) => Within(v, (byte)'0', 10);

    private static Vector256<byte> Lead32(Vector256<byte> v) => Vector256.Equals(v, Vector256.Create((byte)0xC2)) | Within(v, 0xE1, 3);
}
