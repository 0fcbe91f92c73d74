using System.Globalization;
using System.Text.Json;
using Gradus.Foundation.Kernels;

namespace Gradus.Tests.Foundation.Kernels;

public unsafe class FunctionsTests
{
    private static float[] Map<T>(float[] x, Func<T, T> function) where T : unmanaged, ILanes<T>
    {
        var y = new float[x.Length / T.Count * T.Count];
        fixed (float* from = x, to = y)
            for (var i = 0; i < y.Length; i += T.Count) T.Store(to + i, function(T.Load(from + i)));
        return y;
    }

    private static float[] Grid()
    {
        var grid = new List<float> { 0, -0f, float.NegativeInfinity, float.PositiveInfinity, float.NaN, 88.7f, 88.73f, -87.3f, -103.9f, -104.1f, 1e-30f, -1e-30f };
        for (var x = -104f; x < 88.7f; x += 0.0137f) grid.Add(x);
        while (grid.Count % 16 != 0) grid.Add(1);
        return [.. grid];
    }

    [Fact]
    public void The_exponential_is_within_two_units_in_the_last_place()
    {
        var x = Grid();
        var y = Map<Lane>(x, Functions.Exp);
        for (var i = 0; i < x.Length; i++)
        {
            if (float.IsNaN(x[i])) Assert.True(float.IsNaN(y[i]));
            else Assert.True(Numbers.Ulps(y[i], Math.Exp(x[i])) <= 2, $"exp({x[i]:R}) = {y[i]:R}, exactly {Math.Exp(x[i]):R}");
        }
    }

    [Fact]
    public void The_exponential_has_the_same_bits_at_every_width()
    {
        var x = Grid();
        var one = Map<Lane>(x, Functions.Exp);
        Assert.Equal(one, Map<Lanes4>(x, Functions.Exp));
        Assert.Equal(one, Map<Lanes8>(x, Functions.Exp));
        Assert.Equal(one, Map<Lanes16>(x, Functions.Exp));
    }

    [Fact]
    public void Bfloat16_rounds_as_the_table_says_at_every_width()
    {
        using var table = JsonDocument.Parse(File.ReadAllText(Repo.Fixture("bf16/table.json")));
        var rows = table.RootElement.EnumerateArray().ToList();
        var bits = rows.Select(row => uint.Parse(row.GetProperty("float32").GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
        var expected = rows.Select(row => row.GetProperty("bfloat16").GetString()!).ToArray();
        foreach (var rounded in new[] { Round<Lane>(bits), Round<Lanes4>(bits), Round<Lanes8>(bits), Round<Lanes16>(bits), Rounded(bits) })
            for (var i = 0; i < bits.Length; i++)
            {
                if (expected[i] == "nan") Assert.True((rounded[i] & 0x7F80) == 0x7F80 && (rounded[i] & 0x7F) != 0, rows[i].ToString());
                else Assert.Equal(expected[i], rounded[i].ToString("x4", CultureInfo.InvariantCulture));
            }
    }

    [Fact]
    public void Widening_is_exact_and_undoes_itself()
    {
        var all = Enumerable.Range(0, 65536).Select(i => (ushort)i).Where(i => (i & 0x7F80) != 0x7F80 || (i & 0x7F) == 0).ToArray();
        var (wide, back) = (new float[all.Length], new ushort[all.Length]);
        Bf16.Widen(all, wide);
        Bf16.Narrow(wide, back);
        Assert.Equal(all, back);
        Assert.Equal(1.5f, wide[Array.IndexOf(all, (ushort)0x3FC0)]);
    }

    private static ushort[] Rounded(uint[] bits)
    {
        var rounded = new ushort[bits.Length];
        Bf16.Narrow(System.Runtime.InteropServices.MemoryMarshal.Cast<uint, float>(bits), rounded);
        return rounded;
    }

    private static ushort[] Round<T>(uint[] bits) where T : unmanaged, ILanes<T>
    {
        var rounded = new ushort[bits.Length];
        fixed (uint* from = bits)
        fixed (ushort* to = rounded)
        {
            var done = Bf16.Run<T, AsFloat32, AsBf16>((byte*)from, (byte*)to, 0, bits.Length);
            Bf16.Run<Lane, AsFloat32, AsBf16>((byte*)from, (byte*)to, done, bits.Length);
        }
        return rounded;
    }
}
