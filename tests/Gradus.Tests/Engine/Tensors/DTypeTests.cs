using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Tensors;

public class DTypeTests
{
    [Theory]
    [InlineData(DType.Bool, 1, "BOOL", false)]
    [InlineData(DType.UInt8, 1, "U8", false)]
    [InlineData(DType.Int8, 1, "I8", false)]
    [InlineData(DType.Int16, 2, "I16", false)]
    [InlineData(DType.Int32, 4, "I32", false)]
    [InlineData(DType.Int64, 8, "I64", false)]
    [InlineData(DType.Float16, 2, "F16", true)]
    [InlineData(DType.BFloat16, 2, "BF16", true)]
    [InlineData(DType.Float32, 4, "F32", true)]
    [InlineData(DType.Float64, 8, "F64", true)]
    public void A_type_knows_its_size_and_its_names(DType type, int bytes, string safetensors, bool floating)
    {
        Assert.Equal(bytes, type.ByteSize);
        Assert.Equal(safetensors, type.SafetensorsName);
        Assert.Equal(floating, type.IsFloating);
        Assert.Equal(type, DType.Parse(type.SafetensorsName));
        Assert.Equal(type, DType.Parse(type.Name));
        Assert.Equal(type, DType.Parse("torch." + type.Name));
    }

    [Fact]
    public void Every_type_is_in_the_table_under_its_own_name()
    {
        foreach (var type in Enum.GetValues<DType>())
            Assert.Equal(type.ToString(), type.Name, ignoreCase: true);
    }

    [Fact]
    public void An_unknown_name_is_refused_with_the_choices()
    {
        var refusal = Assert.Throws<FormatException>(() => DType.Parse("float31"));
        Assert.Contains("float31", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("bfloat16", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(DType.Float16, DType.Parse("half"));
    }
}
