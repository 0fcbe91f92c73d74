using System.CommandLine;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Chat;
using Gradus.Training.Loop;

namespace Gradus.Cli;

/// <summary><c>gradus data peek</c>: the first records as the model will see them.</summary>
internal static class DataPeekCommand
{
    private const string Green = "\u001b[32m", Grey = "\u001b[90m", Yellow = "\u001b[33m", Reset = "\u001b[0m";

    public static Command Create()
    {
        var data = new Argument<string[]>("data") { Description = "Files, folders or globs, or one .yaml with a data section or records", Arity = ArgumentArity.OneOrMore };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "Tokenizer or model folder; shows ids, packing and loss mask. A recipe's own when left out", HelpName = "tokenizer" };
        var template = new Option<string?>("--template") { Description = "Chat template file or folder; the tokenizer's own when left out", HelpName = "template" };
        var count = new Option<int>("--count") { Description = "Records or rows to show", DefaultValueFactory = _ => 3 };
        var length = new Option<int?>("--length") { Description = "Tokens a row; a recipe's windows.length, or 256", HelpName = "tokens" };
        var format = new Option<string?>("--format") { Description = "What the rows are: messages, sharegpt, alpaca, preference …; found by looking when left out. 'text' for plain documents", HelpName = "kind" };
        var bad = new Option<string?>("--bad") { Description = "What to do with a bad record: stop or skip", HelpName = "policy" };
        var html = new Option<string?>("--html") { Description = "Writes a page to look at in a browser", HelpName = "out.html" };
        var set = new Option<string[]>("--set") { Description = "Overrides a key of the .yaml" };
        var json = new Option<bool>("--json") { Description = "A line of JSON a record: ids, mask, borders" };
        var command = new Command("peek", """
            Shows the first records as the model will see them: the template applied, what is learned in green, document borders of packed rows as ┃.

            Examples:
              gradus data peek chats.jsonl --tokenizer models/qwen
              gradus data peek recipes/sft/assistant.yaml --html peek.html
              gradus data peek books/*.txt --tokenizer tokenizers/books --count 5 --html peek.html
            """) { data, tokenizer, template, count, length, format, bad, html, set, json };
        command.SetAction(result =>
        {
            var input = DataInput.Of(result.GetRequiredValue(data), result.GetValue(set) ?? [], DataInput.Policy(result.GetValue(bad)));
            var tokens = result.GetValue(tokenizer) ?? input.Recipe?.Tokenizer?.Path ?? input.Recipe?.Model.From;
            // A chat recipe shows the very rows of its run, unless something else is asked for.
            var run = result.GetValue(tokenizer) is null && result.GetValue(template) is null && result.GetValue(format) is null && input.Recipe is { } recipe ? RowPreview.Of(recipe, Terminal.Note) : null;
            var t = run?.Tokenizer ?? (tokens is null ? null : Tokenizer.Load(tokens));
            var chat = result.GetValue(template) ?? tokens;
            var builder = new PeekBuilder(t, () => ChatTemplate.Load(chat!, t), result.GetValue(length) ?? input.Recipe?.Windows.Length ?? 256);
            var shown = GenerateCommand.AtLeast(1, result.GetValue(count), "--count");
            var items = (run is null ? Items(input, builder, shown, result.GetValue(format)) : builder.Rows(run.Rows, shown)).ToList();
            if (items.Count == 0) throw new UserException("no records.");
            if (result.GetValue(html) is { } page) Durable.WriteText(page, PeekPage.Html(items, string.Join(' ', result.GetRequiredValue(data)), tokens));
            foreach (var item in items)
            {
                if (result.GetValue(json)) Json(item);
                else Show(item);
            }

            if (result.GetValue(html) is { } written) Terminal.Note($"{written}: {items.Count} records, to look at in a browser");
            if (t is null && !result.GetValue(json)) Terminal.Note("without --tokenizer: texts, not what a tokenizer makes of them");
            return ExitCode.Done;
        });
        return command;
    }

    private static IEnumerable<PeekItem> Items(DataInput input, PeekBuilder builder, int count, string? format)
    {
        if (input.Data.Sources is [RowSource rows] && format != "text" && Format(rows, format) is { } known)
            return new RecordOptions { Source = rows, Format = known, BadRecords = rows.BadRecords, MaxRecordBytes = rows.MaxRecordBytes }.Read(new SourceReport()).Take(count).SelectMany(builder.Record);
        return builder.Packed(input.Data.Read(new SourceReport()), count);
    }

    /// <summary>What the rows are. A text field alone is a document, not a labelled row.</summary>
    private static RecordFormat? Format(RowSource rows, string? kind)
    {
        var formats = Gradus.Foundation.Recipes.Components.Of(typeof(RecordFormat));
        if (kind is not null)
            return formats.FirstOrDefault(f => f.Kind == kind) is { } found ? (RecordFormat)Activator.CreateInstance(found.Type)!
                : throw new UserException($"--format: '{kind}' is no format{NearestName.Hint(kind, [.. formats.Select(f => f.Kind), "text"])}");
        foreach (var path in rows.Files())
            foreach (var row in rows.ReadRows(path, new SourceReport()))
            {
                using var parsed = StrictJson.Parse(row.Json, row.Place);
                return rows.Field is null ? RecordOptions.TryDetect(parsed.RootElement, row.Place) : null;
            }
        return null;
    }

    private static void Show(PeekItem item)
    {
        var colour = Terminal.OutHasColour;
        var line = new StringBuilder();
        Terminal.Out($"{(colour ? Grey : "")}── {Terminal.Visible(item.Title)} · {item.Kind}{Counts(item)}{(colour ? Reset : "")}");
        for (var i = 0; i < item.Pieces.Count;)
        {
            // Letters of several tokens: pieces that look alike are put together before they are decoded for the eye.
            var piece = item.Pieces[i];
            var run = new StringBuilder();
            if (piece.Border) line.Append(colour ? $"{Yellow}┃{Reset}" : "┃");
            do run.Append(item.Pieces[i++].Text);
            while (i < item.Pieces.Count && item.Pieces[i] is { Border: false } next && next.Learned == piece.Learned && next.Label is null && piece.Label is null);
            var text = Terminal.Visible(run.ToString(), lines: true);
            line.Append(colour && piece.Learned ? $"{Green}{text}{Reset}" : text);
            if (piece.Label is { } label) line.Append(colour ? $"{Yellow}⟦{Terminal.Visible(label)}⟧{Reset}" : $"⟦{Terminal.Visible(label)}⟧");
        }

        Terminal.Out(line.ToString());
        foreach (var note in item.Notes) Terminal.Out($"{(colour ? Grey : "")}   {Terminal.Visible(note)}{(colour ? Reset : "")}");
        Terminal.Out("");
    }

    private static string Counts(PeekItem item) => item.Tokens == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" · {item.Tokens} tokens, {item.LearnedTokens} learned");

    private static void Json(PeekItem item) => Terminal.Json(new
    {
        item.Title, item.Kind, Text = string.Concat(item.Pieces.Select(p => p.Text)), Ids = item.Pieces.Where(p => p.Id is not null).Select(p => p.Id), Learned = item.Pieces.Select(p => p.Learned ? 1 : 0),
        Borders = item.Pieces.Select((p, i) => (p.Border, i)).Where(p => p.Border).Select(p => p.i), Labels = item.Pieces.Select(p => p.Label).OfType<string>(), item.Notes,
    });
}
