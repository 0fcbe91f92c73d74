using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;

namespace Gradus.Models.Nn;

/// <summary>
/// A path plus a source: construction is loading. The constructor of a module takes one, appends its own name and asks for its
/// parameters; whether they start fresh, come from a file or are shapes only, the source decides.
/// <c>w / "self_attn" / "q_proj"</c> then <c>w.Parameter("weight", Init.Normal(0.02), rows, columns)</c>.
/// </summary>
public sealed class Weights
{
    private readonly WeightSource _source;
    private readonly List<Parameter> _parameters;
    private readonly List<Linear> _linears;
    private readonly WeightOptions? _held;

    /// <param name="source">Where the values come from.</param>
    /// <param name="held">How the linears of the blocks are held; null: as they are.</param>
    public Weights(WeightSource source, WeightOptions? held = null) : this(source ?? throw new ArgumentNullException(nameof(source)), "", [], [], held)
    {
    }

    private Weights(WeightSource source, string path, List<Parameter> parameters, List<Linear> linears, WeightOptions? held)
    {
        (_source, _parameters, _linears, _held) = (source, parameters, linears, held);
        Path = path;
    }

    /// <summary>Every linear built so far, in order of construction; a head that reads an embedding is none of its own.</summary>
    public IReadOnlyList<Linear> Linears => _linears;

    /// <summary>Dotted path of the module being built: <c>model.layers.0.self_attn</c>; empty at the root.</summary>
    public string Path { get; }

    /// <summary>Fresh weights as the model's family publishes them, the same for the same seed.</summary>
    public static Weights Fresh(ulong seed, DType type = DType.Float32, Device device = default, WeightOptions? held = null) => new(new FreshWeights(seed, type, device), held);

    /// <summary>Parameters that have shapes but no memory: for counting, planning and dry runs.</summary>
    public static Weights Shapes() => new(new ShapesOnly());

    /// <summary>The module <paramref name="name"/> below this one.</summary>
    public static Weights operator /(Weights w, string name) =>
        new((w ?? throw new ArgumentNullException(nameof(w)))._source, w.Path.Length == 0 ? name : $"{w.Path}.{name}", w._parameters, w._linears, w._held);

    /// <summary>The module at <paramref name="index"/> of a list.</summary>
    public static Weights operator /(Weights w, int index) => w / index.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A parameter of the module at <see cref="Path"/>.</summary>
    /// <param name="name">Its last name: <c>weight</c>, <c>bias</c>.</param>
    /// <param name="init">How it starts when the source makes fresh weights.</param>
    /// <param name="shape">Outermost dimension first.</param>
    public Parameter Parameter(string name, Init init, params long[] shape)
    {
        ArgumentNullException.ThrowIfNull(init);
        ArgumentNullException.ThrowIfNull(shape);
        var full = (this / name).Path;
        var parameter = Grad.Off(() =>
        {
            using var scope = Tensor.Scope();
            return new Parameter(full, _source.Make(full, shape, init));
        });
        _parameters.Add(parameter);
        return parameter;
    }

    /// <summary>
    /// The weight of the linear at <see cref="Path"/>: a parameter, or, where packed weights were asked for and the linear is one of a
    /// numbered block (not a head), the packed form of what the source has; the dense one is freed at once.
    /// </summary>
    internal IWeight Weight(Init init, bool transposed, params long[] shape)
    {
        if (_held is null || !Path.Split('.').Any(part => part.Length > 0 && part.All(char.IsAsciiDigit)))
            return transposed ? new TransposedWeight(Parameter("weight", init, shape)) : new DenseWeight(Parameter("weight", init, shape));
        var full = (this / "weight").Path;
        return Grad.Off(() =>
        {
            using var scope = Tensor.Scope();
            return _held.Hold(full, _source.Make(full, shape, init), transposed);
        });
    }

    internal Linear Register(Linear linear)
    {
        _linears.Add(linear);
        return linear;
    }

    /// <summary>Everything asked for so far has been built: the parameters in order, each once.</summary>
    /// <exception cref="UserException">The source lacks weights, has others than were asked for, or has them in other shapes.</exception>
    public IReadOnlyList<Parameter> Complete()
    {
        if (_parameters.CountBy(p => p.Name).FirstOrDefault(count => count.Value > 1) is { Key: { } twice })
            throw new InvalidOperationException($"two parameters are named {twice}");
        _source.Complete(_parameters);
        return _parameters;
    }

    /// <summary>After a construction that failed: frees what it had made.</summary>
    internal void Release()
    {
        foreach (var parameter in _parameters) parameter.Dispose();
        foreach (var linear in _linears) (linear.Weight as PackedWeight)?.Dispose();
        _parameters.Clear();
        _linears.Clear();
    }
}

/// <summary>Where weights come from.</summary>
public abstract class WeightSource
{
    /// <summary>The value of a parameter. Called once for each name, in order of construction, without recording gradients.</summary>
    protected internal abstract Tensor Make(string name, long[] shape, Init init);

    /// <summary>Says that nothing more will be asked for.</summary>
    protected internal virtual void Complete(IReadOnlyList<Parameter> asked)
    {
    }

    /// <summary>A tensor with this shape and no memory behind it: every element is one zero.</summary>
    protected static Tensor ShapeOnly(long[] shape) => Tensor.Zeros(DType.Float32, Device.Cpu, 1).Expand(shape);
}

internal sealed class ShapesOnly : WeightSource
{
    protected internal override Tensor Make(string name, long[] shape, Init init) => ShapeOnly(shape);
}

internal sealed class FreshWeights(ulong seed, DType type, Device device) : WeightSource
{
    private const int Chunk = 1 << 14; // even, as Init.Fill needs

    protected internal override unsafe Tensor Make(string name, long[] shape, Init init)
    {
        var tensor = Tensor.Empty(DType.Float32, Device.Cpu, shape);
        var (elements, stream) = (tensor.Elements, new Counter(seed, $"weights/{name}"));
        fixed (float* start = tensor.Span<float>())
        {
            var values = start;
            Threads.For((elements + Chunk - 1) / Chunk, grain: 1, (first, end) =>
            {
                for (var from = first * Chunk; from < Math.Min(end * Chunk, elements); from += Chunk)
                    init.Fill(new Span<float>(values + from, (int)Math.Min(Chunk, elements - from)), from, stream);
            });
        }
        return tensor.To(type).To(device);
    }
}
