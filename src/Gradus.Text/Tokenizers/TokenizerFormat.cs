using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>A way to store a tokenizer. To add one: a file with a record like <see cref="TiktokenFormat"/>.</summary>
[Socket("tokenizer-formats")]
internal abstract record TokenizerFormat
{
    private static readonly TokenizerFormat[] s_formats =
        [.. Components.Of(typeof(TokenizerFormat)).Select(c => (TokenizerFormat)Activator.CreateInstance(c.Type)!).OrderBy(f => f.Order)];

    /// <summary>A folder that holds several is searched for the lowest first.</summary>
    public abstract int Order { get; }

    /// <summary>What a user is told to look for.</summary>
    public abstract string Files { get; }

    /// <summary>Whether a file with this name is (the main file of) such a tokenizer.</summary>
    public abstract bool Fits(string fileName);

    /// <summary>Reads it. Every fault of the file is a <see cref="UserException"/>.</summary>
    public abstract Tokenizer Read(string file);

    public static Tokenizer Load(string path)
    {
        var file = path;
        if (Directory.Exists(path))
        {
            var names = Directory.GetFiles(path).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray();
            var name = s_formats.Select(f => names.FirstOrDefault(n => f.Fits(n!))).FirstOrDefault(n => n is not null)
                ?? throw new UserException($"{path}: no tokenizer in this folder; looked for {Known}");
            file = Path.Combine(path, name);
        }
        else if (!File.Exists(path))
        {
            throw new UserException($"{path}: no such file or folder");
        }

        var format = Array.Find(s_formats, f => f.Fits(Path.GetFileName(file)));
        if (format is null && file.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            format = s_formats[0];
        if (format is null)
            throw new UserException($"{file}: not a tokenizer file by its name; known are {Known}");
        try
        {
            return format.Read(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{file}: {e.Message}", e);
        }
    }

    private static string Known => string.Join(", ", s_formats.Select(f => f.Files));
}
