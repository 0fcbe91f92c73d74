using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Gradus.Foundation.Kernels;

/// <summary>
/// MinHash signatures (Broder, 1997): for each of k functions, the least value over a set of hashes. Two sets have the same least value
/// under a function with the probability of their Jaccard similarity. The functions are h → a·h + b modulo 2^32 with odd a, over hashes
/// that are mixed already.
/// </summary>
/// <remarks>Integers only: the same signature at every vector width.</remarks>
public sealed class MinHashKernel
{
    private readonly uint[] _multipliers, _offsets;

    /// <summary>The functions of a seed.</summary>
    /// <param name="count">How many; any number above zero.</param>
    /// <param name="seed">Another seed, other functions.</param>
    public MinHashKernel(int count, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        Count = count;
        // Filled up to whole vectors; what is beyond the count is computed and left out.
        var padded = (count + 15) / 16 * 16;
        (_multipliers, _offsets) = (new uint[padded], new uint[padded]);
        for (var i = 0; i < padded; i++)
        {
            var bits = Hash64.Mix(Hash64.Mix(seed + 1) + (ulong)i);
            (_multipliers[i], _offsets[i]) = ((uint)bits | 1, (uint)(bits >> 32));
        }
    }

    /// <summary>Numbers in a signature.</summary>
    public int Count { get; }

    /// <summary>The signature of a set; a hash that occurs twice counts once. All ones for the empty set.</summary>
    public void Sign(ReadOnlySpan<uint> hashes, Span<uint> signature)
    {
        if (signature.Length != Count)
            throw new ArgumentException($"a signature has {Count} numbers", nameof(signature));
        if (Vector512.IsHardwareAccelerated)
            Sign512(hashes, signature);
        else if (Vector256.IsHardwareAccelerated)
            Sign256(hashes, signature);
        else if (Vector128.IsHardwareAccelerated)
            Sign128(hashes, signature);
        else
            SignScalar(hashes, signature);
    }

    /// <summary>One function after the other: the oracle of the vectors.</summary>
    internal void SignScalar(ReadOnlySpan<uint> hashes, Span<uint> signature)
    {
        for (var i = 0; i < Count; i++)
        {
            var (a, b, least) = (_multipliers[i], _offsets[i], uint.MaxValue);
            foreach (var hash in hashes)
                least = Math.Min(least, unchecked(a * hash + b));
            signature[i] = least;
        }
    }

    // Four vectors of functions at a time stay in registers while the hashes go by.
    private void Sign512(ReadOnlySpan<uint> hashes, Span<uint> signature)
    {
        for (var at = 0; at < Count; at += 32)
        {
            var two = at + 16 < _multipliers.Length;
            var (a0, b0) = (Vector512.Create<uint>(_multipliers.AsSpan(at)), Vector512.Create<uint>(_offsets.AsSpan(at)));
            var (a1, b1) = two ? (Vector512.Create<uint>(_multipliers.AsSpan(at + 16)), Vector512.Create<uint>(_offsets.AsSpan(at + 16))) : (a0, b0);
            var (m0, m1) = (Vector512<uint>.AllBitsSet, Vector512<uint>.AllBitsSet);
            foreach (var hash in hashes)
            {
                var h = Vector512.Create(hash);
                m0 = Vector512.Min(m0, a0 * h + b0);
                m1 = Vector512.Min(m1, a1 * h + b1);
            }

            Keep(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Vector512<uint>, uint>(ref m0), 16), signature, at);
            if (two)
                Keep(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Vector512<uint>, uint>(ref m1), 16), signature, at + 16);
        }
    }

    private void Sign256(ReadOnlySpan<uint> hashes, Span<uint> signature)
    {
        for (var at = 0; at < Count; at += 16)
        {
            var (a0, b0) = (Vector256.Create<uint>(_multipliers.AsSpan(at)), Vector256.Create<uint>(_offsets.AsSpan(at)));
            var (a1, b1) = (Vector256.Create<uint>(_multipliers.AsSpan(at + 8)), Vector256.Create<uint>(_offsets.AsSpan(at + 8)));
            var (m0, m1) = (Vector256<uint>.AllBitsSet, Vector256<uint>.AllBitsSet);
            foreach (var hash in hashes)
            {
                var h = Vector256.Create(hash);
                m0 = Vector256.Min(m0, a0 * h + b0);
                m1 = Vector256.Min(m1, a1 * h + b1);
            }

            Keep(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Vector256<uint>, uint>(ref m0), 8), signature, at);
            Keep(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Vector256<uint>, uint>(ref m1), 8), signature, at + 8);
        }
    }

    private void Sign128(ReadOnlySpan<uint> hashes, Span<uint> signature)
    {
        for (var at = 0; at < Count; at += 4)
        {
            var (a, b) = (Vector128.Create<uint>(_multipliers.AsSpan(at)), Vector128.Create<uint>(_offsets.AsSpan(at)));
            var m = Vector128<uint>.AllBitsSet;
            foreach (var hash in hashes)
                m = Vector128.Min(m, a * Vector128.Create(hash) + b);
            Keep(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Vector128<uint>, uint>(ref m), 4), signature, at);
        }
    }

    private void Keep(ReadOnlySpan<uint> lanes, Span<uint> signature, int at)
    {
        var n = Math.Min(lanes.Length, Count - at);
        if (n > 0)
            lanes[..n].CopyTo(signature[at..]);
    }
}
