using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Gradus.Foundation.Kernels;

/// <summary>
/// Fast 64-bit hashes of short byte strings (words, lines, n-grams) by folded 128-bit products, the construction of wyhash: every input
/// bit reaches every output bit. The same on every machine and at every vector width.
/// </summary>
/// <remarks>Not for keys that an enemy chooses: use SHA-256 where a collision would do harm.</remarks>
public static class Hash64
{
    private const ulong A = 0xA0761D6478BD642F, B = 0xE7037ED1A0B428DB, C = 0x8EBC6AF09C88C6E3;

    /// <summary>The hash of bytes.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed = 0)
    {
        var length = (ulong)bytes.Length;
        var state = seed ^ A;
        while (bytes.Length > 16)
        {
            state = Fold(BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ B, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ state);
            bytes = bytes[16..];
        }

        ulong first, second;
        if (bytes.Length >= 8)
        {
            first = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            second = BinaryPrimitives.ReadUInt64LittleEndian(bytes[^8..]);
        }
        else if (bytes.Length >= 4)
        {
            first = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            second = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]);
        }
        else
        {
            first = bytes.Length == 0 ? 0 : (ulong)bytes[0] << 16 | (ulong)bytes[bytes.Length / 2] << 8 | bytes[^1];
            second = 0;
        }

        return Fold(B ^ length, Fold(first ^ C, second ^ state));
    }

    /// <summary>Spreads the bits of a number that is unique already: a checksum, a sum of hashes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong value) => Fold(value ^ A, B);

    /// <summary>The two halves of the 128-bit product, xored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }
}
