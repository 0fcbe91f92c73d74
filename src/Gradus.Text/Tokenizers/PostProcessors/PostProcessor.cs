using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PostProcessors;

/// <summary>The post-process step: puts the tokens round a text, or round a pair, that the model expects.</summary>
[Socket("post-processors", InRecipes = false)]
internal abstract record PostProcessor : PipelinePart
{
    /// <summary>How many tokens it adds.</summary>
    public abstract int Added(bool isPair);

    /// <summary>Works on one text or two; what comes out is joined.</summary>
    public abstract List<EncodingDraft> Process(List<EncodingDraft> parts, bool addSpecialTokens);

    /// <summary>The ids it puts before and behind a single text; false where it does more than that.</summary>
    public abstract bool Around(List<int> before, List<int> after);

    /// <summary>The step as a whole: numbers the texts, works, joins.</summary>
    public static EncodingDraft Finish(PostProcessor? step, EncodingDraft text, EncodingDraft? pair, bool addSpecialTokens)
    {
        List<EncodingDraft> parts = pair is null ? [text] : [text, pair];
        for (var i = 0; i < parts.Count; i++)
        {
            if (step is null && pair is null)
                continue;
            parts[i].SetSequence(i);
            if (step is null)
                continue;
            foreach (var rest in parts[i].Overflowing)
                rest.SetSequence(i);
            parts[i].SetTypes(i);
        }

        return EncodingDraft.Join(step is null ? parts : step.Process(parts, addSpecialTokens));
    }
}
