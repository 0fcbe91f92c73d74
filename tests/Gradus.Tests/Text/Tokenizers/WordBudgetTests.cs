using System.Text;
using Gradus.Foundation.Files;
using Gradus.Tests.Cli;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Tests.Text.Tokenizers;

/// <summary>Training on corpora with more distinct words than memory: counts go to disk, with the same result; the rarest words are left out last of all.</summary>
[Row("C1")]
public class WordBudgetTests
{
    private static readonly WordBudget s_plenty = new(1 << 30, 1L << 40);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Counts_that_went_to_disk_add_up_to_the_same(int threads)
    {
        var lines = Lines();
        var expected = DocumentCounter.Sorted(Counted(lines, 1, s_plenty, out var report));
        Assert.Equal(0, report.Spills);
        var spilled = DocumentCounter.Sorted(Counted(lines, threads, s_plenty with { Spill = 900_000 * threads }, out report));
        Assert.True(report.Spills >= 3, $"{report.Spills} spills: nothing to see");
        Assert.Equal(expected.Length, report.Words);
        Assert.Equal(expected.Select(w => (Convert.ToHexString(w.Word), w.Times)), spilled.Select(w => (Convert.ToHexString(w.Word), w.Times)));
        // More runs than are read side by side: they are merged on the way.
        spilled = DocumentCounter.Sorted(Counted(lines, threads, s_plenty with { Spill = 0 }, out report));
        Assert.True(report.Spills > 200, $"{report.Spills} spills");
        Assert.Equal(expected.Select(w => (Convert.ToHexString(w.Word), w.Times)), spilled.Select(w => (Convert.ToHexString(w.Word), w.Times)));
    }

    [Theory]
    [InlineData("bpe", 12)]
    [InlineData("unigram", 20)]
    [InlineData("wordpiece", 9)]
    public void A_vocabulary_is_the_same_bytes_with_and_without_spilling(string kind, int memoryMb)
    {
        var lines = Lines();
        TokenizerTrainerOptions options = kind switch
        {
            "bpe" => new BpeTrainerOptions { VocabSize = 2000, Threads = 4 }, "unigram" => new UnigramTrainerOptions { VocabSize = 1000, Threads = 4 }, _ => new WordPieceTrainerOptions { VocabSize = 2000, Threads = 4 },
        };
        var (without, with) = (new TrainingReport(), new TrainingReport());
        using var folder = Repo.Temp();
        options.Train(lines, without).Save(folder.File("without"));
        (options with { MemoryMb = memoryMb }).Train(lines, with).Save(folder.File("with"));
        Assert.Equal((0, 0L), (without.Spills, without.WordsLeftOut));
        Assert.True(with.Spills >= 2 && with.WordsLeftOut == 0, $"{with.Spills} spills, {with.WordsLeftOut} words left out");
        Assert.Equal(File.ReadAllBytes(folder.File("without/tokenizer.json")), File.ReadAllBytes(folder.File("with/tokenizer.json")));
    }

    [Fact]
    public void The_rarest_words_are_left_out_where_not_all_fit_and_the_report_says_so()
    {
        // Word i occurs 1, 2 or 3 times, whatever its bytes.
        var words = Enumerable.Range(0, 3000).Select(i => (Text: string.Concat($"{i * 7919 % 10007:d6}".Select(d => (char)('a' + d - '0'))), Times: 1 + (i % 3))).ToArray();
        ReadOnlyMemory<byte>[] documents = [.. words.SelectMany(w => Enumerable.Repeat((ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(w.Text), w.Times))];
        var cost = WordBudget.Cost(6);
        foreach (var (threads, spill) in new[] { (1, 1L << 30), (4, 1L << 30), (2, 0L) })
        {
            var kept = DocumentCounter.Sorted(Counted(documents, threads, new(spill, 1500 * cost), out var report)).Select(w => (Encoding.UTF8.GetString(w.Word), w.Times)).ToArray();
            Assert.All(words.Where(w => w.Times == 3), w => Assert.Contains((w.Text, 3L), kept));
            Assert.DoesNotContain(kept, w => w.Times == 1);
            var twice = kept.Count(w => w.Times == 2);
            Assert.InRange(twice, 400, 600); // half of the thousand that occur twice
            Assert.Equal((2L, 3000L - kept.Length, (long)kept.Length), (report.LeftOutUpTo, report.WordsLeftOut, report.Words));
            Assert.Equal(1000 + (2L * (1000 - twice)), report.OccurrencesLeftOut);
            var first = DocumentCounter.Sorted(Counted(documents, 1, new(1L << 30, 1500 * cost), out _));
            Assert.Equal(first.Select(w => (Encoding.UTF8.GetString(w.Word), w.Times)), kept); // neither threads nor spills decide which
        }
    }

    [Fact]
    public void A_stream_of_ever_new_words_takes_no_more_memory_the_longer_it_is()
    {
        // In a process whose heap may not grow beyond 120 MB: 2 million distinct words train in it within a budget of 12 MB, and cannot without.
        using var folder = Repo.Temp();
        using (var text = new StreamWriter(folder.File("words.jsonl"), append: false, new UTF8Encoding(false)))
        {
            var draws = new Counter(1, "ever new");
            for (var line = 0UL; line < 100_000; line++)
            {
                text.Write("{\"text\": \"");
                for (var word = 0UL; word < 20; word++)
                    text.Write(string.Create(17, draws.UInt64(line * 20 + word), (span, bits) =>
                    {
                        span[0] = ' ';
                        for (var i = 1; i < span.Length; i++, bits >>= 4)
                            span[i] = (char)('a' + (bits & 15));
                    }));
                text.Write("\"}\n");
            }
        }

        var settings = CommandLine.Settings.In(folder.Path).With("DOTNET_GCHeapHardLimit", "0x7800000").With("DOTNET_gcConcurrent", "0");
        var bounded = CommandLine.Run(settings, "tokenizer", "train", "words.jsonl", "--vocab-size", "600", "--set", "memory_mb=12", "--set", "threads=2", "--out", "bounded").Done();
        Assert.Contains("were left out to stay within 12 MB", bounded.Error, StringComparison.Ordinal);
        Assert.Equal(600, Tokenizer.Load(folder.File("bounded")).VocabSize);
        var unbounded = CommandLine.Run(settings, "tokenizer", "train", "words.jsonl", "--vocab-size", "600", "--set", "threads=2", "--out", "unbounded");
        Assert.NotEqual(0, unbounded.Code);
    }

    private static ReadOnlyMemory<byte>[] Lines()
    {
        var text = File.ReadAllBytes(Repo.SharedData("moby-dick/moby-dick.txt"));
        return [.. Enumerable.Range(0, text.Length / 4000).Select(i => (ReadOnlyMemory<byte>)text.AsMemory(i * 4000, 4000))];
    }

    private static WordCounts Counted(IEnumerable<ReadOnlyMemory<byte>> documents, int threads, WordBudget budget, out TrainingReport report)
    {
        report = new();
        return DocumentCounter.Count(documents, threads, budget, report, (document, counts) => counts.AddText(document, Gpt2Splitter.Instance));
    }
}
