using Gradus.Foundation.Files;
using Gradus.Inference.Tasks;

namespace Gradus.Cli;

/// <summary>A model whose output layer is for a task, ready to be asked.</summary>
internal static class LoadedTask
{
    private const int MostTokens = 512;

    /// <exception cref="UserException">It predicts tokens.</exception>
    public static TaskWork Of(LoadedModel loaded, int maxLength)
    {
        if (loaded.Model.Task is not { } head) throw new UserException($"{loaded.Folder}: predicts tokens, not labels; gradus generate continues a text with it, and a recipe with a task gives it another output layer");
        if (maxLength > loaded.Model.MaxPositions) throw new UserException($"--length: {maxLength} is more than the model's context of {loaded.Model.MaxPositions}");
        var length = maxLength > 0 ? maxLength : Math.Min(loaded.Model.MaxPositions, MostTokens);
        return TaskOptions.For(head, length).Bind(loaded.Tokenizer, head, loaded.Model.IsCausal);
    }
}
