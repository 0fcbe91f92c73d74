using System.Text;

namespace Gradus.Foundation.Files;

/// <summary>
/// A random stream addressed by index (Philox4x32-10; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011):
/// draw 10^12 costs as much as draw 0, so data order and sampling resume without replaying anything.
/// The seed is the key; the stream's name fills the upper half of the counter, so two streams of one seed never meet.
/// </summary>
/// <remarks>
/// <see cref="UInt32"/> and <see cref="UInt64"/> (with <see cref="Unit"/> and <see cref="Below"/>) read the same bits in other
/// groupings: give each purpose a stream of its own.
/// </remarks>
public readonly struct Counter(ulong seed, string stream)
{
    private readonly ulong _stream = Hashing.Fnv1a64(Encoding.UTF8.GetBytes(stream));

    /// <summary>The 32 bits at <paramref name="index"/>.</summary>
    public uint UInt32(ulong index)
    {
        var (a, b, c, d) = Block(index >> 2);
        return (index & 3) switch { 0 => a, 1 => b, 2 => c, _ => d };
    }

    /// <summary>The 64 bits at <paramref name="index"/>.</summary>
    public ulong UInt64(ulong index)
    {
        var (a, b, c, d) = Block(index >> 1);
        return (index & 1) == 0 ? a | ((ulong)b << 32) : c | ((ulong)d << 32);
    }

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double Unit(ulong index) => (UInt64(index) >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in 0 .. n-1. One draw, no rejection: the bias is at most n / 2^64.</summary>
    public int Below(ulong index, int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        return (int)Math.BigMul(UInt64(index), (ulong)n, out _);
    }

    private (uint, uint, uint, uint) Block(ulong block) =>
        Philox((uint)block, (uint)(block >> 32), (uint)_stream, (uint)(_stream >> 32), (uint)seed, (uint)(seed >> 32));

    internal static (uint, uint, uint, uint) Philox(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        unchecked
        {
            for (var round = 0; round < 10; round++)
            {
                var p0 = (ulong)c0 * 0xD2511F53u;
                var p1 = (ulong)c2 * 0xCD9E8D57u;
                (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
                k0 += 0x9E3779B9u;
                k1 += 0xBB67AE85u;
            }
        }
        return (c0, c1, c2, c3);
    }
}
