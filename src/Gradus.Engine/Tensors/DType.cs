namespace Gradus.Engine.Tensors;

/// <summary>The type of a tensor's elements. What the engine computes with; file formats may know more.</summary>
public enum DType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,
    /// <summary>Unsigned byte.</summary>
    UInt8,
    /// <summary>Signed byte.</summary>
    Int8,
    /// <summary>Two-byte signed integer.</summary>
    Int16,
    /// <summary>Four-byte signed integer.</summary>
    Int32,
    /// <summary>Eight-byte signed integer; the type of token ids and indices in libtorch.</summary>
    Int64,
    /// <summary>IEEE half: 5 exponent bits, 10 fraction bits.</summary>
    Float16,
    /// <summary>The upper half of a <see cref="Float32"/>: 8 exponent bits, 7 fraction bits.</summary>
    BFloat16,
    /// <summary>IEEE single.</summary>
    Float32,
    /// <summary>IEEE double.</summary>
    Float64,
}

/// <summary>What is known of each <see cref="DType"/>: its size and its names.</summary>
public static class DTypes
{
    // One row a type, in the order of the enum: bytes, name in safetensors, name in recipes.
    private static readonly (int Bytes, string Safetensors, string Name)[] Table =
    [
        (1, "BOOL", "bool"), (1, "U8", "uint8"), (1, "I8", "int8"), (2, "I16", "int16"), (4, "I32", "int32"),
        (8, "I64", "int64"), (2, "F16", "float16"), (2, "BF16", "bfloat16"), (4, "F32", "float32"), (8, "F64", "float64"),
    ];

    private static readonly (string Alias, DType Type)[] Aliases =
    [
        ("half", DType.Float16), ("fp16", DType.Float16), ("fp32", DType.Float32), ("float", DType.Float32),
        ("fp64", DType.Float64), ("double", DType.Float64), ("byte", DType.UInt8), ("short", DType.Int16),
        ("int", DType.Int32), ("long", DType.Int64),
    ];

    extension(DType type)
    {
        /// <summary>Bytes of one element.</summary>
        public int ByteSize => Table[(int)type].Bytes;

        /// <summary>The name in a safetensors header: <c>F32</c>, <c>BF16</c>, <c>I64</c> …</summary>
        public string SafetensorsName => Table[(int)type].Safetensors;

        /// <summary>The name in recipes, <c>config.json</c> and messages: <c>float32</c>, <c>bfloat16</c>, <c>int64</c> …</summary>
        public string Name => Table[(int)type].Name;

        /// <summary>True for the four floating-point types.</summary>
        public bool IsFloating => type is DType.Float16 or DType.BFloat16 or DType.Float32 or DType.Float64;

        /// <summary>Reads a type from any of its names: safetensors (<c>BF16</c>), PyTorch (<c>torch.bfloat16</c>), short (<c>bf16</c>), whatever the case.</summary>
        /// <exception cref="FormatException">No type has that name.</exception>
        public static DType Parse(string name) => TryParse(name, out var found)
            ? found
            : throw new FormatException($"'{name}' is not an element type; the types are {string.Join(", ", Table.Select(row => row.Name))}.");

        /// <summary>As <c>Parse</c>, without the exception.</summary>
        public static bool TryParse(string name, out DType parsed)
        {
            ArgumentNullException.ThrowIfNull(name);
            var bare = name.StartsWith("torch.", StringComparison.OrdinalIgnoreCase) ? name["torch.".Length..] : name;
            for (var i = 0; i < Table.Length; i++)
            {
                if (!Same(bare, Table[i].Safetensors) && !Same(bare, Table[i].Name))
                    continue;
                parsed = (DType)i;
                return true;
            }

            foreach (var (alias, aliased) in Aliases)
            {
                if (!Same(bare, alias))
                    continue;
                parsed = aliased;
                return true;
            }

            parsed = default;
            return false;
        }
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
