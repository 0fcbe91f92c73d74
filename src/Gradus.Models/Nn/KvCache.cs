using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>Keys and values of every layer for the tokens seen so far: per layer two buffers [B, capacity, K, W].</summary>
public sealed class KvCache : IDisposable
{
    private readonly (Tensor Keys, Tensor Values)[] _layers;
    private readonly long[] _lengths;

    public KvCache(int layers, int batch, int capacity, int heads, int width, DType type = DType.Float32, Device device = default)
    {
        Capacity = capacity;
        Heads = heads;
        Width = width;
        _lengths = new long[layers];
        _layers = new (Tensor, Tensor)[layers];
        for (var i = 0; i < layers; i++)
            _layers[i] = (Tensor.Zeros(type, device, batch, capacity, heads, width).Keep(), Tensor.Zeros(type, device, batch, capacity, heads, width).Keep());
    }

    /// <summary>Layers it has room for.</summary>
    public int Layers => _layers.Length;

    /// <summary>Most tokens a row can hold.</summary>
    public int Capacity { get; }

    /// <summary>Key/value heads.</summary>
    public int Heads { get; }

    /// <summary>Width of a head.</summary>
    public int Width { get; }

    /// <summary>Tokens held in each row.</summary>
    public long Length => _lengths[0];

    /// <summary>Appends k and v [B, T, K, W] of one layer and returns all keys and values so far, [B, length + T, K, W].</summary>
    /// <exception cref="InvalidOperationException">The cache is full.</exception>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor k, Tensor v)
    {
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        var (from, added) = (_lengths[layer], k.Size(1));
        if (from + added > Capacity) throw new InvalidOperationException($"the cache holds {Capacity} tokens; {from} are in it and {added} more do not fit");
        var (keys, values) = _layers[layer];
        // Without their history: a cache that remembered how its keys came about would keep every step's graph alive.
        keys.Narrow(1, from, added).CopyFrom(k.Detach());
        values.Narrow(1, from, added).CopyFrom(v.Detach());
        _lengths[layer] = from + added;
        return (keys.Narrow(1, 0, from + added), values.Narrow(1, 0, from + added));
    }

    /// <summary>Forgets all but the first <paramref name="length"/> tokens.</summary>
    public void Truncate(long length)
    {
        for (var i = 0; i < _lengths.Length; i++) _lengths[i] = Math.Min(_lengths[i], length);
    }

    public void Dispose()
    {
        foreach (var (keys, values) in _layers)
        {
            keys.Dispose();
            values.Dispose();
        }
    }
}
