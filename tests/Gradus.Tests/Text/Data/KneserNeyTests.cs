using Gradus.Foundation.Files;
using Gradus.Text.Data;

namespace Gradus.Tests.Text.Data;

[Row("E30")]
public sealed class KneserNeyTests
{
    private static int[] RandomTokens(int count, int vocabSize, ulong seed)
    {
        var counter = new Counter(seed, "tokens"); // small ids are likelier, so that counts of all sizes occur
        return [.. Enumerable.Range(0, count).Select(i => (int)(vocabSize * Math.Pow(counter.Unit((ulong)i), 2)))];
    }

    [Fact]
    public void Bigrams_of_a_toy_text_are_as_computed_by_hand()
    {
        // a b a c a b over {a, b, c, d}, every discount 1/2.
        // Unigrams count contexts: a follows (start), b, c; b and c follow a: 3, 1, 1 of 5. Left over: 3 · 0.5 / 5 = 0.3, a quarter each.
        var model = KneserNey.Train([0, 1, 0, 2, 0, 1], order: 2, vocabSize: 4, discount: 0.5);
        double[] unigram = [2.5 / 5 + 0.075, 0.5 / 5 + 0.075, 0.5 / 5 + 0.075, 0.075];
        for (var w = 0; w < 4; w++)
            Assert.Equal(unigram[w], model.Probability([], w), 1e-15);
        // After a: b twice, c once. Left over: 2 · 0.5 / 3.
        double[] afterA = [unigram[0] / 3, 1.5 / 3 + unigram[1] / 3, 0.5 / 3 + unigram[2] / 3, unigram[3] / 3];
        for (var w = 0; w < 4; w++)
            Assert.Equal(afterA[w], model.Probability([2, 0], w), 1e-15);
        Assert.Equal(0.5 + 0.5 * unigram[0], model.Probability([1], 0), 1e-15);
        Assert.Equal(unigram[1], model.Probability([3], 1), 1e-15); // a context never seen
        Assert.Equal(-Math.Log2(afterA[1]) - Math.Log2(0.5 + 0.5 * unigram[0]), model.Bits([0, 1, 0], first: 1), 1e-12);
    }

    [Fact]
    public void Discounts_are_those_of_ney_and_of_chen_and_goodman()
    {
        // Unigram counts: four once, two twice, one three times, one four times. Y = 4 / (4 + 2·2).
        int[] tokens = [0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7];
        Assert.Equal([0.5, 0.5, 0.5], KneserNey.Train(tokens, 1, 8, modified: false).Discounts(1));
        Assert.Equal([0.5, 2 - 3 * 0.5 * 1 / 2, 3 - 4 * 0.5 * 1 / 1], KneserNey.Train(tokens, 1, 8).Discounts(1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Probabilities_are_those_of_a_plain_implementation_and_sum_to_one(int order)
    {
        const int Vocab = 30;
        var tokens = RandomTokens(3000, Vocab, 1);
        foreach (var modified in new[] { false, true })
        {
            var model = KneserNey.Train(tokens, order, Vocab, modified);
            var oracle = new Oracle(tokens, order, Vocab, k => [0, .. model.Discounts(k)]);
            var queries = RandomTokens(200, Vocab, 2);
            for (var i = 0; i < 40; i++)
            {
                var context = queries[(i * 4)..(i * 4 + 4)];
                if (i % 2 == 0)
                    context = tokens[(i * 50)..(i * 50 + 4)]; // contexts that were seen
                var sum = 0.0;
                for (var w = 0; w < Vocab; w++)
                {
                    var p = model.Probability(context, w);
                    Assert.True(p > 0);
                    Assert.Equal(oracle.Probability(context[Math.Max(0, 5 - order)..], w), p, 1e-12);
                    sum += p;
                }

                Assert.Equal(1, sum, 1e-9);
            }
        }
    }

    [Fact]
    public void A_unigram_model_of_nothing_is_uniform()
    {
        var model = KneserNey.Train([], 3, 8);
        Assert.Equal(3 * 5, model.Bits([1, 2, 3, 4, 5]), 1e-12);
    }

    [Fact]
    public void Higher_orders_predict_held_out_text_better()
    {
        var bytes = File.ReadAllBytes(Repo.SharedData("moby-dick/moby-dick.txt"));
        var tokens = bytes.AsSpan(0, 500_000).ToArray().Select(b => (int)b).ToArray();
        var held = bytes.AsSpan(500_000, 50_000).ToArray().Select(b => (int)b).ToArray();
        var bits = new[] { 1, 2, 3, 5 }.Select(order => KneserNey.Train(tokens, order, 256).Bits(held) / held.Length).ToArray();
        Assert.Equal(bits.OrderDescending(), bits);
        Assert.InRange(bits[0], 4.2, 4.7); // the order-0 entropy of English bytes
        Assert.InRange(bits[3], 2.0, 2.4);
        // Scrambled text has nothing to learn from context: the gain must vanish.
        var scrambled = tokens.ToArray();
        new Random(1).Shuffle(scrambled);
        Assert.True(KneserNey.Train(scrambled, 5, 256).Bits(held) / held.Length > bits[0] - 0.05);
    }

    [Fact]
    public void A_stream_is_scored_on_the_targets_a_neural_model_has()
    {
        using var train = TokenStream.Of([[1, 2, 3, 1, 2], [2, 3]], 5, endOfText: 4);
        using var held = TokenStream.Of([[1, 2], [3]], 5, endOfText: 4);
        var model = KneserNey.Train(train, 3);
        var batch = new SequentialWindows(held, new WindowOptions { Length = 10 }).Batches(1).Single();
        Assert.Equal(5, batch.TargetCount);
        var bits = 0.0;
        for (var i = 0; i < batch.TargetCount; i++)
            bits -= Math.Log2(model.Probability(batch.Ids.AsSpan(0, i + 1), batch.Targets[i]));
        Assert.Equal(bits, model.Bits(held), 1e-12);
    }

    [Fact]
    public void A_token_outside_the_vocabulary_is_the_callers_mistake()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => KneserNey.Train([1, 5], 2, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => KneserNey.Train([1, 2], 2, 5).Bits([-1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => KneserNey.Train([1, 2], 0, 5));
    }

    /// <summary>The definition, with dictionaries of strings.</summary>
    private sealed class Oracle
    {
        private readonly Dictionary<string, double>[] _counts;
        private readonly Func<int, double[]> _discounts;
        private readonly int _vocab;

        public Oracle(int[] tokens, int order, int vocab, Func<int, double[]> discounts)
        {
            (_vocab, _discounts) = (vocab, discounts);
            _counts = new Dictionary<string, double>[order + 1];
            for (var k = 1; k <= order; k++)
            {
                _counts[k] = [];
                var contexts = new HashSet<string>();
                for (var i = 0; i + k <= tokens.Length; i++)
                {
                    var gram = string.Join(' ', tokens[i..(i + k)]);
                    if (k == order || contexts.Add((i == 0 ? "start" : tokens[i - 1].ToString()) + " " + gram))
                        _counts[k][gram] = _counts[k].GetValueOrDefault(gram) + 1;
                }
            }
        }

        public double Probability(int[] context, int w)
        {
            if (_counts.Length - 1 > context.Length + 1)
                throw new ArgumentException("give n − 1 tokens of context");
            return At(context, w);
        }

        private double At(int[] context, int w)
        {
            var k = context.Length + 1;
            var discounts = _discounts(k);
            double total = 0, mass = 0;
            for (var v = 0; v < _vocab; v++)
            {
                var c = _counts[k].GetValueOrDefault(string.Join(' ', context.Append(v)));
                total += c;
                mass += discounts[(int)Math.Min(c, 3)];
            }

            var lower = k == 1 ? 1.0 / _vocab : At(context[1..], w);
            if (total == 0)
                return lower;
            var count = _counts[k].GetValueOrDefault(string.Join(' ', context.Append(w)));
            return Math.Max(count - discounts[(int)Math.Min(count, 3)], 0) / total + mass / total * lower;
        }
    }
}
