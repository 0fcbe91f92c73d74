using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus tokenizer train|encode|decode</c>; the other verbs below it have files of their own.</summary>
internal static class TokenizerCommand
{
    public static Command Create() => new("tokenizer", "Trains tokenizers of every kind and applies any that can be loaded: tokenizer.json, vocab.json + merges.txt, .tiktoken, SentencePiece's .model, llama2.c.\n\nExample:\n  gradus tokenizer train books/*.txt --vocab-size 8192 --out tokenizers/books")
    {
        TokenizerTrainCommand.Create(), Encode(), Decode(), TokenizerInspectCommand.Create(), TokenizerCompareCommand.Create(), TokenizerFertilityCommand.Create(), TokenizerChatCommand.Create(), TokenizerAddCommand.Create(), TokenizerConvertCommand.Create(),
    };

    private static Command Encode()
    {
        var (tokenizer, input, json, none) = Shared(".jsonl with {\"text\": …} rows, or a text with a document a line; - is standard input");
        var dropout = new Option<double?>("--dropout") { Description = "Leaves out this share of BPE's merges, drawn at random: 0 for none, 1 for all", HelpName = "share" };
        var seed = new Option<int?>("--seed") { Description = "Draws a spelling a line (BPE-dropout, subword sampling) instead of the best one; the same seed gives the same ids", HelpName = "n" };
        var command = new Command("encode", "Text to ids: a line in, a line out.\n\nExamples:\n  gradus tokenizer encode runs/quickstart/model --file texts.jsonl --json\n  echo 'Call me Ishmael.' | gradus tokenizer encode gpt2/tokenizer.json --file -\n  gradus tokenizer encode gpt2/tokenizer.json --file texts.jsonl --dropout 0.1 --seed 7") { tokenizer, input, json, none, dropout, seed };
        command.SetAction(result =>
        {
            var t = Tokenizer.Load(result.GetRequiredValue(tokenizer));
            var share = result.GetValue(dropout);
            if (share is not (null or (>= 0 and <= 1))) throw new UserException("--dropout: a share from 0 to 1");
            var row = 0UL;
            foreach (var (text, _) in Rows(result.GetRequiredValue(input), "text", row => row.GetString()!, line => line))
            {
                IReadOnlyList<int> ids = share is null && result.GetValue(seed) is null ? t.Encode(text, addSpecialTokens: !result.GetValue(none))
                    : Draw(t, text, result.GetValue(seed) ?? 0, row++, share, !result.GetValue(none));
                if (result.GetValue(json)) Terminal.Json(new { Ids = ids });
                else Terminal.Out(string.Join(' ', ids));
            }
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>A spelling of one line: seeds of lines are drawn from the seed, so no two lines share their draws.</summary>
    private static List<int> Draw(Tokenizer tokenizer, string text, int seed, ulong row, double? dropout, bool addSpecialTokens)
    {
        var ids = new List<int>();
        try { tokenizer.Sample(Encoding.UTF8.GetBytes(text), ids, (int)new Counter((uint)seed, "lines").UInt32(row), dropout, addSpecialTokens); }
        catch (NotSupportedException e) { throw new UserException($"{(dropout is null ? "--seed" : "--dropout")}: {e.Message}", e); }
        return ids;
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

    internal static SourceOptions Source(string path) => SourceOptions.FromPath(path) is { } source and not TextSource ? source : new TextSource { Path = path };

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
