namespace Gradus.Tests.Foundation.Kernels;

/// <summary>Numbers for the kernel tests.</summary>
internal static class Numbers
{
    /// <summary>Normal draws, the same on every machine.</summary>
    public static float[] Normal(int seed, int count, double scale = 1)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)(scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    /// <summary>Distance in units in the last place of <paramref name="exact"/> rounded to float32.</summary>
    public static double Ulps(float actual, double exact)
    {
        var nearest = (float)exact;
        if (actual.Equals(nearest)) return 0;
        return Math.Abs(actual - exact) / (double)Math.Max(MathF.BitIncrement(MathF.Abs(nearest)) - MathF.Abs(nearest), float.Epsilon);
    }
}
