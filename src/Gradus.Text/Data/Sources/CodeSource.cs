using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources.Html;

namespace Gradus.Text.Data.Sources;

/// <summary>
/// A tree of source code, a document a file: its language by its ending, its licence by the nearest licence file above it. Binaries,
/// generated, minified and copied-in files are counted and left out.
/// </summary>
[Component("code")]
public sealed record CodeSource : SourceOptions
{
    private const int BinaryLook = 8000; // bytes, as git does
    private const int LongLine = 1000; // average letters of a line, above which code was not written by people

    private static readonly (string Ending, string Language)[] s_languages =
    [
        (".ada", "ada"), (".adb", "ada"), (".asm", "assembly"), (".bash", "shell"), (".c", "c"), (".cc", "c++"), (".clj", "clojure"), (".cpp", "c++"), (".cs", "c#"), (".css", "css"), (".cu", "cuda"), (".cxx", "c++"),
        (".d", "d"), (".dart", "dart"), (".el", "emacs-lisp"), (".erl", "erlang"), (".ex", "elixir"), (".exs", "elixir"), (".f", "fortran"), (".f90", "fortran"), (".fs", "f#"), (".fsx", "f#"), (".glsl", "glsl"), (".go", "go"),
        (".gradle", "gradle"), (".groovy", "groovy"), (".h", "c"), (".hpp", "c++"), (".hs", "haskell"), (".hxx", "c++"), (".java", "java"), (".jl", "julia"), (".js", "javascript"), (".jsx", "javascript"), (".kt", "kotlin"), (".kts", "kotlin"),
        (".lisp", "lisp"), (".lua", "lua"), (".m", "matlab"), (".mjs", "javascript"), (".ml", "ocaml"), (".mli", "ocaml"), (".nim", "nim"), (".nix", "nix"), (".pas", "pascal"), (".php", "php"), (".pl", "perl"), (".pm", "perl"),
        (".proto", "protobuf"), (".ps1", "powershell"), (".py", "python"), (".pyi", "python"), (".r", "r"), (".rb", "ruby"), (".rkt", "racket"), (".rs", "rust"), (".s", "assembly"), (".scala", "scala"), (".scm", "scheme"), (".scss", "scss"),
        (".sh", "shell"), (".sol", "solidity"), (".sql", "sql"), (".sv", "systemverilog"), (".swift", "swift"), (".tcl", "tcl"), (".tex", "tex"), (".ts", "typescript"), (".tsx", "typescript"), (".v", "verilog"), (".vb", "visual-basic"), (".vhd", "vhdl"),
        (".vue", "vue"), (".zig", "zig"),
    ];

    private static readonly HashSet<string> s_copied = new(StringComparer.OrdinalIgnoreCase)
    {
        "node_modules", "vendor", "vendored", "third_party", "thirdparty", "third-party", "external", "externals", "bower_components", "dist", "build", "out", "target", "obj", "bin", "__pycache__", "site-packages", "venv", ".venv", "Pods", "Carthage", "deps", "generated", ".git", ".svn", ".hg",
    };

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, string?> _licenses = new(StringComparer.Ordinal); // files may be read on several threads

    /// <summary>Only these languages; empty for all that are known.</summary>
    public IReadOnlyList<string> Languages { get; init; } = [];

    /// <summary>Reads copied-in and generated files too.</summary>
    public bool Vendored { get; init; }

    protected internal override IReadOnlyList<string> FileEndings => [.. s_languages.Select(l => l.Ending)];

    protected internal override bool RecognisesFolder(string path) => Directory.Exists(System.IO.Path.Combine(path, ".git"))
        || new[] { "package.json", "Cargo.toml", "go.mod", "pyproject.toml", "setup.py", "CMakeLists.txt", "Makefile", "pom.xml", "build.gradle" }.Any(f => File.Exists(System.IO.Path.Combine(path, f)))
        || Directory.EnumerateFiles(path, "*.sln*").Any() || Directory.EnumerateFiles(path, "*.csproj").Any();

    protected override IEnumerable<Document> ReadFile(SourceFile file)
    {
        var inner = file.Name[(file.Name.LastIndexOf('!') + 1)..];
        var relative = file.Path is { } path && Directory.Exists(Path) ? System.IO.Path.GetRelativePath(Path, path) : inner;
        if (!Vendored && relative.Split('/', '\\').SkipLast(1).Any(s_copied.Contains))
        {
            file.Report.LeaveOut("code: vendored");
            yield break;
        }

        var language = LanguageOf(relative);
        if (language is null || (Languages.Count > 0 && !Languages.Contains(language, StringComparer.OrdinalIgnoreCase)))
        {
            file.Report.LeaveOut("code: other language");
            yield break;
        }

        if (file.ReadWhole() is not { } bytes)
            yield break;
        if (Unfit(bytes.Span) is { } rule)
        {
            file.Report.LeaveOut(rule);
            yield break;
        }

        var start = bytes.Span.StartsWith("\uFEFF"u8) ? 3 : 0;
        if (bytes.Span[start..].IndexOfAnyExcept(" \t\r\n"u8) < 0)
            file.Report.Empty++;
        else if (file.Utf8Text(bytes.Span[start..], file.Name, start) is { } text)
            yield return new Document(text, file.Name, Meta: Meta(relative, language, file.Path));
    }

    private static string? LanguageOf(string name)
    {
        var ending = System.IO.Path.GetExtension(Compression.CompressedFile.PlainName(name));
        foreach (var (known, language) in s_languages)
            if (known.Equals(ending, StringComparison.OrdinalIgnoreCase))
                return language;
        return null;
    }

    private string? Unfit(ReadOnlySpan<byte> text)
    {
        if (text[..Math.Min(text.Length, BinaryLook)].IndexOf((byte)0) >= 0)
            return "code: binary";
        if (Vendored)
            return null;
        if (text.Length > 2 * LongLine && text.Length / (text.Count((byte)'\n') + 1) > LongLine)
            return "code: minified";
        var head = Encoding.Latin1.GetString(text[..Math.Min(text.Length, 1000)]);
        return head.Contains("@generated", StringComparison.Ordinal) || head.Contains("DO NOT EDIT", StringComparison.Ordinal) || head.Contains("<auto-generated", StringComparison.Ordinal) ? "code: generated" : null;
    }

    private SortedDictionary<string, string> Meta(string relative, string language, string? path)
    {
        var meta = new SortedDictionary<string, string>(StringComparer.Ordinal) { [MetaKeys.Language] = language, [MetaKeys.Id] = relative.Replace('\\', '/') };
        if (path is not null && LicenseAbove(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!) is { } license)
            meta[MetaKeys.License] = license;
        return meta;
    }

    private string? LicenseAbove(string folder)
    {
        var root = Directory.Exists(Path) ? System.IO.Path.GetFullPath(Path) : folder;
        if (_licenses.TryGetValue(folder, out var known))
            return known;
        var name = Directory.EnumerateFiles(folder).Where(f => System.IO.Path.GetFileNameWithoutExtension(f).ToUpperInvariant() is "LICENSE" or "LICENCE" or "COPYING" or "UNLICENSE").Order(StringComparer.Ordinal).FirstOrDefault();
        var license = name is not null && new FileInfo(name).Length < 1 << 20 ? Licenses.OfText(File.ReadAllText(name)) : null;
        if (license is null && folder.Length > root.Length && System.IO.Path.GetDirectoryName(folder) is { } above)
            license = LicenseAbove(above);
        return _licenses[folder] = license;
    }
}
