using System.Reflection;

namespace Gradus.Tests.Architecture;

/// <summary>
/// The public surface of every assembly, written down in <c>Architecture/api</c>. After a wanted change run the tests once with
/// <c>GRADUS_ACCEPT=1</c> and commit the difference; it is what a reviewer reads first.
/// </summary>
public sealed class ApiTests
{
    private static readonly string s_folder = Path.Combine(Repo.Root, "tests", "Gradus.Tests", "Architecture", "api");
    private static readonly bool s_accept = Environment.GetEnvironmentVariable("GRADUS_ACCEPT") == "1";

    [Fact]
    public void Public_surface_is_what_the_snapshot_says()
    {
        var problems = Assemblies().Where(name => s_accept || File.Exists(Snapshot(name))).SelectMany(Changes).ToArray();
        Assert.True(problems.Length == 0, "The public surface changed. Wanted? Run again with GRADUS_ACCEPT=1 and commit tests/Gradus.Tests/Architecture/api.\n" + string.Join('\n', problems));
    }

    [Fact]
    public void Every_assembly_has_a_snapshot()
    {
        var missing = Assemblies().Where(name => !s_accept && !File.Exists(Snapshot(name)));
        Assert.True(!missing.Any(), $"no snapshot of {string.Join(", ", missing)}: run with GRADUS_ACCEPT=1 and commit tests/Gradus.Tests/Architecture/api");
    }

    [Fact]
    public void A_change_of_the_surface_is_shown_under_its_type()
    {
        var before = "class A\n  int X { get; }\n  void F()\nclass B\n  void F()\n";
        var after = "class A\n  void F()\n  void G()\nclass B\n  void F()\n";
        Assert.Equal(["- class A:   int X { get; }", "+ class A:   void G()"], Difference(before, after));
        Assert.Empty(Difference(before, before));
    }

    [Fact]
    public void The_text_of_a_surface_is_near_csharp()
    {
        var text = ApiText.Of(Assembly.Load("Gradus.Foundation"));
        Assert.Contains("struct Gradus.Foundation.Files.Counter\n", text, StringComparison.Ordinal);
        Assert.Contains("class Gradus.Foundation.Recipes.RecipeException : UserException\n", text, StringComparison.Ordinal);
        Assert.Contains("  static T Read<T>(String path, IReadOnlyList<String> overrides)\n", text, StringComparison.Ordinal);
        Assert.Contains("sealed record Gradus.Foundation.Recipes.ComponentInfo\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Binder", text, StringComparison.Ordinal); // internal
        Assert.DoesNotContain("<Clone>", text, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Assemblies() =>
        Directory.EnumerateFiles(Path.Combine(Repo.Root, "src"), "*.csproj", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).OfType<string>().Order(StringComparer.Ordinal);

    private static string Snapshot(string name) => Path.Combine(s_folder, name + ".txt");

    private static IEnumerable<string> Changes(string name)
    {
        var now = ApiText.Of(Assembly.Load(name == "Gradus.Cli" ? "gradus" : name));
        if (s_accept)
        {
            Directory.CreateDirectory(s_folder);
            File.WriteAllText(Snapshot(name), now);
        }
        return Difference(File.ReadAllText(Snapshot(name)).ReplaceLineEndings("\n"), now).Select(line => $"{name}: {line}");
    }

    // Gone lines first, then new ones, each with the type it stands under.
    private static IReadOnlyList<string> Difference(string before, string after)
    {
        var (old, now) = (Owned(before), Owned(after));
        return [.. old.Except(now).Select(line => "- " + line), .. now.Except(old).Select(line => "+ " + line)];
    }

    private static IReadOnlyList<string> Owned(string text)
    {
        var owner = "";
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[0] == ' ' ? $"{owner}: {line}" : owner = line)];
    }
}
