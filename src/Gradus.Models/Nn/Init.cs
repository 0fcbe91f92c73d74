using Gradus.Foundation.Files;

namespace Gradus.Models.Nn;

/// <summary>How a weight starts when it is not read from a file. Element i is a function of (seed, name, i) alone: neither the order of construction nor the number of threads matters.</summary>
public abstract record Init
{
    /// <summary>All zero: biases.</summary>
    public static Init Zeros { get; } = new Constant(0);

    /// <summary>All one: gains of norms.</summary>
    public static Init Ones { get; } = new Constant(1);

    /// <summary>Gaussian with mean 0.</summary>
    public static Init Normal(double std) => new Gaussian(std);

    /// <summary>Uniform in ±bound.</summary>
    public static Init Uniform(double bound) => new Even(bound);

    /// <summary>Writes elements <paramref name="from"/> … of a tensor; <paramref name="from"/> is even.</summary>
    internal abstract void Fill(Span<float> values, long from, in Counter stream);

    private sealed record Constant(double Value) : Init
    {
        internal override void Fill(Span<float> values, long from, in Counter stream) => values.Fill((float)Value);
    }

    private sealed record Gaussian(double Std) : Init
    {
        // Box and Muller (1958): 64 bits give two draws. In double, so that the float32 result does not depend on a maths library's last bit.
        internal override void Fill(Span<float> values, long from, in Counter stream)
        {
            for (var i = 0; i < values.Length; i += 2)
            {
                var bits = stream.UInt64((ulong)(from + i) / 2);
                var radius = Std * Math.Sqrt(-2 * Math.Log(((bits >> 32) + 1) * (1.0 / 4294967296)));
                var (sin, cos) = Math.SinCos(2 * Math.PI / 4294967296 * (uint)bits);
                values[i] = (float)(radius * cos);
                if (i + 1 < values.Length) values[i + 1] = (float)(radius * sin);
            }
        }
    }

    private sealed record Even(double Bound) : Init
    {
        internal override void Fill(Span<float> values, long from, in Counter stream)
        {
            for (var i = 0; i < values.Length; i++) values[i] = (float)(Bound * (2 * stream.Unit((ulong)(from + i)) - 1));
        }
    }
}
