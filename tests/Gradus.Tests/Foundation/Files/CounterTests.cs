using Gradus.Foundation.Files;

namespace Gradus.Tests.Foundation.Files;

public sealed class CounterTests
{
    // Known answers of Random123 (Salmon et al., 2011), philox4x32, 10 rounds.
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Philox_gives_the_published_answers(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint a, uint b, uint c, uint d) =>
        Assert.Equal((a, b, c, d), Counter.Philox(c0, c1, c2, c3, k0, k1));

    [Fact]
    public void Words_of_one_block_are_read_in_order()
    {
        var counter = new Counter(42, "order");
        for (ulong i = 0; i < 64; i++)
            Assert.Equal(counter.UInt32(2 * i) | ((ulong)counter.UInt32(2 * i + 1) << 32), counter.UInt64(i));
    }

    [Fact]
    public void Seeds_and_streams_differ_and_repeat()
    {
        Assert.Equal(new Counter(1, "a").UInt64(7), new Counter(1, "a").UInt64(7));
        Assert.NotEqual(new Counter(1, "a").UInt64(7), new Counter(2, "a").UInt64(7));
        Assert.NotEqual(new Counter(1, "a").UInt64(7), new Counter(1, "b").UInt64(7));
        Assert.NotEqual(new Counter(1, "a").UInt64(ulong.MaxValue), new Counter(1, "a").UInt64(0));
    }

    [Fact]
    public void Below_is_uniform_and_in_range()
    {
        var counter = new Counter(3, "dice");
        var counts = new int[6];
        for (ulong i = 0; i < 60_000; i++)
            counts[counter.Below(i, 6)]++;
        // Chi-squared with 5 degrees of freedom exceeds 25.7 once in 10,000 seeds; the seed is fixed.
        Assert.InRange(counts.Sum(n => (n - 10_000.0) * (n - 10_000.0) / 10_000.0), 0, 25.7);
        Assert.Equal(0, counter.Below(5, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => counter.Below(0, 0));
    }

    [Fact]
    public void Unit_stays_below_one_with_mean_one_half()
    {
        var counter = new Counter(4, "unit");
        var sum = 0.0;
        for (ulong i = 0; i < 20_000; i++)
        {
            var u = counter.Unit(i);
            Assert.InRange(u, 0, 1 - double.Epsilon);
            sum += u;
        }
        Assert.Equal(0.5, sum / 20_000, 0.01); // standard error 0.002
    }
}
