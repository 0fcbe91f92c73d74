using System.CommandLine;
using System.Globalization;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Families;
using Gradus.Models.Peft;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Cli;

/// <summary><c>gradus adapter inspect|merge</c>: what an adapter is, and a whole model out of it and its base.</summary>
internal static class AdapterCommand
{
    public static Command Create() => new("adapter", "Looks at adapters (LoRA and its kin, in Hugging Face PEFT's files) and merges them into their base.\n\nExamples:\n  gradus adapter inspect runs/sea\n  gradus adapter merge runs/sea --out models/sea")
    {
        Inspect(), Merge(),
    };

    private static Command Inspect()
    {
        var adapter = new Argument<string>("adapter") { Description = "An adapter folder or a run folder" };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("inspect", "Says what an adapter is: method, settings, base, targets, size.\n\nExample:\n  gradus adapter inspect runs/sea") { adapter, json };
        command.SetAction(result => Inspect(LoadedModel.LocateAdapter(result.GetRequiredValue(adapter)), result.GetValue(json)));
        return command;
    }

    private static int Inspect(string folder, bool json)
    {
        var (options, tensors, named) = (AdapterFolder.ReadOptions(folder), AdapterFolder.Tensors(folder), AdapterFolder.BaseModel(folder));
        var head = AdapterFolder.ReadHead(folder);
        var numbers = tensors.Values.Sum(shape => shape.Aggregate(1L, (product, n) => product * n));
        if (json)
        {
            Terminal.Json(new { Folder = folder, Kind = Components.KindOf(options.GetType()), options.PeftType, Base = named, Task = head?.Kind, head?.Labels, Parameters = numbers, Tensors = tensors.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => new { Name = t.Key, Shape = t.Value }) });
            return ExitCode.Done;
        }
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"""
            {folder}: {Components.KindOf(options.GetType())} ({options.PeftType}), {numbers:N0} parameters in {tensors.Count:N0} tensors
            base           {named ?? "not named"}
            """));
        if (head is not null) Terminal.Out($"output layer   {head.Kind}{(head.Labels.Count > 0 ? ": " + string.Join(", ", head.Labels.Take(20)) + (head.Labels.Count > 20 ? " …" : "") : "")}");
        foreach (var line in RecipeFile.Write(options).Split('\n').Where(line => line.Length > 0 && !line.StartsWith("kind:", StringComparison.Ordinal))) Terminal.Out("  " + line);
        return ExitCode.Done;
    }

    private static Command Merge()
    {
        var adapter = new Argument<string>("adapter") { Description = "An adapter folder or a run folder" };
        var output = new Option<string>("--out") { Description = "The model folder to make", Required = true, HelpName = "folder" };
        var model = new Option<string?>("--base") { Description = "The base model's folder; the one the adapter names by default", HelpName = "folder" };
        var more = new Option<string[]>("--adapter") { Description = "A further adapter to merge with it, with =STRENGTH if not 1 (may be given several times)", HelpName = "folder" };
        var data = new Option<string?>("--data") { Description = "A text to measure the merge on; without it, seeded random tokens", HelpName = "file" };
        var type = new Option<string>("--dtype") { Description = "float32, bfloat16 or float16", DefaultValueFactory = _ => "float32" };
        var limit = new Option<double>("--max-kl") { Description = "Most that the merge may change the predictions: mean KL divergence, nats", DefaultValueFactory = _ => 0.05 };
        var force = new Option<bool>("--force") { Description = "Replace a model that is already there" };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("merge", """
            Merges an adapter into its base and writes a whole model, which needs no adapter any more and is as fast as the base. Says what the
            merge changed: mean KL divergence, agreement of the most likely tokens, perplexity before and after; a merge that changed more than
            --max-kl is not written. A base in 4 or 8 bits is made dense first, so that the adapter is added to the weights it learned over.

            Examples:
              gradus adapter merge runs/sea --out models/sea
              gradus adapter merge adapters/sea --base models/llama --data held-out.txt --out models/sea
            """) { adapter, output, model, more, data, type, limit, force, json };
        command.SetAction(result => Merge(LoadedModel.LocateAdapter(result.GetRequiredValue(adapter)), result.GetRequiredValue(output), result.GetValue(model), result.GetValue(more) ?? [], result.GetValue(data), result.GetRequiredValue(type), GenerateCommand.Within(0, 1000, result.GetValue(limit), "--max-kl"), result.GetValue(force), result.GetValue(json)));
        return command;
    }

    private static int Merge(string folder, string output, string? model, string[] more, string? data, string typeName, double limit, bool force, bool json)
    {
        if (!DTypes.TryParse(typeName, out var type) || !type.IsFloating) throw new UserException($"--dtype: '{typeName}' is not known; float32, bfloat16 or float16");
        Output.Folder(output);
        if (File.Exists(Path.Combine(output, ConfigFile.Name)) && !force) throw new UserException($"{output}: a model is already there; --force replaces it");
        if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Select(e => Path.GetFileName(e)!).FirstOrDefault(name => !OfModel(name)) is { } other)
            throw new UserException($"{output}: holds {other}, which is no part of a model and would be lost; name another folder");
        if (data is not null && !File.Exists(data)) throw new UserException($"{data}: no such file");
        _ = AdapterFolder.ReadOptions(folder); // an adapter that is none is said before a model is read
        using var loaded = LoadedModel.Load(model ?? LoadedModel.Base(folder), adapters: [folder, .. more]);
        var adapted = (AdaptedModel)loaded.Model;
        var template = ChatTemplate.IsIn(loaded.TemplateFolder) ? ChatTemplate.Load(loaded.TemplateFolder, loaded.Tokenizer) : null;
        var drift = MergeDrift.Measure(adapted, Rows(loaded, data), type);
        if (!(drift.MeanKl <= limit)) // what is no number is no merge
            throw new UserException(string.Create(CultureInfo.InvariantCulture, $"{output}: not written: merged in {type.Name} the model predicts other tokens: mean KL {drift.MeanKl:G3} nats, same top token in {drift.TopAgreement:P1}; {(type == DType.Float32 ? "" : "--dtype float32 rounds less, ")}--max-kl raises the limit of {limit:G3}"));
        Durable.ReplaceFolder(output, building =>
        {
            ModelFolder.Save(adapted, loaded.Options, building, type);
            loaded.Tokenizer.Save(building);
            template?.Save(building);
        });
        if (json)
            Terminal.Json(new { Out = output, drift.MeanKl, drift.TopAgreement, drift.PerplexityBefore, drift.PerplexityAfter, drift.Positions });
        else
            Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"""
                {output}: merged, {type.Name}, {loaded.Model.ParameterCount:N0} parameters
                drift          mean KL {drift.MeanKl:E2} nats, same top token in {drift.TopAgreement:P2} of {drift.Positions:N0} positions{(drift.PerplexityBefore is { } was ? FormattableString.Invariant($", perplexity {was:F4} → {drift.PerplexityAfter:F4}") : "")}
                """));
        return ExitCode.Done;
    }

    private static bool OfModel(string file) => file.EndsWith(".safetensors", StringComparison.Ordinal) || file.EndsWith(".jinja", StringComparison.Ordinal)
        || file is "config.json" or "generation_config.json" or "model.safetensors.index.json" or "tokenizer.json" or "tokenizer_config.json" or "tokenizer.model" or "special_tokens_map.json" or "added_tokens.json" or "vocab.json" or "vocab.txt" or "merges.txt" or "chat_template.json";

    // Enough to see a difference, quick on any model: eight rows of up to 128 tokens.
    private static long[][] Rows(LoadedModel loaded, string? data)
    {
        const int rows = 8;
        var length = Math.Min(128, loaded.Model.MaxPositions);
        long[] ids;
        if (data is null)
        {
            var draws = new Counter(1, "merge drift");
            ids = [.. Enumerable.Range(0, rows * length).Select(i => (long)draws.Below((ulong)i, loaded.Tokenizer.VocabSize))];
        }
        else
        {
            ids = [.. loaded.Tokenizer.Encode(File.ReadAllText(data)).Take(rows * length).Select(id => (long)id)];
            if (ids.Length < 2) throw new UserException($"{data}: has fewer than two tokens; there is nothing to measure");
        }
        return [.. ids.Chunk(length).Where(row => row.Length > 1)];
    }
}
