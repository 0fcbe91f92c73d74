using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PreTokenizers;

/// <summary>The pre-tokenise step: cuts normalised text into the pieces that the model sees one by one.</summary>
[Socket("pre-tokenizer-steps", InRecipes = false)]
internal abstract record PreTokenizer : PipelinePart
{
    /// <summary>Cuts every piece of <paramref name="text"/> further.</summary>
    public abstract void Cut(CutText text);

    /// <summary>True where the cuts depend on what the pieces stand for in the original.</summary>
    public virtual bool NeedsOrigins => false;
}
