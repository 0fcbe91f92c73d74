using System.Text.RegularExpressions;

namespace Gradus.Tests.Architecture;

/// <summary><c>docs/rooms.txt</c> and the judgement of one source file by it.</summary>
internal sealed partial class Rooms
{
    private readonly Dictionary<string, string[]> _allowed;

    public Rooms(IEnumerable<string> lines)
    {
        _allowed = lines.Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(':', 2))
            .ToDictionary(pair => pair[0].Trim(), pair => pair[1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        Names = [.. _allowed.Keys];
    }

    public IReadOnlyList<string> Names { get; }

    public static Rooms Read() => new(File.ReadLines(Path.Combine(Repo.Root, "docs", "rooms.txt")));

    /// <summary>Every C# file under src, relative to it, with slashes.</summary>
    public static IEnumerable<(string Path, string Full)> Sources() =>
        Directory.EnumerateFiles(Path.Combine(Repo.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(full => (Path: Path.GetRelativePath(Path.Combine(Repo.Root, "src"), full).Replace('\\', '/'), Full: full))
            .Where(file => !file.Path.Split('/').Any(part => part is "bin" or "obj"))
            .OrderBy(file => file.Path, StringComparer.Ordinal);

    /// <summary><c>Gradus.Models/Families/Llama/Llama.cs</c> belongs to <c>Models/Families</c>.</summary>
    public static string RoomOf(string path)
    {
        var parts = path["Gradus.".Length..].Split('/');
        return parts.Length > 2 ? $"{parts[0]}/{parts[1]}" : parts[0];
    }

    /// <summary>What a file does that its room may not, as <c>src/file:line: what</c>.</summary>
    public IEnumerable<string> Problems(string path, string source)
    {
        var room = RoomOf(path);
        if (!_allowed.TryGetValue(room, out var allowed))
        {
            yield return $"src/{path}:1: the room {room} is not in docs/rooms.txt";
            yield break;
        }
        var lines = source.Split('\n');
        var expected = path[..path.LastIndexOf('/')].Replace('/', '.');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = StringOrComment().Replace(lines[i], " ");
            if (Namespace().Match(line) is { Success: true } declared)
            {
                if (declared.Groups[1].Value != expected)
                    yield return $"src/{path}:{i + 1}: namespace {declared.Groups[1].Value} in the folder of {expected}";
                continue;
            }
            foreach (var used in Used(room, line).Distinct().Where(used => used != room && !allowed.Contains(used) && !allowed.Contains(used.Split('/')[0] + "/*")))
                yield return $"src/{path}:{i + 1}: {room} may not use {used} (docs/rooms.txt)";
        }
    }

    // Full names, and the short ones that C# allows inside namespace Gradus.*: Engine.Native.Abi, or Native.Abi from a sibling.
    private IEnumerable<string> Used(string room, string line)
    {
        foreach (Match match in Name().Matches(line))
        {
            var parts = match.Value.Split('.');
            if (parts[0] == "Gradus" && parts.Length > 1)
                yield return parts.Length > 2 && _allowed.ContainsKey($"{parts[1]}/{parts[2]}") ? $"{parts[1]}/{parts[2]}" : parts[1];
            else if (parts.Length > 1 && _allowed.ContainsKey($"{parts[0]}/{parts[1]}"))
                yield return $"{parts[0]}/{parts[1]}";
            else if (parts.Length > 1 && _allowed.ContainsKey($"{room.Split('/')[0]}/{parts[0]}"))
                yield return $"{room.Split('/')[0]}/{parts[0]}";
        }
    }

    [GeneratedRegex(@"""(?:[^""\\]|\\.)*""|//.*$")]
    private static partial Regex StringOrComment();

    [GeneratedRegex(@"^\s*namespace\s+([\w.]+)")]
    private static partial Regex Namespace();

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*(?:\.[A-Z]\w*)+")]
    private static partial Regex Name();
}
