using System.Runtime.InteropServices;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using static Gradus.Tests.Engine.Files.SafetensorsBytes;

namespace Gradus.Tests.Engine.Files;

public class SafetensorsFileTests
{
    public static TheoryData<string, string, int, int> Valid => new()
    {
        { "no tensors", "{}", 0, 0 },
        { "padding of all white space", "{} \t\r\n", 0, 0 },
        { "a scalar", "{" + Tensor("x", "F32", "", "0,4") + "}", 4, 1 },
        { "no elements", "{" + Tensor("x", "F32", "3,0", "0,0") + "}", 0, 1 },
        { "no elements beside 2^62", "{" + Tensor("x", "F32", "0,4611686018427387904", "0,0") + "}", 0, 1 },
        { "an unsorted list", "{" + Tensor("b", "U8", "2", "1,3") + "," + Tensor("a", "U8", "1", "0,1") + "}", 3, 2 },
        { "empty tensors between others", "{" + Tensor("a", "U8", "1", "0,1") + "," + Tensor("z", "U8", "0", "1,1") + "," + Tensor("e", "U8", "0", "1,1") + "," + Tensor("b", "U8", "1", "1,2") + "}", 2, 4 },
        { "keys we do not know", "{\"x\":{\"dtype\":\"U8\",\"note\":[{\"deep\":[1]}],\"shape\":[1],\"data_offsets\":[0,1]}}", 1, 1 },
        { "null for metadata", "{\"__metadata__\":null}", 0, 0 },
        { "names like paths", "{" + Tensor("../../etc/passwd", "U8", "1", "0,1") + "," + Tensor("a/b\\u0000", "U8", "1", "1,2") + "}", 2, 2 },
        { "ten thousand dimensions of one", "{" + Tensor("x", "U8", string.Join(',', Enumerable.Repeat("1", 10_000)), "0,1") + "}", 1, 1 },
        { "types the engine lacks", "{" + Tensor("a", "F8_E4M3", "1", "0,1") + "," + Tensor("b", "F4", "2", "1,2") + "}", 2, 2 },
    };

    [Theory]
    [MemberData(nameof(Valid))]
    public void What_the_reference_accepts_is_accepted(string what, string header, int dataBytes, int tensors)
    {
        using var folder = Repo.Temp();
        File.WriteAllBytes(folder.File("x.safetensors"), Of(header, dataBytes));
        using var file = SafetensorsFile.Open(folder.File("x.safetensors"));
        Assert.True(tensors == file.Entries.Count, what);
        foreach (var (name, entry) in file.Entries)
        {
            file.Read(name, new byte[entry.ByteCount]);
            Assert.Equal(entry.ByteCount, file.Map(name).Length);
            _ = file.Census(name);
        }
    }

    [Fact]
    public void Every_sample_of_each_type_reads_as_minus_three_to_two()
    {
        // Eight files of one tensor of six values each, and one with all of them, by another implementation.
        using var file = SafetensorsFile.Open(Repo.SharedData("ckpt-formats/safetensors_sample_overall.safetensors"));
        Assert.Equal("a", file.Metadata["test"]);
        Assert.Equal([-3f, -2, -1, 0, 1, 2], Values<float>(file, "f"));
        Assert.Equal([-3.0, -2, -1, 0, 1, 2], Values<double>(file, "d"));
        Assert.Equal([-3, -2, -1, 0, 1, 2], Values<int>(file, "i"));
        Assert.Equal([-3, -2, -1, 0, 1, 2], Values<short>(file, "h"));
        Assert.Equal([-3, -2, -1, 0, 1, 2], Values<sbyte>(file, "b"));
        Assert.Equal([-3f, -2, -1, 0, 1, 2], Values<Half>(file, "e").Select(x => (float)x));
        Assert.Equal([DType.UInt8, DType.Int8, DType.Float64, DType.Float16, DType.Float32, DType.Int16, DType.Int32],
            file.Entries.Values.Where(entry => entry.StoredType is not ("U16" or "U32")).Select(entry => entry.DType));
        foreach (var entry in file.Entries.Values)
        {
            // On file systems that ignore case 'b' and 'B' are kept apart by an underscore.
            var single = $"ckpt-formats/safetensors_sample_{entry.Name}{(char.IsLower(entry.Name[0]) ? "_" : "")}.safetensors";
            using var alone = SafetensorsFile.Open(Repo.SharedData(single));
            Assert.Equal(alone.Map(entry.Name), file.Map(entry.Name));
            Assert.Equal(entry.Shape, alone.Entry(entry.Name).Shape);
        }
    }

    [Theory]
    [InlineData("candle_jfk-codes.safetensors")]
    [InlineData("candle_csm_voices.safetensors")]
    public void Real_files_read_the_same_both_ways(string name)
    {
        using var file = SafetensorsFile.Open(Repo.SharedData("ckpt-formats/" + name));
        Assert.NotEmpty(file.Entries);
        foreach (var (tensor, entry) in file.Entries)
        {
            var copy = new byte[entry.ByteCount];
            file.Read(tensor, copy);
            Assert.Equal(copy, file.Map(tensor));
            Assert.Contains(copy, b => b != 0);
        }
    }

    [Fact]
    public void A_type_the_engine_lacks_is_named_when_it_is_asked_for()
    {
        using var file = SafetensorsFile.Open(Repo.SharedData("ckpt-formats/safetensors_sample_H.safetensors"));
        Assert.Equal("U16", file.Entry("H").StoredType);
        Assert.Contains("tensor 'H': elements of type U16", Assert.Throws<UserException>(() => file.Entry("H").DType).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_name_is_refused_with_the_nearest()
    {
        using var folder = Repo.Temp();
        File.WriteAllBytes(folder.File("x.safetensors"), Of("{" + Tensor("lm_head.weight", "U8", "1", "0,1") + "}", 1));
        using var file = SafetensorsFile.Open(folder.File("x.safetensors"));
        var refusal = Assert.Throws<UserException>(() => file.Read("lm_haed.weight", new byte[1]));
        Assert.EndsWith("no tensor 'lm_haed.weight'; did you mean 'lm_head.weight'?", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => file.Read("lm_head.weight", new byte[2]));
    }

    [Fact]
    public void A_file_cut_or_rewritten_while_open_is_an_error_and_no_crash()
    {
        using var folder = Repo.Temp();
        var path = folder.File("x.safetensors");
        var bytes = One("U8", "100000", "0,100000", 100_000);
        File.WriteAllBytes(path, bytes);
        using var file = SafetensorsFile.Open(path);
        file.Read("x", new byte[100_000]);

        using (var other = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            other.SetLength(50_000);
        Assert.Contains("cut short while being read", Assert.Throws<UserException>(() => file.Read("x", new byte[100_000])).Message, StringComparison.Ordinal);
        Assert.Contains("was changed", Assert.Throws<UserException>(() => file.Read("x", 0, new byte[10])).Message, StringComparison.Ordinal);

        File.WriteAllBytes(path, bytes); // the length is right again, but it is another writing
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Contains("was changed", Assert.Throws<UserException>(() => file.Map("x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Not_a_numbers_and_infinities_are_counted_and_strict_mode_refuses_them()
    {
        using var folder = Repo.Temp();
        float[] singles = [0, -0f, 1, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, -1e-40f, float.MaxValue];
        Half[] halves = [Half.One, Half.NaN, Half.NegativeInfinity, Half.Epsilon, Half.Zero];
        ushort[] brains = [0x3F80, 0x7F80, 0xFF80, 0x7FC0, 0xFFFF, 0x0001, 0x0000]; // 1, inf, -inf, nan, nan, subnormal, 0
        double[] doubles = [1, double.NaN, double.Epsilon, double.NegativeInfinity];
        SafetensorsWriter.Write(folder.File("x.safetensors"),
        [
            new("f32", DType.Float32, [9], MemoryMarshal.AsBytes<float>(singles).ToArray()),
            new("f16", DType.Float16, [5], MemoryMarshal.AsBytes<Half>(halves).ToArray()),
            new("bf16", DType.BFloat16, [7], MemoryMarshal.AsBytes<ushort>(brains).ToArray()),
            new("f64", DType.Float64, [4], MemoryMarshal.AsBytes<double>(doubles).ToArray()),
            new("i64", DType.Int64, [1], BitConverter.GetBytes(-1L)),
        ]);
        using var file = SafetensorsFile.Open(folder.File("x.safetensors"));
        Assert.Equal(new TensorCensus(9, 1, 2, 2), file.Census("f32"));
        Assert.Equal(new TensorCensus(5, 1, 1, 1), file.Census("f16"));
        Assert.Equal(new TensorCensus(7, 2, 2, 1), file.Census("bf16"));
        Assert.Equal(new TensorCensus(4, 1, 1, 1), file.Census("f64"));
        Assert.Equal(new TensorCensus(1, 0, 0, 0), file.Census("i64"));
        Assert.Contains("NaN", Assert.Throws<UserException>(file.RefuseNonFinite).Message, StringComparison.Ordinal);

        SafetensorsWriter.Write(folder.File("y.safetensors"), [new("x", DType.Float32, [1], BitConverter.GetBytes(1f))]);
        using var clean = SafetensorsFile.Open(folder.File("y.safetensors"));
        clean.RefuseNonFinite();
    }

    private static T[] Values<T>(SafetensorsFile file, string name)
        where T : unmanaged
    {
        var bytes = new byte[file.Entry(name).ByteCount];
        file.Read(name, bytes);
        return MemoryMarshal.Cast<byte, T>(bytes).ToArray();
    }
}
