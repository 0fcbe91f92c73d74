using System.Text;
using System.Text.Json;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families.Llama;
using Gradus.Text.Data;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Chat;
using Gradus.Training.Objectives;

namespace Gradus.Tests.Text.Data.Rows;

[Row("I1", "X.4")]
public sealed class ChatRowsTests
{
    private const string ChatMl = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private static readonly Tokenizer s_tokenizer = new BpeTrainerOptions { VocabSize = 320, SpecialTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] }.Train(
        [Encoding.UTF8.GetBytes("system user assistant Who wrote Moby-Dick? Herman Melville did. " + string.Concat(Enumerable.Repeat("the whale and the sea and the ship ", 20)))]);

    private static ChatRowEncoder Encoder(ChatRowOptions? options = null) => new(s_tokenizer, () => ChatTemplate.Parse(ChatMl, s_tokenizer), options ?? new());

    private static Conversation Talk(params (string Role, string Content, double Weight)[] turns) => new()
    {
        Place = "talk:1",
        Messages = ChatMessage.ReadAll(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(turns.Select(t => new { role = t.Role, content = t.Content, weight = t.Weight }))), "talk:1"),
    };

    private static readonly Conversation s_talk = Talk(("user", "Who wrote it?", 1), ("assistant", "Melville.", 1), ("user", "When?", 1), ("assistant", "In 1851.", 0.5));

    private static string Learned(EncodedRow row, string between = "|")
    {
        var text = new StringBuilder();
        for (var t = 0; t < row.Targets.Length; t++)
        {
            if (row.Targets[t] == TokenBatch.Ignore) continue;
            if (text.Length > 0 && row.Targets[t - 1] == TokenBatch.Ignore) text.Append(between);
            text.Append(s_tokenizer.Decode([row.Targets[t]], skipSpecialTokens: false));
        }
        return text.ToString();
    }

    [Theory]
    [InlineData(LearnedTurns.Every, "Melville.<|im_end|>|In 1851.<|im_end|>")]
    [InlineData(LearnedTurns.Last, "In 1851.<|im_end|>")]
    [InlineData(LearnedTurns.All, "user\nWho wrote it?<|im_end|>\n<|im_start|>assistant\nMelville.<|im_end|>\n<|im_start|>user\nWhen?<|im_end|>\n<|im_start|>assistant\nIn 1851.<|im_end|>\n")]
    public void The_assistants_words_and_the_end_of_its_turn_are_learned(LearnedTurns learn, string learned)
    {
        var row = Encoder(new ChatRowOptions { Learn = learn }).Encode(s_talk, 7);
        Assert.Equal(learned, Learned(row));
        Assert.Equal(7, row.Record);
        // Each target is the token that follows.
        for (var t = 0; t + 1 < row.Ids.Length; t++)
            if (row.Targets[t] != TokenBatch.Ignore) Assert.Equal(row.Ids[t + 1], row.Targets[t]);
    }

    [Fact]
    public void A_message_counts_by_its_weight_and_one_of_weight_0_is_not_learned()
    {
        var row = Encoder().Encode(s_talk, 0);
        Assert.NotNull(row.Weights);
        for (var t = 0; t < row.Targets.Length; t++)
            if (row.Targets[t] != TokenBatch.Ignore) Assert.Equal(t < row.Ids.Length / 2 ? 1f : 0.5f, row.Weights[t]);
        Assert.Equal("In 1851.<|im_end|>", Learned(Encoder().Encode(Talk(("user", "Who?", 1), ("assistant", "Not this.", 0), ("user", "When?", 1), ("assistant", "In 1851.", 1)), 0)));
        Assert.Null(Encoder().Encode(Talk(("user", "Who?", 1), ("assistant", "He.", 1)), 0).Weights);
    }

    [Fact]
    public void A_prompt_and_its_answer_need_no_template_and_the_end_is_learned()
    {
        var encoder = new ChatRowEncoder(s_tokenizer, () => throw new InvalidOperationException("asked for a template"), new());
        Assert.Equal(" Melville.<|endoftext|>", Learned(encoder.Encode(new Completion { Place = "c:1", Prompt = "Who wrote it?", Response = " Melville." }, 0)));
    }

    [Fact]
    public void What_is_asked_of_a_model_begins_as_its_row_did()
    {
        var encoder = Encoder();
        foreach (var record in new DataRecord[] { s_talk, new Completion { Place = "c:1", Prompt = "Who wrote it?", Response = " Melville." } })
        {
            var (row, ids) = (encoder.Encode(record, 0), encoder.Question(record).Ids);
            Assert.Equal(row.Ids[..ids.Length], ids);
            Assert.NotEqual(TokenBatch.Ignore, row.Targets[ids.Length - 1]); // the next thing said is the answer's first token
            Assert.Equal(TokenBatch.Ignore, row.Targets[ids.Length - 2]);
        }
        Assert.Empty(encoder.Question(Talk(("user", "Alone?", 1))).Ids);
    }

    [Fact]
    public void What_does_not_fit_is_cut_and_said()
    {
        var row = Encoder(new ChatRowOptions { MaxLength = 12 }).Encode(s_talk, 0);
        Assert.True(row.Truncated);
        Assert.Equal(12, row.Ids.Length);
        Assert.False(Encoder().Encode(s_talk, 0).Truncated);
    }

    [Fact]
    [Row("Y3")]
    public void Packed_rows_hold_every_row_once_an_epoch_apart_from_each_other()
    {
        var rows = Some(40);
        var packed = new PackedRows(rows, 96, pad: 0, seed: 5);
        Assert.True(packed.RowsPerEpoch < 30, $"{packed.RowsPerEpoch} rows for 40");
        var batch = packed.Rows(packed.RowsPerEpoch, (int)packed.RowsPerEpoch); // the second epoch
        var seen = new List<string>();
        for (var r = 0; r < batch.Rows; r++)
        {
            var at = r * batch.Length;
            for (var t = 0; t < batch.Length;)
            {
                var (start, document) = (t, batch.Documents[at + t]);
                while (t < batch.Length && batch.Documents[at + t] == document)
                {
                    Assert.Equal(t - start, batch.Positions[at + t]);
                    t++;
                }
                if (batch.Targets.AsSpan(at + start, t - start).IndexOfAnyExcept(TokenBatch.Ignore) >= 0) seen.Add(string.Join(' ', batch.Ids[(at + start)..(at + t)]));
            }
        }
        Assert.Equal(rows.Select(row => string.Join(' ', row.Ids)).Order(), seen.Order());
        Assert.Equal(rows.Sum(row => row.Targets.LongCount(target => target != TokenBatch.Ignore)), batch.TargetCount);
        Assert.NotEqual(packed.Rows(0, 5).Ids, packed.Rows(packed.RowsPerEpoch, 5).Ids);
        Assert.Equal(packed.Rows(3, 4).Ids, new PackedRows(rows, 96, pad: 0, seed: 5).Rows(3, 4).Ids);
    }

    [Fact]
    [Row("Y3")]
    public void Packed_loss_is_unpacked_loss_and_naive_packing_is_not()
    {
        using var scope = Tensor.Scope();
        using var off = Grad.Off();
        var rows = Some(24);
        using var model = new LlamaOptions { VocabSize = s_tokenizer.VocabSize, HiddenSize = 32, IntermediateSize = 64, NumHiddenLayers = 2, NumAttentionHeads = 4, NumKeyValueHeads = 2, MaxPositionEmbeddings = 256 }.BuildFresh(3);
        var objective = new CausalLmOptions().Build();
        double Loss(TokenBatch batch) => objective.Sum(model, batch, default).Item() / batch.TargetCount;
        var alone = rows.Sum(row => objective.Sum(model, LabelledRows.Batch([row], 0), default).Item()) / rows.Sum(row => row.Targets.Count(target => target != TokenBatch.Ignore));
        var packed = new PackedRows(rows, 128, pad: 0, seed: null);
        var together = packed.Rows(0, (int)packed.RowsPerEpoch);
        Assert.InRange(Math.Abs(Loss(together) - alone) / alone, 0, 1e-6);
        Assert.InRange(Math.Abs(Loss(LabelledRows.Batch(rows, 0)) - alone) / alone, 0, 1e-6);
        // The control: without borders each sees what stands before it.
        Array.Clear(together.Documents);
        for (var i = 0; i < together.Positions.Length; i++) together.Positions[i] = i % together.Length;
        together.HasDocumentBorders = false;
        Assert.True(Math.Abs(Loss(together) - alone) / alone > 1e-5);
    }

    private static List<EncodedRow> Some(int count)
    {
        string[] words = ["the whale", "the sea", "Melville", "and the ship", "who", "when"];
        var draws = new Counter(4, "talks");
        var encoder = Encoder();
        return [.. Enumerable.Range(0, count).Select(i => encoder.Encode(Talk(
            ("user", string.Join(' ', Enumerable.Range(0, 1 + draws.Below((ulong)i, 6)).Select(k => words[(i * 7 + k) % words.Length])) + i, 1),
            ("assistant", string.Join(' ', Enumerable.Range(0, 1 + draws.Below((ulong)i + 500, 9)).Select(k => words[(i * 5 + k) % words.Length])), 1)), i))];
    }
}
