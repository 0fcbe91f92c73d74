namespace Gradus.Tests.Architecture;

public sealed class RoomsTests
{
    [Fact]
    public void No_room_uses_another_that_rooms_txt_does_not_allow()
    {
        var rooms = Rooms.Read();
        var problems = Rooms.Sources().SelectMany(file => rooms.Problems(file.Path, File.ReadAllText(file.Full)))
            .Concat(Directory.EnumerateFiles(Path.Combine(Repo.Root, "src"), "*.csproj", SearchOption.AllDirectories)
                .Where(project => File.ReadAllText(project).Contains("Using Include=\"Gradus", StringComparison.Ordinal)).Select(project => $"{project}: a global using hides an arrow"));
        None(problems);
    }

    [Theory]
    [InlineData("using Gradus.Training.Loop;", "src/Gradus.Models/Nn/X.cs:2: Models/Nn may not use Training/Loop (docs/rooms.txt)")]
    [InlineData("global using static Gradus.Cli.Program;", "src/Gradus.Models/Nn/X.cs:2: Models/Nn may not use Cli (docs/rooms.txt)")]
    [InlineData("var x = new Gradus.Models.Families.Llama.LlamaOptions();", "src/Gradus.Models/Nn/X.cs:2: Models/Nn may not use Models/Families (docs/rooms.txt)")]
    [InlineData("var x = Families.Llama.Make();", "src/Gradus.Models/Nn/X.cs:2: Models/Nn may not use Models/Families (docs/rooms.txt)")]
    [InlineData("var x = Engine.Native.Abi.Add();", "src/Gradus.Models/Nn/X.cs:2: Models/Nn may not use Engine/Native (docs/rooms.txt)")]
    [InlineData("using Gradus.Foundation.Files; // Gradus.Training.Loop is only named", "")]
    [InlineData("var x = \"Gradus.Training.Loop\" + System.Text.Data.X;", "")]
    public void The_judge_of_the_rooms_sees_an_arrow_that_is_not_there(string line, string expected) =>
        Assert.Equal(expected, string.Join('\n', Rooms.Read().Problems("Gradus.Models/Nn/X.cs", "namespace Gradus.Models.Nn;\n" + line)));

    [Fact]
    public void The_judge_of_the_rooms_sees_a_wrong_namespace_and_an_unknown_room()
    {
        var rooms = Rooms.Read();
        Assert.Contains("Gradus.Models/Nn/X.cs:1: namespace Gradus.Other", Assert.Single(rooms.Problems("Gradus.Models/Nn/X.cs", "namespace Gradus.Other;")), StringComparison.Ordinal);
        Assert.Empty(rooms.Problems("Gradus.Models/Families/Llama/X.cs", "namespace Gradus.Models.Families.Llama;"));
        Assert.Contains("not in docs/rooms.txt", Assert.Single(rooms.Problems("Gradus.Models/Attic/X.cs", "")), StringComparison.Ordinal);
    }

    [Fact]
    public void Arrows_of_rooms_txt_point_at_rooms_and_never_up_the_chain()
    {
        // Foundation ← Engine ← Models ← Inference ← Training ← Cli, and Foundation ← Text.
        string[] chain = ["Foundation", "Text", "Engine", "Models", "Inference", "Training", "Cli"];
        var names = Rooms.Read().Names;
        foreach (var line in File.ReadLines(Path.Combine(Repo.Root, "docs", "rooms.txt")).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var (room, uses) = (line.Split(':')[0], line.Split(':')[1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            foreach (var used in uses)
            {
                Assert.True(used.EndsWith("/*", StringComparison.Ordinal) ? names.Any(name => name.StartsWith(used[..^1], StringComparison.Ordinal)) : names.Contains(used), $"{room}: no room {used}");
                Assert.True(Array.IndexOf(chain, used.Split('/')[0]) <= Array.IndexOf(chain, room.Split('/')[0]), $"{room}: {used} is above it");
            }
        }
    }

    [Fact]
    public void Every_room_has_a_readme_of_at_most_thirty_lines()
    {
        var problems = Rooms.Sources().Select(file => (Room: Rooms.RoomOf(file.Path), Folder: RoomFolder(file.Path))).Where(x => x.Room.Contains('/', StringComparison.Ordinal)).Distinct()
            .Select(x => (x.Room, Readme: Path.Combine(x.Folder, "README.md")))
            .Select(x => !File.Exists(x.Readme) ? $"{x.Room}: no README.md" : File.ReadLines(x.Readme).Count() is > 30 and var lines ? $"{x.Room}: README.md has {lines} lines" : null);
        None(problems.OfType<string>());

        static string RoomFolder(string path) => Path.Combine([Repo.Root, "src", .. path.Split('/')[..^1].Take(2)]);
    }

    [Fact]
    public void No_source_file_is_longer_than_500_lines_without_saying_why()
    {
        var problems = Rooms.Sources().Select(file => (file.Path, Lines: File.ReadAllLines(file.Full)))
            .Where(file => file.Lines.Length > 500 && !file.Lines.Take(5).Any(line => line.StartsWith("// Long because: ", StringComparison.Ordinal) && line.Length > 25))
            .Select(file => $"src/{file.Path}: {file.Lines.Length} lines; split it, or begin it with '// Long because: …'");
        None(problems);
    }

    private static void None(IEnumerable<string> problems)
    {
        var lines = problems.ToArray();
        Assert.True(lines.Length == 0, string.Join('\n', lines));
    }
}
