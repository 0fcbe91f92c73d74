using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data;

namespace Gradus.Tests.Text.Data;

[Row("B6")]
public sealed class SplitTests
{
    private static readonly SplitOptions s_options = new() { Validation = 0.1, Test = 0.2, Seed = 3 };

    private static List<string> Documents(int count) => [.. Enumerable.Range(0, count).Select(i => $"Document number {i}, about {i * i % 97} things.")];

    private static DataSplit Of(string text, SplitOptions? options = null) => (options ?? s_options).Of(Encoding.UTF8.GetBytes(text));

    /// <summary>What many scripts do: shuffle the indices, cut.</summary>
    private static DataSplit[] NaiveSplit(int count)
    {
        var random = new Random(3);
        var order = Enumerable.Range(0, count).ToArray();
        random.Shuffle(order);
        var splits = new DataSplit[count];
        for (var i = 0; i < count; i++)
            splits[order[i]] = i < count * 0.2 ? DataSplit.Test : i < count * 0.3 ? DataSplit.Validation : DataSplit.Train;
        return splits;
    }

    [Fact]
    public void Adding_documents_moves_none_of_the_others()
    {
        var before = Documents(1000).ConvertAll(d => Of(d));
        var after = Documents(1500).ConvertAll(d => Of(d));
        Assert.Equal(before, after[..1000]);
    }

    [Fact]
    public void A_naive_split_by_index_moves_documents_when_some_are_added()
    {
        // The negative control of the test above.
        var (before, after) = (NaiveSplit(1000), NaiveSplit(1500));
        var leaked = Enumerable.Range(0, 1000).Count(i => before[i] == DataSplit.Test && after[i] == DataSplit.Train);
        Assert.True(leaked > 50, $"{leaked} test documents became training documents");
    }

    [Fact]
    public void Copies_and_copies_that_differ_in_case_space_or_punctuation_stay_on_one_side()
    {
        foreach (var document in Documents(300))
        {
            Assert.Equal(Of(document), Of("  " + document.ToUpperInvariant().Replace(",", " --", StringComparison.Ordinal) + "\r\n"));
        }

        // The control: content that does differ is placed anew, so about a third of such pairs part.
        Assert.InRange(Documents(300).Count(d => Of(d) != Of(d + " More.")), 90, 190);
    }

    [Fact]
    public void Shares_are_as_asked_and_the_seed_matters()
    {
        var splits = Documents(5000).ConvertAll(d => Of(d));
        // Binomial: 1000 ± 28 and 500 ± 21; five deviations.
        Assert.InRange(splits.Count(s => s == DataSplit.Test), 860, 1140);
        Assert.InRange(splits.Count(s => s == DataSplit.Validation), 395, 605);
        Assert.NotEqual(splits, Documents(5000).ConvertAll(d => Of(d, s_options with { Seed = 4 })));
        Assert.All(Documents(100), d => Assert.Equal(DataSplit.Train, Of(d, new SplitOptions { Validation = 0, Test = 0 })));
    }

    [Fact]
    public void Shares_that_leave_nothing_to_train_on_are_refused() =>
        Assert.Contains("below 1", Assert.Throws<UserException>(() => Of("x", new SplitOptions { Validation = 0.5, Test = 0.5 })).Message);

    [Fact]
    public void Letters_outside_ascii_and_punctuation_alone_are_content()
    {
        var options = new SplitOptions { Validation = 0.5, Test = 0 };
        Assert.Equal(2, Enumerable.Range(0, 50).Select(i => Of(char.ConvertFromUtf32(0x4E00 + i), options)).Distinct().Count());
        Assert.Equal(2, Enumerable.Range(1, 50).Select(i => Of(new string('!', i), options)).Distinct().Count());
    }
}
