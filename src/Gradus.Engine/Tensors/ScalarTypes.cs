namespace Gradus.Engine.Tensors;

/// <summary><see cref="DType"/> to and from libtorch's <c>c10::ScalarType</c> numbers.</summary>
internal static class ScalarTypes
{
    private static ReadOnlySpan<sbyte> Numbers => [11, 0, 1, 2, 3, 4, 5, 15, 6, 7];

    public static int Of(DType type) => Numbers[(int)type];

    public static DType From(int number)
    {
        var index = Numbers.IndexOf((sbyte)number);
        return index >= 0 ? (DType)index : throw new NotSupportedException($"scalar type {number} of libtorch has no DType");
    }
}
