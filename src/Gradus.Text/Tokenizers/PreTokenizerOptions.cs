using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>How text is cut before merging: no token crosses a cut. Each kind is one file with its scanner.</summary>
[Socket("pre-tokenizers")]
public abstract record PreTokenizerOptions
{
    internal abstract Splitter Build();

    /// <summary>The scanner of this kind for a pattern as <c>tokenizer.json</c> files hold it, or null if the pattern is another's.</summary>
    internal virtual Splitter? Knows(string pattern) => null;

    /// <summary>A scanner of our own for a published pattern, else the framework's regex engine.</summary>
    /// <param name="pattern">The pattern.</param>
    /// <param name="where">File and field, for the error when no engine reads it.</param>
    internal static Splitter ForPattern(string pattern, string where) => ScannerFor(pattern) ?? RegexSplitter.Make(pattern, where);

    /// <summary>A scanner of our own for a published pattern, or for published patterns one after another (<see cref="Splitter.Pattern"/>); else null.</summary>
    internal static Splitter? ScannerFor(string pattern)
    {
        foreach (var component in Components.Of(typeof(PreTokenizerOptions)))
            if (((PreTokenizerOptions)Activator.CreateInstance(component.Type)!).Knows(pattern) is { } splitter)
                return splitter;
        return null;
    }
}
