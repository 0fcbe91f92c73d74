using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Foundation.Recipes;

/// <summary>
/// Reads and writes recipes: YAML bound strictly to options records. Keys are the properties in snake_case; <c>kind:</c> chooses the
/// component of a socket; what is not written keeps the record's default. All errors are reported at once.
/// </summary>
public static class RecipeFile
{
    /// <summary>A recipe longer than this is not one.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>Reads a file, then applies overrides (<c>path=value</c>, later ones win).</summary>
    /// <exception cref="RecipeException">Anything wrong with the recipe or an override.</exception>
    /// <exception cref="UserException">The file cannot be read.</exception>
    public static T Read<T>(string path, IReadOnlyList<string> overrides) => Parse<T>(Text(path), path, overrides);

    /// <summary>As <see cref="Read{T}"/>, from text; <paramref name="fileName"/> stands in the errors.</summary>
    public static T Parse<T>(string yaml, string fileName, IReadOnlyList<string> overrides)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        ArgumentNullException.ThrowIfNull(overrides);
        var problems = new List<RecipeProblem>();
        var root = YamlReader.Read(yaml, mark => new Origin(fileName, (int)mark.Line, (int)mark.Column), problems);
        if (root is null or { IsNull: true })
            throw new RecipeException(problems.Count > 0 ? problems : [new RecipeProblem(fileName, 1, 1, "the recipe is empty")]);
        foreach (var text in overrides)
            Override.Apply(root, text, problems);
        var recipe = new Binder(root, typeof(T), problems).Bind();
        // In the order of the file; overrides (line 0) after it, in the order given.
        return problems.Count == 0 ? (T)recipe! : throw new RecipeException([.. problems.OrderBy(p => p.Line == 0 ? int.MaxValue : p.Line).ThenBy(p => p.Column)]);
    }

    /// <summary>The whole recipe, every default written out; reading it back gives the same values, bit for bit.</summary>
    /// <param name="recipe">An options record.</param>
    /// <param name="maskSecrets">Writes <c>"***"</c> for every [Secret] value that is set.</param>
    public static string Write<T>(T recipe, bool maskSecrets = false)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return RecipeWriter.Write(recipe, maskSecrets);
    }

    private static string Text(string path)
    {
        byte[] bytes;
        try
        {
            if (Directory.Exists(path))
                throw new UserException($"{path}: is a folder; a recipe is a YAML file");
            if (!File.Exists(path))
                throw new UserException($"{path}: no such recipe{NearestFile(path)}");
            if (new FileInfo(path).Length > MaxBytes)
                throw new UserException($"{path}: larger than 1 MiB, so not a recipe");
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path}: cannot be read: {e.Message}", e);
        }
        ReadOnlySpan<byte> utf8 = bytes;
        if (utf8.StartsWith("\uFEFF"u8))
            utf8 = utf8[3..];
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8);
        }
        catch (DecoderFallbackException e)
        {
            var before = utf8[..Math.Clamp(e.Index, 0, utf8.Length)];
            throw new RecipeException(path, before.Count((byte)'\n') + 1, before.Length - before.LastIndexOf((byte)'\n'), "not valid UTF-8");
        }
    }

    private static string NearestFile(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (folder is null || !Directory.Exists(folder))
            return "";
        var names = Directory.EnumerateFiles(folder).Select(Path.GetFileName).OfType<string>().Where(name => name.EndsWith(".yaml", StringComparison.Ordinal) || name.EndsWith(".yml", StringComparison.Ordinal));
        return NearestName.Of(Path.GetFileName(path), names) is { } near ? $"; did you mean '{Path.Combine(Path.GetDirectoryName(path) ?? "", near)}'?" : "";
    }
}
