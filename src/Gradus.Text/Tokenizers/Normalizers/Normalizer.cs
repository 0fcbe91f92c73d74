using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>The normalise step: rewrites the text before it is cut (case, Unicode forms, marks for spaces).</summary>
[Socket("normalizers", InRecipes = false)]
internal abstract record Normalizer : PipelinePart
{
    /// <summary>Rewrites <paramref name="text"/>.</summary>
    public abstract void Apply(AlignedText text);
}
