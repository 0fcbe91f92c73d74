using System.Diagnostics;
using System.Globalization;
using Gradus.Engine;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Evaluation;
using Gradus.Inference.Generation;
using Gradus.Text.Data;
using Gradus.Text.Data.Sources;
using Gradus.Training.Loop;

namespace Gradus.Cli;

/// <summary>One quickstart from corpus to report. The training itself is an ordinary run of recipes/quickstart.yaml.</summary>
internal sealed class Quickstart(double minutes, IReadOnlyList<string> data, string folder, IReadOnlyList<string> overrides, bool json)
{
    private const int CalibrationSteps = 32;

    // Shapes, the largest first, and the arithmetic (floating-point operations at this machine's peak) from which each is worth its size: docs/log.md.
    private static readonly (string Recipe, double Work)[] s_shapes = [("quickstart.yaml", 60e12), ("quickstart-small.yaml", 0)];
    private static readonly string[] s_prompts = ["The people of the United States", "I have the honor", "Call me"];

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private string _shape = s_shapes[^1].Recipe;

    public int Run()
    {
        // ./gradus passes on when it was started, so that the total includes installing and building.
        var before = double.TryParse(Environment.GetEnvironmentVariable("GRADUS_SETUP_SECONDS"), NumberStyles.Float, CultureInfo.InvariantCulture, out var s) ? s : 0;
        string[] sources = data.Count > 0 ? [.. data] : [Corpus.Fetch(Say)];
        SetAside();
        using var stop = new StopSignal(() => Say("finishing the step under way, saving (again: at once)"));

        var peak = Flops.MeasurePeak(ComputeTypes.Of(ComputeTypes.Decide(Precision.Auto, Device.Cpu)), Device.Cpu);
        _shape = s_shapes.First(shape => peak * minutes * 60 >= shape.Work).Recipe;
        Say(string.Create(CultureInfo.InvariantCulture, $"this machine multiplies {peak / 1e9:0} GFLOP/s: the shape of recipes/{_shape}; measuring a few steps of it"));
        var draft = Recipe(sources, steps: CalibrationSteps, Path.Combine(folder, "data"));
        var secondsPerStep = Calibrate(draft, stop.Token);
        var steps = Math.Max(40, (long)(minutes * 60 / secondsPerStep));
        var recipe = Recipe(sources, steps, Path.Combine(folder, "data"));
        Say(string.Create(CultureInfo.InvariantCulture, $"training {steps:N0} steps of {recipe.Trainer.RowsPerStep() * recipe.Windows.Length:N0} tokens, about {minutes:0.#} minutes"));
        var run = TrainingRun.Execute(recipe, folder, resume: false, [new TrainView(json)], Say, stop: stop.Token);
        if (run.End == RunEnd.Interrupted)
        {
            Say($"stopped after step {run.State.Step} and saved; go on with: ./gradus train {Path.Combine(folder, TrainingRun.RecipeName)} --out {folder} --resume");
            return ExitCode.Stopped;
        }

        using var loaded = LoadedModel.Load(run.ModelFolder!);
        var report = Judge(loaded, recipe, run, before, stop.Token);
        QuickstartReport.Write(folder, report);
        if (json) Terminal.Json(report);
        else foreach (var line in QuickstartReport.Summary(folder, report)) Terminal.Out(line);
        return ExitCode.Done;
    }

    private void Say(string line)
    {
        if (json) Terminal.Json(new { Event = "note", Text = line });
        else Terminal.Note($"[{_clock.Elapsed:mm\\:ss}] {line}");
    }

    /// <summary>A run that is already there moves aside: nothing is lost, and the command works again.</summary>
    private void SetAside()
    {
        if (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any()) return;
        if (!File.Exists(Path.Combine(folder, TrainingRun.RecipeName)) && !Directory.Exists(Path.Combine(folder, "data"))) throw new UserException($"{folder}: is not empty and holds no run; name another folder with --out");
        using (RunLock.Take(folder)) { } // a run that is going on keeps its folder
        var number = 1;
        while (Directory.Exists($"{folder}-{number}")) number++;
        Directory.Move(folder, $"{folder}-{number}");
        Say($"the former run is now in {folder}-{number}");
    }

    private TrainRecipe Recipe(IReadOnlyList<string> sources, long steps, string cache)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "recipes", _shape);
        var list = string.Join(", ", sources.Select(source => SourceText(source)));
        var every = Math.Max(1, steps / 8);
        return RecipeFile.Read<TrainRecipe>(path, [
            $"data.sources=[{list}]", $"data_cache={cache}", $"trainer.steps={steps}",
            $"trainer.schedule.warmup_steps={Math.Max(1, Math.Min(steps / 20, 50))}",
            $"trainer.validate_every={every}", $"trainer.save_every={every}", .. overrides]);
    }

    private static string SourceText(string path)
    {
        if (!path.Contains('*', StringComparison.Ordinal) && !File.Exists(path) && !Directory.Exists(path)) throw new UserException($"--data: {path}: no such file or folder");
        var source = SourceOptions.FromPath(path);
        var yaml = RecipeFile.Write(source).Trim();
        return "{ kind: " + Components.KindOf(source.GetType()) + ", " + string.Join(", ", yaml.Split('\n').Where(l => !l.StartsWith("kind:", StringComparison.Ordinal))) + " }";
    }

    /// <summary>Seconds of a step, from a few made and thrown away.</summary>
    private double Calibrate(TrainRecipe draft, CancellationToken stop)
    {
        var steps = new StepTimes();
        var scratch = folder + ".measuring";
        if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        try
        {
            var few = draft with { Trainer = draft.Trainer with { ValidateEvery = 0, SaveEvery = 0, SampleEvery = 0 } };
            TrainingRun.Execute(few, scratch, resume: false, [steps], line => { if (line.StartsWith("data", StringComparison.Ordinal) || line.StartsWith("tokenizer", StringComparison.Ordinal)) Say(line); }, stop: stop);
            stop.ThrowIfCancellationRequested();
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }
        return steps.Usual;
    }

    private QuickstartReport Judge(LoadedModel loaded, TrainRecipe recipe, RunResult run, double before, CancellationToken stop)
    {
        Say("judging on held-out documents, against Kneser-Ney models of the same training tokens");
        using var prepared = PreparedData.PrepareCached(recipe.Data!, loaded.Tokenizer, recipe.DataCache!);
        var test = prepared.Has(DataSplit.Test) ? prepared[DataSplit.Test] : prepared[DataSplit.Validation];
        var windows = new SequentialWindows(test, recipe.Windows with { RandomPhase = false, Stride = recipe.Windows.Length / 2, DocumentMask = false });
        var score = Perplexity.Of(loaded.Model, windows, test.TextBytes, cancel: stop);
        var three = KneserNey.Train(prepared.Train, 3).Bits(test) / test.TextBytes;
        var five = KneserNey.Train(prepared.Train, 5).Bits(test) / test.TextBytes;
        var generator = new TextGenerator(loaded.Model, loaded.Tokenizer);
        var samples = s_prompts.Select((prompt, i) => new QuickstartSample(prompt, generator.Complete(generator.Prompt(prompt), new Sampling { Temperature = 0.8, TopP = 0.95, MaxNewTokens = 80, Seed = (ulong)i + 1 }, stop).Text)).ToArray();
        var seconds = run.State.Seconds;
        return new QuickstartReport
        {
            BitsPerByte = score.BitsPerByte, Perplexity = score.Perplexity, Kn3BitsPerByte = three, Kn5BitsPerByte = five,
            BeatsKn3 = score.BitsPerByte < three, BeatsKn5 = score.BitsPerByte < five, Context = windows.ContextHandling,
            TestDocuments = test.Documents, TestTokens = windows.Targets, TestBytes = test.TextBytes, TrainTokens = prepared.Train.Tokens, TrainDocuments = prepared.Train.Documents,
            Model = run.ModelFolder!, Parameters = loaded.Model.Parameters.Sum(p => p.Value.Elements), VocabSize = loaded.Tokenizer.VocabSize,
            Steps = run.State.Step, TokensPerSecond = run.State.TargetTokens / seconds, SecondsTraining = seconds, SecondsTotal = before + _clock.Elapsed.TotalSeconds,
            Minutes = minutes, Precision = run.Recipe.Trainer.Precision.ToString().ToLowerInvariant(), Threads = EngineInfo.Threads, Libtorch = EngineInfo.LibtorchVersion, Samples = samples,
        };
    }

    private sealed class StepTimes : IRunHook
    {
        private readonly List<double> _seconds = [];

        /// <summary>The lower eighth of the second half: the first steps warm the machine up, and another program's burst is not its speed.</summary>
        public double Usual => _seconds.Skip(_seconds.Count / 2).Order().ElementAt(_seconds.Count / 16);

        public void Stepped(StepReport report) => _seconds.Add(report.Seconds);
    }
}
