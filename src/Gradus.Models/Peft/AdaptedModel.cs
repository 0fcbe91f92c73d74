using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>A base model and its adapters. Those in use act in the order they were named; the base itself is frozen.</summary>
public sealed class AdaptedModel : ILanguageModel
{
    private readonly ILanguageModel _base;
    private readonly List<Adapter> _loaded = [];
    private readonly List<(Linear Linear, IWeight Weight, Parameter? Bias)> _unmerged = [];
    private readonly List<Parameter> _merged = [];
    private IReadOnlyList<Adapter> _used = [];

    /// <param name="model">The base; this owns it from here on.</param>
    public AdaptedModel(ILanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _base = model;
        foreach (var parameter in model.Parameters) parameter.Trainable = false;
    }

    /// <summary>The base and every loaded adapter; once merged, the base's names with the merged values.</summary>
    public IReadOnlyList<Parameter> Parameters => IsMerged
        ? [.. _base.Parameters.Where(p => _merged.All(m => m.Name != p.Name)), .. _merged]
        : [.. _base.Parameters, .. _loaded.SelectMany(adapter => adapter.Parameters)];

    public IReadOnlyList<Linear> Linears => _base.Linears;
    public int VocabSize => _base.VocabSize;
    public Linear Head => _base.Head;
    public bool IsCausal => _base.IsCausal;
    public TaskHead? Task => _base.Task;

    /// <summary>What the base reaches, less what a prefix or a prompt in use takes.</summary>
    public int MaxPositions => (int)(_base.MaxPositions - (Prefix?.Length ?? 0) - (Prompt?.Value.Size(0) ?? 0));

    /// <summary>Every loaded adapter.</summary>
    public IReadOnlyList<Adapter> Adapters => _loaded;

    /// <summary>Those that act, in order.</summary>
    public IReadOnlyList<Adapter> Used => _used;

    /// <summary>The adapters in use are in the weights.</summary>
    public bool IsMerged { get; private set; }

    private KeyValuePrefix? Prefix => _used.Select(a => a.Prefix).OfType<KeyValuePrefix>().FirstOrDefault();
    private Parameter? Prompt => _used.Select(a => a.Prompt).OfType<Parameter>().FirstOrDefault();

    /// <summary>A fresh adapter, in use alone and the only thing that trains.</summary>
    /// <exception cref="UserException">The options do not fit the model.</exception>
    public Adapter Train(AdapterOptions options, ulong seed, string name = "default")
    {
        ArgumentNullException.ThrowIfNull(options);
        var reference = _base.Parameters[0].Value;
        var adapter = Build(name, options, Weights.Fresh(seed, reference.DType, reference.Device), fresh: true);
        Use(name);
        adapter.SetTrainable(true);
        return adapter;
    }

    /// <summary>Adds an adapter whose values come from a source of weights; it is not in use yet.</summary>
    internal Adapter Load(string name, AdapterOptions options, WeightSource source)
    {
        var adapter = Build(name, options, new Weights(source), fresh: false);
        adapter.SetTrainable(false);
        return adapter;
    }

    /// <summary>The adapters that act from here on, and no others; none at all is the base as it was.</summary>
    /// <exception cref="UserException">No adapter has that name, or two of them cannot act together.</exception>
    public void Use(params IReadOnlyList<string> names) => Use([.. names.Select(name => (name, 1.0))]);

    /// <summary>As <see cref="Use(IReadOnlyList{string})"/>, each at a strength: 1 is as trained.</summary>
    public void Use(IReadOnlyList<(string Name, double Strength)> wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        if (IsMerged) throw new UserException("the adapters are merged; unmerge before switching");
        var chosen = wanted.Select(w => (Adapter: _loaded.FirstOrDefault(a => a.Name == w.Name)
            ?? throw new UserException($"no adapter is called '{w.Name}'{NearestName.Hint(w.Name, _loaded.Select(a => a.Name))}"), w.Strength)).ToArray();
        if (chosen.GroupBy(c => c.Adapter.Name).FirstOrDefault(g => g.Count() > 1) is { Key: var twice }) throw new UserException($"adapter '{twice}' is named twice");
        if (chosen.Count(c => c.Adapter.Prefix is not null || c.Adapter.Prompt is not null) > 1) throw new UserException("two of the adapters come before the text (a prefix or a prompt); only one can");
        if (chosen.SelectMany(c => c.Adapter.Replaced).GroupBy(r => r.Target).FirstOrDefault(g => g.Count() > 1) is { Key: var shared }) throw new UserException($"two of the adapters have their own {shared.Name}; use one of them");
        foreach (var (adapter, strength) in chosen)
            if (strength != 1 && adapter.Options is not LoraOptions { Dora: false })
                throw new UserException($"adapter '{adapter.Name}' ({adapter.Options.PeftType}) has no strength but 1");
        foreach (var linear in Linears)
            if (chosen.Select(c => c.Adapter.Linears.GetValueOrDefault(linear.Path)).OfType<LinearAdapter>().ToArray() is { Length: > 1 } parts && parts.Any(part => !part.Stacks))
                throw new UserException($"{linear.Path}: one of the adapters rescales the whole weight (dora, or ia3 on its inputs) and cannot be stacked with another");

        foreach (var adapter in _used) adapter.Place(false);
        foreach (var (adapter, strength) in chosen)
        {
            adapter.Place(true);
            foreach (var part in adapter.Linears.Values) part.Strength = strength;
        }
        _used = [.. chosen.Select(c => c.Adapter)];
        Attach();
    }

    public Tensor Hidden(Tensor ids, in Step step)
    {
        ArgumentNullException.ThrowIfNull(ids);
        foreach (var adapter in _used)
            foreach (var part in adapter.Linears.Values) part.Training = step.Training;
        var pass = step;
        if (Prefix is { } prefix) pass = pass with { Prefix = prefix, Positions = step.Positions is { } positions ? Shifted(positions, prefix.Length) : null };
        // Behind a cache the prompt is already in it.
        if (Prompt is { } prompt && (step.Cache?.Length ?? 0) == 0) pass = Behind(prompt.Value, ids.Size(0), pass);
        return _base.Hidden(ids, pass);
    }

    public Tensor BeforeHead(Tensor states, in Step step) => _base.BeforeHead(states, step);

    public KvCache NewCache(int batch, int capacity) => _base.NewCache(batch, capacity + (int)(Prompt?.Value.Size(0) ?? 0));

    /// <summary>Writes the adapters in use into the weights: as fast as the base from here on. Packed weights become dense.</summary>
    /// <exception cref="UserException">A method in use cannot be merged.</exception>
    public void Merge()
    {
        if (IsMerged) return;
        if (_used.FirstOrDefault(a => !a.Options.CanMerge) is { } cannot)
            throw new UserException($"adapter '{cannot.Name}' ({cannot.Options.PeftType}) cannot be merged: it is not a change of the weights; keep it beside the model");
        Grad.Off(() =>
        {
            foreach (var linear in Linears)
            {
                var parts = _used.Select(a => a.Linears.GetValueOrDefault(linear.Path)).OfType<LinearAdapter>().ToArray();
                // Every packed weight becomes dense, so that what is saved afterwards is whole.
                if (parts.Length == 0 && linear.Weight is not PackedWeight) continue;
                Merge(linear, parts);
            }
        });
        IsMerged = true;
        Attach();
    }

    /// <summary>Takes merged adapters out again: the base's weights are those from before, to the bit.</summary>
    public void Unmerge()
    {
        if (!IsMerged) return;
        foreach (var (linear, weight, bias) in _unmerged) (linear.Weight, linear.Bias) = (weight, bias);
        _unmerged.Clear();
        foreach (var parameter in _merged) parameter.Dispose();
        _merged.Clear();
        IsMerged = false;
        Attach();
    }

    public void Dispose()
    {
        Unmerge();
        foreach (var adapter in _loaded) adapter.Dispose();
        _base.Dispose();
    }

    private Adapter Build(string name, AdapterOptions options, Weights weights, bool fresh)
    {
        if (IsMerged) throw new UserException("the adapters are merged; unmerge before adding one");
        if (_loaded.Any(a => a.Name == name)) throw new UserException($"an adapter '{name}' is already loaded");
        try
        {
            var builder = new AdapterBuilder(_base, weights, fresh);
            options.Attach(builder);
            foreach (var parameter in options.ModulesToSave.Count == 0 ? [] : TargetModules.Modules(_base, options.ModulesToSave, "modules_to_save"))
            {
                if (builder.Linears.Keys.FirstOrDefault(path => parameter.Name.StartsWith(path + ".", StringComparison.Ordinal)) is { } target)
                    throw new UserException($"adapter.modules_to_save: {target} is one of the targets as well; it is trained whole or by a part, not both");
                builder.Replace(parameter);
            }
            var adapter = new Adapter(name, options, builder);
            _loaded.Add(adapter);
            return adapter;
        }
        catch
        {
            weights.Release();
            throw;
        }
    }

    private void Attach()
    {
        foreach (var linear in Linears)
            linear.Adapter = IsMerged ? null : _used.Select(a => a.Linears.GetValueOrDefault(linear.Path)).OfType<LinearAdapter>().ToArray() switch
            {
                [] => null,
                [var only] => only,
                var several => new AdapterStack(several),
            };
    }

    private void Merge(Linear linear, LinearAdapter[] parts)
    {
        using var scope = Tensor.Scope();
        var stored = linear.Weight switch
        {
            DenseWeight dense => (dense.Parameter.Name, Transposed: false),
            TransposedWeight transposed => (transposed.Parameter.Name, Transposed: true),
            PackedWeight packed => (packed.Name, Transposed: packed.IsTransposed),
            var other => throw new UserException($"{linear.Path}: a weight held as {other.GetType().Name} cannot be merged"),
        };
        var type = linear.Weight.ComputeType == DType.Float64 ? DType.Float64 : DType.Float32;
        var (weight, bias) = (linear.Weight.Dense(type), linear.Bias?.Value.Detach());
        foreach (var part in parts)
            (weight, bias) = part.Merge(weight, bias) ?? throw new UserException($"{linear.Path}: this adapter cannot be merged");
        var whole = new Parameter(stored.Name, (stored.Transposed ? weight.T() : weight).Contiguous()) { Trainable = false, ComputeType = linear.Weight.ComputeType };
        _unmerged.Add((linear, linear.Weight, linear.Bias));
        _merged.Add(whole);
        linear.Weight = stored.Transposed ? new TransposedWeight(whole) : new DenseWeight(whole);
        if (linear.Bias is not { } old || bias is null || bias.SharesStorage(old.Value)) return;
        linear.Bias = new Parameter(old.Name, bias.Clone()) { Trainable = false };
        _merged.Add(linear.Bias);
    }

    // A tensor, as adding a number would make the positions floating-point.
    private static Tensor Shifted(Tensor positions, long by) => positions + Tensor.Full([1], by, DType.Int64, positions.Device);

    private static Step Behind(Tensor prompt, long rows, in Step step)
    {
        var length = prompt.Size(0);
        var pass = step with { Prompt = prompt };
        if (step.Positions is { } positions) pass = pass with { Positions = Tensor.Cat([Tensor.Arange(length, positions.Device).Unsqueeze(0).Expand(rows, length), Shifted(positions, length)], 1) };
        if (step.Documents is { } documents) pass = pass with { Documents = Tensor.Cat([Tensor.Full([rows, length], F.Everyone, DType.Int64, documents.Device), documents], 1) };
        return pass;
    }
}
