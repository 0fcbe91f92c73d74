using Gradus.Engine.Native;
using Gradus.Engine.Tensors;

namespace Gradus.Engine.Ops;

/// <summary>One argument of an operator call. Made by conversion: <c>op.Call(tensor, 2, 0.5, true, new long[] { 1, 2 })</c>.</summary>
public readonly struct Arg
{
    internal readonly Tag Tag;
    internal readonly long Bits;
    internal readonly object? Object;

    private Arg(Tag tag, long bits, object? value = null)
    {
        Tag = tag;
        Bits = bits;
        Object = value;
    }

    /// <summary>No value: the operator's own meaning of None.</summary>
    public static Arg None => default;

    public static implicit operator Arg(Tensor? value) => value is null ? default : new(Tag.Tensor, 0, value);
    public static implicit operator Arg(long value) => new(Tag.Int, value);
    public static implicit operator Arg(int value) => new(Tag.Int, value);
    public static implicit operator Arg(double value) => new(Tag.Double, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Arg(bool value) => new(Tag.Bool, value ? 1 : 0);
    public static implicit operator Arg(string value) => new(Tag.String, 0, value);
    public static implicit operator Arg(DType value) => new(Tag.Int, ScalarTypes.Of(value));
    public static implicit operator Arg(DType? value) => value is { } type ? (Arg)type : default;
    public static implicit operator Arg(Device value) => new(Tag.Device, value.Packed);
    public static implicit operator Arg(Generator? value) => value is null ? default : new(Tag.Generator, 0, value);
    public static implicit operator Arg(long[] value) => new(Tag.Ints, 0, value);
    public static implicit operator Arg(double[] value) => new(Tag.Doubles, 0, value);
    public static implicit operator Arg(bool[] value) => new(Tag.Bools, 0, value);
    public static implicit operator Arg(Tensor?[] value) => new(Tag.Tensors, 0, value);

    internal string Describe() => Tag switch
    {
        Tag.Tensor => ((Tensor)Object!) is { IsDisposed: false } t ? t.ShapeText() : "disposed",
        Tag.Tensors => $"[{string.Join(", ", ((Tensor?[])Object!).Select(t => t is { IsDisposed: false } ? t.ShapeText() : "none"))}]",
        _ => "",
    };
}
