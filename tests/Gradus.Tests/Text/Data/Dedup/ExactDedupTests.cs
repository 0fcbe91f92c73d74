using Gradus.Foundation.Files;
using Gradus.Text.Data.Dedup;
using Gradus.Text.Data.Steps;
using Gradus.Tests.Text.Data.Pipeline;

namespace Gradus.Tests.Text.Data.Dedup;

public sealed class ExactDedupTests : IDisposable
{
    private readonly PipelineFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Row("B3")]
    public void The_first_of_equal_documents_stays_across_files()
    {
        _folder.Write("a.jsonl", "one", "two", "one");
        _folder.Write("b.jsonl", "two", "three", "One");
        var dataset = _folder.Prepare(_folder.Options(new ExactDedup()));
        Assert.Equal(["one", "two", "three", "One"], PipelineFolder.Texts(dataset));
        Assert.Equal([($"as {_folder.File("a.jsonl")}:1", "duplicate"), ($"as {_folder.File("a.jsonl")}:2", "duplicate")], PipelineFolder.Dropped(dataset).Select(d => (d.GetProperty("detail").GetString()!, d.GetProperty("rule").GetString()!)));
        Assert.Equal(["one", "two", "three"], PipelineFolder.Texts(_folder.Prepare(_folder.Options(new ExactDedup { Loose = true }), "loose")));
    }

    [Fact]
    [Row("B3")]
    public void Later_copies_of_paragraphs_and_lines_are_cut_out()
    {
        const string Boiler = "This paragraph is on every page of the site.";
        _folder.Write("a.jsonl", $"First text.\n\n{Boiler}\n\nEnd of first.", $"{Boiler}\n\nSecond text.\n\nYes.\n\nYes.", Boiler);
        var dataset = _folder.Prepare(_folder.Options(new ExactDedup { By = DedupUnit.Paragraph }));
        Assert.Equal([$"First text.\n\n{Boiler}\n\nEnd of first.", "Second text.\n\nYes.\n\nYes."], PipelineFolder.Texts(dataset));
        var counts = dataset.Report().Steps.Single();
        Assert.Equal((1, 1), (counts.Rules["duplicate-paragraph"].Edits, counts.Rules["nothing-left"].Documents));

        _folder.Write("a.jsonl", "A line that is long enough to count.\nOther words.\nA line that is long enough to count.\n", "Begin.\nA line that is long enough to count.  \nEnd.");
        Assert.Equal(["A line that is long enough to count.\nOther words.\n", "Begin.\nEnd."], PipelineFolder.Texts(_folder.Prepare(_folder.Options(new ExactDedup { By = DedupUnit.Line }), "lines")));
    }

    [Fact]
    [Row("B3")]
    public void Of_one_address_the_first_document_stays()
    {
        _folder.Write("a.jsonl", "http://www.example.com/a/", "https://example.com/a#top", "https://example.com/A", "", "https://example.com/b");
        var dataset = _folder.Prepare(_folder.Options(new UrlIsText(), new ExactDedup { By = DedupUnit.Url }));
        Assert.Equal(["http://www.example.com/a/", "https://example.com/A", "https://example.com/b"], PipelineFolder.Texts(dataset));
    }

    private sealed record UrlIsText : LocalStep, IDocumentStep
    {
        public override IDocumentStep Build() => this;

        public void Apply(Draft draft) => draft.SetMeta("url", System.Text.Encoding.UTF8.GetString(draft.Text));
    }

    [Fact]
    [Row("B3")]
    public void Suffixes_are_in_order()
    {
        var draws = new Counter(4, "suffixes");
        var n = 0UL;
        foreach (var (length, alphabet) in new[] { (0, 1), (1, 1), (2, 1), (50, 1), (7, 2), (300, 2), (500, 3), (1000, 26), (3000, 256), (2000, 2) })
        {
            var text = Enumerable.Range(0, length).Select(_ => (byte)draws.Below(n++, alphabet)).ToArray();
            Assert.Equal(Enumerable.Range(0, length).OrderBy(i => text[i..], Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))), SuffixArray.Of(text, length));
        }

        foreach (var known in new[] { "banana", "mississippi", "abracadabra", "aaaaabaaaab", "cabcabcab" })
        {
            var text = System.Text.Encoding.ASCII.GetBytes(known);
            Assert.Equal(Enumerable.Range(0, text.Length).OrderBy(i => known[i..], StringComparer.Ordinal), SuffixArray.Of(text, text.Length));
        }
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(3000)] // several pieces, merged
    [Row("B3")]
    public void Repeated_substrings_are_those_of_the_naive_search(int chunk)
    {
        const int Length = 40;
        var draws = new Counter(6, "substrings");
        var n = 0UL;
        var passages = Enumerable.Range(0, 6).Select(i => Steps.StepRun.Prose(12, (ulong)i + 300)).ToArray();
        var texts = Enumerable.Range(0, 60).Select(i => Steps.StepRun.Prose(20 + draws.Below(n++, 30), (ulong)i + 1) + " é " + passages[draws.Below(n++, 6)] + " → " + Steps.StepRun.Prose(5, (ulong)i + 900)).ToArray();
        _folder.Write("a.jsonl", texts[..25]);
        _folder.Write("b.jsonl", texts[25..]);
        var kept = PipelineFolder.Texts(_folder.Prepare(_folder.Options(new SubstringDedup { Length = Length, ChunkBytes = chunk })));

        var seen = new HashSet<string>(StringComparer.Ordinal);
        var expected = new List<string>();
        var cut = 0;
        foreach (var bytes in texts.Select(System.Text.Encoding.UTF8.GetBytes))
        {
            var marked = new bool[bytes.Length];
            for (var i = 0; i + Length <= bytes.Length; i++)
                if (!seen.Add(Convert.ToHexString(bytes, i, Length)))
                    Array.Fill(marked, true, i, Length);
            // Ranges are drawn in to whole characters.
            for (var i = 0; i < bytes.Length; i++)
                if (marked[i] && (bytes[i] & 0xC0) == 0x80 && (i == 0 || !marked[i - 1]))
                    marked[i] = false;
            for (var i = bytes.Length - 1; i > 0; i--)
                if (marked[i - 1] && !marked[i] && (bytes[i] & 0xC0) == 0x80)
                    marked[i - 1] = false;
            cut += marked.Count(m => m);
            expected.Add(System.Text.Encoding.UTF8.GetString([.. bytes.Where((_, i) => !marked[i])]));
        }

        Assert.Equal(expected, kept);
        Assert.True(cut > 3000, $"{cut} bytes were repeated: too few to prove anything");
    }

    [Fact]
    [Row("B3")]
    public void A_passage_one_byte_shorter_than_the_length_stays()
    {
        var passage = new string('x', 1) + Steps.StepRun.Prose(40, 3)[..98] + "y";
        Assert.Equal(100, passage.Length);
        _folder.Write("a.jsonl", "one " + passage + " two", "three" + passage + "four", "numb" + passage[..99] + "!six");
        Assert.Equal(["one " + passage + " two", "threefour", "numb" + passage[..99] + "!six"], PipelineFolder.Texts(_folder.Prepare(_folder.Options(new SubstringDedup()))));
    }
}
