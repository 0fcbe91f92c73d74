using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Training.Optim;

/// <summary>
/// The parameters, a few state tensors for each ("slots", for example the two moments of Adam), and the update. Its whole state is
/// <see cref="Steps"/> and <see cref="State"/>; both go into every checkpoint.
/// </summary>
public abstract class Optimizer : IDisposable
{
    private readonly (Parameter Parameter, Tensor[] Slots)[] _entries;
    private readonly string[] _slotNames;

    /// <param name="parameters">Only the trainable ones are taken.</param>
    /// <param name="slots">Names of the state tensors a parameter has, each of its shape and type and zero at first.</param>
    protected Optimizer(IReadOnlyList<Parameter> parameters, params string[] slots)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(slots);
        _slotNames = slots;
        _entries = Grad.Off(() => parameters.Where(p => p.Trainable)
            .Select(p => (p, slots.Select(_ => p.Value.ZerosLike().Keep()).ToArray())).ToArray());
    }

    /// <summary>Updates made so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Every state tensor, <c>PARAMETER:SLOT</c>, in a fixed order; the live tensors, not copies.</summary>
    public IEnumerable<(string Name, Tensor Value)> State =>
        _entries.SelectMany(e => e.Slots.Select((slot, i) => ($"{e.Parameter.Name}:{_slotNames[i]}", slot)));

    /// <summary>Bytes of state, for memory estimates.</summary>
    public long StateBytes => _entries.Sum(e => e.Slots.Sum(slot => slot.Elements * slot.DType.ByteSize));

    /// <summary>
    /// One update with the gradients that are there; a parameter without one is left alone, as in torch.optim.
    /// </summary>
    /// <param name="rate">The learning rate of this step.</param>
    /// <param name="gradientScale">Every gradient counts as this many times itself: clipping and loss scaling in the same pass.</param>
    public void Apply(double rate, double gradientScale = 1)
    {
        using var off = Grad.Off();
        Steps++;
        using var scope = Tensor.Scope();
        var entries = new List<(Parameter, Tensor, Tensor[])>(_entries.Length);
        foreach (var (parameter, slots) in _entries)
            if (parameter.Value.Gradient is { } gradient)
                entries.Add((parameter, gradient, slots));
        UpdateAll(entries, rate, gradientScale);
    }

    /// <summary>Takes over a state read from a checkpoint.</summary>
    /// <param name="steps">Updates made when it was saved.</param>
    /// <param name="read">Fills a state tensor, by its name.</param>
    public void Restore(long steps, Action<string, Tensor> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        foreach (var (name, value) in State) read(name, value);
        Steps = steps;
    }

    public void Dispose()
    {
        foreach (var (_, slots) in _entries)
            foreach (var slot in slots) slot.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The update of every parameter that has a gradient: one after the other, unless an optimiser does better with several at once.</summary>
    protected virtual void UpdateAll(IReadOnlyList<(Parameter Parameter, Tensor Gradient, Tensor[] Slots)> entries, double rate, double gradientScale)
    {
        ArgumentNullException.ThrowIfNull(entries);
        foreach (var (parameter, gradient, slots) in entries)
        {
            using var scope = Tensor.Scope();
            Update(parameter, gradient, slots, rate * parameter.RateScale, gradientScale);
        }
    }

    /// <summary>One parameter's update. <see cref="Steps"/> already counts it.</summary>
    protected abstract void Update(Parameter parameter, Tensor gradient, ReadOnlySpan<Tensor> slots, double rate, double gradientScale);

    /// <summary>The gradient, scaled, plus <paramref name="decay"/> times the weight (L2 regularisation); may write into the gradient.</summary>
    protected static Tensor Direction(Parameter parameter, Tensor gradient, double gradientScale, double decay)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(gradient);
        if (gradientScale != 1) gradient.MulInPlace(gradientScale);
        if (decay != 0) gradient.AddInPlace(parameter.Value, decay);
        return gradient;
    }
}
