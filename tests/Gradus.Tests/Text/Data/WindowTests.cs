using Gradus.Foundation.Files;
using Gradus.Text.Data;

namespace Gradus.Tests.Text.Data;

public sealed class WindowTests
{
    private const int End = 99;

    /// <summary>One document 0, 1, 2 … without end-of-text: a token is its own position.</summary>
    private static TokenStream Counting(int tokens) => TokenStream.Of([Enumerable.Range(0, tokens).ToArray()], Math.Max(1, tokens));

    private static int[] Row(int[] of, TokenBatch batch, int row) => of.AsSpan(row * batch.Length, batch.Length).ToArray();

    private static string Hex(TokenBatch b) => Hashing.Sha256(System.Text.Encoding.ASCII.GetBytes(string.Join(',', b.Ids.Concat(b.Targets).Concat(b.Positions).Concat(b.Documents))));

    [Fact]
    [Row("B5")]
    public void In_the_heart_of_is_followed_by_the_heart_of_the()
    {
        string[] words = ["In", "the", "heart", "of", "city"];
        int[] text = [0, 1, 2, 3, 1, 4]; // In the heart of the city
        var windows = new PackedWindows(TokenStream.Of([text], words.Length), new WindowOptions { Length = 4, Stride = 1 }, seed: 0);
        Assert.Equal(2, windows.RowsPerEpoch); // ⌊(6 − 4 − 1) / 1⌋ + 1
        var batch = windows.Batch(0, 2);
        var row = windows.Start(0) == 0 ? 0 : 1;
        Assert.Equal(["In", "the", "heart", "of"], Row(batch.Ids, batch, row).Select(i => words[i]));
        Assert.Equal(["the", "heart", "of", "the"], Row(batch.Targets, batch, row).Select(i => words[i]));
        Assert.Equal(8, batch.TargetCount);
    }

    [Theory]
    [InlineData(5, 4, 4, 1)]
    [InlineData(8, 4, 4, 1)]
    [InlineData(9, 4, 4, 2)]
    [InlineData(100, 10, 10, 9)]
    [InlineData(101, 10, 10, 10)]
    [InlineData(101, 10, 3, 31)]
    [InlineData(11, 10, 1, 1)]
    [InlineData(10, 10, 1, 0)]
    [InlineData(0, 10, 10, 0)]
    [Row("B5")]
    public void Window_count_is_the_formula_and_the_brute_count(int tokens, int length, int stride, int expected)
    {
        Assert.Equal(expected, PackedWindows.Count(tokens, length, stride));
        var brute = 0;
        for (var start = 0; start + length + 1 <= tokens; start += stride)
            brute++;
        Assert.Equal(expected, brute);
    }

    [Theory]
    [InlineData(1000, 16, 16)]
    [InlineData(1000, 16, 5)]
    [InlineData(33, 16, 16)]
    [Row("B4", "B5")]
    public void Each_epoch_shows_every_window_once_in_another_order(int tokens, int length, int stride)
    {
        var windows = new PackedWindows(Counting(tokens), new WindowOptions { Length = length, Stride = stride }, seed: 7);
        var orders = new List<string>();
        for (var epoch = 0; epoch < 3; epoch++)
        {
            var starts = Enumerable.Range(0, (int)windows.RowsPerEpoch).Select(i => windows.Start(epoch * windows.RowsPerEpoch + i)).ToList();
            Assert.Equal(Enumerable.Range(0, (int)windows.RowsPerEpoch).Select(i => (long)i * stride), starts.Order());
            orders.Add(string.Join(',', starts));
        }

        Assert.True(windows.RowsPerEpoch < 10 || orders.Distinct().Count() == 3);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(5)]
    [Row("B4")]
    public void Windows_with_their_overlap_removed_are_the_original_tokens(int stride)
    {
        const int Length = 16;
        var tokens = Enumerable.Range(0, 500).Select(i => (i * 31 + i / 7) % 90).ToArray();
        using var stream = TokenStream.Of([tokens], 90);
        var packed = new PackedWindows(stream, new WindowOptions { Length = Length, Stride = stride }, seed: 3);
        var batch = packed.Batch(0, (int)packed.RowsPerEpoch);
        var rows = Enumerable.Range(0, batch.Rows).OrderBy(r => packed.Start(r)).Select(r => (Ids: Row(batch.Ids, batch, r), Targets: Row(batch.Targets, batch, r))).ToList();
        var joined = rows[0].Ids.Concat(rows.Skip(1).SelectMany(r => r.Ids[(Length - stride)..])).Append(rows[^1].Targets[^1]).ToArray();
        Assert.Equal(tokens[..joined.Length], joined);
        Assert.InRange(tokens.Length - joined.Length, 0, stride - 1); // what is left is shorter than one stride

        var all = new SequentialWindows(stream, new WindowOptions { Length = Length, Stride = stride }).Batches(4).ToList();
        var targets = all.SelectMany(b => b.Targets).Where(t => t != TokenBatch.Ignore);
        Assert.Equal(tokens, all[0].Ids[..1].Concat(targets));
    }

    [Fact]
    [Row("B5", "G18")]
    public void A_batch_is_a_function_of_seed_and_number_alone()
    {
        using var tokens = Counting(5000);
        var options = new WindowOptions { Length = 32, RandomPhase = true };
        var straight = new PackedWindows(tokens, options, seed: 11);
        var sequence = Enumerable.Range(0, 200).Select(i => Hex(straight.Batch(i, 3))).ToList(); // about 4 epochs
        var counter = new Counter(5, "resume");
        for (ulong trial = 0; trial < 50; trial++)
        {
            var at = counter.Below(trial, 200);
            var resumed = new PackedWindows(tokens, options, seed: 11); // a fresh process
            Assert.Equal(sequence[at], Hex(resumed.Batch(at, 3)));
        }

        // The same rows in the same order whatever the batch size: rows 0 … 11 as 4 × 3 and as 2 × 6.
        Assert.Equal(Enumerable.Range(0, 4).SelectMany(i => straight.Batch(i, 3).Ids), Enumerable.Range(0, 2).SelectMany(i => straight.Batch(i, 6).Ids));
        Assert.NotEqual(sequence[0], Hex(new PackedWindows(tokens, options, seed: 12).Batch(0, 3)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(8)]
    [Row("B5", "G18")]
    public void Any_number_of_ranks_sees_one_ordered_sequence_of_rows(int world)
    {
        var windows = new PackedWindows(Counting(5000), new WindowOptions { Length = 16 }, seed: 2);
        const int RowsPerStep = 24; // over all ranks
        var each = RowsPerStep / world;
        var sequence = new List<int>();
        for (var step = 0L; step < 20; step++)
            for (var rank = 0; rank < world; rank++)
                sequence.AddRange(windows.Rows(step * RowsPerStep + rank * each, each).Ids);
        Assert.Equal(windows.Rows(0, 20 * RowsPerStep).Ids, sequence);
    }

    [Fact]
    [Row("B5")]
    public void The_far_end_of_an_endless_run_costs_no_more_than_its_start()
    {
        var windows = new PackedWindows(Counting(1000), new WindowOptions { Length = 8 }, seed: 1);
        var batch = windows.Batch(1L << 50, 4);
        Assert.Equal(32, batch.TargetCount);
    }

    [Fact]
    [Row("B5")]
    public void A_random_phase_cuts_each_epoch_in_other_places()
    {
        var windows = new PackedWindows(Counting(1000), new WindowOptions { Length = 10, RandomPhase = true }, seed: 1);
        var phases = Enumerable.Range(0, 200).Select(epoch => windows.Start(epoch * windows.RowsPerEpoch) % 10).ToHashSet();
        Assert.Equal(10, phases.Count);
        Assert.True(windows.RowsPerEpoch >= PackedWindows.Count(1000, 10, 10) - 1);
        for (var row = 0L; row < 20 * windows.RowsPerEpoch; row++)
            Assert.InRange(windows.Start(row), 0, 1000 - 11);
    }

    [Fact]
    [Row("B5", "G11")]
    [Row("Y3")]
    public void A_document_mask_numbers_documents_restarts_positions_and_ignores_targets_across_borders()
    {
        // a a a E b E c c E
        using var tokens = TokenStream.Of([[1, 1, 1], [2], [3, 3]], 100, End);
        var masked = new PackedWindows(tokens, new WindowOptions { Length = 8, DocumentMask = true }, seed: 0).Batch(0, 1);
        Assert.Equal([1, 1, 1, End, 2, End, 3, 3], masked.Ids);
        Assert.Equal([1, 1, End, TokenBatch.Ignore, End, TokenBatch.Ignore, 3, End], masked.Targets);
        Assert.Equal([0, 0, 0, 0, 1, 1, 2, 2], masked.Documents);
        Assert.Equal([0, 1, 2, 3, 0, 1, 0, 1], masked.Positions);
        Assert.Equal((6, true), (masked.TargetCount, masked.HasDocumentBorders));

        var plain = new PackedWindows(tokens, new WindowOptions { Length = 8 }, seed: 0).Batch(0, 1);
        Assert.Equal([1, 1, End, 2, End, 3, 3, End], plain.Targets);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], plain.Positions);
        Assert.All(plain.Documents, d => Assert.Equal(0, d));
        Assert.Equal((8, false), (plain.TargetCount, plain.HasDocumentBorders));

        var kept = new PackedWindows(tokens, new WindowOptions { Length = 8, DocumentMask = true, BorderTargets = true }, seed: 0).Batch(0, 1);
        Assert.Equal(plain.Targets, kept.Targets);
        Assert.Equal(masked.Documents, kept.Documents);
        var dropped = new PackedWindows(tokens, new WindowOptions { Length = 8, BorderTargets = false }, seed: 0).Batch(0, 1);
        Assert.Equal(masked.Targets, dropped.Targets);
        Assert.Equal(plain.Positions, dropped.Positions);
    }

    [Fact]
    [Row("B5", "G11")]
    public void Masks_agree_with_a_plain_walk_over_random_documents_and_the_target_count_is_exact()
    {
        var counter = new Counter(9, "documents");
        var lengths = Enumerable.Range(0, 300).Select(i => counter.Below((ulong)i, 12)).ToArray(); // empty documents too
        foreach (var end in new int?[] { End, null })
        {
            using var tokens = TokenStream.Of(lengths.Select((n, d) => (IReadOnlyList<int>)Enumerable.Repeat(d % 50, n).ToArray()), 100, end);
            var document = new List<int>();
            for (var d = 0; d < lengths.Length; d++)
                document.AddRange(Enumerable.Repeat(d, lengths[d] + (end is null ? 0 : 1)));
            var windows = new PackedWindows(tokens, new WindowOptions { Length = 16, DocumentMask = true, Stride = 7 }, seed: 4);
            var counts = new HashSet<long>();
            for (var r = 0; r < windows.RowsPerEpoch; r++)
            {
                var (batch, start) = (windows.Rows(r, 1), (int)windows.Start(r));
                var number = 0;
                for (var t = 0; t < 16; t++)
                {
                    if (t > 0 && document[start + t] != document[start + t - 1])
                        number++;
                    Assert.Equal(number, batch.Documents[t]);
                    Assert.Equal(t - Array.IndexOf(batch.Documents, number), batch.Positions[t]);
                    Assert.Equal(document[start + t] != document[start + t + 1], batch.Targets[t] == TokenBatch.Ignore);
                }

                Assert.Equal(batch.Targets.Count(t => t != TokenBatch.Ignore), batch.TargetCount);
                counts.Add(batch.TargetCount);
            }

            Assert.True(counts.Count > 3, "rows have unequal numbers of targets, which is what accumulation must be exact for");
        }
    }

    [Theory]
    [InlineData(1, 8, 8)]
    [InlineData(7, 8, 8)]
    [InlineData(8, 8, 8)]
    [InlineData(9, 8, 8)]
    [InlineData(100, 8, 8)]
    [InlineData(100, 8, 3)]
    [InlineData(101, 8, 1)]
    [Row("L1")]
    public void Evaluation_predicts_every_token_once_in_order_with_the_context_it_promises(int tokens, int length, int stride)
    {
        foreach (var end in new int?[] { 1000, null })
        {
            if (end is null && tokens == 1)
                continue;
            using var stream = TokenStream.Of([Enumerable.Range(0, tokens - (end is null ? 0 : 1)).ToArray()], 1001, end);
            var original = stream.ToArray();
            var windows = new SequentialWindows(stream, new WindowOptions { Length = length, Stride = stride });
            var seen = new List<int>();
            foreach (var batch in windows.Batches(3))
            {
                Assert.Equal(batch.Targets.Count(t => t != TokenBatch.Ignore), batch.TargetCount);
                for (var i = 0; i < batch.Targets.Length; i++)
                {
                    if (batch.Targets[i] == TokenBatch.Ignore)
                        continue;
                    var at = seen.Count + (end is null ? 1 : 0); // its place in the stream
                    Assert.Equal(at == 0 ? end : original[at - 1], batch.Ids[i]);
                    var context = i % length + 1;
                    Assert.True(context >= Math.Min(seen.Count + 1, length - stride + 1), $"target {at} sees {context}");
                    seen.Add(batch.Targets[i]);
                }
            }

            Assert.Equal(end is null ? original[1..] : original, seen);
            Assert.Equal(seen.Count, windows.Targets);
        }
    }

    [Fact]
    [Row("B5")]
    public void A_stream_shorter_than_a_window_is_one_clear_line()
    {
        var e = Assert.Throws<UserException>(() => new PackedWindows(Counting(256), new WindowOptions { Length = 256 }, 0));
        Assert.Contains("256 tokens; one row of length 256 needs 257", e.Message);
        Assert.Throws<UserException>(() => new SequentialWindows(TokenStream.Of([], 10), new WindowOptions()));
        Assert.Throws<UserException>(() => new SequentialWindows(TokenStream.Of([[1]], 10), new WindowOptions()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(1000)]
    [InlineData(65_537)]
    public void A_window_permutation_is_a_permutation(int count)
    {
        var permutation = new WindowPermutation(count, new Counter(3, "p"), epoch: 5);
        var hit = new bool[count];
        for (var i = 0; i < count; i++)
            hit[permutation[i]] = true;
        Assert.DoesNotContain(false, hit);
    }

    [Fact]
    public void A_window_permutation_is_even_over_epochs_and_reaches_beyond_two_to_the_thirty_two()
    {
        const int Count = 10, Epochs = 5000;
        var counts = new int[Count, Count];
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            var p = new WindowPermutation(Count, new Counter(1, "p"), epoch);
            for (var i = 0; i < Count; i++)
                counts[i, p[i]]++;
        }

        // Each of the 100 cells expects 500 ± 21 (binomial); six deviations leave no room for chance.
        foreach (var c in counts)
            Assert.InRange(c, 372, 628);
        var large = new WindowPermutation(10_000_000_000, new Counter(1, "p"), 0);
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(i => large[9_999_999_999 - i]).Distinct().Count());
    }
}
