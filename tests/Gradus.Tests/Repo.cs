namespace Gradus.Tests;

/// <summary>Finds files of the checkout and of the shared data folder beside it.</summary>
internal static class Repo
{
    public static string Root { get; } = FindRoot();

    /// <summary>A committed fixture, relative to <c>tests/fixtures</c>.</summary>
    public static string Fixture(string path) => Path.Combine(Root, "tests", "fixtures", path);

    /// <summary>A file of <c>../shared/data</c>. Skips the test, saying so, when it is absent: a skipped test is not counted as passed.</summary>
    public static string SharedData(string path)
    {
        var full = Path.GetFullPath(Path.Combine(Root, "..", "shared", "data", path));
        Assert.SkipUnless(File.Exists(full) || Directory.Exists(full), $"needs ../shared/data/{path}");
        return full;
    }

    /// <summary>A fresh folder that is deleted when the returned value is disposed.</summary>
    public static TempFolder Temp() => new();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Gradus.slnx")))
                return folder.FullName;
        throw new InvalidOperationException("The tests run from inside the checkout: Gradus.slnx was not found above the test binary.");
    }
}

internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("gradus-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
