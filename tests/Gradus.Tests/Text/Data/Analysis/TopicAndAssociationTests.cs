using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Analysis;
using Gradus.Text.Data.Compression;

namespace Gradus.Tests.Text.Data.Analysis;

public sealed class TopicAndAssociationTests(ITestOutputHelper output)
{
    private const int Planted = 4;

    /// <summary>Documents of one planted topic each: two thirds of its own twenty words, a third of sixty shared ones.</summary>
    private static List<IReadOnlyList<string>> PlantedDocuments(int count, double own = 2 / 3.0)
    {
        var counter = new Counter(11, "topics");
        var draw = 0UL;
        return [.. Enumerable.Range(0, count).Select(d => (IReadOnlyList<string>)[.. Enumerable.Range(0, 60).Select(_ =>
            counter.Unit(draw++) < own ? $"topic{(char)('a' + d % Planted)}word{(char)('a' + counter.Below(draw++, 20))}" : $"shared{(char)('a' + counter.Below(draw++, 26))}{(char)('a' + counter.Below(draw++, 3))}")])];
    }

    private static double Purity(TopicModel model) =>
        model.TopicsOfDocument.Select((t, d) => (Found: Array.IndexOf(t, t.Max()), Planted: d % Planted)).GroupBy(x => x.Found).Sum(g => g.GroupBy(x => x.Planted).Max(p => p.Count())) / (double)model.TopicsOfDocument.Count;

    [Fact]
    [Row("M2")]
    public void Planted_topics_are_recovered_and_one_round_does_not_do_it()
    {
        var documents = PlantedDocuments(200);
        var options = new TopicOptions { Topics = Planted, Rounds = 120, Alpha = 0.1 };
        var model = TopicModel.Train(documents, options)!;
        Assert.True(Purity(model) >= 0.97, $"{Purity(model)}");
        // Each planted topic has a topic of its own whose ten likeliest words are all its own.
        var owners = model.Topics.Select(t => t.Words.Take(10).Select(w => w.StartsWith("topic", StringComparison.Ordinal) ? w[5] : '-').Distinct().ToArray()).ToList();
        Assert.All(owners, o => Assert.Single(o));
        Assert.Equal("abcd", string.Concat(owners.Select(o => o[0]).Order()));
        Assert.Equal(1, model.Topics.Sum(t => t.Share), 1e-9);
        Assert.Equal(1, model.WordsOfTopic[0].Sum(), 1e-9);

        var blind = TopicModel.Train(PlantedDocuments(200, own: 0), options); // the control: nothing planted
        Assert.True(blind is null || Purity(blind) < 0.6, "topics were found where there are none");
    }

    [Fact]
    public void Topics_are_the_same_again_and_others_with_another_seed()
    {
        var documents = PlantedDocuments(80);
        var options = new TopicOptions { Topics = Planted, Rounds = 20 };
        var (a, b, c) = (TopicModel.Train(documents, options)!, TopicModel.Train(documents, options)!, TopicModel.Train(documents, options with { Seed = 1 })!);
        Assert.Equal(a.Topics.Select(t => t.Share), b.Topics.Select(t => t.Share));
        Assert.NotEqual(a.Topics.Select(t => t.Share), c.Topics.Select(t => t.Share));
        Assert.Null(TopicModel.Train([["one", "two"]], options));
    }

    private static readonly string[] s_pleasant = "caress freedom health love peace cheer friend heaven loyal pleasure diamond gentle honest lucky rainbow diploma gift honor miracle sunrise family happy laughter paradise vacation".Split(' ');
    private static readonly string[] s_unpleasant = "abuse crash filth murder sickness accident death grief poison stink assault disaster hatred pollute tragedy divorce jail poverty ugly cancer kill rotten vomit agony prison".Split(' ');

    /// <summary>The word sets of Caliskan et al. (2017), and the effect sizes that they published for GloVe (840B, 300 numbers a word).</summary>
    public static TheoryData<string, string, string, string, string, double> Published => new()
    {
        { "flowers and insects", "aster clover hyacinth marigold poppy azalea crocus iris orchid rose bluebell daffodil lilac pansy tulip buttercup daisy lily peony violet carnation gladiola magnolia petunia zinnia",
            "ant caterpillar flea locust spider bedbug centipede fly maggot tarantula bee cockroach gnat mosquito termite beetle cricket hornet moth wasp blackfly dragonfly horsefly roach weevil", "pleasant", "unpleasant", 1.50 },
        { "instruments and weapons", "bagpipe cello guitar lute trombone banjo clarinet harmonica mandolin trumpet bassoon drum harp oboe tuba bell fiddle harpsichord piano viola bongo flute horn saxophone violin",
            "arrow club gun missile spear axe dagger harpoon pistol sword blade dynamite hatchet rifle tank bomb firearm knife shotgun teargas cannon grenade mace slingshot whip", "pleasant", "unpleasant", 1.53 },
        { "male and female names", "john paul mike kevin steve greg jeff bill", "amy joan lisa sarah diana kate ann donna", "executive management professional corporation salary office business career", "home parents children family cousins marriage wedding relatives", 1.81 },
        { "mathematics and arts", "math algebra geometry calculus equations computation numbers addition", "poetry art dance literature novel symphony drama sculpture", "male man boy brother he him his son", "female woman girl sister she her hers daughter", 1.06 },
        { "science and arts", "science technology physics chemistry einstein nasa experiment astronomy", "poetry art shakespeare dance literature novel symphony drama", "brother father uncle grandfather son he his him", "sister mother aunt grandmother daughter she hers her", 1.24 },
    };

    private static readonly Lazy<WordVectors> s_glove = new(() =>
    {
        using var reader = new StreamReader(CompressedFile.Open(Repo.SharedData("embeddings-small/glove.6B.100d.top10k.txt.xz")));
        return WordVectors.Read(reader, "glove");
    });

    [Theory]
    [MemberData(nameof(Published))]
    [Row("M2", "M4")]
    public void Associations_of_real_vectors_have_the_published_sign_and_about_the_size(string name, string x, string y, string a, string b, double published)
    {
        string[] Set(string words) => words switch { "pleasant" => s_pleasant, "unpleasant" => s_unpleasant, _ => words.Split(' ') };
        var result = WordAssociation.Test(new AssociationTest { Name = name, X = Set(x), Y = Set(y), A = Set(a), B = Set(b) }, s_glove.Value)!;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: d = {result.Effect:F2} (published {published:F2} for larger vectors), p = {result.PValue:G3}{(result.Exact ? "" : " sampled")}, words {string.Join(", ", result.Words)}"));
        Assert.InRange(result.Effect, published - 0.5, Math.Min(2, published + 0.5));
        Assert.True(result.PValue < 0.05, $"p = {result.PValue}");
        // The control: targets and attributes turned round have the opposite sign; the same words on both sides have no association.
        var turned = WordAssociation.Test(new AssociationTest { Name = name, X = Set(y), Y = Set(x), A = Set(a), B = Set(b) }, s_glove.Value)!;
        Assert.Equal(-result.Effect, turned.Effect, 1e-9);
        Assert.Equal(0, WordAssociation.Test(new AssociationTest { Name = name, X = Set(x), Y = Set(x), A = Set(a), B = Set(b) }, s_glove.Value)!.Effect, 1e-9);
    }

    [Fact]
    [Row("M2", "M4")]
    public void An_association_computed_by_hand_comes_out()
    {
        // x1, x2 at 0 and 60 degrees, y1, y2 at 90 and 30; A at 0, B at 90 degrees: s = cos − sin of each angle.
        string Vector(string word, double degrees) => string.Create(CultureInfo.InvariantCulture, $"{word} {Math.Cos(degrees * Math.PI / 180):R} {Math.Sin(degrees * Math.PI / 180):R}\n");
        var vectors = WordVectors.Read(new StringReader(Vector("xa", 0) + Vector("xb", 60) + Vector("ya", 90) + Vector("yb", 30) + Vector("a", 0) + Vector("b", 90)), "hand");
        var test = new AssociationTest { Name = "hand", X = ["xa", "xb", "not-there"], Y = ["ya", "yb"], A = ["a"], B = ["b"] };
        var result = WordAssociation.Test(test, vectors)!;
        double[] s = [1, 0.5 - Math.Sqrt(3) / 2, -1, Math.Sqrt(3) / 2 - 0.5];
        var mean = s.Average();
        var deviation = Math.Sqrt(s.Sum(v => (v - mean) * (v - mean)) / 3);
        Assert.Equal(((s[0] + s[1]) / 2 - (s[2] + s[3]) / 2) / deviation, result.Effect, 1e-12);
        // Six divisions; sums of two: as great as x's own are {1, -.37} and {1, .37}.
        Assert.Equal(2 / 6.0, result.PValue, 1e-12);
        Assert.True(result.Exact);
        Assert.Equal([2, 2, 1, 1], result.Words);
        Assert.Null(WordAssociation.Test(test with { X = ["xa", "nobody"] }, vectors));
    }

    [Fact]
    [Row("M2")]
    public void A_planted_association_is_found_in_a_texts_own_vectors_and_is_gone_without_it()
    {
        AssociationTest test = new() { Name = "planted", X = ["mara", "marb", "marc", "mard"], Y = ["vena", "venb", "venc", "vend"], A = ["iron", "war", "sword"], B = ["rose", "song", "dance"] };
        AssociationResult Result(double lean)
        {
            var counter = new Counter(2, "weat");
            var draw = 0UL;
            var documents = Enumerable.Range(0, 1500).Select(i =>
            {
                var (target, first) = (i % 8, counter.Unit(draw++) < (i % 8 < 4 ? 0.5 + lean : 0.5 - lean));
                var attribute = (first ? test.A : test.B)[counter.Below(draw++, 3)];
                return (IReadOnlyList<string>)[$"filler{(char)('a' + counter.Below(draw++, 20))}", (target < 4 ? test.X : test.Y)[target % 4], attribute, $"filler{(char)('a' + counter.Below(draw++, 20))}"];
            }).ToList();
            return WordAssociation.Test(test, WordVectors.Train(documents, new WordVectorOptions { Width = 10 })!)!;
        }

        var (found, opposite, none) = (Result(0.4), Result(-0.4), Result(0));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"planted d = {found.Effect:F2} (p {found.PValue:F3}), opposite {opposite.Effect:F2}, none {none.Effect:F2} (p {none.PValue:F3})"));
        Assert.True(found is { Effect: > 1.5, PValue: < 0.02 }, $"{found.Effect}"); // one division of seventy
        Assert.True(opposite.Effect < -1.5, $"{opposite.Effect}");
        Assert.True(none.PValue > 0.05, $"{none.PValue}"); // eight words: the effect alone reaches 1.4 by chance
    }

    [Fact]
    public void Decomposed_vectors_keep_the_inner_products_of_a_small_matrix()
    {
        // Two kinds of documents that share no word: vectors of one kind are alike, of two kinds orthogonal.
        var documents = Enumerable.Range(0, 300).Select(i => (IReadOnlyList<string>)[.. Enumerable.Range(0, 8).Select(k => $"{(i % 2 == 0 ? 'a' : 'b')}{(char)('a' + (i * 7 + k * 3 + i / 5) % 9)}")]).ToList();
        var vectors = WordVectors.Train(documents, new WordVectorOptions { Width = 17, MinCount = 1 })!;
        Assert.Equal(18, vectors.Count);
        Assert.InRange(vectors.Cosine("aa", "ba"), -1e-6, 1e-6);
        Assert.True(vectors.Cosine("aa", "ad") > 0.1, $"{vectors.Cosine("aa", "ad")}");
        Assert.Equal(1, vectors.Cosine("aa", "aa"), 1e-12);
    }

    [Fact]
    [Row("D8")]
    public void Principal_components_of_known_points_are_exact_and_cosines_too()
    {
        // Points ± a along three orthonormal directions that are none of the axes: variances 2 a² / (n − 1).
        double[][] axes = [[2 / 3.0, 2 / 3.0, 1 / 3.0, 0], [-2 / 3.0, 1 / 3.0, 2 / 3.0, 0], [1 / 3.0, -2 / 3.0, 2 / 3.0, 0]];
        double[] sizes = [5, 3, 1];
        var points = axes.SelectMany((axis, k) => new[] { 1, -1 }.Select(sign => (IReadOnlyList<double>)axis.Select((v, i) => sign * sizes[k] * v + 10 * i).ToArray())).ToList();
        var found = PrincipalComponents.Fit(points, 3);
        for (var k = 0; k < 3; k++)
        {
            Assert.Equal(2 * sizes[k] * sizes[k] / 5, found.Variances[k], 1e-13);
            Assert.Equal(1, Math.Abs(WordVectors.Dot(axes[k], found.Directions[k])), 1e-13);
            Assert.True(found.Directions[k].MaxBy(Math.Abs) > 0);
        }

        Assert.Equal(2 * (25 + 9 + 1) / 5.0, found.TotalVariance, 1e-12);
        Assert.Equal([0, 10, 20, 30], found.Mean.Select(m => Math.Round(m, 12)));
        Assert.Equal(5, Math.Abs(found.Project(points[0])[0]), 1e-13);
        Assert.Equal(0, found.Project(points[0])[1], 1e-13);
        var vectors = WordVectors.Read(new StringReader("a 3 4\nb 4 3\nc -3 -4\n"), "v");
        Assert.Equal(24 / 25.0, vectors.Cosine("a", "b"), 1e-15);
        Assert.Equal(-1, vectors.Cosine("a", "c"), 1e-15);
    }

    [Fact]
    public void Files_of_vectors_that_are_wrong_are_named_by_line()
    {
        Assert.Contains("v:2: has 1 numbers", Assert.Throws<UserException>(() => WordVectors.Read(new StringReader("a 1 2\nb 1\n"), "v")).Message, StringComparison.Ordinal);
        Assert.Contains("v:1: 'x'", Assert.Throws<UserException>(() => WordVectors.Read(new StringReader("a x 1\n"), "v")).Message, StringComparison.Ordinal);
        Assert.Contains("no vectors", Assert.Throws<UserException>(() => WordVectors.Read(new StringReader(""), "v")).Message, StringComparison.Ordinal);
    }
}
