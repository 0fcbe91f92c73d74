using Gradus.Engine;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Inference.Generation;
using Gradus.Models.Families;
using Gradus.Models.Nn;
using Gradus.Models.Peft;
using Gradus.Text.Data;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Tokenizers;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Training.Loop;

/// <summary>What a recipe comes to: tokenizer, data, model, optimiser, ready to train.</summary>
internal sealed class RunSetup : IDisposable
{
    private RunSetup(TrainRecipe recipe, Tokenizer tokenizer, PreparedData data, ModelOptions modelOptions, ILanguageModel model)
    {
        (Recipe, Tokenizer, Data, ModelOptions, Model) = (recipe, tokenizer, data, modelOptions, model);
        Objective = recipe.Objective.Build();
        Rows = new PackedWindows(data.Train, recipe.Windows, (ulong)recipe.Trainer.Seed);
        Optimizer = recipe.Optimizer.Build(model.Parameters);
    }

    public TrainRecipe Recipe { get; }
    public Tokenizer Tokenizer { get; }
    public PreparedData Data { get; }
    public ModelOptions ModelOptions { get; }
    public ILanguageModel Model { get; }
    public IObjective Objective { get; }
    public IBatchSource Rows { get; }
    public Optimizer Optimizer { get; }

    /// <summary>Makes or opens everything below <paramref name="folder"/>. What is there from before is used again when it is the same.</summary>
    /// <exception cref="UserException">Something of the recipe does not go together or does not exist.</exception>
    public static RunSetup Open(TrainRecipe recipe, string folder, Action<string> say, CancellationToken stop)
    {
        if (recipe.Trainer.Threads > 0) EngineInfo.Threads = recipe.Trainer.Threads;
        var device = DeviceOf(recipe.Trainer.Device);
        PreparedData? data = null;
        ILanguageModel? model = null;
        try
        {
            Tokenizer tokenizer;
            if (recipe.Prepared is { } prepared)
            {
                data = PreparedData.Open(prepared);
                tokenizer = Tokenizer.Load(data.TokenizerFolder);
            }
            else
            {
                var cache = recipe.DataCache ?? Path.Combine(folder, "data");
                var run = new PrepareRun { Cancel = stop };
                tokenizer = OpenTokenizer(recipe, folder, PreparedData.WorkIn(cache), run, say);
                data = PreparedData.PrepareCached(recipe.Data!, tokenizer, cache, run);
                say(FormattableString.Invariant($"data: {data.Train.Tokens:N0} training tokens in {data.Train.Documents:N0} documents, vocabulary of {tokenizer.VocabSize:N0}{(data.CacheHit ? " (prepared before)" : "")}"));
            }
            var shape = recipe.Model.From is null ? recipe.Model.WithVocabulary(tokenizer.VocabSize) : recipe.Model;
            if (recipe.Model.From is null)
                shape = shape with
                {
                    BosTokenId = shape.BosTokenId ?? tokenizer.BosId,
                    EosTokenId = shape.EosTokenId.Count > 0 || tokenizer.EosId is not { } end ? shape.EosTokenId : [end],
                };
            (var options, model) = shape.Start((ulong)recipe.Trainer.Seed, DType.Float32, device, recipe.Adapter?.Base);
            if (recipe.Adapter is { } adapter)
            {
                var adapted = new AdaptedModel(model);
                model = adapted;
                adapted.Train(adapter, (ulong)recipe.Trainer.Seed);
            }
            _ = options.WithVocabulary(tokenizer.VocabSize); // a model read from a folder must have rows enough
            if (recipe.Windows.Length > model.MaxPositions)
                throw new UserException(FormattableString.Invariant($"windows.length: {recipe.Windows.Length} is more than the {model.MaxPositions} positions of the model"));
            if (recipe.Trainer.EarlyStopping is not null && !data.Has(DataSplit.Validation))
                throw new UserException("trainer.early_stopping: there is no validation data; raise data.split.validation");
            return new RunSetup(recipe, tokenizer, data, options, model);
        }
        catch
        {
            model?.Dispose();
            data?.Dispose();
            throw;
        }
    }

    /// <summary>Measures held-out text; null when there is none.</summary>
    public Validator? Validator()
    {
        if (Recipe.Trainer.ValidateEvery == 0 || !Data.Has(DataSplit.Validation)) return null;
        var held = Data[DataSplit.Validation];
        var rows = new SequentialWindows(held, Recipe.Windows with { Stride = 0, RandomPhase = false });
        return new Validator(rows, Recipe.Trainer.Batch, Recipe.Trainer.ValidateBatches, held.TextBytes > 0 ? (double)held.TextBytes / rows.Targets : null);
    }

    /// <summary>Writes a sample with the model as it is; its draws are its own, so the run is not disturbed.</summary>
    public SampleReport Sample(ILanguageModel model, RunState state)
    {
        using var off = Grad.Off();
        using var scope = Tensor.Scope();
        var generator = new TextGenerator(model, Tokenizer);
        var text = generator.Complete(generator.Prompt(Recipe.SamplePrompt), Recipe.Samples).Text;
        return new SampleReport(state.Step, Recipe.SamplePrompt, text);
    }

    public void Dispose()
    {
        Optimizer.Dispose();
        Model.Dispose();
        Data.Dispose();
    }

    private static Tokenizer OpenTokenizer(TrainRecipe recipe, string folder, string work, PrepareRun run, Action<string> say)
    {
        if (recipe.Tokenizer?.Train is not { } train)
            return Tokenizer.Load(recipe.Tokenizer?.Path ?? recipe.Model.From ?? throw new UserException("tokenizer: give a path, or say how to train one (tokenizer.train)"));
        var saved = Path.Combine(folder, "tokenizer");
        if (File.Exists(Path.Combine(saved, "tokenizer.json"))) return Tokenizer.Load(saved);
        say(FormattableString.Invariant($"tokenizer: training {train.VocabSize:N0} tokens"));
        var report = new TrainingReport();
        var tokenizer = train.Train(PreparedDocuments.ReadSplit(recipe.Data!, DataSplit.Train, work, run).Select(d => d.Utf8), report);
        if (report.WordsLeftOut > 0)
            say(FormattableString.Invariant($"tokenizer: {report.WordsLeftOut:N0} words seen {report.LeftOutUpTo:N0} times or less were left out to stay within tokenizer.train.memory_mb ({train.MemoryMb:N0})"));
        // Under its final name only when whole: a killed run trains it again, to the same bytes.
        var building = saved + ".tmp";
        if (Directory.Exists(building)) Directory.Delete(building, recursive: true);
        Directory.CreateDirectory(building);
        tokenizer.Save(building);
        Durable.PublishFolder(building, saved);
        return Tokenizer.Load(saved);
    }

    internal static Device DeviceOf(string name)
    {
        try
        {
            return Device.Parse(name);
        }
        catch (FormatException e)
        {
            throw new UserException($"trainer.device: {e.Message}", e);
        }
    }
}
