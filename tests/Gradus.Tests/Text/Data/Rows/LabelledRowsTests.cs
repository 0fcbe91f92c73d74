using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Tests.Text.Data.Rows;

[Row("B13")]
public class LabelledRowsTests
{
    private static readonly Tokenizer s_tokenizer = new WordPieceTrainerOptions { VocabSize = 300, MinFrequency = 2 }.Train([System.Text.Encoding.UTF8.GetBytes(SeededText.Paragraphs(200) + " Where does the moon of Jupiter called Ganymede shine? 😀")]);

    // Row i has i % 7 + 1 tokens, all of them i + 10.
    private static readonly EncodedRow[] s_rows = [.. Enumerable.Range(0, 101).Select(i => new EncodedRow([.. Enumerable.Repeat(i + 10, i % 7 + 1)], [i, .. Enumerable.Repeat(TokenBatch.Ignore, i % 7)]) { Record = i })];

    [Fact]
    public void Every_row_comes_once_an_epoch_in_an_order_that_does_not_depend_on_the_batches()
    {
        var rows = Rows();
        int[] Order(int batch, long first, int count) => [.. Enumerable.Range(0, count / batch).SelectMany(b => Ids(rows.Rows(first + b * batch, batch)))];
        var epoch = Order(1, 0, 101);
        Assert.Equal(Enumerable.Range(10, 101), epoch.Order());
        Assert.NotEqual(epoch, epoch.Order());
        Assert.Equal(epoch[..100], Order(4, 0, 100));
        Assert.Equal(epoch[20..100], Order(10, 20, 80));
        Assert.NotEqual(epoch, Order(1, 101, 101)); // another order in the next epoch
        Assert.Equal(Enumerable.Range(10, 101), new LabelledRows(s_rows, new RowOptions(), 0, seed: null).Rows(0, 101) is var all ? Ids(all) : []);
    }

    [Fact]
    public void Filling_is_a_document_of_its_own_and_sorting_by_length_makes_less_of_it()
    {
        var batch = LabelledRows.Batch([s_rows[0], s_rows[6], s_rows[2]], pad: 3, multiple: 8);
        Assert.Equal((3, 8), (batch.Rows, batch.Length));
        Assert.Equal([10, 3, 3, 3, 3, 3, 3, 3], batch.Ids[..8]);
        Assert.Equal([0, 1, 1, 1, 1, 1, 1, 1], batch.Documents[..8]);
        Assert.True(batch.HasDocumentBorders);
        Assert.Equal(3, batch.TargetCount);
        Assert.Equal(0, batch.Targets[0]);
        Assert.All(batch.Targets[1..8], t => Assert.Equal(TokenBatch.Ignore, t));

        long Filled(int group) => Enumerable.Range(0, 12).Sum(b => new LabelledRows(s_rows, new RowOptions { GroupByLength = group, PadToMultipleOf = 1 }, 0, seed: 1).Rows(b * 8, 8).Documents.Count(d => d == 1));
        Assert.True(Filled(101) < Filled(0) / 2, $"{Filled(101)} against {Filled(0)}");
    }

    [Fact]
    public void A_cut_text_is_counted_and_its_target_stands_where_the_state_is_read()
    {
        var text = "the captain of the ship and the men of the sea went to the land of the king";
        var (first, last) = (new RowEncoder(s_tokenizer, 12, atEnd: false).Text(text, null, 1, 5), new RowEncoder(s_tokenizer, 12, atEnd: true).Text(text, null, 1, 5));
        Assert.True(first.Truncated);
        Assert.Equal(12, first.Ids.Length);
        Assert.Equal((1, TokenBatch.Ignore), (first.Targets[0], first.Targets[^1]));
        Assert.Equal((TokenBatch.Ignore, 1), (last.Targets[0], last.Targets[^1]));
        Assert.False(new RowEncoder(s_tokenizer, 500, atEnd: false).Text(text, null, 1, 5).Truncated);
        var pair = new RowEncoder(s_tokenizer, 500, atEnd: false).Text("the men", "the sea", 0, 0);
        Assert.Contains(1, pair.Types!);
    }

    [Fact]
    public void A_word_s_tag_stands_at_its_first_token_and_words_that_do_not_fit_have_none()
    {
        var encoder = new RowEncoder(s_tokenizer, 500, atEnd: false);
        string[] words = ["Ganymede", "shines", "on", "the", "captain"];
        var row = encoder.Words(words, [0, 1, 2, 3, 4], 0);
        Assert.Equal([0, 1, 2, 3, 4], row.Places.Select(p => row.Targets[p]));
        Assert.Equal(5, row.Targets.Count(t => t != TokenBatch.Ignore));
        Assert.True(row.Ids.Length > 7, "some word has several tokens");
        for (var w = 0; w < words.Length; w++)
        {
            var end = w + 1 < words.Length ? row.Places[w + 1] : row.Ids.Length - 1;
            Assert.Equal(words[w].ToLowerInvariant(), s_tokenizer.Decode(row.Ids.AsSpan(row.Places[w]..end)).Trim());
        }
        var cut = new RowEncoder(s_tokenizer, row.Places[3] + 1, atEnd: false).Words(words, [0, 1, 2, 3, 4], 0);
        Assert.True(cut.Truncated);
        Assert.Equal([-1, -1], cut.Places.TakeLast(2));
        Assert.Equal(s_tokenizer.IdOf("[SEP]"), cut.Ids[^1]);
    }

    [Theory, InlineData(500), InlineData(64)]
    public void An_answer_s_tokens_decode_to_the_answer_in_the_window_that_holds_it(int maxLength)
    {
        var context = string.Concat(Enumerable.Repeat("the men 😀 of the sea went home . ", 8)) + "Ganymede is a moon of Jupiter . " + string.Concat(Enumerable.Repeat("the king slept . ", 8));
        var answer = "a moon of Jupiter";
        var item = new QuestionAnswer { Place = "here:1", Id = "1", Context = context, Question = "What is Ganymede?", Answers = [new(answer, context.IndexOf(answer, StringComparison.Ordinal))] };
        var rows = new RowEncoder(s_tokenizer, maxLength, atEnd: false).Question(item, stride: 8, record: 0).ToList();
        Assert.Equal(maxLength == 500, rows.Count == 1);
        Assert.All(rows, row => Assert.Equal((1, 1), (row.Targets.Count(t => t > 0 && (t & 1) != 0), row.Targets.Count(t => t > 0 && (t & 2) != 0))));
        var found = rows.Where(row => (row.Targets[0] & 1) == 0).ToList();
        Assert.NotEmpty(found);
        foreach (var row in found)
        {
            var (begin, end) = (Array.FindIndex(row.Targets, t => t > 0 && (t & 1) != 0), Array.FindIndex(row.Targets, t => t > 0 && (t & 2) != 0));
            Assert.Equal(answer, context[row.Spans![begin]!.Value.Start..row.Spans[end]!.Value.End]);
        }
        // Questions and special tokens cannot be answers.
        Assert.All(rows, row => Assert.Equal(row.Spans!.Select(s => s is not null).Skip(1), row.Targets.Select(t => t != TokenBatch.Ignore).Skip(1)));
    }

    [Fact]
    public void Words_drop_out_at_the_rate_said_never_the_frame_and_others_each_epoch()
    {
        var encoder = new RowEncoder(s_tokenizer, 500, atEnd: false);
        EncodedRow[] rows = [.. Enumerable.Range(0, 200).Select(i => encoder.Text("the captain feared the sea and the wind at night", null, 1, i))];
        var dropping = new LabelledRows(rows, new RowOptions { WordDropout = 0.3 }, 0, seed: 1, s_tokenizer);
        var batch = dropping.Rows(0, 200);
        var words = 200 * (rows[0].Ids.Length - 2);
        Assert.InRange(batch.Ids.Count(id => id == s_tokenizer.UnkId) / (double)words, 0.25, 0.35);
        for (var r = 0; r < 200; r++) Assert.Equal((rows[0].Ids[0], rows[0].Ids[^1]), (batch.Ids[r * batch.Length], batch.Ids[r * batch.Length + rows[0].Ids.Length - 1]));
        Assert.Equal(batch.Ids[(5 * batch.Length)..(6 * batch.Length)], dropping.Rows(5, 1).Ids);
        Assert.NotEqual(batch.Ids, dropping.Rows(200, 200).Ids);
        Assert.DoesNotContain(s_tokenizer.UnkId!.Value, new LabelledRows(rows, new RowOptions { WordDropout = 0.3 }, 0, seed: null).Rows(0, 200).Ids); // not when measuring
        Assert.Throws<UserException>(() => new LabelledRows(rows, new RowOptions { WordDropout = 0.3 }, 0, seed: 1, new ByteTokenizer()));
    }

    [Fact]
    public void No_rows_are_refused() => Assert.Throws<UserException>(() => new LabelledRows([], new RowOptions(), 0, 1));

    private static LabelledRows Rows() => new(s_rows, new RowOptions { GroupByLength = 32 }, pad: 0, seed: 1);

    private static int[] Ids(TokenBatch batch) => [.. Enumerable.Range(0, batch.Rows).Select(r => batch.Ids[r * batch.Length])];
}
