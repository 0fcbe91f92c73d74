using System.Text;
using Gradus.Foundation.Files;
using static Gradus.Tests.Engine.Files.SafetensorsBytes;

namespace Gradus.Tests.Cli;

/// <summary>A trained toy model, made once for the tests that only read it.</summary>
public sealed class ToyModel : IDisposable
{
    internal ToyRun Toy { get; } = new(steps: 4, saveEvery: 0);

    public ToyModel() => Toy.Train("run").Done();

    public void Dispose() => Toy.Dispose();
}

/// <summary>
/// RELIABILITY §2.3 and §2.5 through the command line: what cannot be used ends with exit code 2 and one line that says what is wrong
/// and where, and nothing is left behind.
/// </summary>
public sealed class BadInputTests(ToyModel model) : IClassFixture<ToyModel>
{
    private readonly ToyRun _toy = model.Toy;

    /// <summary>What → (text to replace in the recipe, its replacement, what the line must say).</summary>
    private static readonly Dictionary<string, (string Old, string New, string[] Says)> s_recipes = new()
    {
        ["a misspelt key"] = ("learning_rate", "leanring_rate", ["bad.yaml:7:", "leanring_rate", "did you mean 'learning_rate'"]),
        ["a key in the wrong case"] = ("save_every", "Save_Every", ["bad.yaml:", "Save_Every", "did you mean 'save_every'"]),
        ["a key twice"] = ("  steps: 4", "  steps: 4\n  steps: 5", ["bad.yaml:10:", "steps"]),
        ["a missing key"] = ("model: {", "# model: {", ["bad.yaml:", "model"]),
        ["an unknown kind"] = ("kind: adamw", "kind: admaw", ["bad.yaml:7:", "admaw", "did you mean 'adamw'"]),
        ["a word for a number"] = ("batch: 4", "batch: four", ["bad.yaml:10:", "batch", "four"]),
        ["a fraction for a whole number"] = ("batch: 4", "batch: 1.0", ["bad.yaml:10:", "batch", "1.0"]),
        ["a rate that is not a number"] = ("3e-3", ".nan", ["bad.yaml:7:", "learning_rate"]),
        ["an infinite rate"] = ("3e-3", "1e999", ["bad.yaml:7:", "learning_rate"]),
        ["a negative rate"] = ("3e-3", "-1", ["bad.yaml:7:", "learning_rate", "-1"]),
        ["a decimal comma"] = ("{ kind: adamw, learning_rate: 3e-3 }", "{ kind: adamw, learning_rate: \"0,003\" }", ["bad.yaml:7:", "learning_rate", "0,003"]),
        ["no rows"] = ("batch: 4", "batch: 0", ["bad.yaml:10:", "batch", "1"]),
        ["rows longer than the model"] = ("length: 16", "length: 33", ["bad.yaml:", "33", "32 positions"]),
        ["a warm-up longer than the run"] = ("warmup_steps: 3", "warmup_steps: 5", ["bad.yaml:", "warmup_steps", "4 steps"]),
        ["a bracket that is not closed"] = ("max_position_embeddings: 32 }", "max_position_embeddings: 32", ["bad.yaml:"]),
        ["heads that do not divide"] = ("num_attention_heads: 2", "num_attention_heads: 3", ["3"]),
        ["data that is not there"] = ("path: text.jsonl", "path: absent.jsonl", ["absent.jsonl"]),
        ["a field that is not there"] = ("path: text.jsonl", "path: text.jsonl, field: body", ["text.jsonl:1", "body"]),
        ["a tokenizer that is not there"] = ("train: { kind: bpe, vocab_size: 300 }", "path: absent/tokenizer.json", ["absent"]),
        ["a device that is not there"] = ("  batch: 4", "  device: tpu\n  batch: 4", ["device", "tpu"]),
    };

    public static TheoryData<string> Recipes => [.. s_recipes.Keys];

    [Theory]
    [MemberData(nameof(Recipes))]
    [Row("G9")]
    public void A_bad_recipe_is_one_clear_line_and_nothing_is_left(string fault)
    {
        var (old, replacement, says) = s_recipes[fault];
        var text = File.ReadAllText(_toy.Recipe);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(_toy.InFolder("bad.yaml"), text.Replace(old, replacement, StringComparison.Ordinal));
        Refused(says, "train", "bad.yaml", "--out", "bad-run");
        // --resume and --dry-run refuse alike.
        if (fault is "a misspelt key" or "data that is not there")
        {
            Refused(says, "train", "bad.yaml", "--out", "bad-run", "--resume");
            Refused(says, "train", "bad.yaml", "--dry-run");
        }
    }

    [Fact]
    [Row("G9")]
    public void A_bad_override_is_refused_with_the_nearest_name()
    {
        Refused(["optimizer.lerning_rate", "did you mean"], "train", "toy.yaml", "--out", "new", "--set", "optimizer.lerning_rate=1");
        Refused(["--set", "steps"], "train", "toy.yaml", "--out", "new", "--set", "steps");
        Refused(["trainer.batch", "-1"], "train", "toy.yaml", "--out", "new", "--set", "trainer.batch=-1");
    }

    /// <summary>What → the bytes of model.safetensors made from the good ones, and what the line must say.</summary>
    private static readonly Dictionary<string, (Func<byte[], byte[]> Spoil, string Says)> s_files = new()
    {
        ["empty"] = (_ => [], "0 bytes are too few"),
        ["seven bytes"] = (good => good[..7], "7 bytes are too few"),
        ["a header longer than the file"] = (_ => Length(1000), "only 64 follow"),
        ["a header of 2^63 bytes"] = (_ => Length(1UL << 63), "100000000 is the most"),
        ["a header that is not JSON"] = (_ => Of("{\"x\"", 0), "not valid JSON"),
        ["one name twice"] = (_ => Of("{" + Tensor("x", "U8", "0", "0,0") + "," + Tensor("x", "U8", "0", "0,0") + "}", 0), "occurs twice"),
        ["tensors that overlap"] = (_ => Of("{" + Tensor("w", "U8", "2", "0,2") + "," + Tensor("x", "U8", "2", "1,3") + "}", 3), "overlap"),
        ["a product that wraps to zero"] = (_ => One("F32", "4611686018427387904", "0,0", 0), "overflows 64 bits"),
        ["a byte cut off"] = (good => good[..^1], "holds only"),
        ["a byte appended"] = (good => [.. good, 0], "1 more bytes follow"),
        ["a pickle"] = (_ => [0x80, 0x02, .. "}q\0."u8, .. new byte[30]], "is a Python pickle"),
        ["another model's tensors"] = (_ => One("F32", "6", "0,24", 24), "model.embed_tokens.weight"),
        ["a dtype that lies"] = (good => Encoding.Latin1.GetBytes(Replace(Encoding.Latin1.GetString(good), "\"F32\"", "\"F16\"")), "bytes"),
    };

    public static TheoryData<string> Files => [.. s_files.Keys];

    [Theory]
    [MemberData(nameof(Files))]
    [Row("I24")]
    public void A_malformed_safetensors_file_is_one_clear_line_and_nothing_is_left(string fault)
    {
        var (spoil, says) = s_files[fault];
        var folder = _toy.InFolder("spoilt");
        CopyModel(folder);
        var file = Path.Combine(folder, "model.safetensors");
        File.WriteAllBytes(file, spoil(File.ReadAllBytes(file)));
        Refused(["spoilt", says], "generate", "spoilt", "--prompt", "the captain");
        Refused(["spoilt", says], "convert", "spoilt", "converted");
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("\"hidden_size\": 32", "\"hidden_size\": 64", "64")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000000", "num_hidden_layers")]
    [InlineData("\"num_attention_heads\": 2", "\"num_attention_heads\": 0", "num_attention_heads")]
    [InlineData("\"model_type\": \"llama\"", "\"model_type\": \"lamma\"", "lamma")]
    [InlineData("{", "[", "config.json")]
    [Row("I24")]
    public void A_config_that_does_not_fit_is_refused_before_anything_large_is_made(string old, string replacement, string says)
    {
        var folder = _toy.InFolder("misfit");
        CopyModel(folder);
        var file = Path.Combine(folder, "config.json");
        Assert.Contains(old, File.ReadAllText(file), StringComparison.Ordinal);
        File.WriteAllText(file, Replace(File.ReadAllText(file), old, replacement));
        Refused([says], "generate", "misfit", "--prompt", "the captain");
        Directory.Delete(folder, recursive: true);
    }

    public static TheoryData<string, string> Invocations => new()
    {
        // What is typed; what the line must say.
        { "trian toy.yaml", "did you mean 'train'" },
        { "train toy.yaml --outt x", "did you mean '--out'" },
        { "train", "recipe" },
        { "train absent.yaml --out new", "absent.yaml: no such recipe" },
        { "train empty --out new", "empty" },
        { "train . --out new", "folder" },
        { "train toy.yaml --out text.jsonl", "text.jsonl" },
        { "train toy.yaml --out /dev/null/new", "/dev/null/new" },
        { "generate absent --prompt x", "absent: no such folder" },
        { "generate text.jsonl --prompt x", "text.jsonl: is a file" },
        { "generate nothing --prompt x", "config.json" },
        { "generate run", "--prompt is missing" },
        { "generate run --prompt x --max-new-tokens -1", "--max-new-tokens: -1 is below 0" },
        { "generate run --prompt x --max-new-tokens many", "--max-new-tokens" },
        { "generate run --prompt x --temperature NaN", "--temperature" },
        { "generate run --prompt x --temperature 0,5", "--temperature: '0,5' is not a number" },
        { "generate run --prompt x --top-p 2", "--top-p: 2 is outside" },
        { "generate run --prompt x --precision fp8", "fp32 or bf16" },
        { "generate run --prompt x --device tpu", "tpu" },
        { "generate run --prompt x --seed -1", "--seed" },
        { "eval run", "--data" },
        { "eval run --data absent.txt", "absent.txt" },
        { "eval run --data empty", "empty" },
        { "eval run --data nothing", "nothing" },
        { "eval run --data latin1.txt", "latin1.txt" },
        { "eval run --data nofield.jsonl", "nofield.jsonl:1" },
        { "eval run --data text.jsonl --length 33", "--length: 33" },
        { "eval run --data text.jsonl --length -1", "--length" },
        { "eval run --data text.jsonl --length 16 --stride 17", "stride" },
        { "eval run --data text.jsonl --stride -1", "stride" },
        { "eval run --data text.jsonl --batch 0", "--batch: 0 is below 1" },
        { "tokenizer", "say what to do: tokenizer train, tokenizer encode, tokenizer decode" },
        { "tokenizer train absent.txt --out new", "absent.txt" },
        { "tokenizer train empty --out new", "empty" },
        { "tokenizer train latin1.txt --out new", "latin1.txt" },
        { "tokenizer train text.jsonl --out new --vocab-size 10", "vocab_size: 10 is too few; a byte-level vocabulary has 256 bytes and here 1 special tokens, at least 257" },
        { "tokenizer train text.jsonl --out new --pre-tokenizer gpt5", "gpt5" },
        { "tokenizer train text.jsonl --out text.jsonl", "text.jsonl" },
        { "tokenizer train text.jsonl --out run/model", "already there" },
        { "tokenizer encode absent --file text.jsonl", "absent" },
        { "tokenizer encode empty --file text.jsonl", "empty" },
        { "tokenizer encode badmerge.json --file text.jsonl", "badmerge.json: model.merges[0]: 'x' is not in the vocabulary" },
        { "tokenizer encode badstep.json --file text.jsonl", "badstep.json: normalizer.type: 'NFX' is unknown; did you mean 'NFC'?" },
        { "tokenizer encode deep.json --file text.jsonl", "deep.json:1:" },
        { "tokenizer encode cut.gguf --file text.jsonl", "cut.gguf: header: the file ends at byte 8" },
        { "tokenizer encode run/model --file absent", "absent: no such file" },
        { "tokenizer encode run/model --file empty", "empty: is empty" },
        { "tokenizer encode run/model --file nothing", "nothing" },
        { "tokenizer encode run/model --file latin1.txt", "latin1.txt:2: is not UTF-8" },
        { "tokenizer encode run/model --file nofield.jsonl", "nofield.jsonl:1: has no field 'text'" },
        { "tokenizer encode run/model --file badrow.jsonl", "badrow.jsonl:2" },
        { "tokenizer decode run/model --file ids.jsonl", "ids.jsonl:2: id 300 is outside the vocabulary of 300" },
        { "tokenizer decode run/model --file negative.jsonl", "negative.jsonl:1: id -1" },
        { "tokenizer decode run/model --file words", "words:1" },
        { "data prepare text.jsonl --out new --shard 5/4", "--shard" },
        { "data prepare text.jsonl --out new --shard 1/4", "no steps" },
        { "data dedup text.jsonl --out new --by near,paragraf", "did you mean 'paragraph'" },
        { "data dedup text.jsonl --out new --similarity 1.5", "--similarity" },
        { "data decontaminate text.jsonl --against absent.jsonl --out new", "absent.jsonl" },
        { "data split text.jsonl --out new --similarity 0", "--similarity" },
        { "data prepare absent.txt --tokenizer run/model --out new", "absent.txt" },
        { "data prepare latin1.txt --tokenizer run/model --out new", "latin1.txt" },
        { "data prepare nofield.jsonl --tokenizer run/model --out new", "nofield.jsonl:1" },
        { "data prepare text.jsonl --tokenizer run/model --out text.jsonl", "text.jsonl" },
        { "data prepare text.jsonl --tokenizer run/model --out new --workers -1", "workers" },
        { "convert absent new", "absent: no such file or folder" },
        { "convert empty new", "empty" },
        { "convert nothing new", "nothing" },
        { "convert run/model new --dtype int8", "float32, bfloat16 or float16" },
        { "convert run/model new --tokenizer absent", "absent" },
        { "convert run/model run/model", "already there" },
        { "convert run/model text.jsonl", "text.jsonl" },
        { "list optimisers", "did you mean 'optimizers'" },
        { "schema more", "more" },
        { "completion tcsh", "bash, zsh, fish, pwsh" },
        { "quickstart --minutes 0", "--minutes" },
        { "quickstart --data absent --out new", "absent" },
        { "quickstart --data text.jsonl --out nothing2", "is not empty and holds no run" },
    };

    [Theory]
    [MemberData(nameof(Invocations))]
    public void A_bad_invocation_is_one_clear_line_and_nothing_is_left(string typed, string says)
    {
        Prepare();
        Refused([says], typed.Split(' '));
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_refused_with_both_numbers()
    {
        Prepare();
        Refused(["the model's context holds 32"], "generate", "run", "--prompt", string.Concat(Enumerable.Repeat("the captain saw ", 40)));
        Refused(["--stop"], "generate", "run", "--prompt", "x", "--stop", "");
        Refused(["--set"], "train", "toy.yaml", "--out", "new", "--set", "");
    }

    [Fact]
    public void Standard_input_that_is_not_utf8_is_refused()
    {
        var refusal = CommandLine.Run(_toy.Here with { Input = [0x61, 0xFF, 0x0A] }, "tokenizer", "encode", "run/model", "--file", "-").Refusal();
        Assert.Contains("not UTF-8", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_under_standard_output_is_an_error_and_not_a_fault_of_the_program()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "needs /dev/full");
        using var shell = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("bash", ["-c", $"dotnet '{Path.Combine(AppContext.BaseDirectory, "gradus.dll")}' list > /dev/full"]) { RedirectStandardError = true, UseShellExecute = false })!;
        var error = shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        Assert.Equal(1, shell.ExitCode);
        Assert.Contains("No space left", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("fault of Gradus", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Shouting_and_control_characters_in_names_do_not_reach_the_terminal()
    {
        var refusal = CommandLine.Run(_toy.Here, "train", "a\u001b[31mb\u0007.yaml", "--out", "new").Refusal();
        Assert.DoesNotContain('\u001b', refusal);
    }

    private void Prepare()
    {
        if (File.Exists(_toy.InFolder("empty"))) return;
        File.WriteAllText(_toy.InFolder("empty"), "");
        Directory.CreateDirectory(_toy.InFolder("nothing"));
        Directory.CreateDirectory(_toy.InFolder("nothing2"));
        File.WriteAllText(_toy.InFolder("nothing2/notes"), "mine");
        File.WriteAllBytes(_toy.InFolder("latin1.txt"), [.. "plain\n"u8, .. "na"u8, 0xEF, .. "ve\n"u8]);
        File.WriteAllText(_toy.InFolder("nofield.jsonl"), "{\"n\": 1}\n"); // no string that could be meant
        File.WriteAllText(_toy.InFolder("badrow.jsonl"), "{\"text\": \"x\"}\n{\"text\": \n");
        File.WriteAllText(_toy.InFolder("ids.jsonl"), "{\"ids\": [1, 2]}\n{\"ids\": [3, 300]}\n");
        File.WriteAllText(_toy.InFolder("negative.jsonl"), "{\"ids\": [-1]}\n");
        File.WriteAllText(_toy.InFolder("words"), "one two\n");
        const string Bytes = """{"normalizer":NORM,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"model":{"type":"BPE","vocab":{"a":0},"merges":MERGES}}""";
        File.WriteAllText(_toy.InFolder("badmerge.json"), Bytes.Replace("NORM", "null", StringComparison.Ordinal).Replace("MERGES", "[\"x a\"]", StringComparison.Ordinal));
        File.WriteAllText(_toy.InFolder("badstep.json"), Bytes.Replace("NORM", "{\"type\":\"NFX\"}", StringComparison.Ordinal).Replace("MERGES", "[]", StringComparison.Ordinal));
        File.WriteAllText(_toy.InFolder("deep.json"), new string('[', 100_000));
        File.WriteAllBytes(_toy.InFolder("cut.gguf"), [.. "GGUF"u8, 3, 0, 0, 0]);
    }

    private void CopyModel(string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(_toy.InFolder("run/model"))) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }

    private static string Replace(string text, string old, string replacement)
    {
        var at = text.IndexOf(old, StringComparison.Ordinal);
        return text[..at] + replacement + text[(at + old.Length)..];
    }

    private void Refused(string[] says, params string[] args)
    {
        Directory.CreateDirectory(_toy.InFolder("tmp"));
        var before = Snapshot(_toy.Folder).ToHashSet(StringComparer.Ordinal);
        var refusal = CommandLine.Run(_toy.Here.With("TMPDIR", _toy.InFolder("tmp")), args).Refusal();
        foreach (var part in says) Assert.Contains(part, refusal, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot(_toy.Folder).ToHashSet(StringComparer.Ordinal));
    }

    // Name and content: a refused command changes no file either.
    private static IEnumerable<string> Snapshot(string folder) => Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Select(path => File.Exists(path) ? path + " " + Hashing.Sha256File(path) : path);
}
