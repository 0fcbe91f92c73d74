using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Gradus.Engine.Tensors;
using Gradus.Models.Families;
using Gradus.Models.Nn;
using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Cli;

/// <summary>What the commands print is right: against published values, and against the same thing worked out another way.</summary>
public sealed class ResultTests(ToyModel model) : IClassFixture<ToyModel>
{
    private readonly ToyRun _toy = model.Toy;

    [Theory]
    [InlineData("tok-gpt2", true)]
    [InlineData("tok-gpt2/tokenizer.json", false)]
    [Row("C1")]
    public void Encode_gives_the_published_ids_and_decode_gives_the_text_back(string path, bool special)
    {
        var tokenizer = Repo.SharedData(path);
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Repo.SharedData("tok-gpt2/expected_ids.json")));
        var cases = expected.RootElement.GetProperty("cases").EnumerateArray().Select(c => (Text: c.GetProperty("text").GetString()!, Ids: Ids(c.GetProperty(special ? "ids_special" : "ids")))).ToArray();
        File.WriteAllLines(_toy.InFolder("texts.jsonl"), cases.Select(c => JsonSerializer.Serialize(new { text = c.Text })));
        string[] none = special ? [] : ["--no-special-tokens"];

        var encoded = CommandLine.Run(_toy.Here, ["tokenizer", "encode", tokenizer, "--file", "texts.jsonl", "--json", .. none]).Done();
        Assert.Equal(76, cases.Length);
        Assert.Equal(cases.Select(c => string.Join(' ', c.Ids)), encoded.Lines.Select(line => string.Join(' ', Ids(JsonDocument.Parse(line).RootElement.GetProperty("ids")))));

        File.WriteAllText(_toy.InFolder("ids.jsonl"), encoded.Out);
        var decoded = CommandLine.Run(_toy.Here, ["tokenizer", "decode", tokenizer, "--file", "ids.jsonl", "--json", "--no-special-tokens"]).Done();
        if (!special) Assert.Equal(cases.Select(c => c.Text), decoded.Lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()));
    }

    [Fact]
    [Row("C1")]
    public void A_trained_tokenizer_says_back_what_it_was_given_on_standard_input()
    {
        CommandLine.Run(_toy.Here, "tokenizer", "train", "text.jsonl", "--vocab-size", "280", "--out", "tok").Done();
        CommandLine.Run(_toy.Here, "tokenizer", "train", "text.jsonl", "--vocab-size", "280", "--out", "tok-again").Done();
        Assert.Equal(File.ReadAllBytes(_toy.InFolder("tok/tokenizer.json")), File.ReadAllBytes(_toy.InFolder("tok-again/tokenizer.json")));
        const string Text = "the captain saw a whale — zwölf Boxkämpfer 🐋\nat night\n";
        var ids = CommandLine.Run(_toy.Here with { Input = Encoding.UTF8.GetBytes(Text) }, "tokenizer", "encode", "tok", "--file", "-").Done();
        Assert.Equal(2, ids.Lines.Length);
        var text = CommandLine.Run(_toy.Here with { Input = Encoding.UTF8.GetBytes(ids.Out) }, "tokenizer", "decode", "tok", "--file", "-").Done();
        Assert.Equal(Text, text.Out);
    }

    [Fact]
    [Row("J1"), Row("I24"), Row("E20")]
    public void The_published_llama_continues_nothing_as_published()
    {
        var (weights, tokens, expected) = (Repo.SharedData("ckpt-stories260K/stories260K.bin"), Repo.SharedData("ckpt-stories260K/tok512.bin"), File.ReadAllText(Repo.SharedData("ckpt-stories260K/expected_greedy_200.txt")));
        CommandLine.Run(_toy.Here, "convert", weights, "stories", "--tokenizer", tokens).Done();
        var said = CommandLine.Run(_toy.Here, "generate", "stories", "--prompt", "", "--temperature", "0", "--max-new-tokens", "200").Done();
        Assert.Equal(expected.TrimEnd('\n') + "\n", said.Out);
        var json = CommandLine.Run(_toy.Here, "generate", "stories", "--prompt", "", "--temperature", "0", "--max-new-tokens", "200", "--json").Done();
        Assert.Equal(expected.TrimEnd('\n'), json.Json.GetProperty("text").GetString());
        Assert.Equal(200, json.Json.GetProperty("ids").GetArrayLength());
        Assert.Equal("length", json.Json.GetProperty("finish").GetString());

        // Another element type and back: weights that began as float32 are rounded once, to bfloat16, and stay so.
        CommandLine.Run(_toy.Here, "convert", "stories", "stories-bf16", "--dtype", "bfloat16").Done();
        CommandLine.Run(_toy.Here, "convert", "stories-bf16", "stories-bf16-again", "--dtype", "bfloat16").Done();
        Assert.Equal(File.ReadAllBytes(_toy.InFolder("stories-bf16/model.safetensors")), File.ReadAllBytes(_toy.InFolder("stories-bf16-again/model.safetensors")));
        Assert.True(new FileInfo(_toy.InFolder("stories-bf16/model.safetensors")).Length < 0.6 * new FileInfo(_toy.InFolder("stories/model.safetensors")).Length);
    }

    [Fact]
    [Row("J1")]
    public void The_same_seed_gives_the_same_text_and_another_seed_another()
    {
        string Say(string seed) => CommandLine.Run(_toy.Here, "generate", "run", "--prompt", "the captain", "--max-new-tokens", "20", "--seed", seed).Done().Out;
        var first = Say("7");
        Assert.StartsWith("the captain", first, StringComparison.Ordinal);
        Assert.Equal(first, Say("7"));
        Assert.NotEqual(first, Say("8"));
    }

    [Fact]
    [Row("L1")]
    public void A_model_that_knows_nothing_has_the_perplexity_of_its_vocabulary()
    {
        var folder = _toy.InFolder("uniform");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(_toy.InFolder("run/model"))) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        var path = Path.Combine(folder, "model.safetensors");
        var bytes = File.ReadAllBytes(path);
        bytes.AsSpan(8 + (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes)).Clear(); // every weight 0: every logit 0
        File.WriteAllBytes(path, bytes);

        var score = CommandLine.Run(_toy.Here, "eval", "uniform", "--data", "text.jsonl", "--json").Done().Json;
        // The losses of a batch, 256 targets, are summed in float32: six digits.
        Assert.Equal(300.0, score.GetProperty("perplexity").GetDouble(), 300 * 2e-6);
        var (targets, text) = (score.GetProperty("targets").GetInt64(), score.GetProperty("bytes").GetInt64());
        Assert.Equal(targets * Math.Log2(300) / text, score.GetProperty("bits_per_byte").GetDouble(), 1e-6);
        Assert.Equal(File.ReadLines(_toy.InFolder("text.jsonl")).Sum(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!.Length), text);
        Assert.Equal(80, score.GetProperty("documents").GetInt64());
    }

    [Fact]
    [Row("L1")]
    public void Perplexity_is_what_the_models_own_logits_say_and_does_not_depend_on_the_batch()
    {
        var text = string.Join('\n', File.ReadLines(_toy.InFolder("text.jsonl")).Take(6).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()));
        File.WriteAllText(_toy.InFolder("held.txt"), text);
        var scores = new[] { "1", "3", "8" }.Select(batch => CommandLine.Run(_toy.Here, "eval", "run", "--data", "held.txt", "--length", "16", "--batch", batch, "--json").Done().Json).ToArray();

        // Without the evaluation's code: each window by itself, log-sum-exp in double precision.
        using var off = Grad.Off();
        using var scope = Tensor.Scope();
        var (_, loaded) = ModelFolder.Load(_toy.InFolder("run/model"));
        using var owned = loaded;
        var tokenizer = Tokenizer.Load(_toy.InFolder("run/model"));
        int[] stream = [tokenizer.EosId!.Value, .. tokenizer.Encode(text, addSpecialTokens: false), tokenizer.EosId.Value];
        var (nats, targets) = (0.0, 0);
        for (var start = 0; start < stream.Length - 1; start += 16)
        {
            var length = Math.Min(16, stream.Length - 1 - start);
            var logits = loaded.Head.Forward(loaded.Hidden(Tensor.From(stream[start..(start + length)], 1, length).To(DType.Int64), new Step())).ToArray<float>();
            for (var t = 0; t < length; t++, targets++)
            {
                var row = logits.AsSpan(t * loaded.VocabSize, loaded.VocabSize).ToArray().Select(x => (double)x).ToArray();
                var top = row.Max();
                nats += top + Math.Log(row.Sum(x => Math.Exp(x - top))) - row[stream[start + t + 1]];
            }
        }

        foreach (var score in scores)
        {
            Assert.Equal(targets, score.GetProperty("targets").GetInt64());
            // float32 logits of size 5 and sums over some hundred targets: six digits.
            Assert.Equal(1, score.GetProperty("perplexity").GetDouble() / Math.Exp(nats / targets), 1e-5);
            Assert.Equal(1, score.GetProperty("bits_per_byte").GetDouble() / (nats / Math.Log(2) / Encoding.UTF8.GetByteCount(text)), 1e-5);
        }
        Assert.Contains("without overlap", scores[0].GetProperty("context").GetString(), StringComparison.Ordinal);
        // More context per target: another number, and the output says which.
        var sliding = CommandLine.Run(_toy.Here, "eval", "run", "--data", "held.txt", "--length", "16", "--stride", "4", "--json").Done().Json;
        Assert.Contains("stride 4", sliding.GetProperty("context").GetString(), StringComparison.Ordinal);
        Assert.Equal(targets, sliding.GetProperty("targets").GetInt64());
        Assert.NotEqual(scores[0].GetProperty("perplexity").GetDouble(), sliding.GetProperty("perplexity").GetDouble());
    }

    [Theory]
    [InlineData("de_DE.UTF-8")]
    [InlineData("tr_TR.UTF-8")]
    [InlineData("fa_IR.UTF-8")]
    [Row("G9")]
    public void The_language_of_the_machine_changes_nothing(string language)
    {
        CommandLine.Settings There() => _toy.Here.With("LANG", language).With("LC_ALL", language);
        foreach (var args in new string[][]
        {
            ["eval", "run", "--data", "text.jsonl"],
            ["generate", "run", "--prompt", "I see the captain", "--max-new-tokens", "8", "--temperature", "0.7", "--seed", "3"],
            ["train", "toy.yaml", "--out", "new", "--set", "optimizer.learning_rate=-0.5"],
        })
        {
            var (here, there) = (CommandLine.Run(_toy.Here, args), CommandLine.Run(There(), args));
            Assert.Equal((here.Code, here.Out, here.Error), (there.Code, there.Out, there.Error));
        }
    }

    [Fact]
    [Row("B6")]
    public void Prepared_data_is_the_same_bytes_for_any_number_of_workers_and_trains_without_the_text()
    {
        foreach (var workers in new[] { "1", "3" })
            CommandLine.Run(_toy.Here, "data", "prepare", "text.jsonl", "--tokenizer", "run/model", "--out", "data-" + workers, "--workers", workers, "--json").Done();
        string[] Files(string folder) => [.. Directory.EnumerateFiles(_toy.InFolder(folder), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_toy.InFolder(folder), f)).Order(StringComparer.Ordinal)];
        Assert.Equal(Files("data-1"), Files("data-3"));
        foreach (var file in Files("data-1")) Assert.Equal(File.ReadAllBytes(Path.Combine(_toy.InFolder("data-1"), file)), File.ReadAllBytes(Path.Combine(_toy.InFolder("data-3"), file)));
        Assert.True(CommandLine.Run(_toy.Here, "data", "prepare", "text.jsonl", "--tokenizer", "run/model", "--out", "data-1", "--json").Done().Json.GetProperty("cache_hit").GetBoolean());
    }

    private static int[] Ids(JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}
