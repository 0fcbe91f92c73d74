using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>The cuts of Qwen 2, 2.5 and 3: as cl100k, but every digit is a piece of its own.</summary>
[Component("qwen2")]
public sealed record Qwen2PreTokenizerOptions : PreTokenizerOptions
{
    internal const string Published =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    internal static Splitter Instance { get; } = new Cl100kSplitter(Published, digits: 1);

    internal override Splitter Build() => Instance;

    internal override Splitter? Knows(string pattern) => pattern == Published ? Instance : null;
}
