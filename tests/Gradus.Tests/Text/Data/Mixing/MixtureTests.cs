using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Analysis;
using Gradus.Text.Data.Mixing;

namespace Gradus.Tests.Text.Data.Mixing;

public sealed class MixtureTests
{
    private static readonly Counter s_sizes = new(4, "sizes");

    /// <summary>Documents of groups with so many each, their groups in no order, 50 to 150 bytes long.</summary>
    private static (Mixture Mixture, List<string> Groups, List<int> Sizes) Of(MixOptions options, params (string Group, int Count)[] groups)
    {
        var names = groups.SelectMany(g => Enumerable.Repeat(g.Group, g.Count)).Select((g, i) => (g, Key: s_sizes.UInt64((ulong)i))).OrderBy(x => x.Key).Select(x => x.g).ToList();
        var sizes = names.Select((_, i) => 50 + s_sizes.Below((ulong)i + 100_000, 100)).ToList();
        var mixture = new Mixture(options);
        for (var i = 0; i < names.Count; i++)
            mixture.Add(names[i], sizes[i], sizes[i]);
        return (mixture, names, sizes);
    }

    [Fact]
    [Row("B9")]
    public void Frequencies_are_the_weights_at_every_moment_and_by_chi_square()
    {
        var weights = new Dictionary<string, double> { ["web"] = 6, ["wiki"] = 3, ["books"] = 1 };
        var (mixture, groups, _) = Of(new MixOptions { Weights = weights, Documents = 5000 }, ("web", 3000), ("wiki", 800), ("books", 200));
        var taken = weights.Keys.ToDictionary(k => k, _ => 0.0);
        var n = 0;
        foreach (var entry in mixture.Order())
        {
            taken[groups[(int)entry.Document]]++;
            n++;
            foreach (var (group, count) in taken)
                Assert.InRange(count, weights[group] / 10 * n - 1, weights[group] / 10 * n + 1);
        }

        Assert.Equal(5000, n);
        double[] observed = [taken["web"], taken["wiki"], taken["books"]];
        Assert.True(Statistics.ChiSquare(observed, [6, 3, 1]).PValue > 0.99);
        Assert.True(Statistics.ChiSquare(observed, [3000, 800, 200]).PValue < 1e-6, "the control: these are not the shares that were there before");
        Assert.Equal(new MixGroup(200, mixture.Report["books"].Bytes, 0.1, 500, mixture.Report["books"].MixedBytes), mixture.Report["books"]);
    }

    [Fact]
    [Row("B9")]
    public void No_group_of_many_is_ever_a_whole_document_off_its_share()
    {
        var counter = new Counter(9, "weights");
        for (ulong round = 0; round < 20; round++)
        {
            var weights = Enumerable.Range(0, 15).ToDictionary(g => $"g{g}", g => Math.Pow(counter.Unit(round * 100 + (ulong)g), 3) + 1e-3);
            var (mixture, groups, _) = Of(new MixOptions { Weights = weights, Documents = 400 }, [.. weights.Keys.Select(g => (g, 10))]);
            var (taken, n, sum) = (weights.Keys.ToDictionary(k => k, _ => 0), 0, weights.Values.Sum());
            foreach (var entry in mixture.Order())
            {
                taken[groups[(int)entry.Document]]++;
                n++;
                Assert.All(taken, t => Assert.True(Math.Abs(t.Value - weights[t.Key] / sum * n) < 1, $"{t.Key} has {t.Value} of {n}"));
            }
        }
    }

    [Fact]
    [Row("B9")]
    public void Shares_of_bytes_are_kept_by_bytes()
    {
        var mixture = new Mixture(new MixOptions { Weights = new Dictionary<string, double> { ["long"] = 1, ["short"] = 1 }, Unit = MixUnit.Bytes, Documents = 1100 });
        for (var i = 0; i < 100; i++)
            mixture.Add("long", 1000, 0);
        for (var i = 0; i < 1000; i++)
            mixture.Add("short", 100, 0);
        _ = mixture.Order().Count();
        Assert.InRange(mixture.Report["long"].MixedBytes / (double)mixture.Report["short"].MixedBytes, 0.98, 1.02);
        Assert.Equal(100, mixture.Report["long"].MixedDocuments, 2.0);
    }

    [Fact]
    public void Every_document_is_seen_and_small_groups_come_round()
    {
        var (mixture, _, _) = Of(new MixOptions { Balance = true }, ("a", 90), ("b", 10));
        var entries = mixture.Order().ToList();
        Assert.Equal(100, entries.Select(e => e.Document).Distinct().Count());
        Assert.InRange(entries.Count, 179, 181);
        Assert.Equal(8, entries.Max(e => e.Copy)); // ten documents, ninety places
        // Undersampling ends with the first group; nothing comes twice.
        var (under, _, _) = Of(new MixOptions { Balance = true, Until = MixUntil.FirstSeen }, ("a", 90), ("b", 10));
        var few = under.Order().ToList();
        Assert.InRange(few.Count, 19, 20);
        Assert.All(few, e => Assert.Equal(0, e.Copy));
        // A cap on repeats lets the small group leave.
        var (capped, _, _) = Of(new MixOptions { Balance = true, MaxRepeats = 2 }, ("a", 90), ("b", 10));
        Assert.Equal(90 + 20, capped.Order().Count());
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(3.3)]
    [InlineData(1000.0)]
    [Row("B11")]
    public void Temperature_raises_small_languages_by_its_formula(double temperature)
    {
        var sizes = new (string, int)[] { ("en", 8000), ("de", 1000), ("sw", 20) };
        var (mixture, _, _) = Of(new MixOptions { By = "language", Temperature = temperature }, sizes);
        _ = mixture.Order().Count();
        var powers = sizes.Select(s => Math.Pow(s.Item2, 1 / temperature)).ToArray();
        foreach (var ((name, _), power) in sizes.Zip(powers))
            Assert.Equal(power / powers.Sum(), mixture.Report[name].Share, 1e-9);
        var total = mixture.Report.Values.Sum(g => g.MixedDocuments);
        Assert.All(mixture.Report.Values, g => Assert.InRange(g.MixedDocuments / (double)total, g.Share - 0.001, g.Share + 0.001));
    }

    [Fact]
    [Row("B16")]
    public void A_curriculum_is_monotone_and_other_orders_are_not()
    {
        foreach (var (order, monotone) in new[] { (MixOrder.Curriculum, true), (MixOrder.Shuffled, false), (MixOrder.Given, false) })
        {
            var (mixture, _, sizes) = Of(new MixOptions { Order = order, Balance = true }, ("a", 300), ("b", 100));
            var difficulties = mixture.Order().Select(e => sizes[(int)e.Document]).ToList();
            Assert.Equal(monotone, difficulties.Zip(difficulties.Skip(1)).All(p => p.First <= p.Second));
            Assert.InRange(difficulties.Count, 599, 601);
        }
    }

    [Fact]
    [Row("B16")]
    public void Difficulty_rises_with_length_with_rare_words_and_with_what_the_reference_does_not_know()
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("easy.txt"), string.Concat(Enumerable.Repeat("the cat sat on the mat. the dog sat on the rug.\n\n", 50)));
        string[] texts = ["the cat sat on the mat", "the cat sat on the verandah", "quixotic verandah zephyr"];
        double[] Scores(Difficulty difficulty)
        {
            var scores = new DifficultyScores(new MixOptions { Order = MixOrder.Curriculum, Difficulty = difficulty, Reference = folder.File("easy.txt") });
            if (scores.NeedsCounts)
                foreach (var text in texts.Concat(Enumerable.Repeat(texts[0], 20)))
                    scores.Count(Encoding.UTF8.GetBytes(text));
            return [.. texts.Select(t => scores.Of(Encoding.UTF8.GetBytes(t)))];
        }

        Assert.Equal([22.0, 27, 24], Scores(Difficulty.Length));
        foreach (var difficulty in new[] { Difficulty.Rarity, Difficulty.Perplexity })
        {
            var s = Scores(difficulty);
            Assert.True(s[0] < s[1] && s[1] < s[2], $"{difficulty}: {string.Join(' ', s)}");
        }
    }

    [Fact]
    public void Orders_are_the_same_again_differ_by_seed_and_each_round_is_a_new_one()
    {
        List<MixEntry> Order(long seed) => [.. Of(new MixOptions { Seed = seed, Balance = true }, ("a", 52), ("b", 25)).Mixture.Order()];
        Assert.Equal(Order(1), Order(1));
        Assert.NotEqual(Order(1), Order(2));
        var (mixture, groups, _) = Of(new MixOptions { Balance = true }, ("a", 52), ("b", 25));
        var rounds = mixture.Order().Where(e => groups[(int)e.Document] == "b").GroupBy(e => e.Copy).Where(g => g.Count() == 25).Select(g => g.Select(e => e.Document).ToList()).ToList();
        Assert.True(rounds.Count >= 2);
        Assert.NotEqual(rounds[0], rounds[1]);
        Assert.Equal(rounds[0].Order(), rounds[1].Order());
    }

    [Fact]
    public void Mistakes_in_a_mixture_are_named()
    {
        var (mixture, _, _) = Of(new MixOptions { Weights = new Dictionary<string, double> { ["wikki"] = 1 } }, ("wiki", 3), ("web", 3));
        Assert.Contains("did you mean 'wiki'", Assert.Throws<UserException>(() => mixture.Order().ToList()).Message, StringComparison.Ordinal);
        foreach (var (yaml, message) in new[] { ("weights: { a: 0 }", "weight 0"), ("weights: { a: 1 }\nbalance: true", "choose one"), ("order: curriculum\ndifficulty: perplexity", "reference"), ("temperature: 0.5", "at least 1"), ("order: random", "random") })
            Assert.Contains(message, Assert.Throws<RecipeException>(() => RecipeFile.Parse<MixOptions>(yaml, "r", [])).Message, StringComparison.Ordinal);
        var options = RecipeFile.Parse<MixOptions>("by: language\ntemperature: 3.3\norder: curriculum\ndifficulty: rarity\naugment: [{ kind: typos, rate: 0.05 }]", "r", []);
        Assert.Equal((3.3, MixOrder.Curriculum, Difficulty.Rarity), (options.Temperature, options.Order, options.Difficulty));
        Assert.Equal(RecipeFile.Write(options), RecipeFile.Write(RecipeFile.Parse<MixOptions>(RecipeFile.Write(options), "r", [])));
    }
}
