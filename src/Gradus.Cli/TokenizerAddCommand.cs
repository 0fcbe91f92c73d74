using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradus.Foundation.Files;
using Gradus.Models.Families;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus tokenizer add</c>: new tokens, and the rows of the model for them.</summary>
internal static class TokenizerAddCommand
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var source = new Argument<string>("tokenizer-or-model") { Description = "A tokenizer, or a model folder: then its embeddings grow too" };
        var tokens = new Option<string>("--tokens") { Description = "The tokens, commas between them", Required = true, HelpName = "a,b" };
        var special = new Option<bool>("--special") { Description = "They are control tokens: never read from text, left out when decoding" };
        var multiple = new Option<int>("--pad-to-multiple") { Description = "The embeddings get a multiple of this many rows", DefaultValueFactory = _ => 1, HelpName = "n" };
        var output = new Option<string>("--out") { Description = "The folder to make", Required = true, HelpName = "folder" };
        var command = new Command("add", """
            Adds tokens to a tokenizer. Of a model the embeddings, and a head of its own, get new rows, each the mean of the old ones; all other weights stay as they are, to the byte.

            Example:
              gradus tokenizer add models/qwen --tokens "<|note|>,<|end_note|>" --special --pad-to-multiple 64 --out models/qwen-notes
            """) { source, tokens, special, multiple, output };
        command.SetAction(result => Run(result.GetRequiredValue(source), result.GetRequiredValue(tokens).Split(','), result.GetValue(special), GenerateCommand.AtLeast(1, result.GetValue(multiple), "--pad-to-multiple"), result.GetRequiredValue(output)));
        return command;
    }

    private static int Run(string source, string[] tokens, bool special, int multiple, string output)
    {
        Output.Folder(output);
        if (Directory.Exists(output)) throw new UserException($"{output}: is there already; name a new folder");
        var tokenizer = Tokenizer.Load(source);
        foreach (var (token, i) in tokens.Select((token, i) => (token, i)))
        {
            if (token.Length == 0) throw new UserException("--tokens: one of them is empty");
            if (Array.IndexOf(tokens, token) < i) throw new UserException($"--tokens: '{token}' is there twice");
            if (tokenizer.IdOf(token) is { } id) throw new UserException($"--tokens: '{token}' is a token already, with id {id}");
        }

        var making = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)) + ".gradus-tmp-" + Environment.ProcessId;
        try
        {
            Directory.CreateDirectory(making);
            var isModel = Directory.Exists(source) && File.Exists(Path.Combine(source, ConfigFile.Name));
            if (isModel) CopyRest(source, making);
            Extend(tokenizer, source, tokens, special, making);
            var count = tokenizer.VocabSize + tokens.Length;
            var rows = isModel ? GrownModel.Write(source, making, tokenizer.VocabSize, count, multiple) : 0;
            Check(making, tokens, tokenizer.VocabSize);
            Durable.PublishFolder(making, output);
            Terminal.Out($"{output}: {tokens.Length} tokens added, ids {tokenizer.VocabSize} to {count - 1}{(isModel ? $"; {rows} rows" : "")}");
        }
        finally
        {
            if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
        }
        return ExitCode.Done;
    }

    /// <summary>What lies in a model folder besides weights, configuration and tokenizer: a licence, a chat template, settings of generation.</summary>
    private static void CopyRest(string source, string making)
    {
        foreach (var file in Directory.GetFiles(source))
            if (Path.GetFileName(file) is var name && !name.EndsWith(".safetensors", StringComparison.Ordinal) && !name.EndsWith(".safetensors.index.json", StringComparison.Ordinal) && name is not (ConfigFile.Name or "tokenizer.json" or "vocab.json" or "merges.txt"))
                File.Copy(file, Path.Combine(making, name));
    }

    private static void Extend(Tokenizer tokenizer, string source, string[] tokens, bool special, string making)
    {
        tokenizer.Save(making);
        // What the source says beside the tokenizer itself (chat template, lengths) is kept as it is.
        foreach (var name in Directory.Exists(source) ? new[] { "tokenizer_config.json", "special_tokens_map.json" } : [])
            if (File.Exists(Path.Combine(source, name))) File.Copy(Path.Combine(source, name), Path.Combine(making, name), overwrite: true);
        var file = Path.Combine(making, "tokenizer.json");
        var root = JsonNode.Parse(File.ReadAllBytes(file))!.AsObject();
        if (root["added_tokens"] is not JsonArray added) root["added_tokens"] = added = [];
        for (var i = 0; i < tokens.Length; i++)
            added.Add(Entry(tokens[i], special, tokenizer.VocabSize + i));
        Durable.WriteText(file, root.ToJsonString(s_json) + "\n");

        var configFile = Path.Combine(making, "tokenizer_config.json");
        if (!File.Exists(configFile) || JsonNode.Parse(File.ReadAllBytes(configFile)) is not JsonObject config || config["added_tokens_decoder"] is not JsonObject known) return;
        for (var i = 0; i < tokens.Length; i++)
        {
            var entry = Entry(tokens[i], special, 0);
            entry.Remove("id");
            known[(tokenizer.VocabSize + i).ToString(System.Globalization.CultureInfo.InvariantCulture)] = entry;
        }
        Durable.WriteText(configFile, config.ToJsonString(s_json) + "\n");
    }

    private static JsonObject Entry(string token, bool special, int id) => new()
    {
        ["id"] = id, ["content"] = token, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = !special, ["special"] = special,
    };

    private static void Check(string folder, string[] tokens, int first)
    {
        var made = Tokenizer.Load(folder);
        for (var i = 0; i < tokens.Length; i++)
            if (made.IdOf(tokens[i]) != first + i || made.EncodeParsed(tokens[i], addSpecialTokens: false) is not [var id] || id != first + i)
                throw new UserException($"'{tokens[i]}' cannot be added to this tokenizer: it would not be found in a text");
    }
}
