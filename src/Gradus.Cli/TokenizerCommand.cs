using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus tokenizer train|encode|decode</c>; the other verbs below it have files of their own.</summary>
internal static class TokenizerCommand
{
    public static Command Create() => new("tokenizer", "Trains byte-level BPE tokenizers and applies any that can be loaded: tokenizer.json, vocab.json + merges.txt, .tiktoken, llama2.c.\n\nExample:\n  gradus tokenizer train books/*.txt --vocab-size 8192 --out tokenizers/books")
    {
        Train(), Encode(), Decode(), TokenizerInspectCommand.Create(), TokenizerCompareCommand.Create(), TokenizerChatCommand.Create(), TokenizerAddCommand.Create(),
    };

    private static Command Train()
    {
        var data = new Argument<string[]>("data") { Description = "Texts (.txt, .md) and .jsonl files (field 'text'), folders or globs; compressed ones too", Arity = ArgumentArity.OneOrMore };
        var size = new Option<int>("--vocab-size") { Description = "Tokens in the vocabulary, special ones included", DefaultValueFactory = _ => 8192 };
        var output = new Option<string>("--out") { Description = "The folder to make", Required = true, HelpName = "folder" };
        var pattern = new Option<string>("--pre-tokenizer") { Description = "gpt2 or cl100k", DefaultValueFactory = _ => "gpt2" };
        var special = new Option<string[]>("--special") { Description = "A special token (may be given several times)", DefaultValueFactory = _ => ["<|endoftext|>"] };
        var command = new Command("train", "Learns a vocabulary from texts.\n\nExample:\n  gradus tokenizer train books/*.txt --vocab-size 8192 --out tokenizers/books") { data, size, output, pattern, special };
        command.SetAction(result =>
        {
            var clock = Stopwatch.StartNew();
            var (bytes, documents) = (0L, 0L);
            IEnumerable<ReadOnlyMemory<byte>> Texts()
            {
                foreach (var document in result.GetRequiredValue(data).SelectMany(path => Source(path).Read(new SourceReport())))
                {
                    (bytes, documents) = (bytes + document.Utf8.Length, documents + 1);
                    yield return document.Utf8;
                }
            }
            Output.Folder(result.GetRequiredValue(output));
            if (File.Exists(Path.Combine(result.GetRequiredValue(output), "tokenizer.json")))
                throw new UserException($"{result.GetValue(output)}: a tokenizer is already there; name another folder or remove it");
            var tokenizer = Options(result.GetRequiredValue(pattern), GenerateCommand.AtLeast(257, result.GetValue(size), "--vocab-size"), result.GetRequiredValue(special)).Train(Texts());
            tokenizer.Save(result.GetRequiredValue(output));
            Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{result.GetValue(output)}: {tokenizer.VocabSize:N0} tokens from {documents:N0} documents, {bytes / 1e6:F1} MB, in {clock.Elapsed.TotalSeconds:F1} s"));
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Encode()
    {
        var (tokenizer, input, json, none) = Shared(".jsonl with {\"text\": …} rows, or a text with a document a line; - is standard input");
        var command = new Command("encode", "Text to ids: a line in, a line out.\n\nExamples:\n  gradus tokenizer encode runs/quickstart/model --file texts.jsonl --json\n  echo 'Call me Ishmael.' | gradus tokenizer encode gpt2/tokenizer.json --file -") { tokenizer, input, json, none };
        command.SetAction(result =>
        {
            var t = Tokenizer.Load(result.GetRequiredValue(tokenizer));
            foreach (var (text, _) in Rows(result.GetRequiredValue(input), "text", row => row.GetString()!, line => line))
            {
                var ids = t.Encode(text, addSpecialTokens: !result.GetValue(none));
                if (result.GetValue(json)) Terminal.Json(new { Ids = ids });
                else Terminal.Out(string.Join(' ', ids));
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Decode()
    {
        var (tokenizer, input, json, none) = Shared(".jsonl with {\"ids\": [ … ]} rows, or ids separated by spaces; - is standard input");
        var command = new Command("decode", "Ids to text: a line in, a line out. --no-special-tokens leaves control tokens out of the text.\n\nExample:\n  gradus tokenizer decode runs/quickstart/model --file ids.jsonl --json") { tokenizer, input, json, none };
        command.SetAction(result =>
        {
            var t = Tokenizer.Load(result.GetRequiredValue(tokenizer));
            foreach (var (ids, place) in Rows(result.GetRequiredValue(input), "ids", row => row.EnumerateArray().Select(id => id.GetInt32()).ToArray(), line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => int.Parse(id, NumberStyles.None, CultureInfo.InvariantCulture)).ToArray()))
            {
                if (ids.FirstOrDefault(id => id < 0 || id >= t.VocabSize, -1) is var stranger && (stranger >= 0 || ids.Any(id => id < 0)))
                    throw new UserException($"{place}: id {(stranger >= 0 ? stranger : ids.First(id => id < 0))} is outside the vocabulary of {t.VocabSize}");
                var text = t.Decode(ids, skipSpecialTokens: result.GetValue(none));
                if (result.GetValue(json)) Terminal.Json(new { Text = text });
                else Terminal.Out(text);
            }
            return ExitCode.Done;
        });
        return command;
    }

    internal static SourceOptions Source(string path) => path.Contains(".jsonl", StringComparison.Ordinal) ? new JsonlSource { Path = path } : new TextSource { Path = path };

    internal static TokenizerTrainerOptions Options(string pattern, int vocabSize, IReadOnlyList<string> special) => new BpeTrainerOptions
    {
        VocabSize = vocabSize,
        SpecialTokens = special,
        PreTokenizer = pattern switch
        {
            "gpt2" => new Gpt2PreTokenizerOptions(),
            "cl100k" => new Cl100kPreTokenizerOptions(),
            _ => throw new UserException($"--pre-tokenizer: '{pattern}' is not known; gpt2 or cl100k"),
        },
    };

    private static (Argument<string> Tokenizer, Option<string> Input, Option<bool> Json, Option<bool> None) Shared(string what) => (
        new Argument<string>("tokenizer") { Description = "tokenizer.json, a folder that holds one, a .tiktoken file or a llama2.c tok.bin" },
        new Option<string>("--file") { Description = what, Required = true, HelpName = "in" },
        new Option<bool>("--json") { Description = "Rows of JSON out; rows of JSON in" },
        new Option<bool>("--no-special-tokens") { Description = "Adds no special tokens to the ids; shows none in the text" });

    /// <summary>Rows of a file: JSON objects where the name or the first character says so, plain lines otherwise.</summary>
    private static IEnumerable<(T Value, string Place)> Rows<T>(string path, string field, Func<JsonElement, T> fromJson, Func<string, T> fromLine)
    {
        var number = 0;
        bool? isJson = path.Contains(".jsonl", StringComparison.Ordinal) ? true : null;
        foreach (var line in InputLines.Read(path))
        {
            number++;
            var place = $"{path}:{number}";
            isJson ??= line.StartsWith('{');
            if (isJson == true && line.Trim().Length == 0) continue;
            yield return (isJson.Value ? FromJson(line, place, field, fromJson) : FromLine(line, place, fromLine), place);
        }
        if (number == 0) throw new UserException($"{path}: is empty");
    }

    private static T FromJson<T>(string line, string place, string field, Func<JsonElement, T> read)
    {
        try
        {
            using var row = JsonDocument.Parse(line);
            if (row.RootElement.ValueKind != JsonValueKind.Object || !row.RootElement.TryGetProperty(field, out var value))
                throw new UserException($"{place}: has no field '{field}'");
            return read(value);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new UserException($"{place}: is not {{\"{field}\": …}}", e);
        }
    }

    private static T FromLine<T>(string line, string place, Func<string, T> read)
    {
        try { return read(line); }
        catch (Exception e) when (e is FormatException or OverflowException) { throw new UserException($"{place}: '{(line.Length > 40 ? line[..40] + "…" : line)}' is not a list of ids", e); }
    }
}
