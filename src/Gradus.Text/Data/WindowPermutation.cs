using Gradus.Foundation.Files;

namespace Gradus.Text.Data;

/// <summary>
/// A shuffle of 0 … n−1 that needs no table: a Feistel network over the next power of four, walked until it lands below n
/// (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). Any element costs the same, so order resumes in O(1).
/// </summary>
internal readonly struct WindowPermutation
{
    private const int Rounds = 8;

    private readonly long _count;
    private readonly int _half;
    private readonly ulong[] _keys;

    public WindowPermutation(long count, Counter keys, long epoch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        _count = count;
        while (_half < 31 && 1L << (2 * _half) < count)
            _half++;
        _half = Math.Max(1, _half);
        _keys = new ulong[Rounds];
        for (var r = 0; r < Rounds; r++)
            _keys[r] = keys.UInt64(checked((ulong)epoch * Rounds + (ulong)r));
    }

    public long this[long index]
    {
        get
        {
            var x = (ulong)index;
            do
                x = Once(x);
            while (x >= (ulong)_count);
            return (long)x;
        }
    }

    private ulong Once(ulong x)
    {
        var mask = (1UL << _half) - 1;
        var (left, right) = (x >> _half, x & mask);
        foreach (var key in _keys)
            (left, right) = (right, left ^ (Mix(right ^ key) & mask));
        return (left << _half) | right;
    }

    /// <summary>The 64-bit finaliser of MurmurHash3.</summary>
    private static ulong Mix(ulong v)
    {
        unchecked
        {
            v = (v ^ (v >> 33)) * 0xFF51AFD7ED558CCDUL;
            v = (v ^ (v >> 33)) * 0xC4CEB9FE1A85EC53UL;
            return v ^ (v >> 33);
        }
    }
}
