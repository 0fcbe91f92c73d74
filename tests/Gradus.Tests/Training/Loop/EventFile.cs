using System.Buffers.Binary;
using System.Text;
using Gradus.Foundation.Kernels;

namespace Gradus.Tests.Training.Loop;

/// <summary>Reads TensorBoard event files, checking both checksums of every record; written from the format, not from the writer.</summary>
internal static class EventFile
{
    internal sealed record Event(double WallTime, long Step, string? Version, bool SessionStart, List<(string Tag, float Value)> Scalars);

    public static List<Event> Read(string path)
    {
        List<Event> events = [];
        ReadOnlySpan<byte> rest = File.ReadAllBytes(path);
        while (!rest.IsEmpty)
        {
            if (rest.Length < 12)
                throw new InvalidDataException("a record is cut short");
            var length = BinaryPrimitives.ReadUInt64LittleEndian(rest);
            if (Crc32C.Unmask(BinaryPrimitives.ReadUInt32LittleEndian(rest[8..])) != Crc32C.AppendScalar(0, rest[..8]))
                throw new InvalidDataException("the checksum of a length is wrong");
            if ((ulong)rest.Length < length + 16)
                throw new InvalidDataException("a record is cut short");
            var data = rest.Slice(12, (int)length);
            if (Crc32C.Unmask(BinaryPrimitives.ReadUInt32LittleEndian(rest[(12 + (int)length)..])) != Crc32C.AppendScalar(0, data))
                throw new InvalidDataException("the checksum of a record is wrong");
            events.Add(Parse(data));
            rest = rest[(16 + (int)length)..];
        }

        return events;
    }

    private static Event Parse(ReadOnlySpan<byte> data)
    {
        var result = new Event(0, 0, null, false, []);
        while (!data.IsEmpty)
        {
            switch (Varint(ref data))
            {
                case 0x09: result = result with { WallTime = BinaryPrimitives.ReadDoubleLittleEndian(data) }; data = data[8..]; break;
                case 0x10: result = result with { Step = (long)Varint(ref data) }; break;
                case 0x1A: result = result with { Version = Encoding.UTF8.GetString(Bytes(ref data)) }; break;
                case 0x2A:
                    var summary = Bytes(ref data);
                    while (!summary.IsEmpty)
                    {
                        Assert.Equal(0x0Aul, Varint(ref summary));
                        var value = Bytes(ref summary);
                        Assert.Equal(0x0Aul, Varint(ref value));
                        var tag = Encoding.UTF8.GetString(Bytes(ref value));
                        Assert.Equal(0x15ul, Varint(ref value));
                        result.Scalars.Add((tag, BinaryPrimitives.ReadSingleLittleEndian(value)));
                    }

                    break;
                case 0x3A: result = result with { SessionStart = Bytes(ref data).SequenceEqual<byte>([8, 1]) }; break;
                case var key: throw new InvalidDataException($"unexpected field {key}");
            }
        }

        return result;
    }

    private static ulong Varint(ref ReadOnlySpan<byte> data)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var b = data[0];
            data = data[1..];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return value;
        }
    }

    private static ReadOnlySpan<byte> Bytes(ref ReadOnlySpan<byte> data)
    {
        var length = (int)Varint(ref data);
        var bytes = data[..length];
        data = data[length..];
        return bytes;
    }
}
