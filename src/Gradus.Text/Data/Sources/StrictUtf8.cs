using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Gradus.Text.Data.Sources;

/// <summary>UTF-8 checks. .NET's readers replace bad bytes silently; here they are found, placed and counted.</summary>
internal static class StrictUtf8
{
    /// <summary>Offset of the first ill-formed part, or -1.</summary>
    public static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
            return -1;
        var at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out var used) == OperationStatus.Done)
            at += used;
        return at;
    }

    /// <summary>The bytes with each ill-formed part (maximal subpart, Unicode 15 §3.9) replaced by U+FFFD.</summary>
    public static byte[] Replace(ReadOnlySpan<byte> bytes, SourceReport report)
    {
        var writer = new ArrayBufferWriter<byte>(bytes.Length + 16);
        while (bytes.Length > 0)
        {
            if (Rune.DecodeFromUtf8(bytes, out _, out var used) == OperationStatus.Done)
            {
                writer.Write(bytes[..used]);
            }
            else
            {
                writer.Write("\uFFFD"u8);
                report.Replaced++;
            }

            bytes = bytes[used..];
        }

        return writer.WrittenSpan.ToArray();
    }

    /// <summary>What the bytes may be instead, when that is plain.</summary>
    public static string Guess(ReadOnlySpan<byte> bytes, long offset) =>
        offset == 0 && (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) ? " (it looks like UTF-16)" : "";
}
