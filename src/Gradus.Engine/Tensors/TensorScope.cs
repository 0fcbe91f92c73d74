namespace Gradus.Engine.Tensors;

/// <summary>
/// Every tensor handle born on this thread while a scope is open dies with it, except those kept or returned.
/// What a handle points to lives on as long as libtorch needs it (the autograd graph holds its own references).
/// </summary>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic] private static TensorScope? t_current;

    private readonly TensorScope? _outer;
    private readonly List<Tensor> _born = [];
    private bool _closed;

    internal TensorScope()
    {
        _outer = t_current;
        t_current = this;
    }

    internal static TensorScope? Current => t_current;

    internal void Add(Tensor tensor) => _born.Add(tensor);

    /// <summary>Hands the tensor to the enclosing scope (or to the caller when there is none) and gives it back.</summary>
    public Tensor Return(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Owner == this)
        {
            tensor.Owner = _outer;
            _outer?.Add(tensor);
        }
        return tensor;
    }

    public void Dispose()
    {
        if (_closed) return;
        if (t_current != this) throw new InvalidOperationException("tensor scopes close in the opposite order of opening, on the thread that opened them");
        _closed = true;
        t_current = _outer;
        foreach (var tensor in _born)
            if (tensor.Owner == this)
                tensor.Dispose();
    }
}
