using System.Collections.Frozen;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;

namespace Gradus.Engine.Files;

/// <summary>Where one tensor lies in a file: what the header says of it, checked.</summary>
/// <param name="Name">Name as stored. A name is never used as a path.</param>
/// <param name="StoredType">Element type as stored. Files know types the engine has none for, such as <c>U16</c> or <c>F8_E4M3</c>.</param>
/// <param name="Shape">Dimensions, outermost first; empty for a scalar; a dimension may be zero.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="ByteCount">Bytes of data, row-major and little-endian.</param>
public sealed record TensorEntry(string Name, string StoredType, long[] Shape, long Offset, long ByteCount)
{
    /// <summary>The file the tensor lies in, as it was named when opened.</summary>
    public required string File { get; init; }

    /// <summary>Elements: the product of <see cref="Shape"/>.</summary>
    public long Count => Array.IndexOf(Shape, 0L) >= 0 ? 0 : Shape.Aggregate(1L, (product, n) => checked(product * n)); // [2^62, 2, 0] is valid

    /// <summary>Element type as the engine has it.</summary>
    /// <exception cref="UserException">The engine has no such type.</exception>
    public DType DType => DType.TryParse(StoredType, out var type)
        ? type
        : throw new UserException($"{File}: tensor {Quote.Name(Name)}: elements of type {StoredType} cannot be computed with; convert the file to F32, BF16 or F16 first");
}

/// <summary>Element types a safetensors header may name, with their widths; more than <see cref="DType"/> has.</summary>
internal static class StoredTypes
{
    private static readonly FrozenDictionary<string, int> BitsByName = new Dictionary<string, int>
    {
        ["BOOL"] = 8, ["U8"] = 8, ["I8"] = 8, ["I16"] = 16, ["U16"] = 16, ["F16"] = 16, ["BF16"] = 16,
        ["I32"] = 32, ["U32"] = 32, ["F32"] = 32, ["I64"] = 64, ["U64"] = 64, ["F64"] = 64, ["C64"] = 64,
        ["F4"] = 4, ["F6_E2M3"] = 6, ["F6_E3M2"] = 6, ["F8_E5M2"] = 8, ["F8_E4M3"] = 8, ["F8_E8M0"] = 8,
        ["F8_E4M3FNUZ"] = 8, ["F8_E5M2FNUZ"] = 8,
    }.ToFrozenDictionary();

    public static bool TryGetBits(string name, out int bits) => BitsByName.TryGetValue(name, out bits);
}
