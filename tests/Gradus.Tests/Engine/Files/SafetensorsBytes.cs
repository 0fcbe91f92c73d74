using System.Buffers.Binary;
using System.Text;

namespace Gradus.Tests.Engine.Files;

/// <summary>Safetensors files built by hand, right and wrong, independent of the writer.</summary>
internal static class SafetensorsBytes
{
    public static byte[] Of(string header, int dataBytes) => Of(Encoding.UTF8.GetBytes(header), new byte[dataBytes]);

    public static byte[] Of(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        var file = new byte[8 + header.Length + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)header.Length);
        header.CopyTo(file.AsSpan(8));
        data.CopyTo(file.AsSpan(8 + header.Length));
        return file;
    }

    public static byte[] Length(ulong length, int rest = 64)
    {
        var file = new byte[8 + rest];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        if (rest > 0)
            file[8] = (byte)'{';
        return file;
    }

    public static string Tensor(string name, string dtype, string shape, string offsets) =>
        $"\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":[{shape}],\"data_offsets\":[{offsets}]}}";

    public static byte[] One(string dtype, string shape, string offsets, int dataBytes) =>
        Of("{" + Tensor("x", dtype, shape, offsets) + "}", dataBytes);
}
