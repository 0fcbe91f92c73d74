using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Cli;

/// <summary>Text that is given to a command: a file, or standard input under the name <c>-</c>. Strictly UTF-8; only LF ends a line, a CR before it is dropped.</summary>
internal static class InputLines
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The lines, one at a time.</summary>
    /// <exception cref="UserException">There is no such file, or a line is not UTF-8: file and line are named.</exception>
    public static IEnumerable<string> Read(string path)
    {
        using var stream = Open(path);
        var line = new MemoryStream();
        var (buffer, number, first) = (new byte[1 << 16], 1, true);
        int count;
        while ((count = stream.Read(buffer)) > 0)
        {
            var rest = 0;
            if (first && buffer.AsSpan(0, count).StartsWith("\uFEFF"u8)) rest = 3;
            first = false;
            while (Array.IndexOf(buffer, (byte)'\n', rest, count - rest) is >= 0 and var end)
            {
                line.Write(buffer, rest, end - rest);
                yield return Decode(line, path, number++);
                line.SetLength(0);
                rest = end + 1;
            }
            line.Write(buffer, rest, count - rest);
        }
        if (line.Length > 0) yield return Decode(line, path, number);
    }

    /// <summary>All of it.</summary>
    public static string ReadAll(string path) => string.Join('\n', Read(path));

    private static Stream Open(string path)
    {
        if (path == "-") return System.Console.OpenStandardInput();
        if (Directory.Exists(path)) throw new UserException($"{path}: is a folder; name a file");
        if (!File.Exists(path)) throw new UserException($"{path}: no such file");
        return File.OpenRead(path);
    }

    private static string Decode(MemoryStream line, string path, int number)
    {
        var bytes = line.GetBuffer().AsSpan(0, (int)line.Length);
        if (bytes.EndsWith("\r"u8)) bytes = bytes[..^1];
        try { return s_strict.GetString(bytes); }
        catch (DecoderFallbackException e) { throw new UserException($"{(path == "-" ? "standard input" : path)}:{number}: is not UTF-8 (byte {e.Index + 1} of the line)", e); }
    }
}
