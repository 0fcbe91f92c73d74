using System.Text;
using Gradus.Engine;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Generation;
using Gradus.Inference.Tasks;
using Gradus.Models.Families;
using Gradus.Models.Nn;
using Gradus.Models.Peft;
using Gradus.Text.Data;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;
using Gradus.Training.Objectives;
using Gradus.Training.Optim;

namespace Gradus.Training.Loop;

/// <summary>What a recipe comes to: tokenizer, data, model, optimiser, ready to train.</summary>
internal sealed class RunSetup : IDisposable
{
    private readonly ObjectiveOptions _objective;

    private RunSetup(TrainRecipe recipe, Tokenizer tokenizer, PreparedData? data, RecordRun? records, ModelOptions modelOptions, ILanguageModel model)
    {
        (Recipe, Tokenizer, Data, Records, ModelOptions, Model) = (recipe, tokenizer, data, records, modelOptions, model);
        _objective = ObjectiveOf(recipe);
        if (_objective.Problem(model) is { } problem) throw new UserException($"objective.kind: {problem}");
        Objective = _objective.Build();
        Rows = records is not null ? records.Train : _objective.Rows(new PackedWindows(data!.Train, recipe.Windows, (ulong)recipe.Trainer.Seed), tokenizer, (ulong)recipe.Trainer.Seed);
        recipe.Layers.Apply(model);
        Optimizer = recipe.Optimizer.Build(model.Parameters);
    }

    public TrainRecipe Recipe { get; }
    public Tokenizer Tokenizer { get; }

    /// <summary>Documents; null for a run on records.</summary>
    public PreparedData? Data { get; }

    /// <summary>Records; null for a run on documents.</summary>
    public RecordRun? Records { get; }

    /// <summary>Records of a task, or null.</summary>
    public TaskRun? Task => Records as TaskRun;

    public ModelOptions ModelOptions { get; }
    public ILanguageModel Model { get; }
    public IObjective Objective { get; }
    public IBatchSource Rows { get; }
    public Optimizer Optimizer { get; }

    /// <summary>SHA-256 of what is learned from.</summary>
    public string DataKey => Records?.Key ?? Data!.Record.Key;

    /// <summary>SHA-256 of the tokenizer.</summary>
    public required string TokenizerKey { get; init; }

    /// <summary>Tokens of one pass over the training data.</summary>
    public long TrainingTokens => Records?.Train.TokensPerEpoch ?? Data!.Train.Tokens;

    /// <summary>What is learned from, for the report.</summary>
    public string DataDescription => Records?.Description
        ?? FormattableString.Invariant($"{Data!.Train.Tokens:N0} tokens, {Data.Train.Documents:N0} documents");

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
            if (recipe.Records is not null)
            {
                tokenizer = OpenTokenizer(recipe, folder, () => Texts(recipe), say);
            }
            else if (recipe.Prepared is { } prepared)
            {
                data = PreparedData.Open(prepared);
                tokenizer = Tokenizer.Load(data.TokenizerFolder);
            }
            else
            {
                var cache = recipe.DataCache ?? Path.Combine(folder, "data");
                var run = new PrepareRun { Cancel = stop };
                tokenizer = OpenTokenizer(recipe, folder, () => PreparedDocuments.ReadSplit(recipe.Data!, DataSplit.Train, PreparedData.WorkIn(cache), run).Select(d => d.Utf8), say);
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
            var causal = shape.IsCausal;
            // A folder whose output layer is for this task already goes on with its labels.
            var known = recipe.Model.From is { } from && recipe.Task is { } again && ConfigFile.ReadHead(Path.Combine(from, ConfigFile.Name)) is { } old && again.Takes(old) && again.Keeps(old) ? old : null;
            var task = recipe.Task is null ? null : new TaskRun(recipe.Task, recipe.Records!, tokenizer, known, causal, (ulong)recipe.Trainer.Seed, say);
            RecordRun? records = task is null && recipe.Records is not null ? new ChatRun(recipe.Chat ?? new(), recipe.Records, tokenizer, recipe.Model.From, (ulong)recipe.Trainer.Seed, say) : task;
            (var options, model) = shape.Start((ulong)recipe.Trainer.Seed, DType.Float32, device, head: task?.Head, held: recipe.Adapter?.Base);
            if (recipe.Adapter is { } adapter)
            {
                // An output layer for a task has to be learned from nothing: it trains whole, beside the adapter, and is saved with it.
                var whole = task is null ? [] : options.HeadModules(model);
                var adapted = new AdaptedModel(model);
                model = adapted;
                adapted.Train(adapter with { ModulesToSave = [.. adapter.ModulesToSave.Union(whole, StringComparer.Ordinal)] }, (ulong)recipe.Trainer.Seed);
            }
            _ = options.WithVocabulary(tokenizer.VocabSize); // a model read from a folder must have rows enough
            var added = records is null ? ObjectiveOf(recipe).Added(tokenizer) : 0;
            if (records is null && recipe.Windows.Length + added > model.MaxPositions)
                throw new UserException(FormattableString.Invariant($"windows.length: {recipe.Windows.Length}{(added > 0 ? $" and {added} tokens round it are" : " is")} more than the {model.MaxPositions} positions of the model"));
            if (records?.Train.Length > model.MaxPositions)
                throw new UserException(FormattableString.Invariant($"{records.LengthKey}: rows of {records.Train.Length} tokens are more than the {model.MaxPositions} positions of the model"));
            if (recipe.Trainer.EarlyStopping is not null && !(data?.Has(DataSplit.Validation) ?? records!.Held is not null))
                throw new UserException(records is null ? "trainer.early_stopping: there is no validation data; raise data.split.validation" : "trainer.early_stopping: there are no validation records; raise records.validation_share");
            return new RunSetup(recipe, tokenizer, data, records, options, model) { TokenizerKey = data?.Record.Tokenizer ?? KeyOf(tokenizer) };
        }
        catch
        {
            model?.Dispose();
            data?.Dispose();
            throw;
        }
    }

    /// <summary>"Before" is the base: an adapter that stands before the text is no identity while it knows nothing.</summary>
    public void OverBase(Action measure)
    {
        var adapted = Model as AdaptedModel;
        string[] used = [.. adapted?.Used.Select(a => a.Name) ?? []];
        adapted?.Use();
        try { measure(); }
        finally { adapted?.Use(used); }
    }

    /// <summary>Measures held-out text; null when there is none.</summary>
    public Validator? Validator()
    {
        var o = Recipe.Trainer;
        if (o.ValidateEvery == 0) return null;
        if (Records is { } records) return records.Held is { } rows ? new Validator(rows, o.Batch, 0, null) { Score = model => records.Score(model, o.Batch) } : null;
        if (!Data!.Has(DataSplit.Validation)) return null;
        var held = Data[DataSplit.Validation];
        var windows = new SequentialWindows(held, Recipe.Windows with { Stride = 0, RandomPhase = false });
        var plain = _objective.Rows(windows, Tokenizer, (ulong)o.Seed);
        return new Validator(plain, o.Batch, o.ValidateBatches, held.TextBytes > 0 && plain == windows ? (double)held.TextBytes / windows.Targets : null);
    }

    /// <summary>Writes samples; null for a model that cannot continue a text.</summary>
    public Func<ILanguageModel, RunState, SampleReport>? Sampler() => Model.IsCausal && Records is null ? Sample : null;

    /// <summary>How good the model's answers to records are.</summary>
    public TaskResult Measure(IReadOnlyList<DataRecord> records) => TaskEvaluation.Measure(Model, Task!.Work, records, Recipe.Trainer.Batch);

    /// <summary>Writes a sample with the model as it is; its draws are its own, so the run is not disturbed.</summary>
    private SampleReport Sample(ILanguageModel model, RunState state)
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
        Data?.Dispose();
    }

    private static ObjectiveOptions ObjectiveOf(TrainRecipe recipe) => recipe.Objective
        ?? (recipe.Task is { } task ? (ObjectiveOptions)Activator.CreateInstance(Components.Of(typeof(ObjectiveOptions)).Single(c => c.Kind == task.ObjectiveKind).Type)! : new CausalLmOptions());

    private static IEnumerable<ReadOnlyMemory<byte>> Texts(TrainRecipe recipe)
    {
        var records = recipe.Records!.Train.Read(new SourceReport()).ToList();
        _ = recipe.Task?.HeadFor(records); // records that are not for the task are said before a tokenizer is trained on them
        return records.SelectMany(record => record.Texts).Select(text => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text));
    }

    private static string KeyOf(Tokenizer tokenizer)
    {
        var folder = Directory.CreateTempSubdirectory("gradus-tokenizer-").FullName;
        try
        {
            tokenizer.Save(folder);
            return Hashing.Sha256File(Path.Combine(folder, "tokenizer.json"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Tokenizer OpenTokenizer(TrainRecipe recipe, string folder, Func<IEnumerable<ReadOnlyMemory<byte>>> texts, Action<string> say)
    {
        if (recipe.Tokenizer?.Train is not { } train)
            return Tokenizer.Load(recipe.Tokenizer?.Path ?? recipe.Model.From ?? throw new UserException("tokenizer: give a path, or say how to train one (tokenizer.train)"));
        var saved = Path.Combine(folder, "tokenizer");
        if (File.Exists(Path.Combine(saved, "tokenizer.json"))) return Tokenizer.Load(saved);
        say(FormattableString.Invariant($"tokenizer: training {train.VocabSize:N0} tokens"));
        var report = new TrainingReport();
        var tokenizer = train.Train(texts(), report);
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
