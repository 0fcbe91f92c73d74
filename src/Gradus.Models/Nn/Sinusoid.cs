using Gradus.Engine.Tensors;

namespace Gradus.Models.Nn;

/// <summary>The fixed positions of the first transformer (Vaswani et al., 2017, section 3.5).</summary>
public static class Sinusoid
{
    /// <summary>[count, width], float32: element (p, 2i) is sin(p / 10000^(2i / width)) and (p, 2i + 1) the cosine of the same.</summary>
    public static Tensor Table(int count, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (width % 2 != 0) throw new ArgumentException($"sines and cosines come in pairs: width {width} is odd", nameof(width));
        var values = new float[checked(count * width)];
        for (var p = 0; p < count; p++)
            for (var i = 0; i < width; i += 2)
            {
                var (sin, cos) = Math.SinCos(p * Math.Pow(10000, -(double)i / width));
                (values[p * width + i], values[p * width + i + 1]) = ((float)sin, (float)cos);
            }
        return Tensor.From(values, count, width);
    }
}
