using Gradus.Foundation.Files;
using Gradus.Tests.Training;
using Gradus.Text.Data;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Tests.Text.Data.Rows;

[Row("F2")]
public class MaskedRowsTests
{
    private static readonly Tokenizer s_tokenizer = new WordPieceTrainerOptions { VocabSize = 300, MinFrequency = 2 }.Train([System.Text.Encoding.UTF8.GetBytes(SeededText.Paragraphs(200))]);

    [Fact]
    public void Fifteen_in_a_hundred_are_hidden_and_of_these_80_10_10()
    {
        var (rows, plain) = (Masked(new MaskOptions()), Plain());
        var (hidden, mask, same, other, all) = (0, 0, 0, 0, 0);
        for (var i = 0; i < 400; i++)
        {
            var (batch, source) = (rows.Rows(i, 1), plain.Rows(i, 1));
            Assert.Equal(batch.Targets.Count(t => t != TokenBatch.Ignore), batch.TargetCount);
            Assert.Equal(s_tokenizer.IdOf("[CLS]"), batch.Ids[0]);
            Assert.Equal(s_tokenizer.IdOf("[SEP]"), batch.Ids[^1]);
            Assert.Equal(TokenBatch.Ignore, batch.Targets[0]);
            for (var t = 0; t < source.Length; t++)
            {
                all++;
                var (shown, target) = (batch.Ids[t + 1], batch.Targets[t + 1]);
                if (target == TokenBatch.Ignore)
                {
                    Assert.Equal(source.Ids[t], shown); // what is not asked for is not touched
                    continue;
                }
                Assert.Equal(source.Ids[t], target); // asked for is what stood there
                hidden++;
                if (shown == s_tokenizer.IdOf("[MASK]")) mask++;
                else if (shown == target) same++;
                else other++;
            }
        }
        Assert.InRange((double)hidden / all, 0.147, 0.153);
        // χ² with two degrees of freedom, 1 in 1000 by chance: 13.8. A random draw hits the mask or the token itself in 1 of V.
        double Chi(double count, double share) => Math.Pow(count - share * hidden, 2) / (share * hidden);
        var v = 1.0 / s_tokenizer.VocabSize;
        Assert.True(Chi(mask, 0.8 + 0.1 * v) + Chi(same, 0.1 + 0.1 * v) + Chi(other, 0.1 - 0.2 * v) < 13.8, $"{mask} {same} {other} of {hidden}");
        Assert.True(Chi(mask, 0.7) > 13.8, "the test would see another share");
    }

    [Fact]
    public void Draws_belong_to_the_row_of_the_run_whatever_the_batches()
    {
        var rows = Masked(new MaskOptions());
        var whole = rows.Rows(3, 6);
        for (var i = 0; i < 6; i++)
        {
            var one = Masked(new MaskOptions()).Rows(3 + i, 1);
            Assert.Equal(whole.Ids[(i * whole.Length)..((i + 1) * whole.Length)], one.Ids);
            Assert.Equal(whole.Targets[(i * whole.Length)..((i + 1) * whole.Length)], one.Targets);
        }
        Assert.NotEqual(whole.Targets, Masked(new MaskOptions(), seed: 2).Rows(3, 6).Targets);
        // The next epoch shows the same text with other tokens hidden.
        var (first, second) = (rows.Rows(0, 1), rows.Rows(rows.RowsPerEpoch, 1));
        Assert.NotEqual(first.Targets.Select(t => t >= 0), second.Targets.Select(t => t >= 0));
    }

    [Fact]
    public void Whole_words_are_hidden_whole()
    {
        var rows = Masked(new MaskOptions { WholeWords = true, Share = 0.3 });
        var (parts, alone) = (0, 0);
        for (var i = 0; i < 200; i++)
        {
            var (batch, source) = (rows.Rows(i, 1), Plain().Rows(i, 1));
            for (var t = 1; t < source.Length; t++)
            {
                if (!s_tokenizer.NameOf(source.Ids[t]).StartsWith("##", StringComparison.Ordinal)) continue;
                parts++;
                Assert.Equal(batch.Targets[t] == TokenBatch.Ignore, batch.Targets[t + 1] == TokenBatch.Ignore);
            }
            var single = Masked(new MaskOptions { Share = 0.3 }).Rows(i, 1);
            for (var t = 1; t < source.Length; t++)
                if (s_tokenizer.NameOf(source.Ids[t]).StartsWith("##", StringComparison.Ordinal) && (single.Targets[t] == TokenBatch.Ignore) != (single.Targets[t + 1] == TokenBatch.Ignore)) alone++;
        }
        Assert.True(parts > 500);
        Assert.True(alone > 100, "without the switch words are torn");
    }

    [Fact]
    public void A_tokenizer_without_a_mask_is_refused_in_one_line()
    {
        var e = Assert.Throws<UserException>(() => new MaskedRows(Plain(), new MaskOptions(), new ByteTokenizer(), 1));
        Assert.Contains("mask token", e.Message, StringComparison.Ordinal);
    }

    private static MaskedRows Masked(MaskOptions options, ulong seed = 1) => new(Plain(), options, s_tokenizer, seed);

    private static TestRows Plain()
    {
        var ids = s_tokenizer.Encode(SeededText.Paragraphs(200), addSpecialTokens: false);
        return new TestRows(ids, length: 60);
    }
}
