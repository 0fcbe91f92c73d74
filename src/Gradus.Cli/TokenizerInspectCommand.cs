using System.CommandLine;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus tokenizer inspect</c>: the tokens of a text, or the tokens a model never learnt.</summary>
internal static class TokenizerInspectCommand
{
    private const int LongestText = 4 << 20;

    // Backgrounds of the 256-colour palette on which black letters read well.
    private static readonly int[] s_colours = [153, 186, 217, 151, 223, 183];

    public static Command Create()
    {
        var tokenizer = new Argument<string>("tokenizer") { Description = "tokenizer.json, a folder that holds one, or any other tokenizer file" };
        var text = new Option<string?>("--text") { Description = "The text", HelpName = "text" };
        var file = new Option<string?>("--file") { Description = "A file with the text; - is standard input", HelpName = "in" };
        var html = new Option<string?>("--html") { Description = "Writes a page to look at in a browser", HelpName = "out.html" };
        var parse = new Option<bool>("--parse-special") { Description = "Reads special tokens written out in the text as such" };
        var glitch = new Option<string?>("--glitch") { Description = "Finds tokens this model never learnt, from its embeddings (instead of a text)", HelpName = "model" };
        var counts = new Option<string?>("--counts") { Description = "With --glitch: a corpus; only tokens it never shows are glitches", HelpName = "corpus" };
        var json = new Option<bool>("--json") { Description = "A line of JSON a token" };
        var command = new Command("inspect", """
            Shows the tokens of a text with their ids and offsets, or finds glitch tokens.

            Examples:
              gradus tokenizer inspect models/qwen --text "Call me Ishmael."
              gradus tokenizer inspect models/qwen --file chapter.txt --html chapter.html
              gradus tokenizer inspect models/qwen --glitch models/qwen --counts books/
            """) { tokenizer, text, file, html, parse, glitch, counts, json };
        command.SetAction(result =>
        {
            var t = Tokenizer.Load(result.GetRequiredValue(tokenizer));
            if (result.GetValue(glitch) is { } model) return Glitches(t, model, result.GetValue(counts), result.GetValue(json));
            if (result.GetValue(counts) is not null) throw new UserException("--counts goes with --glitch");
            var given = (result.GetValue(text), result.GetValue(file)) switch
            {
                ({ } words, null) => words,
                (null, { } path) => InputLines.ReadAll(path),
                _ => throw new UserException("give either --text or --file (or --glitch)"),
            };
            if (given.Length > LongestText) throw new UserException($"the text has {given.Length:N0} characters; {LongestText:N0} can be shown");
            var tokens = Tokens(t, given, result.GetValue(parse));
            if (result.GetValue(html) is { } page) Durable.WriteText(page, TokenPage.Html(given, tokens, result.GetRequiredValue(tokenizer)));
            if (result.GetValue(json)) tokens.ForEach(token => Terminal.Json(new { token.Id, token.Name, token.Text, Bytes = new[] { token.Bytes.Start, token.Bytes.End }, Chars = new[] { token.Chars.Start, token.Chars.End }, token.Special }));
            else Show(given, tokens);
            if (result.GetValue(html) is { } written) Terminal.Note($"{written}: {tokens.Count} tokens, to look at in a browser");
            return ExitCode.Done;
        });
        return command;
    }

    internal static List<ShownToken> Tokens(Tokenizer tokenizer, string text, bool parse)
    {
        var encoding = tokenizer.Tokenize(text, null, new() { ParseSpecialTokens = parse });
        var utf8 = Encoding.UTF8.GetBytes(text);
        var tokens = new List<ShownToken>(encoding.Ids.Count);
        var shown = 0;
        for (var i = 0; i < encoding.Ids.Count; i++)
        {
            var (start, end) = encoding.ByteOffsets[i];
            // Some tokenizers leave the space before a word out of its offsets: it is shown with the word all the same.
            if (end > start && start > shown) start = shown;
            shown = Math.Max(shown, end);
            tokens.Add(new(encoding.Ids[i], tokenizer.NameOf(encoding.Ids[i]), Encoding.UTF8.GetString(utf8, start, Math.Max(0, end - start)), tokenizer.TokenBytes(encoding.Ids[i]).ToArray(),
                encoding.ByteOffsets[i], encoding.CharOffsets[i], tokenizer.IsSpecial(encoding.Ids[i])));
        }
        return tokens;
    }

    private static void Show(string text, List<ShownToken> tokens)
    {
        if (Terminal.OutHasColour)
        {
            var line = new StringBuilder();
            for (var i = 0; i < tokens.Count; i++)
                line.Append(System.Globalization.CultureInfo.InvariantCulture, $"\u001b[30;48;5;{s_colours[i % s_colours.Length]}m{Terminal.Visible(tokens[i].Text.Length > 0 ? tokens[i].Text : tokens[i].Name, marks: true)}\u001b[0m");
            Terminal.Out(line.ToString());
            Terminal.Out("");
        }

        Terminal.Out("     #       id  bytes            chars            token");
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            Terminal.Out($"{i,6} {token.Id,8}  {$"{token.Bytes.Start}..{token.Bytes.End}",-15}  {$"{token.Chars.Start}..{token.Chars.End}",-15}  {Terminal.Visible(token.Name, marks: true)}");
        }
        Terminal.Note($"{tokens.Count:N0} tokens for {Encoding.UTF8.GetByteCount(text):N0} bytes");
    }

    private static int Glitches(Tokenizer tokenizer, string model, string? corpus, bool json)
    {
        var (rows, width) = GlitchTokens.Embeddings(model);
        long[]? counts = null;
        if (corpus is not null)
        {
            counts = new long[tokenizer.VocabSize];
            var ids = new List<int>();
            foreach (var document in TokenizerCommand.Source(corpus).Read(new SourceReport()))
            {
                ids.Clear();
                tokenizer.Encode(document.Utf8.Span, ids, addSpecialTokens: false);
                foreach (var id in ids) counts[id]++;
            }
        }

        var found = GlitchTokens.Find(rows, width, Math.Min(tokenizer.VocabSize, rows.Length / width), counts);
        foreach (var token in found)
        {
            if (json) Terminal.Json(new { token.Id, Name = tokenizer.NameOf(token.Id), token.Norm, token.Distance, token.Score, Count = counts?[token.Id] });
            else Terminal.Out($"{token.Id,8}  norm {token.Norm,8:F4}  distance to the mean {token.Distance,8:F4}  {token.Score,7:F1} deviations  {Terminal.Visible(tokenizer.NameOf(token.Id), marks: true)}");
        }
        Terminal.Note($"{found.Count} of {tokenizer.VocabSize:N0} tokens look untrained{(corpus is null ? "" : " and are never seen in the corpus")}");
        return ExitCode.Done;
    }
}

/// <summary>A token as it is shown.</summary>
internal sealed record ShownToken(int Id, string Name, string Text, byte[] Value, TextSpan Bytes, TextSpan Chars, bool Special);
