using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;

namespace Gradus.Tests.Foundation.Kernels;

public class MinHashKernelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(112)]
    [InlineData(130)]
    [Row("B3")]
    public void The_vectors_sign_as_one_function_after_the_other(int count)
    {
        var kernel = new MinHashKernel(count, 3);
        var draws = new Counter(1, "minhash");
        foreach (var size in new[] { 0, 1, 2, 17, 1000 })
        {
            var hashes = Enumerable.Range(0, size).Select(i => draws.UInt32((ulong)i)).ToArray();
            var (fast, plain) = (new uint[count], new uint[count]);
            kernel.Sign(hashes, fast);
            kernel.SignScalar(hashes, plain);
            Assert.Equal(plain, fast);
            // A set: order and repetition do not count.
            kernel.Sign([.. hashes.Reverse(), .. hashes], fast);
            Assert.Equal(plain, fast);
        }

        Assert.NotEqual(Signature(kernel, 5), Signature(new MinHashKernel(count, 4), 5));
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(0.8)]
    [InlineData(0.95)]
    [Row("B3")]
    public void The_share_of_equal_numbers_estimates_the_jaccard_similarity(double similarity)
    {
        const int k = 112, size = 600, pairs = 120;
        var kernel = new MinHashKernel(k, 1);
        var draws = new Counter(2, "jaccard");
        var (n, squares, sum) = (0UL, 0.0, 0.0);
        for (var p = 0; p < pairs; p++)
        {
            var shared = (int)Math.Round(similarity * size);
            var both = Enumerable.Range(0, shared).Select(_ => draws.UInt32(n++)).ToArray();
            uint[] Own() => [.. both, .. Enumerable.Range(0, (size - shared) / 2).Select(_ => draws.UInt32(n++))];
            var (a, b) = (new uint[k], new uint[k]);
            kernel.Sign(Own(), a);
            kernel.Sign(Own(), b);
            var error = a.Zip(b).Count(x => x.First == x.Second) / (double)k - (double)shared / (shared + 2 * ((size - shared) / 2));
            (squares, sum) = (squares + error * error, sum + error);
        }

        // The standard deviation of k independent draws is sqrt(s(1 - s) / k), at most 1 / (2 sqrt(k)); the issue asks for 1 / sqrt(k).
        Assert.True(Math.Sqrt(squares / pairs) <= 1.25 * Math.Sqrt(similarity * (1 - similarity) / k) + 1e-9, $"root mean square error {Math.Sqrt(squares / pairs):F4}");
        Assert.True(Math.Abs(sum / pairs) <= 4 * Math.Sqrt(similarity * (1 - similarity) / k / pairs), $"bias {sum / pairs:F4}");
    }

    [Fact]
    public void Words_do_not_collide_and_every_bit_counts()
    {
        var seen = new HashSet<ulong>();
        for (var i = 0; i < 300_000; i++)
            Assert.True(seen.Add(Hash64.Of(Encoding.ASCII.GetBytes(FormattableString.Invariant($"{i}")))));
        var draws = new Counter(9, "hash");
        for (var length = 1; length <= 40; length++)
        {
            var bytes = Enumerable.Range(0, length).Select(i => (byte)draws.UInt32((ulong)(100 * length + i))).ToArray();
            var whole = Hash64.Of(bytes);
            Assert.Equal(whole, Hash64.Of(bytes.ToArray()));
            Assert.NotEqual(whole, Hash64.Of(bytes, 1));
            Assert.NotEqual(whole, Hash64.Of([.. bytes, 0]));
            var flipped = 0;
            for (var bit = 0; bit < 8 * length; bit++)
            {
                bytes[bit / 8] ^= (byte)(1 << bit % 8);
                flipped += System.Numerics.BitOperations.PopCount(whole ^ Hash64.Of(bytes));
                bytes[bit / 8] ^= (byte)(1 << bit % 8);
            }

            Assert.InRange(flipped / (8.0 * length), 27, 37); // half of 64
        }
    }

    private static uint[] Signature(MinHashKernel kernel, uint hash)
    {
        var signature = new uint[kernel.Count];
        kernel.Sign([hash], signature);
        return signature;
    }
}
