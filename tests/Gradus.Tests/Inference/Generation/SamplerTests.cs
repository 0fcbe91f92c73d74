using Gradus.Inference.Generation;

namespace Gradus.Tests.Inference.Generation;

[Row("J2")]
public class SamplerTests
{
    private static readonly float[] s_logits = [MathF.Log(0.5f), MathF.Log(0.25f), MathF.Log(0.15f), MathF.Log(0.1f)];

    private static double[] Probabilities(Sampling sampling, params int[] history) => new Sampler(sampling, 4).Distribution((float[])s_logits.Clone(), history);

    private static void Near(double[] expected, double[] actual)
    {
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 6); // float32 logits
    }

    [Fact]
    public void Temperature_zero_takes_the_most_likely_and_the_lower_id_of_equals()
    {
        var sampler = new Sampler(new Sampling { Temperature = 0 }, 3);
        Assert.Equal(1, sampler.Next([0f, 2f, 2f], [], 0));
    }

    [Fact]
    public void Each_setting_gives_the_distribution_of_its_formula()
    {
        Near([0.5, 0.25, 0.15, 0.1], Probabilities(new Sampling()));
        Near([0.5 * 0.5 / 0.345, 0.25 * 0.25 / 0.345, 0.15 * 0.15 / 0.345, 0.1 * 0.1 / 0.345], Probabilities(new Sampling { Temperature = 0.5 }));
        Near([2 / 3.0, 1 / 3.0, 0, 0], Probabilities(new Sampling { TopK = 2 }));
        Near([2 / 3.0, 1 / 3.0, 0, 0], Probabilities(new Sampling { TopP = 0.7 }));
        Near([1, 0, 0, 0], Probabilities(new Sampling { TopP = 0.3 }));
        Near([0.5 / 0.9, 0.25 / 0.9, 0.15 / 0.9, 0], Probabilities(new Sampling { MinP = 0.25 }));
    }

    [Fact]
    public void The_repetition_penalty_lowers_only_tokens_already_seen_and_each_once()
    {
        var sampler = new Sampler(new Sampling { RepetitionPenalty = 2 }, 3);
        var p = sampler.Distribution([1f, -1f, 0.5f], [0, 1, 0]);
        var weights = new[] { Math.Exp(0.5), Math.Exp(-2), Math.Exp(0.5) };
        for (var i = 0; i < 3; i++) Assert.Equal(weights[i] / weights.Sum(), p[i], 6);
    }

    [Theory]
    [InlineData(0, 1.0, 0.0)]
    [InlineData(3, 1.0, 0.0)]
    [InlineData(0, 0.8, 0.0)]
    [InlineData(0, 1.0, 0.25)]
    public void Drawn_frequencies_pass_a_chi_square_test(int topK, double topP, double minP)
    {
        const int draws = 20_000;
        var sampling = new Sampling { TopK = topK, TopP = topP, MinP = minP, Seed = 3 };
        var sampler = new Sampler(sampling, 4);
        var expected = Probabilities(sampling);
        var counts = new int[4];
        for (var i = 0; i < draws; i++) counts[sampler.Next((float[])s_logits.Clone(), [], (ulong)i)]++;
        var chi = 0.0;
        for (var i = 0; i < 4; i++)
        {
            if (expected[i] == 0) Assert.Equal(0, counts[i]);
            else chi += Math.Pow(counts[i] - draws * expected[i], 2) / (draws * expected[i]);
        }
        Assert.True(chi < 16.27, $"chi-square {chi}"); // 3 degrees of freedom, p = 0.001; the seed is fixed
    }

    [Fact]
    public void One_seed_gives_one_stream_and_another_seed_another()
    {
        int[] Draws(ulong seed) => [.. Enumerable.Range(0, 50).Select(i => new Sampler(new Sampling { Seed = seed }, 4).Next((float[])s_logits.Clone(), [], (ulong)i))];
        Assert.Equal(Draws(1), Draws(1));
        Assert.NotEqual(Draws(1), Draws(2));
    }

    [Fact]
    public void Stop_strings_are_held_back_until_decided_and_never_shown()
    {
        var scanner = new StopScanner(["END", "\n\n"]);
        Assert.Equal("ab", scanner.Push("abE"));
        Assert.Equal("", scanner.Push("N"));
        Assert.Equal("ENx", scanner.Push("x"));
        Assert.Equal("y", scanner.Push("yEN"));
        Assert.Equal("", scanner.Push("D and more"));
        Assert.True(scanner.Stopped);
        Assert.Equal("", scanner.Flush());
    }
}
