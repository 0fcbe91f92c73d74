using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>One adapter of a model: what it added, and which parameters of the base it has a value of its own for.</summary>
public sealed class Adapter : IDisposable
{
    internal Adapter(string name, AdapterOptions options, AdapterBuilder built)
    {
        (Name, Options, Model) = (name, options, built.Model);
        (Linears, Prefix, Prompt, Replaced) = (built.Linears, built.KeyValues, built.Prompt, built.Replaced);
        Parameters = [.. built.Weights.Complete().Except(Replaced.Select(r => r.Resting))];
    }

    /// <summary>What it is called among the adapters of its model.</summary>
    public string Name { get; }

    public AdapterOptions Options { get; }

    /// <summary>Its own parameters, under PEFT's names.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The linears it acts on.</summary>
    public IReadOnlyDictionary<string, LinearAdapter> Linears { get; }

    internal ILanguageModel Model { get; }
    internal KeyValuePrefix? Prefix { get; }
    internal Parameter? Prompt { get; }
    internal IReadOnlyList<ReplacedParameter> Replaced { get; }

    /// <summary>Its values are in the model's own parameters now.</summary>
    internal bool IsInPlace { get; private set; }

    /// <summary>Numbers it is made of: all that training it moves.</summary>
    public long ParameterCount => Parameters.Sum(p => p.Value.Elements) + Replaced.Sum(r => r.Target.Value.Elements);

    /// <summary>What its file holds, under PEFT's names.</summary>
    internal IEnumerable<(string Name, Tensor Value)> Saved =>
        [.. Parameters.Select(p => (p.Name, p.Value)), .. Replaced.Select(r => (r.Resting.Name, (IsInPlace ? r.Target : r.Resting).Value))];

    /// <summary>Gradients for it and for nothing else of it: the parameters of the base it replaces included.</summary>
    internal void SetTrainable(bool trainable)
    {
        foreach (var parameter in Parameters) parameter.Trainable = trainable;
        foreach (var replaced in Replaced) replaced.Target.Trainable = trainable && IsInPlace;
    }

    /// <summary>Puts its values into the model's parameters, or takes them out.</summary>
    internal void Place(bool inPlace)
    {
        if (inPlace == IsInPlace) return;
        foreach (var replaced in Replaced) replaced.Swap();
        IsInPlace = inPlace;
    }

    public void Dispose()
    {
        foreach (var parameter in Parameters) parameter.Dispose();
        foreach (var replaced in Replaced) replaced.Resting.Dispose();
        foreach (var part in Linears.Values) part.Dispose();
    }
}

/// <summary>A parameter of the base that an adapter has its own value of.</summary>
/// <param name="Target">The base's parameter.</param>
/// <param name="Resting">Whichever of the two values is not in place.</param>
internal sealed record ReplacedParameter(Parameter Target, Parameter Resting)
{
    public void Swap() => Grad.Off(() =>
    {
        using var scope = Tensor.Scope();
        var placed = Target.Value.Detach().Clone();
        Target.Value.CopyFrom(Resting.Value);
        Resting.Value.CopyFrom(placed);
    });
}

/// <summary>What a method adds its parts to.</summary>
internal sealed class AdapterBuilder(ILanguageModel model, Weights weights, bool fresh)
{
    /// <summary>What PEFT puts before the name of a module of the base.</summary>
    public const string Prefix = "base_model.model.";

    private readonly Dictionary<string, LinearAdapter> _linears = new(StringComparer.Ordinal);
    private readonly List<ReplacedParameter> _replaced = [];

    public ILanguageModel Model => model;
    public bool IsFresh => fresh;
    public Weights Weights => weights;
    public IReadOnlyDictionary<string, LinearAdapter> Linears => _linears;
    public IReadOnlyList<ReplacedParameter> Replaced => _replaced;
    public KeyValuePrefix? KeyValues { get; set; }
    public Parameter? Prompt { get; set; }

    /// <summary>Where the parts of a module of the base are named.</summary>
    public Weights At(string path) => weights / (Prefix + path);

    public void Add(Linear linear, LinearAdapter part)
    {
        if (fresh) part.Begin(linear);
        _linears.Add(linear.Path, part);
    }

    /// <summary>Gives the adapter its own value of a parameter of the base.</summary>
    public void Replace(Parameter target)
    {
        if (_replaced.Any(r => r.Target == target)) return;
        var cut = target.Name.LastIndexOf('.');
        var resting = (cut < 0 ? weights / Prefix[..^1] : At(target.Name[..cut])).Parameter(target.Name[(cut + 1)..], Init.Zeros, target.Value.Shape);
        resting.Trainable = false;
        if (fresh) Grad.Off(() => resting.Value.CopyFrom(target.Value));
        _replaced.Add(new ReplacedParameter(target, resting));
    }

}
