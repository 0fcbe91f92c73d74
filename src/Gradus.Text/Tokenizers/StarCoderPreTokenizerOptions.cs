using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers;

/// <summary>The cuts of StarCoder, SmolLM and Command R: every digit alone, then as gpt2.</summary>
[Component("starcoder")]
public sealed record StarCoderPreTokenizerOptions : PreTokenizerOptions
{
    internal override Splitter Build() => Gpt2Splitter.WithDigitsAlone;

    internal override Splitter? Knows(string pattern) => pattern == Gpt2Splitter.WithDigitsAlone.Pattern ? Gpt2Splitter.WithDigitsAlone : null;
}
