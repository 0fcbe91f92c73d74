using System.Text.Json.Nodes;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>The <c>adapter</c> section of a recipe: what is tuned instead of the whole model.</summary>
[Socket("adapters")]
public abstract record AdapterOptions : IValidated
{
    /// <summary>How the frozen weights of the blocks are held: <c>{ kind: nf4 }</c> is QLoRA. Unset: as they are.</summary>
    public WeightOptions? Base { get; init; }

    /// <summary>Modules of the base that are trained whole and saved with the adapter: <c>lm_head</c>, or a pattern as in <c>targets</c>.</summary>
    public IReadOnlyList<string> ModulesToSave { get; init; } = [];

    /// <summary>The method's name in <c>adapter_config.json</c>.</summary>
    public abstract string PeftType { get; }

    /// <summary>An adapter that has not been trained changes nothing.</summary>
    public virtual bool StartsAsIdentity => true;

    /// <summary>The adapter can be written into the weights of the base.</summary>
    public virtual bool CanMerge => true;

    /// <summary>Adds the method's parts to a model.</summary>
    internal abstract void Attach(AdapterBuilder to);

    /// <summary>The method's own keys of <c>adapter_config.json</c>.</summary>
    internal virtual void WriteConfig(JsonObject config, Adapter adapter)
    {
    }

    /// <summary>These options with what <c>adapter_config.json</c> says; <paramref name="shapes"/> are the tensors beside it.</summary>
    internal virtual AdapterOptions ReadConfig(PeftConfig config, IReadOnlyDictionary<string, long[]> shapes) => this;

    /// <inheritdoc/>
    public virtual IEnumerable<(string Key, string Message)> Problems() => [];
}

/// <summary>A method that adds something to chosen linears.</summary>
public abstract record LinearAdapterOptions : AdapterOptions
{
    /// <summary>
    /// Which linears: <c>all-linear</c> (every one but the head), the end of a path (<c>q_proj</c>, <c>mlp.c_proj</c>) or a pattern over whole
    /// paths (<c>*.layers.1?.self_attn.*</c>). Empty: the method's usual choice.
    /// </summary>
    public IReadOnlyList<string> Targets { get; init; } = [];

    /// <summary>The method's usual choice; names of other families than the model's are passed over.</summary>
    internal virtual IReadOnlyList<string> UsualTargets => [TargetModules.AllLinear];

    /// <summary>The part for one linear.</summary>
    public abstract LinearAdapter Attach(Weights w, Linear linear);

    internal override void Attach(AdapterBuilder to)
    {
        var targets = Targets.Count > 0 ? TargetModules.Find(to.Model, Targets, "targets") : TargetModules.Usual(to.Model, UsualTargets);
        // Patterns that mean every linear do not mean those that train whole.
        if (ModulesToSave.Count > 0)
            targets = [.. targets.Where(l => !ModulesToSave.Any(p => TargetModules.Matches(p, l.Path)) || Targets.Any(t => t != TargetModules.AllLinear && TargetModules.Matches(t, l.Path)))];
        // In a file a pattern may be of modules that this adapter does not have; in a recipe it is a slip.
        if (to.IsFresh)
            foreach (var (key, pattern) in Patterns) TargetModules.Expect(targets, pattern, key);
        foreach (var linear in targets) to.Add(linear, Attach(to.At(linear.Path), linear));
    }

    /// <summary>Settings of some of the targets: where they stand, and the pattern of whom they mean.</summary>
    internal virtual IEnumerable<(string Key, string Pattern)> Patterns => [];

    internal override void WriteConfig(JsonObject config, Adapter adapter) => config["target_modules"] = PeftConfig.List(TargetModules.Shortest(adapter.Model, adapter.Linears.Keys));

    internal override AdapterOptions ReadConfig(PeftConfig config, IReadOnlyDictionary<string, long[]> shapes) => this with { Targets = TargetsIn(shapes.Keys) };

    /// <summary>The linears that tensors of a file belong to: what is trained says it better than any pattern.</summary>
    internal IReadOnlyList<string> TargetsIn(IEnumerable<string> names) =>
        [.. names.Select(ModuleOf).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>The linear that a tensor of a file belongs to, or null.</summary>
    internal abstract string? ModuleOf(string tensor);

    /// <summary>For <see cref="ModuleOf"/>: the path between PEFT's prefix and one of these endings.</summary>
    internal static string? Between(string tensor, params ReadOnlySpan<string> endings)
    {
        if (!tensor.StartsWith(AdapterBuilder.Prefix, StringComparison.Ordinal)) return null;
        foreach (var ending in endings)
            if (tensor.EndsWith(ending, StringComparison.Ordinal))
                return tensor[AdapterBuilder.Prefix.Length..^ending.Length];
        return null;
    }
}
