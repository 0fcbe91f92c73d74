using Gradus.Models.Families;
using Gradus.Models.Nn;
using Gradus.Tests.Models.Families;
using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Tests.Cli;

/// <summary>eval and predict of models with an output layer for a task, and what they refuse.</summary>
[Row("I2"), Row("X.6")]
public sealed class PredictCommandTests : IDisposable
{
    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_classifier_says_labels_and_is_measured_with_intervals()
    {
        var here = Model(new TaskHead(TaskHead.SequenceClassification, ["bad", "good"]));
        File.WriteAllText(_folder.File("rows.tsv"), "text\tlabel\nthe captain loved the sea\tgood\na whale feared no one\tbad\nthe wind\tgood\n");
        var said = CommandLine.Run(here, "classify", "model", "the captain loved the sea", "the wind", "--json").Done();
        Assert.Equal(2, said.Lines.Length);
        Assert.Contains(said.Json.GetProperty("label").GetString(), new[] { "bad", "good" });
        Assert.InRange(said.Json.GetProperty("probability").GetDouble(), 0.5, 1);
        var scores = CommandLine.Run(here, "evaluate", "model", "--data", "rows.tsv", "--json").Done().Json;
        var accuracy = scores.GetProperty("scores").GetProperty("accuracy");
        Assert.InRange(accuracy.GetProperty("value").GetDouble(), accuracy.GetProperty("low").GetDouble(), accuracy.GetProperty("high").GetDouble());
        Assert.Contains("| expected", CommandLine.Run(here, "eval", "model", "--data", "rows.tsv").Done().Out, StringComparison.Ordinal);
        File.WriteAllText(_folder.File("texts.txt"), "a whale\n\nthe sea\n");
        Assert.Equal(2, CommandLine.Run(here, "predict", "model", "--input", "texts.txt").Done().Lines.Length);

        File.WriteAllText(_folder.File("other.tsv"), "text\tlabel\nthe wind\tgod\n");
        Assert.Contains("did you mean 'good'?", CommandLine.Run(here, "eval", "model", "--data", "other.tsv").Refusal(), StringComparison.Ordinal);
        Assert.Contains("nothing to look at", CommandLine.Run(here, "predict", "model").Refusal(), StringComparison.Ordinal);
        Assert.Contains("answers no questions", CommandLine.Run(here, "predict", "model", "x", "--context", "y").Refusal(), StringComparison.Ordinal);
        Assert.Contains("gradus predict asks it", CommandLine.Run(here, "generate", "model", "--prompt", "x").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tagger_says_tags_and_an_answerer_words_of_the_context()
    {
        var here = Model(new TaskHead(TaskHead.TokenClassification, ["B-person", "I-person", "O"]));
        Assert.Equal(4, CommandLine.Run(here, "predict", "model", "the captain feared Ahab", "--json").Done().Json.GetProperty("tags").GetArrayLength());
        here = Model(new TaskHead(TaskHead.QuestionAnswering, []));
        var answer = CommandLine.Run(here, "predict", "model", "who feared it", "--context", "the captain feared the sea", "--json").Done().Json.GetProperty("answer").GetString();
        Assert.Contains(answer!, "the captain feared the sea", StringComparison.Ordinal);
        Assert.Contains("needs the context", CommandLine.Run(here, "predict", "model", "who feared it").Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_predicts_tokens_is_sent_elsewhere()
    {
        var here = Model(null);
        Assert.Contains("predicts tokens, not labels", CommandLine.Run(here, "predict", "model", "x").Refusal(), StringComparison.Ordinal);
        File.WriteAllText(_folder.File("text.txt"), "the captain loved the sea");
        Assert.Contains("perplexity is for decoders", CommandLine.Run(here, "eval", "model", "--data", "text.txt").Refusal(), StringComparison.Ordinal);
    }

    private CommandLine.Settings Model(TaskHead? head)
    {
        var tokenizer = new WordPieceTrainerOptions { VocabSize = 200, MinFrequency = 2 }.Train([System.Text.Encoding.UTF8.GetBytes(SeededText.Paragraphs(100))]);
        var options = TinyModels.Options("bert") with { VocabSize = tokenizer.VocabSize };
        if (Directory.Exists(_folder.File("model"))) Directory.Delete(_folder.File("model"), recursive: true);
        using var model = options.BuildFresh(1, head: head);
        ModelFolder.Save(model, options, _folder.File("model"));
        tokenizer.Save(_folder.File("model"));
        return CommandLine.Settings.In(_folder.Path);
    }
}
