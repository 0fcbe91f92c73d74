namespace Gradus.Tests.Cli;

public class QuickstartCommandTests
{
    private static readonly string[] s_small = ["--minutes", "0.05", "--set", "model.hidden_size=32", "--set", "model.intermediate_size=64", "--set", "model.num_hidden_layers=1", "--set", "tokenizer.train.vocab_size=300", "--set", "trainer.batch=2"];

    [Row("A2")]
    [Fact]
    public void One_command_goes_from_raw_text_to_a_judged_model_and_a_second_one_moves_the_first_aside()
    {
        var book = Repo.SharedData("moby-dick/moby-dick.txt");
        using var temp = Repo.Temp();
        var text = temp.File("book.txt");
        File.WriteAllText(text, File.ReadAllText(book)[..120_000]);
        var folder = temp.File("run");
        string[] args = ["quickstart", "--data", text, "--out", folder, "--json", .. s_small];
        var report = CommandLine.Run(args).Done().Json;
        foreach (var field in new[] { "bits_per_byte", "kn3_bits_per_byte", "kn5_bits_per_byte", "tokens_per_second", "seconds_total" })
            Assert.True(report.GetProperty(field).GetDouble() > 0, field);
        Assert.True(File.Exists(Path.Combine(report.GetProperty("model").GetString()!, "model.safetensors")));
        foreach (var file in new[] { "report.json", "report.md", "loss.svg", "recipe.yaml", "run.json", "metrics.jsonl" })
            Assert.True(new FileInfo(Path.Combine(folder, file)).Length > 0, file);
        // A model of a second's training is worse than counting; the report says so rather than what one would like to read.
        Assert.False(report.GetProperty("beats_kn3").GetBoolean());

        CommandLine.Run(args).Done();
        Assert.True(File.Exists(Path.Combine(folder + "-1", "report.json")));
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "tokenizer", "tokenizer.json")), File.ReadAllBytes(Path.Combine(folder + "-1", "tokenizer", "tokenizer.json")));
    }

    [Fact]
    public void A_text_that_is_not_there_is_one_line_and_leaves_nothing()
    {
        using var temp = Repo.Temp();
        Assert.Contains("no-such-book.txt", CommandLine.Run("quickstart", "--data", temp.File("no-such-book.txt"), "--out", temp.File("run")).Refusal(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(temp.Path));
    }
}
