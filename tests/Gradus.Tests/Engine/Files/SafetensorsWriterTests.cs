using System.Text;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;

namespace Gradus.Tests.Engine.Files;

public class SafetensorsWriterTests
{
    [Fact]
    public void The_bytes_are_those_of_the_reference_writer()
    {
        // Layout by the rules: wide types first, then by name; metadata first; padded to 8 bytes.
        using var folder = Repo.Temp();
        var path = folder.File("x.safetensors");
        SafetensorsWriter.Write(path,
        [
            new("b", DType.Float16, [2], new byte[] { 1, 2, 3, 4 }),
            new("bool", DType.Bool, [1], new byte[] { 1 }),
            new("z", DType.Float32, [], new byte[] { 5, 6, 7, 8 }),
            new("a\"\n\u0001é", DType.Float32, [1, 1], new byte[] { 9, 10, 11, 12 }),
            new("i", DType.Int64, [0, 3], Array.Empty<byte>()),
        ], new Dictionary<string, string> { ["format"] = "pt", ["by"] = "me" });
        const string Header = "{\"__metadata__\":{\"by\":\"me\",\"format\":\"pt\"},"
            + "\"i\":{\"dtype\":\"I64\",\"shape\":[0,3],\"data_offsets\":[0,0]},"
            + "\"a\\\"\\n\\u0001é\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]},"
            + "\"z\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]},"
            + "\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[8,12]},"
            + "\"bool\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[12,13]}}";
        var text = Encoding.UTF8.GetBytes(Header);
        var padded = new byte[(text.Length + 7) / 8 * 8];
        Array.Fill(padded, (byte)' ');
        text.CopyTo(padded, 0);
        Assert.Equal(SafetensorsBytes.Of(padded, [9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4, 1]), File.ReadAllBytes(path));
    }

    [Fact]
    public void An_empty_file_is_sixteen_bytes()
    {
        using var folder = Repo.Temp();
        SafetensorsWriter.Write(folder.File("x.safetensors"), []);
        Assert.Equal("\b\0\0\0\0\0\0\0{}      "u8.ToArray(), File.ReadAllBytes(folder.File("x.safetensors")));
    }

    [Fact]
    public void What_is_written_reads_back_whatever_the_order_given()
    {
        using var folder = Repo.Temp();
        var random = new Random(7);
        var tensors = Enumerable.Range(0, 40).Select(i =>
        {
            var type = (DType)(i % 10);
            long[] shape = [.. Enumerable.Range(0, random.Next(4)).Select(_ => (long)random.Next(5))];
            var data = new byte[shape.Aggregate((long)type.ByteSize, (a, b) => a * b)];
            random.NextBytes(data);
            return (Content: new TensorContent($"t{i}", type, shape, data), Data: data);
        }).ToArray();
        SafetensorsWriter.Write(folder.File("a"), tensors.Select(t => t.Content));
        SafetensorsWriter.Write(folder.File("b"), tensors.Reverse().Select(t => t.Content));
        Assert.Equal(File.ReadAllBytes(folder.File("a")), File.ReadAllBytes(folder.File("b")));
        using var file = SafetensorsFile.Open(folder.File("a"));
        foreach (var (content, data) in tensors)
        {
            Assert.Equal((content.DType, content.ByteCount), (file.Entry(content.Name).DType, file.Entry(content.Name).ByteCount));
            Assert.Equal(content.Shape, file.Entry(content.Name).Shape);
            Assert.Equal(data, file.Map(content.Name));
            Assert.Equal(0, file.Entry(content.Name).Offset % content.DType.ByteSize); // aligned
        }
    }

    [Fact]
    public void Saving_onto_the_file_that_is_the_mapped_source_keeps_every_byte()
    {
        using var folder = Repo.Temp();
        var path = folder.File("model.safetensors");
        var data = new byte[3 << 20];
        new Random(1).NextBytes(data);
        SafetensorsWriter.Write(path, [new("w", DType.UInt8, [data.Length], data)]);
        using var source = SafetensorsFile.Open(path);
        Assert.Equal(data, source.Map("w")); // mapped now
        SafetensorsWriter.Write(path,
        [
            new("copy", DType.UInt8, [data.Length], stream => stream.Write(source.Map("w"))),
            new("w", DType.UInt8, [data.Length], stream =>
            {
                var buffer = new byte[data.Length];
                source.Read("w", buffer);
                stream.Write(buffer);
            }),
        ]);
        using var saved = SafetensorsFile.Open(path);
        Assert.Equal(data, saved.Map("w"));
        Assert.Equal(data, saved.Map("copy"));
        Assert.Equal(data, source.Map("w")); // the old file lives as long as it is open
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void A_provider_that_writes_the_wrong_number_of_bytes_leaves_the_old_file_and_nothing_else(int written)
    {
        using var folder = Repo.Temp();
        var path = folder.File("x.safetensors");
        SafetensorsWriter.Write(path, [new("x", DType.Int32, [1], new byte[4])]);
        var before = File.ReadAllBytes(path);
        var fault = Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(path, [new("x", DType.Int32, [1], new byte[written])]));
        Assert.Contains("needs 4 bytes", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Names_twice_and_reserved_names_are_refused()
    {
        using var folder = Repo.Temp();
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.File("x"), [new("a", DType.Bool, [0], default(ReadOnlyMemory<byte>)), new("a", DType.Int8, [0], default(ReadOnlyMemory<byte>))]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.File("x"), [new("__metadata__", DType.Bool, [0], default(ReadOnlyMemory<byte>))]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.File("x"), [new("a", DType.Bool, [-1], default(ReadOnlyMemory<byte>))]));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }
}
