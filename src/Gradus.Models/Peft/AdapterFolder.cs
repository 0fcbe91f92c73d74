using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>An adapter on disk as Hugging Face PEFT lays it out: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
public static class AdapterFolder
{
    /// <summary>Name of the weights.</summary>
    public const string WeightsName = "adapter_model.safetensors";

    // In the header's metadata, which other readers pass over.
    private const string BaseKey = "gradus_base", HeldKey = "gradus_base_held", HeadKey = "gradus_head";

    /// <summary>A folder with an adapter in it.</summary>
    public static bool IsAdapter(string folder) => File.Exists(Path.Combine(folder, PeftConfig.Name));

    /// <summary>The model folder that the adapter names as its base; null when it names none.</summary>
    public static string? BaseModel(string folder) => PeftConfig.Read(folder).BaseModel;

    /// <summary>The method and its settings, without reading a weight.</summary>
    public static AdapterOptions ReadOptions(string folder)
    {
        var config = PeftConfig.Read(folder); // first: it says best what a folder lacks
        using var file = Open(folder);
        return ReadOptions(config, file);
    }

    /// <summary>What the output layer is for that was trained with the adapter; null: the base's own.</summary>
    public static TaskHead? ReadHead(string folder)
    {
        using var file = Open(folder);
        return file.Metadata.TryGetValue(HeadKey, out var head) ? HeadConfig.Read(head, $"{file.Path}: {HeadKey}") : null;
    }

    /// <summary>Names and shapes of an adapter's tensors.</summary>
    public static IReadOnlyDictionary<string, long[]> Tensors(string folder)
    {
        using var file = Open(folder);
        return Shapes(file);
    }

    /// <summary>Writes an adapter.</summary>
    /// <param name="adapter">What to write.</param>
    /// <param name="folder">Made if need be; both files are replaced as wholes.</param>
    /// <param name="baseModel">What to call the base: a folder, or a name.</param>
    /// <param name="fingerprint">The base's <see cref="BaseFingerprint"/>, by which another base is noticed; null: unknown.</param>
    public static void Save(Adapter adapter, string folder, string? baseModel, string? fingerprint = null)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        Directory.CreateDirectory(folder);
        var metadata = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" };
        if (fingerprint is not null) metadata[BaseKey] = fingerprint;
        if (adapter.Options.Base is { } held) metadata[HeldKey] = RecipeFile.Write(held);
        if (adapter.Model.Task is { } head) metadata[HeadKey] = HeadConfig.Write(head);
        using var scope = Tensor.Scope();
        SafetensorsWriter.Write(Path.Combine(folder, WeightsName), adapter.Saved.Select(t =>
        {
            var plain = Grad.Off(() => t.Value.Detach().To(Device.Cpu).Contiguous());
            return new TensorContent(t.Name, plain.DType, plain.Shape, stream => stream.Write(plain.Span<byte>()));
        }).ToArray(), metadata);
        Durable.WriteText(Path.Combine(folder, PeftConfig.Name), PeftConfig.Write(adapter, baseModel));
    }

    /// <summary>Reads an adapter into a model; it is loaded, not yet in use.</summary>
    /// <param name="model">The base.</param>
    /// <param name="folder">Where the two files are.</param>
    /// <param name="name">What to call it.</param>
    /// <param name="fingerprint">The base's <see cref="BaseFingerprint"/>; null: not compared.</param>
    /// <exception cref="UserException">No adapter there, of a kind not known, for another base, or with tensors that do not fit.</exception>
    public static Adapter Load(AdaptedModel model, string folder, string name = "default", string? fingerprint = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        var config = PeftConfig.Read(folder);
        AdapterOptions options;
        using (var file = Open(folder))
        {
            if (fingerprint is not null && file.Metadata.TryGetValue(BaseKey, out var trainedOver) && trainedOver != fingerprint)
                throw new UserException($"{folder}: was trained over another base{(config.BaseModel is { } named ? $" ({named})" : "")}; over this one it would compute nonsense");
            options = ReadOptions(config, file);
        }
        using var weights = WeightFolder.Open(Path.Combine(folder, WeightsName));
        var type = model.Parameters[0].Value;
        try
        {
            return model.Load(name, options, new FolderWeights(weights, type.DType, type.Device));
        }
        catch (UserException e) when (!e.Message.StartsWith(folder, StringComparison.Ordinal))
        {
            throw new UserException($"{folder}: does not fit this model: {e.Message}", e);
        }
    }

    /// <summary>SHA-256 over the weight files of a model folder, or of a llama2.c file: what an adapter remembers of its base.</summary>
    public static string BaseFingerprint(string model)
    {
        if (File.Exists(model)) return Hashing.Sha256File(model);
        string[] files = [.. Directory.EnumerateFiles(model, "*.safetensors").Order(StringComparer.Ordinal)];
        return files is [var only] ? Hashing.Sha256File(only) : Hashing.Sha256(System.Text.Encoding.ASCII.GetBytes(string.Join('\n', files.Select(Hashing.Sha256File))));
    }

    private static SafetensorsFile Open(string folder)
    {
        var path = Path.Combine(folder, WeightsName);
        if (!File.Exists(path) && File.Exists(Path.Combine(folder, "adapter_model.bin")))
            throw new UserException($"{folder}: holds adapter_model.bin, a pickle, which can run code and is not read; save it again as {WeightsName} (safe_serialization=True)");
        return SafetensorsFile.Open(path);
    }

    private static AdapterOptions ReadOptions(PeftConfig config, SafetensorsFile file) => ReadOptions(config, Shapes(file), Held(file));

    private static WeightOptions? Held(SafetensorsFile file) => file.Metadata.TryGetValue(HeldKey, out var held) ? RecipeFile.Parse<WeightOptions>(held, $"{file.Path}: {HeldKey}", []) : null;

    private static AdapterOptions ReadOptions(PeftConfig config, IReadOnlyDictionary<string, long[]> shapes, WeightOptions? held)
    {
        var options = config.Method().ReadConfig(config, shapes) with { ModulesToSave = config.Names("modules_to_save"), Base = held };
        if (options is LinearAdapterOptions { Targets.Count: 0 }) throw config.Problem($"no tensor of {WeightsName} belongs to {options.PeftType}: the two files are not of one adapter");
        return options.Problems().FirstOrDefault() is { Key: not null } problem ? throw config.Problem($"{problem.Key}: {problem.Message}") : options;
    }

    private static Dictionary<string, long[]> Shapes(SafetensorsFile file) => file.Entries.ToDictionary(e => e.Key, e => e.Value.Shape, StringComparer.Ordinal);
}
