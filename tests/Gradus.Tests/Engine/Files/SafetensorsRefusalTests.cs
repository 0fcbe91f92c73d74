using System.Diagnostics;
using System.Text;
using Gradus.Engine.Files;
using Gradus.Foundation.Files;
using static Gradus.Tests.Engine.Files.SafetensorsBytes;

namespace Gradus.Tests.Engine.Files;

/// <summary>RELIABILITY SF1 to SF5 and SF9: what is refused, how fast, and in which words.</summary>
public class SafetensorsRefusalTests
{
    private static readonly Dictionary<string, (byte[] Bytes, string Says)> Bad = new()
    {
        // SF1: the first eight bytes
        ["empty file"] = ([], "0 bytes are too few"),
        ["seven bytes"] = (new byte[7], "7 bytes are too few"),
        ["header of 0 bytes"] = (Length(0), "does not start with '{'"),
        ["header of 0 bytes and no more"] = (Length(0, 0), "does not start with '{'"),
        ["header of 1 byte"] = (Length(1), "not valid JSON"),
        ["header one byte beyond the file"] = (Length(65), "only 64 follow"),
        ["header of 100,000,001 bytes"] = (Length(100_000_001), "100000000 is the most"),
        ["header of 2^31 bytes"] = (Length(1UL << 31), "100000000 is the most"),
        ["header of 2^32 bytes"] = (Length(1UL << 32), "100000000 is the most"),
        ["header of 2^63 bytes"] = (Length(1UL << 63), "100000000 is the most"),
        ["header of 2^64-1 bytes"] = (Length(ulong.MaxValue), "100000000 is the most"),

        // SF2: the header as text
        ["not UTF-8"] = (Of([(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}'], []), "not valid UTF-8"),
        ["not JSON"] = (Of("{\"x\"", 0), "not valid JSON"),
        ["an array"] = (Of("[]", 0), "does not start with '{'"),
        ["a byte-order mark"] = (Of("\uFEFF{}", 0), "does not start with '{'"),
        ["leading spaces"] = (Of("  {}", 0), "does not start with '{'"),
        ["trailing NULs"] = (Of("{}\0\0\0\0\0\0", 0), "not valid JSON"),
        ["text after the object"] = (Of("{}{}", 0), "not valid JSON"),
        ["trailing comma"] = (Of("{" + Tensor("x", "U8", "1", "0,1") + ",}", 1), "not valid JSON"),
        ["depth bomb"] = (Of("{\"x\":{\"y\":" + new string('[', 10_000) + new string(']', 10_000) + "}}", 0), "not valid JSON"),
        ["half a surrogate pair"] = (Of("{\"\\ud800\":{}}", 0), "surrogate"),
        ["one name twice"] = (Of("{" + Tensor("x", "U8", "0", "0,0") + "," + Tensor("x", "U8", "0", "0,0") + "}", 0), "tensor 'x': occurs twice"),
        ["one name twice, once escaped"] = (Of("{" + Tensor("x", "U8", "0", "0,0") + "," + Tensor("\\u0078", "U8", "0", "0,0") + "}", 0), "tensor 'x': occurs twice"),
        ["dtype twice"] = (Of("{\"x\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0), "tensor 'x': 'dtype' is given twice"),
        ["metadata that is a number"] = (Of("{\"__metadata__\":1}", 0), "__metadata__ is not an object"),
        ["metadata of numbers"] = (Of("{\"__metadata__\":{\"a\":1}}", 0), "value of 'a' is not a string"),
        ["metadata key twice"] = (Of("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0), "'a' occurs twice"),
        ["a tensor that is a list"] = (Of("{\"x\":[\"U8\",[0],[0,0]]}", 0), "tensor 'x': its description"),
        ["no dtype"] = (Of("{\"x\":{\"shape\":[0],\"data_offsets\":[0,0]}}", 0), "tensor 'x': 'dtype' is missing"),
        ["no shape"] = (Of("{\"x\":{\"dtype\":\"U8\",\"data_offsets\":[0,0]}}", 0), "tensor 'x': 'shape' is missing"),
        ["no offsets"] = (Of("{\"x\":{\"dtype\":\"U8\",\"shape\":[0]}}", 0), "tensor 'x': 'data_offsets' is missing"),
        ["a name of a megabyte, and a fault"] = (Of("{" + Tensor(new string('n', 1 << 20), "U8", "2", "0,1") + "}", 1), "(1048576 characters): U8 [2] needs 2 bytes"),
        ["a name with control characters, and a fault"] = (Of("{" + Tensor("../\\u0000\\n\\u202e", "U8", "2", "0,1") + "}", 1), "tensor '../\\u0000\\u000a\\u202e':"),

        // SF3: offsets
        ["negative offset"] = (One("U8", "1", "-1,0", 1), "tensor 'x': 'data_offsets' holds '-1'"),
        ["fractional offset"] = (One("U8", "1", "0.0,1", 1), "'data_offsets' holds '0.0'"),
        ["offset with an exponent"] = (One("U8", "1", "0,1e0", 1), "'data_offsets' holds '1e0'"),
        ["minus zero"] = (One("U8", "1", "-0,1", 1), "'data_offsets' holds '-0'"),
        ["offset as text"] = (One("U8", "1", "\"0\",1", 1), "'data_offsets' is not a list of numbers"),
        ["three offsets"] = (One("U8", "1", "0,1,2", 1), "holds 3 numbers instead of 2"),
        ["end before begin"] = (One("U8", "1", "1,0", 1), "ends at byte 0, before it begins at 1"),
        ["overlap"] = (Of("{" + Tensor("w", "U8", "2", "0,2") + "," + Tensor("x", "U8", "2", "1,3") + "}", 3), "tensor 'x': its data begins at byte 1, but the tensor before it, 'w', ends at 2: the tensors overlap"),
        ["the same bytes twice"] = (Of("{" + Tensor("w", "U8", "2", "0,2") + "," + Tensor("x", "U8", "2", "0,2") + "}", 2), "overlap"),
        ["hole"] = (Of("{" + Tensor("w", "U8", "1", "0,1") + "," + Tensor("x", "U8", "1", "2,3") + "}", 3), "leave a hole"),
        ["hole at the start"] = (One("U8", "1", "1,2", 2), "the data starts at 0: the tensors leave a hole"),
        ["beyond the end of the file"] = (One("U8", "4", "0,4", 3), "holds only 3 bytes"),
        ["offset 2^63"] = (One("U8", "9223372036854775808", "0,9223372036854775808", 0), "dimension 0 of the shape"),
        ["offset 2^64"] = (One("U8", "1", "0,18446744073709551616", 1), "'18446744073709551616', which is not a whole number"),

        // SF4: types and shapes
        ["F32 over the bytes of F16"] = (One("F32", "6", "0,12", 12), "tensor 'x': F32 [6] needs 24 bytes, but its data_offsets [0, 12] hold 12"),
        ["unknown type"] = (One("F31", "1", "0,4", 4), "tensor 'x': unknown dtype 'F31'"),
        ["lower-case type"] = (One("f32", "1", "0,4", 4), "unknown dtype 'f32'"),
        ["half a byte"] = (One("F4", "3", "0,2", 2), "does not fill whole bytes"),
        ["negative dimension"] = (One("U8", "-1", "0,1", 1), "'shape' holds '-1'"),
        ["product that wraps to zero"] = (One("F32", "4611686018427387904", "0,0", 0), "overflows 64 bits"),
        ["product of dimensions that wraps"] = (One("U8", "4294967296,4294967296", "0,0", 0), "overflows 64 bits"),
        ["overflow before a zero"] = (One("U8", "4294967296,4294967296,0", "0,0", 0), "overflows 64 bits"),
        ["ten thousand dimensions of two"] = (One("U8", string.Join(',', Enumerable.Repeat("2", 10_000)), "0,1", 1), "10000 dimensions] overflows"),

        // SF5: bytes that belong to no tensor
        ["one byte appended"] = (One("U8", "1", "0,1", 2), "1 more bytes follow"),
        ["a zip appended"] = ([.. One("U8", "1", "0,1", 1), .. "PK\x03\x04"u8, .. new byte[40]], "44 more bytes follow"),
        ["data without tensors"] = (Of("{}", 8), "8 more bytes follow"),

        // SF9: other formats under our name
        ["a pickle"] = ([0x80, 0x02, .. "}q\0."u8, .. new byte[30]], "is a Python pickle"),
        ["a zip"] = ([.. "PK\x03\x04"u8, .. new byte[60]], "is a zip archive, as torch.save writes"),
        ["a Git LFS pointer"] = ([.. "version https://git-lfs.github.com/spec/v1\noid sha256:00\n"u8], "git lfs pull"),
        ["a web page"] = ([.. "<!DOCTYPE html><html><body>401 Unauthorized</body></html>"u8], "is a web page"),
        ["JSON text"] = ([.. "{\"architectures\": [\"LlamaForCausalLM\"]}"u8], "is JSON text"),
        ["a GGUF file"] = ([.. "GGUF"u8, .. new byte[60]], "is a GGUF file"),
        ["a gzip file"] = ([0x1F, 0x8B, 8, .. new byte[60]], "is gzip-compressed"),
    };

    public static TheoryData<string> Cases => [.. Bad.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    [Row("I24")]
    public void A_malformed_file_is_refused_in_one_clear_line(string fault)
    {
        using var folder = Repo.Temp();
        var path = folder.File("model.safetensors");
        var (bytes, says) = Bad[fault];
        File.WriteAllBytes(path, bytes);
        Assert.Throws<UserException>(() => SafetensorsFile.Open(path)); // warms the code up

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var refusal = Assert.ThrowsAny<Exception>(() => SafetensorsFile.Open(path));
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        var fastest = double.MaxValue; // of twenty: the machine may be busy with something else
        for (var i = 0; i < 20 && fastest >= 10; i++)
        {
            var watch = Stopwatch.StartNew();
            Assert.Throws<UserException>(() => SafetensorsFile.Open(path));
            fastest = Math.Min(fastest, watch.Elapsed.TotalMilliseconds);
        }

        Assert.IsType<UserException>(refusal);
        Assert.StartsWith(path + ": ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(refusal.Message, char.IsControl);
        Assert.InRange(refusal.Message.Length, 1, path.Length + 400);
        // 64 KiB for the exception, and the parse of what is really there (a dimension of 2 bytes of text is 8 in memory, in a
        // list that grows by doubling): nothing that a lie in the header can inflate.
        Assert.InRange(allocated, 0, (24L * bytes.Length) + (64 << 10));
        Assert.InRange(fastest, 0, 10);
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_refused_by_name()
    {
        using var folder = Repo.Temp();
        Assert.EndsWith("no such file", Assert.Throws<UserException>(() => SafetensorsFile.Open(folder.File("absent.safetensors"))).Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", Assert.Throws<UserException>(() => SafetensorsFile.Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("candle_test.pt")]
    [InlineData("candle_boolean.pt")]
    [InlineData("candle_fortran_tensor_3d.pth")]
    [InlineData("tiny_state_dict_with_one_key.pt")]
    [InlineData("candle_test.npz")]
    public void Real_checkpoints_of_PyTorch_and_NumPy_are_refused_with_advice(string name)
    {
        var path = Repo.SharedData("ckpt-formats/" + name);
        using var folder = Repo.Temp();
        var renamed = folder.File("model.safetensors");
        File.Copy(path, renamed);
        foreach (var given in new[] { path, renamed })
        {
            var refusal = Assert.Throws<UserException>(() => SafetensorsFile.Open(given));
            Assert.Matches("pickle|zip|NumPy", refusal.Message);
        }
    }

    [Fact]
    public void A_hundred_thousand_names_are_read_without_hanging()
    {
        var header = new StringBuilder("{");
        for (var i = 0; i < 100_000; i++)
            header.Append(Tensor($"n{i}", "U8", "0", "0,0")).Append(',');
        header[^1] = '}';
        using var folder = Repo.Temp();
        var path = folder.File("many.safetensors");
        File.WriteAllBytes(path, Of(header.ToString(), 0));
        var watch = Stopwatch.StartNew();
        using (var file = SafetensorsFile.Open(path))
            Assert.Equal(100_000, file.Entries.Count);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
    }
}
