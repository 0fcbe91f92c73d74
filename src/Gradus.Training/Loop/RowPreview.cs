using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Tokenizers;

namespace Gradus.Training.Loop;

/// <summary>The rows that a recipe's conversations become, made as a run makes them, without the model.</summary>
/// <param name="Rows">In the order of the first epoch.</param>
/// <param name="Tokenizer">The base's, or the recipe's own.</param>
public sealed record RowPreview(IBatchSource Rows, Tokenizer Tokenizer)
{
    /// <summary>Makes them; null for a recipe whose rows are no conversations.</summary>
    /// <param name="recipe">With <c>records</c> and without <c>task</c>.</param>
    /// <param name="say">What a run would say of cut and empty records.</param>
    /// <exception cref="UserException">What a run would refuse, or a tokenizer that the run is yet to train.</exception>
    public static RowPreview? Of(TrainRecipe recipe, Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        if (recipe.Records is not { } records || recipe.Task is not null) return null;
        var tokenizer = Tokenizer.Load(recipe.Tokenizer?.Path ?? recipe.Model.From ?? throw new UserException("tokenizer.train: the run trains the tokenizer first; name one that exists with --tokenizer"));
        return new(new ChatRun(recipe.Chat ?? new(), records, tokenizer, recipe.Model.From, (ulong)recipe.Trainer.Seed, say).Train, tokenizer);
    }
}
