using Gradus.Foundation.Recipes;
using Gradus.Inference.Generation;
using Gradus.Inference.Tasks;
using Gradus.Models.Families;
using Gradus.Models.Peft;
using Gradus.Text.Data;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Training.Loop;

/// <summary>The <c>tokenizer</c> section: one that exists, or one that is trained on the training documents first.</summary>
public sealed record TokenizerChoice : IValidated
{
    /// <summary>A tokenizer file or folder.</summary>
    public string? Path { get; init; }

    /// <summary>How to train one.</summary>
    public TokenizerTrainerOptions? Train { get; init; }

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (Path is null == Train is null) yield return (nameof(Path), "give either path (a tokenizer that exists) or train (how to make one)");
    }
}

/// <summary>A training run, whole: <c>gradus train RECIPE</c>.</summary>
public sealed record TrainRecipe : IValidated
{
    /// <summary>Names the run in reports.</summary>
    public string Name { get; init; } = "run";

    /// <summary>The network.</summary>
    public required ModelOptions Model { get; init; }

    /// <summary>What is tuned instead of the whole model: LoRA and its kin, over <c>model.from</c>. Unset: every weight trains.</summary>
    public AdapterOptions? Adapter { get; init; }

    /// <summary>Text to ids. Unset: the one in the folder that <c>model.from</c> names.</summary>
    public TokenizerChoice? Tokenizer { get; init; }

    /// <summary>Documents to train and validate on.</summary>
    public DataOptions? Data { get; init; }

    /// <summary>A folder that <c>gradus data prepare</c> made, in place of <see cref="Data"/>; its tokenizer is used.</summary>
    public string? Prepared { get; init; }

    /// <summary>Where prepared data is kept for the next run; unset: in the run's own folder.</summary>
    public string? DataCache { get; init; }

    /// <summary>Text that samples continue; empty: from the beginning of a text.</summary>
    public string SamplePrompt { get; init; } = "";

    /// <summary>How samples are drawn.</summary>
    public Sampling Samples { get; init; } = new() { MaxNewTokens = 64, Temperature = 0.8, TopK = 50 };

    /// <summary>How the tokens fall into rows; the length of a sequence is here.</summary>
    public WindowOptions Windows { get; init; } = new();

    /// <summary>What the model is to do besides predicting tokens, learned from <see cref="Records"/>. Unset: it predicts tokens.</summary>
    public TaskOptions? Task { get; init; }

    /// <summary>Labelled records for a task, or, without a task, conversations and prompts with answers; in place of <see cref="Data"/>.</summary>
    public RecordSets? Records { get; init; }

    /// <summary>How conversations become rows, for records without a task.</summary>
    public ChatRowOptions? Chat { get; init; }

    /// <summary>What training makes small. Unset: what goes with the task, or causal-lm.</summary>
    public ObjectiveOptions? Objective { get; init; }

    /// <summary>Which parts of the model move, when, and how fast.</summary>
    public LayerOptions Layers { get; init; } = new();

    /// <summary>How weights move.</summary>
    public OptimizerOptions Optimizer { get; init; } = new AdamWOptions();

    /// <summary>How long, in which portions, and what happens on the way.</summary>
    public required TrainerOptions Trainer { get; init; }

    /// <summary>What is tried before the first step. Unset: as it comes where a model is tuned (<c>model.from</c>) or records are learned from, nothing elsewhere.</summary>
    public PreflightOptions? Preflight { get; init; }

    /// <summary>Measures before and after the run how well general text is predicted. Unset: not measured.</summary>
    public ForgettingOptions? Forgetting { get; init; }

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if ((Data is null ? 0 : 1) + (Prepared is null ? 0 : 1) + (Records is null ? 0 : 1) != 1)
            yield return (nameof(Data), "give one of data (documents), prepared (a folder that `gradus data prepare` made) and records (conversations, or labelled examples for a task)");
        if (Task is not null && Records is null) yield return (nameof(Task), "a task learns from records; say where they are");
        if (Chat is not null && (Records is null || Task is not null)) yield return (nameof(Chat), Records is null ? "chat learns from records; say where they are" : "a task learns from labels, not from conversations; leave one of the two out");
        if (Chat is { } chat && Model.From is null && chat.MaxLength > Model.ContextLength) yield return ("chat.max_length", $"{chat.MaxLength} is more than the {Model.ContextLength} positions of the model");
        if (Prepared is not null && Tokenizer is not null) yield return (nameof(Tokenizer), "prepared data has its tokenizer; leave this out");
        if (Adapter is not null && Model.From is null) yield return ("adapter", "tunes a model that exists; set model.from to its folder");
        if (Forgetting is not null && Model.From is null) yield return (nameof(Forgetting), "a model that begins from nothing has nothing to forget; set model.from, or leave this out");
        if (Task is { } task && Model.From is null && task.MaxLength > Model.ContextLength) yield return ("task.max_length", $"{task.MaxLength} is more than the {Model.ContextLength} positions of the model");
        if (Records is null && Model.From is null && Windows.Length > Model.ContextLength) yield return ("windows.length", $"{Windows.Length} is more than the {Model.ContextLength} positions of the model");
    }
}
