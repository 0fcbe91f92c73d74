using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>Trained keys and values that stand before a row in every layer (Li and Liang, 2021), as if they were in a cache.</summary>
/// <param name="table">[P, layers · 2 · K · W]: of each position, layer by layer keys then values.</param>
/// <param name="layers">Layers.</param>
/// <param name="heads">Key/value heads, K.</param>
/// <param name="width">Width of a head, W.</param>
public sealed class KeyValuePrefix(Parameter table, int layers, int heads, int width)
{
    /// <summary>Positions, P.</summary>
    public long Length => table.Value.Size(0);

    /// <summary>Keys and values of a layer for so many rows, [rows, P, K, W].</summary>
    public (Tensor Keys, Tensor Values) Of(int layer, long rows, DType type)
    {
        var all = table.Value.View(Length, layers, 2, heads, width).Select(1, layer).To(type);
        return (Part(0), Part(1));

        Tensor Part(int which) => all.Select(1, which).Unsqueeze(0).Expand(rows, Length, heads, width);
    }
}
