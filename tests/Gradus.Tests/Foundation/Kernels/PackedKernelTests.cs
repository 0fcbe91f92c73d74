using System.Runtime.Intrinsics.X86;
using Gradus.Foundation.Kernels;

namespace Gradus.Tests.Foundation.Kernels;

[Row("I15", "O2")]
public unsafe class PackedKernelTests
{
    public static TheoryData<int> Widths => [.. new[] { 256, 512 }.Where(bits => bits == 512 ? Avx512F.IsSupported : Avx2.IsSupported).Append(0)];

    [Theory, MemberData(nameof(Widths))]
    public void Nf4_gives_the_bits_of_the_plain_loop_at_every_width(int bits)
    {
        const int count = 64 * 9 + 13;
        var values = Numbers.Normal(3, count);
        var (scales, codes) = (new float[10], new byte[10 * 32]);
        var (one, wide, split, half, halfWide) = (new float[count], new float[count], new float[count], new ushort[count], new ushort[count]);
        fixed (float* v = values, s = scales, a = one, b = wide, d = split)
        fixed (byte* c = codes)
        fixed (ushort* h = half, g = halfWide)
        {
            Nf4Kernel.Scales(v, count, s, 0, 10);
            Nf4Kernel.Encode(v, count, s, c, 0, 10);
            Nf4Kernel.Decode<AsFloat32>(c, s, (byte*)a, count, 0, 10, 0);
            Nf4Kernel.Decode<AsFloat32>(c, s, (byte*)b, count, 0, 10, bits);
            Nf4Kernel.Decode<AsFloat32>(c, s, (byte*)d, count, 0, 4, bits);
            Nf4Kernel.Decode<AsFloat32>(c, s, (byte*)d, count, 4, 10, bits);
            Nf4Kernel.Decode<AsBf16>(c, s, (byte*)h, count, 0, 10, 0);
            Nf4Kernel.Decode<AsBf16>(c, s, (byte*)g, count, 0, 10, bits);
        }
        Assert.Equal(one, wide);
        Assert.Equal(one, split);
        Assert.Equal(half, halfWide);
        // The nearest level, by looking at all sixteen.
        for (var i = 0; i < count; i++)
        {
            var (value, scale) = (values[i], scales[i / 64]);
            var nearest = Nf4Kernel.Levels.ToArray().Min(level => Math.Abs(value - (double)level * scale));
            Assert.Equal(nearest, Math.Abs(value - (double)one[i]), 1e-6 * scale);
        }
    }

    [Theory, MemberData(nameof(Widths))]
    public void Int8_gives_the_bits_of_the_plain_loop_at_every_width(int bits)
    {
        const int rows = 5, columns = 300 + 7;
        var values = Numbers.Normal(4, rows * columns);
        foreach (var byColumn in new[] { false, true })
        {
            var (scales, codes) = (new float[byColumn ? columns : rows], new sbyte[rows * columns]);
            var (one, wide, half, halfWide) = (new float[rows * columns], new float[rows * columns], new ushort[rows * columns], new ushort[rows * columns]);
            fixed (float* v = values, s = scales, a = one, b = wide)
            fixed (sbyte* c = codes)
            fixed (ushort* h = half, g = halfWide)
            {
                Int8Kernel.Scales(v, s, rows, columns, byColumn);
                Int8Kernel.Encode(v, s, c, columns, byColumn, 0, rows);
                Int8Kernel.Decode<AsFloat32>(c, s, (byte*)a, columns, byColumn, 0, rows, 0);
                Int8Kernel.Decode<AsFloat32>(c, s, (byte*)b, columns, byColumn, 0, 2, bits);
                Int8Kernel.Decode<AsFloat32>(c, s, (byte*)b, columns, byColumn, 2, rows, bits);
                Int8Kernel.Decode<AsBf16>(c, s, (byte*)h, columns, byColumn, 0, rows, 0);
                Int8Kernel.Decode<AsBf16>(c, s, (byte*)g, columns, byColumn, 0, rows, bits);
            }
            Assert.Equal(one, wide);
            Assert.Equal(half, halfWide);
            for (var i = 0; i < one.Length; i++) Assert.True(Math.Abs(values[i] - one[i]) <= scales[byColumn ? i % columns : i / columns] * 0.50001);
        }
    }
}
