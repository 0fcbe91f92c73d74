using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Families;

/// <summary>
/// The shape of a network of one family. Keys are those of Hugging Face's <c>config.json</c>, in recipes too, and the defaults are
/// those that Transformers gives a key the file leaves out. The component's kind is the file's <c>model_type</c>.
/// </summary>
[Socket("models")]
public abstract record ModelOptions : IValidated
{
    /// <summary>Folder of a pretrained model to start from. The shape is the folder's; of the keys here only those of training, such as dropout, count.</summary>
    public string? From { get; init; }

    /// <summary>Rows of the embedding. Left out of a recipe: as many as the tokenizer has.</summary>
    [AtLeast(1), AtMost(1 << 24)]
    public int? VocabSize { get; init; }

    /// <summary>Id of the token that starts a text.</summary>
    [AtLeast(0)]
    public int? BosTokenId { get; init; }

    /// <summary>Ids of the tokens that end a text.</summary>
    [AtLeast(0)]
    public IReadOnlyList<int> EosTokenId { get; init; } = [];

    /// <summary>The class name that Transformers knows the family by.</summary>
    public abstract string Architecture { get; }

    /// <summary>Longest sequence the positions reach.</summary>
    public abstract int ContextLength { get; }

    /// <summary>A position sees only what comes before it; false for encoders.</summary>
    public virtual bool IsCausal => true;

    /// <summary>Named shapes of the family: the published ones, and <c>KIND-tiny</c>, small enough for a test to train.</summary>
    public abstract IReadOnlyList<ModelPreset> Presets { get; }

    /// <summary>First name of the weights that some files leave out.</summary>
    internal virtual string WeightPrefix => "";

    /// <summary>A weight that files may hold a second time, because the model ties the two.</summary>
    internal virtual (string Copy, string Original)? TiedCopy => null;

    /// <summary>Tensors of old files that are no weights.</summary>
    internal virtual Regex? IgnoredTensors => null;

    /// <summary>Everything that belongs to some output layer of the family, whatever it is for: what another layer replaces.</summary>
    internal abstract Regex HeadTensors { get; }

    /// <summary>Of <see cref="HeadTensors"/>, those that were trained with the body and are kept when the output layer is replaced.</summary>
    internal virtual Regex? KeptHeadTensors => null;

    /// <summary>The modules of a model that belong to its output layer.</summary>
    public IReadOnlyList<string> HeadModules(ILanguageModel model) => model is null ? throw new ArgumentNullException(nameof(model)) :
        [.. model.Parameters.Select(p => p.Name).Where(name => HeadTensors.IsMatch(name)).Select(name => name[..name.LastIndexOf('.')]).Distinct(StringComparer.Ordinal)];

    /// <summary>The class name for a model with this output layer: <c>BertForTokenClassification</c>.</summary>
    internal string ArchitectureWith(TaskHead? head) => head is null ? Architecture
        : Architecture[..Math.Max(Architecture.IndexOf("LMHeadModel", StringComparison.Ordinal), Architecture.IndexOf("For", StringComparison.Ordinal))] + "For" + head.Kind;

    /// <summary>Builds the network over a source of weights: <c>options.Build(Weights.Fresh(seed))</c>.</summary>
    /// <param name="weights">Where the weights come from.</param>
    /// <param name="head">What the output layer is for; null: to predict tokens.</param>
    /// <exception cref="UserException">The source and the shape do not go together, or the machine cannot hold the network.</exception>
    public ILanguageModel Build(Weights weights, TaskHead? head = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (VocabSize is null) throw new UserException("vocab_size is not set, and there is no tokenizer to take it from");
        if (Problems().FirstOrDefault() is { Key: not null } problem) throw new UserException($"{problem.Key}: {problem.Message}");
        try
        {
            return Make(weights, head);
        }
        catch
        {
            weights.Release();
            throw;
        }
    }

    /// <summary>Builds the network with fresh weights.</summary>
    /// <exception cref="UserException">The weights alone are more than the machine's memory; nothing has been allocated.</exception>
    public ILanguageModel BuildFresh(ulong seed, DType type = DType.Float32, Device device = default, TaskHead? head = null, WeightOptions? held = null)
    {
        if (held is null) CheckMemory(type, device);
        return Build(Weights.Fresh(seed, type, device, held), head);
    }

    /// <summary>
    /// The model a recipe describes: fresh, or read from <see cref="From"/>. The options returned are those of the model, with nothing left
    /// open. A folder whose output layer is for something else keeps its body and gets a fresh output layer.
    /// </summary>
    /// <exception cref="UserException">The folder cannot be read, or holds another model than the recipe says.</exception>
    public (ModelOptions Options, ILanguageModel Model) Start(ulong seed, DType type = DType.Float32, Device device = default, TaskHead? head = null, WeightOptions? held = null)
    {
        if (From is null) return (this, BuildFresh(seed, type, device, head, held));
        var options = Pretrained.Merge(this, ModelFolder.ReadOptions(From), From);
        return (options, ModelFolder.LoadAs(From, options, type, device, head, HeadReplacement.Needed(From, head) ? seed : null, held));
    }

    internal void CheckMemory(DType type, Device device)
    {
        var (count, memory) = (CountParameters(), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        if (device.IsCpu && checked(count * type.ByteSize) is var bytes && bytes > memory)
            throw new UserException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"a model of {count:N0} parameters needs {bytes / 1e9:F1} GB for its weights alone; this machine has {memory / 1e9:F1} GB"));
    }

    /// <summary>Numbers to train, from shapes alone: nothing is allocated. Tied weights count once.</summary>
    public long CountParameters(TaskHead? head = null)
    {
        using var model = Build(Weights.Shapes(), head);
        return model.ParameterCount;
    }

    /// <summary>These options for a tokenizer of <paramref name="tokens"/> ids: the vocabulary is filled in, or checked. A larger one is fine, as rows are often padded.</summary>
    /// <exception cref="UserException">The tokenizer has more ids than the model has rows.</exception>
    public ModelOptions WithVocabulary(int tokens)
    {
        if (VocabSize < tokens) throw new UserException($"vocab_size is {VocabSize}, but the tokenizer has {tokens} tokens; give the model at least as many rows, or leave vocab_size out");
        return VocabSize is null ? this with { VocabSize = tokens } : this;
    }

    /// <inheritdoc/>
    public virtual IEnumerable<(string Key, string Message)> Problems()
    {
        if (VocabSize is not { } rows) yield break;
        foreach (var (key, id) in EosTokenId.Select(id => ("eos_token_id", (int?)id)).Prepend(("bos_token_id", BosTokenId)))
            if (id >= rows)
                yield return (key, $"token {id} is not in a vocabulary of {rows} (vocab_size)");
    }

    /// <summary>The network itself.</summary>
    protected abstract ILanguageModel Make(Weights w, TaskHead? head);

    /// <summary>
    /// Brings another version's spelling of <c>config.json</c> into our keys, and refuses settings that would change the result
    /// (<see cref="ConfigFile.Only"/>).
    /// </summary>
    internal virtual void Adopt(JsonObject config)
    {
    }
}

/// <summary>A named shape.</summary>
/// <param name="Name">As the literature has it, lower case with dashes: <c>llama-2-7b</c>.</param>
/// <param name="Options">The shape.</param>
public sealed record ModelPreset(string Name, ModelOptions Options);

/// <summary>The named shapes of all families.</summary>
public static class ModelPresets
{
    /// <summary>By family, then in the family's order.</summary>
    public static IReadOnlyList<ModelPreset> All { get; } =
        [.. Components.Of(typeof(ModelOptions)).SelectMany(component => ((ModelOptions)Activator.CreateInstance(component.Type)!).Presets)];

    /// <summary>The shape of that name.</summary>
    /// <exception cref="UserException">There is none; the message names the nearest.</exception>
    public static ModelOptions Find(string name) => All.FirstOrDefault(preset => preset.Name == name)?.Options
        ?? throw new UserException($"'{name}' is not a known model shape{NearestName.Hint(name, All.Select(preset => preset.Name))}");
}
