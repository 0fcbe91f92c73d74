using System.Text;
using Gradus.Models.Families.Bert;
using Gradus.Text.Data;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Trainers;
using Gradus.Training.Loop;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Objectives;

/// <summary>Filling in hidden words is learned, by hiding words.</summary>
[Row("F2"), Row("E10")]
public class MaskedLmTests
{
    private static readonly Tokenizer s_tokenizer = new WordPieceTrainerOptions { VocabSize = 300, MinFrequency = 2 }.Train([Encoding.UTF8.GetBytes(Text(300))]);

    [Fact]
    public void An_encoder_that_fills_in_words_beats_their_frequencies_and_one_that_was_shown_them_does_not()
    {
        var held = new MaskedRows(new TestRows(s_tokenizer.Encode(Text(80, seed: 9), addSpecialTokens: false), 30), new MaskOptions(), s_tokenizer, seed: 1);
        var unigram = Unigram(s_tokenizer.Encode(Text(300), addSpecialTokens: false), held, 40);
        var (untrained, trained, moved) = Train(new MaskOptions(), held);
        Assert.True(untrained > unigram);
        Assert.True(trained < unigram - 0.2, $"{trained} against {unigram}");
        Assert.True(moved);
        // The control: where nothing is hidden there is nothing to learn but copying.
        var (_, shown, _) = Train(new MaskOptions { Masked = 0, Random = 0 }, held);
        Assert.True(shown > unigram, $"{shown} against {unigram}");
    }

    /// <summary>Nats a target of the training text's token frequencies (with one added to each) on what is hidden in the held-out rows.</summary>
    internal static double Unigram(int[] training, IBatchSource held, int rows)
    {
        var counts = new double[s_tokenizer.VocabSize];
        Array.Fill(counts, 1);
        foreach (var id in training) counts[id]++;
        var total = counts.Sum();
        var targets = held.Rows(0, rows).Targets.Where(t => t != TokenBatch.Ignore).ToList();
        return targets.Average(t => -Math.Log(counts[t] / total));
    }

    // Without the numbers, which nothing foretells.
    private static string Text(int paragraphs, ulong seed = 5) => System.Text.RegularExpressions.Regex.Replace(SeededText.Paragraphs(paragraphs, seed), ", number [0-9]+", "", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(10));

    private static (double Untrained, double Trained, bool Moved) Train(MaskOptions mask, IBatchSource held)
    {
        var options = new BertOptions { VocabSize = s_tokenizer.VocabSize, HiddenSize = 48, NumHiddenLayers = 2, NumAttentionHeads = 2, IntermediateSize = 96, MaxPositionEmbeddings = 32, HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, InitializerRange = 0.05 };
        using var model = options.BuildFresh(1);
        var before = model.Parameters.Select(p => p.Value.ToArray<float>()).ToArray();
        var optimizer = new AdamWOptions { LearningRate = 2e-3 };
        using var made = optimizer.Build(model.Parameters);
        var rows = new MaskedRows(new TestRows(s_tokenizer.Encode(Text(300), addSpecialTokens: false), 30), mask, s_tokenizer, seed: 1);
        var objective = new MaskedLmOptions { Mask = mask }.Build();
        double Loss() => new Validator(held, 20, 2, null).Measure(model, objective).Loss;
        var untrained = Loss();
        new Trainer(new TrainerOptions { Steps = 500, Batch = 16, ValidateEvery = 0, SaveEvery = 0, Schedule = new CosineOptions { WarmupSteps = 20 } }, optimizer.LearningRate, model, objective, made, rows, new SingleWorld(), [], new RunState()).Run(TestContext.Current.CancellationToken);
        return (untrained, Loss(), model.Parameters.Zip(before).All(pair => !pair.First.Value.ToArray<float>().AsSpan().SequenceEqual(pair.Second)));
    }
}
