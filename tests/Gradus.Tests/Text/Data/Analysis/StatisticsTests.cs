using Gradus.Text.Data.Analysis;

namespace Gradus.Tests.Text.Data.Analysis;

[Row("M1")]
public sealed class StatisticsTests
{
    [Theory]
    [InlineData(3.841458820694124, 1, 0.05)]
    [InlineData(6.634896601021213, 1, 0.01)]
    [InlineData(18.307038053275146, 10, 0.05)]
    [InlineData(124.342113404004, 100, 0.05)]
    [InlineData(0.3518463177492717, 3, 0.95)]
    public void Chi_square_tails_are_those_of_the_tables(double x, int freedom, double p) => Assert.Equal(p, Statistics.ChiSquareTail(x, freedom), 1e-9);

    [Theory]
    [InlineData(1.959963984540054, 0.025)]
    [InlineData(0, 0.5)]
    [InlineData(-1.6448536269514722, 0.95)]
    public void Normal_tails_are_those_of_the_tables(double z, double p) => Assert.Equal(p, Statistics.NormalTail(z), 1e-9);

    [Fact]
    public void Mendels_peas_are_as_they_should_be()
    {
        // 315 : 108 : 101 : 32 against 9 : 3 : 3 : 1, the textbook's example: χ² = 0.470.
        var test = Statistics.ChiSquare([315, 108, 101, 32], [9, 3, 3, 1]);
        Assert.Equal(0.470, test.Statistic, 1e-3);
        Assert.Equal(3, test.Freedom);
        Assert.Equal(0.925, test.PValue, 1e-3);
    }

    [Fact]
    public void Entropy_and_divergence_have_their_known_ends()
    {
        Assert.Equal(2, Statistics.Entropy([5, 5, 5, 5]), 1e-12);
        Assert.Equal(0, Statistics.Entropy([7, 0]), 1e-12);
        var (a, b) = (new Dictionary<string, double> { ["x"] = 3, ["y"] = 1 }, new Dictionary<string, double> { ["z"] = 2 });
        Assert.Equal(0, Statistics.JensenShannon(a, new Dictionary<string, double> { ["y"] = 10, ["x"] = 30 }), 1e-12);
        Assert.Equal(1, Statistics.JensenShannon(a, b), 1e-12);
    }

    [Fact]
    public void Distinct_things_are_counted_exactly_and_then_estimated()
    {
        var (few, many) = (new SampledCounts(1000), new SampledCounts(1000));
        for (ulong i = 0; i < 500; i++)
            for (var n = 0; n < 3; n++)
                few.Add(Gradus.Foundation.Kernels.Hash64.Mix(i));
        Assert.True(few.Exact);
        Assert.Equal((500, 1000, 1500L), (few.Distinct, few.Repeats, few.Total));
        Assert.Equal(Math.Log2(500), few.Entropy(), 1e-9);
        for (ulong i = 0; i < 200_000; i++)
            for (var n = 0; n < 2; n++)
                many.Add(Gradus.Foundation.Kernels.Hash64.Mix(i));
        Assert.False(many.Exact);
        Assert.InRange(many.Distinct, 180_000, 220_000); // a sample of 500 to 1000: a standard error of 3 to 4.5 %
        Assert.InRange(many.Repeats, 180_000, 220_000);
        Assert.InRange(many.Entropy(), 0.9 * Math.Log2(200_000), 1.1 * Math.Log2(200_000));
    }

    [Fact]
    public void Reading_ease_is_fleschs()
    {
        // Two sentences, 6 + 3 words; syllables: the cat sat on the mat (6), it was happy (4): 206.835 - 1.015 * 4.5 - 84.6 * 10 / 9.
        Assert.Equal(206.835 - 1.015 * 4.5 - 84.6 * 10 / 9, Readability.FleschEase("The cat sat on the mat. It was happy.")!.Value, 1e-9);
        Assert.Equal(0.39 * 4.5 + 11.8 * 10 / 9 - 15.59, Readability.FleschKincaidGrade("The cat sat on the mat. It was happy.")!.Value, 1e-9);
        Assert.Null(Readability.FleschEase("… !"));
        foreach (var (word, syllables) in new[] { ("table", 2), ("name", 1), ("walked", 1), ("wanted", 2), ("boxes", 2), ("times", 1), ("reading", 2), ("banana", 3), ("the", 1), ("see", 1), ("university", 5), ("rhythm", 1) })
            Assert.True(syllables == Readability.Syllables(word), $"{word}: {Readability.Syllables(word)}");
    }
}
