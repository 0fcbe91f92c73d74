using System.Globalization;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families;
using Gradus.Models.Nn;
using Gradus.Models.Peft;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Cli;

/// <summary>A model folder with its tokenizer, and adapters if asked for: what generate, chat and eval work on. A run folder stands for what it made.</summary>
internal sealed record LoadedModel(string Folder, ModelOptions Options, ILanguageModel Model, Tokenizer Tokenizer) : IDisposable
{
    /// <summary>Where the chat template is, if there is one: beside an adapter that was tuned with it, else beside the model.</summary>
    public required string TemplateFolder { get; init; }

    /// <param name="path">A model, a run, or an adapter, which names its base.</param>
    /// <param name="precision">fp32 or bf16.</param>
    /// <param name="device">cpu, cuda or cuda:N.</param>
    /// <param name="adapters">Folders of adapters, each with =STRENGTH if not 1; they are stacked.</param>
    public static LoadedModel Load(string path, string precision = "fp32", string device = "cpu", IReadOnlyList<string>? adapters = null)
    {
        var found = Locate(path);
        var wanted = (adapters ?? []).Select(Wanted).ToList();
        var folder = found;
        if (AdapterFolder.IsAdapter(found))
        {
            wanted.Insert(0, (found, 1));
            folder = Base(found);
        }
        var tokenizer = Tokenizer.Load(TokenizerIn(found) ?? folder);
        // The base is held as it was when the adapters learned: in few bits if they all say so.
        var held = wanted.Select(w => AdapterFolder.ReadOptions(w.Folder).Base).Distinct().ToArray() is [var one] ? one : null;
        var heads = wanted.Select(w => (w.Folder, Head: AdapterFolder.ReadHead(w.Folder))).Where(w => w.Head is not null).ToArray();
        if (heads.FirstOrDefault(h => !TaskHead.Same(h.Head, heads[0].Head)) is { Head: not null } other)
            throw new UserException($"{other.Folder}: was trained for another task than {heads[0].Folder}; use one of them");
        var (options, model) = ModelFolder.Load(folder, device: ParseDevice(device), held: held, head: heads.Length > 0 ? heads[0].Head : null);
        try
        {
            if (tokenizer.VocabSize > model.VocabSize)
                throw new UserException($"{folder}: the tokenizer has {tokenizer.VocabSize} tokens, the model only {model.VocabSize} rows; one of the two is another model's");
            if (wanted.Count > 0) model = Adapted(model, folder, wanted);
            if (precision == "bf16") ComputeIn(model, DType.BFloat16);
            else if (precision != "fp32") throw new UserException($"precision '{precision}' is not known here; fp32 or bf16");
            return new(folder, options, model, tokenizer) { TemplateFolder = wanted.Select(w => w.Folder).LastOrDefault(ChatTemplate.IsIn) ?? folder };
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose() => Model.Dispose();

    /// <summary>The model that an adapter names as its base.</summary>
    /// <exception cref="UserException">It names none, or one that is not here.</exception>
    public static string Base(string adapter)
    {
        var named = AdapterFolder.BaseModel(adapter) ?? throw new UserException($"{adapter}: does not name its base model; give the model's folder and this with --adapter");
        foreach (var folder in new[] { named, Path.Combine(adapter, named) })
            if (File.Exists(Path.Combine(folder, ConfigFile.Name)))
                return folder;
        throw new UserException($"{adapter}: its base model {named} is not here; give the model's folder and this with --adapter");
    }

    /// <summary>The adapter in a folder, or in a run's folder.</summary>
    public static string LocateAdapter(string path)
    {
        foreach (var folder in new[] { path, Path.Combine(path, "adapter") })
            if (AdapterFolder.IsAdapter(folder))
                return folder;
        return path; // what reads it says what is wrong
    }

    private static AdaptedModel Adapted(ILanguageModel model, string folder, IReadOnlyList<(string Folder, double Strength)> wanted)
    {
        var (adapted, print) = (new AdaptedModel(model), AdapterFolder.BaseFingerprint(folder));
        var names = new List<(string, double)>();
        foreach (var (path, strength) in wanted)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{names.Count + 1}: {path}");
            AdapterFolder.Load(adapted, path, name, print);
            names.Add((name, strength));
        }
        adapted.Use(names);
        return adapted;
    }

    private static (string Folder, double Strength) Wanted(string text)
    {
        var cut = text.LastIndexOf('=');
        if (cut < 0 || Directory.Exists(text)) return (LocateAdapter(text), 1);
        return double.TryParse(text.AsSpan(cut + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var strength) && double.IsFinite(strength)
            ? (LocateAdapter(text[..cut]), strength)
            : throw new UserException($"--adapter: '{text[(cut + 1)..]}' is no strength; a number such as 0.5");
    }

    private static string? TokenizerIn(string folder) => File.Exists(Path.Combine(folder, "tokenizer.json")) ? folder : null;

    private static string Locate(string path)
    {
        foreach (var folder in new[] { path, Path.Combine(path, "model"), Path.Combine(path, "adapter") })
            if (File.Exists(Path.Combine(folder, ConfigFile.Name)) || AdapterFolder.IsAdapter(folder))
                return folder;
        if (File.Exists(path)) throw new UserException($"{path}: is a file; a model is a folder with config.json, model.safetensors and tokenizer.json (gradus convert makes one from a llama2.c .bin)");
        throw new UserException(Directory.Exists(path)
            ? $"{path}: holds no config.json, so it is not a model folder"
            : $"{path}: no such folder; gradus quickstart makes runs/quickstart/model");
    }

    private static Device ParseDevice(string name)
    {
        try { return Device.Parse(name); }
        catch (FormatException e) { throw new UserException(e.Message, e); }
    }

    private static void ComputeIn(ILanguageModel model, DType type)
    {
        foreach (var parameter in model.Parameters)
            if (parameter.Value.Dims == 2)
                parameter.ComputeType = type;
    }
}
