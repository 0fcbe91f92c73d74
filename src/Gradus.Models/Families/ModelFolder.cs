using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families.Llama;
using Gradus.Models.Nn;

namespace Gradus.Models.Families;

/// <summary>A model on disk as Hugging Face lays it out: <c>config.json</c> and <c>model.safetensors</c>, whole or in shards.</summary>
public static class ModelFolder
{
    private const int Piece = 1 << 24; // elements converted at a time when writing

    /// <summary>Loads a folder, or a llama2.c <c>.bin</c> file. The caller disposes the model.</summary>
    /// <param name="path">The folder or the file.</param>
    /// <param name="type">Type of the master weights; what the file holds is converted.</param>
    /// <param name="device">Where the weights go.</param>
    /// <param name="held">How the weights of the blocks are held; null: as they are.</param>
    /// <param name="head">What the output layer is for, when an adapter brings its own: where the folder's is for something else, its values are of no use until then. Null: the folder's.</param>
    /// <exception cref="UserException">Nothing to load there, or configuration and weights do not go together. Nothing large has been allocated.</exception>
    public static (ModelOptions Options, ILanguageModel Model) Load(string path, DType type = DType.Float32, Device device = default, WeightOptions? held = null, TaskHead? head = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (File.Exists(path) && path.EndsWith(".bin", StringComparison.OrdinalIgnoreCase))
        {
            using var file = Llama2cFile.Open(path, type, device);
            if (head is not null) throw new UserException($"{path}: a llama2.c file predicts tokens; convert it to a folder (gradus convert) to give it another output layer");
            return (file.Options, file.Options.Build(new Weights(file, held)));
        }
        if (!Directory.Exists(path))
            throw new UserException(File.Exists(path) ? $"{path}: name the folder that holds {ConfigFile.Name} and {WeightFolder.SingleName}, or a llama2.c .bin file" : $"{path}: no such folder");
        var options = ReadOptions(path);
        return (options, LoadAs(path, options, type, device, head ?? ConfigFile.ReadHead(Path.Combine(path, ConfigFile.Name)), head is not null && HeadReplacement.Needed(path, head) ? 0UL : null, held));
    }

    /// <summary>The weights of a folder under options that may differ from its own in what only training looks at.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="options">The shape.</param>
    /// <param name="type">Type of the master weights.</param>
    /// <param name="device">Where they go.</param>
    /// <param name="head">What the output layer is for.</param>
    /// <param name="freshHead">The folder's output layer is for something else: make one from this seed.</param>
    /// <param name="held">How the weights of the blocks are held.</param>
    internal static ILanguageModel LoadAs(string path, ModelOptions options, DType type, Device device, TaskHead? head = null, ulong? freshHead = null, WeightOptions? held = null)
    {
        using var weights = WeightFolder.Open(path);
        try
        {
            // First the names and shapes alone: a folder that does not fit is refused before memory is taken for it.
            options.Build(new Weights(Source(shapesOnly: true)), head).Dispose();
            if (held is null) options.CheckMemory(type, device);
            return options.Build(new Weights(Source(shapesOnly: false), held), head);
        }
        catch (UserException e) when (!e.Message.StartsWith(path, StringComparison.Ordinal))
        {
            throw new UserException($"{path}: {e.Message}", e);
        }

        FolderWeights Source(bool shapesOnly) => new(weights, type, device, options.WeightPrefix, options.IgnoredTensors, freshHead is null ? options.TiedCopy : null, shapesOnly)
        {
            Replaced = freshHead is { } seed ? new FreshPart(options.HeadTensors, options.KeptHeadTensors, seed) : null,
        };
    }

    /// <summary>The shape of the model in a folder.</summary>
    public static ModelOptions ReadOptions(string folder) => ConfigFile.Read(Path.Combine(folder, ConfigFile.Name));

    /// <summary>Writes a model so that Hugging Face libraries and <see cref="Load"/> read it. Other files of the folder (a tokenizer) are left alone.</summary>
    /// <param name="model">The network; its master weights are written.</param>
    /// <param name="options">Its shape.</param>
    /// <param name="folder">Made if need be. Each file is replaced as a whole; for a folder that appears as a whole write a fresh one and publish it (<see cref="Durable.PublishFolder"/>).</param>
    /// <param name="type">Type in the file: float32, bfloat16, float16 or float64.</param>
    /// <param name="maxShardBytes">More data than this goes into shards.</param>
    public static void Save(ILanguageModel model, ModelOptions options, string folder, DType type = DType.Float32, long maxShardBytes = WeightFolder.DefaultShardBytes)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        if (!type.IsFloating) throw new ArgumentException($"weights cannot be written as {type.Name}", nameof(type));
        var contents = model.Parameters.Select(parameter => new TensorContent(parameter.Name, type, parameter.Value.Shape, stream => WriteTo(stream, parameter.Value, type)));
        // Transformers wants to know which library's layout the file has; ours is PyTorch's.
        WeightFolder.Write(folder, contents, new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" }, maxShardBytes);
        Durable.WriteText(Path.Combine(folder, ConfigFile.Name), ConfigFile.Write(options, type.Name, model.Task));
    }

    private static void WriteTo(Stream stream, Tensor value, DType type) => Grad.Off(() =>
    {
        using var all = Tensor.Scope();
        var flat = value.Detach().Reshape(-1);
        for (long at = 0, count = flat.Size(0); at < count; at += Piece)
        {
            using var piece = Tensor.Scope();
            stream.Write(flat.Narrow(0, at, Math.Min(Piece, count - at)).To(Device.Cpu).To(type).Contiguous().Span<byte>());
        }
    });
}
