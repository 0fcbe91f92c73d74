using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Inference.Evaluation;
using Gradus.Models.Families;
using Gradus.Models.Nn;
using Gradus.Text.Data;

namespace Gradus.Training.Loop;

/// <summary>The <c>forgetting</c> section: how well the model still predicts general text after it was tuned to something else.</summary>
public sealed record ForgettingOptions
{
    /// <summary>General text, such as the model knew before: a text, or .jsonl with a field text.</summary>
    public required string Text { get; init; }

    /// <summary>About so many tokens of it, from the beginning.</summary>
    [AtLeast(2)]
    public int Tokens { get; init; } = 20_000;
}

/// <summary><c>forgetting.json</c>: bits by byte on general text before and after, measured alike.</summary>
public sealed record GeneralText
{
    /// <summary>The file's name in a run folder.</summary>
    public const string FileName = "forgetting.json";

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The file.</summary>
    public required string Text { get; init; }

    /// <summary>Tokens predicted.</summary>
    public required long Targets { get; init; }

    /// <summary>UTF-8 bytes of text they stand for.</summary>
    public required long Bytes { get; init; }

    /// <summary>Tokens a window.</summary>
    public required int Window { get; init; }

    /// <summary>Why it could not be measured, or null.</summary>
    public string? Skipped { get; init; }

    /// <summary>Bits by byte of the model as it came.</summary>
    public double? Before { get; init; }

    /// <summary>Bits by byte of what is exported.</summary>
    public double? After { get; init; }

    /// <summary>What a run folder holds of it, or null.</summary>
    internal static GeneralText? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? StrictJson.Read<GeneralText>(File.ReadAllBytes(path), path) : null;
    }

    internal void Write(string folder) => Durable.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, s_json) + "\n");

    /// <summary><c>1.2 → 1.3 bits a byte (+8.3 %)</c>, for reports.</summary>
    public override string ToString() => Skipped is { } reason ? "not measured: " + reason
        : After is null ? FormattableString.Invariant($"{Before:F4} bits a byte before")
        : FormattableString.Invariant($"{Before:F4} → {After:F4} bits a byte ({(After / Before - 1) * 100:+0.0;-0.0;0.0} %; {Targets:N0} tokens of {Text})");
}

/// <summary>Measures general text before a tuning run and after it. A task's body is judged under the output layer for tokens that it came with.</summary>
internal static class Forgetting
{
    private const int LongestWindow = 1024; // as gradus eval

    /// <summary>The model as it came; null when the recipe does not ask.</summary>
    /// <exception cref="UserException">There is no such text, or too little of it.</exception>
    public static GeneralText? Before(RunSetup setup)
    {
        if (setup.Recipe.Forgetting is not { } o) return null;
        using var tokens = HeldOutText.Read(o.Text, setup.Tokenizer, o.Tokens);
        var window = (int)Math.Max(1, Math.Min(Math.Min(setup.Model.MaxPositions, LongestWindow), tokens.Tokens - 1));
        var report = new GeneralText { Text = o.Text, Targets = Windows(tokens, window).Targets, Bytes = tokens.TextBytes, Window = window, Skipped = Reason(setup) };
        return report.Skipped is null ? report with { Before = Measure(setup, tokens, window, before: true) } : report;
    }

    /// <summary>The weights that were exported. A text that is gone by then is said in the report.</summary>
    public static GeneralText? After(RunSetup setup, string folder)
    {
        if (setup.Recipe.Forgetting is not { } o || GeneralText.Read(folder) is not { } report) return null;
        if (report.Before is null) return report;
        try
        {
            using var tokens = HeldOutText.Read(o.Text, setup.Tokenizer, o.Tokens);
            return tokens.TextBytes != report.Bytes ? report with { Skipped = $"{o.Text} has changed since before the run" }
                : report with { After = Measure(setup, tokens, report.Window, before: false), Skipped = null };
        }
        catch (UserException e)
        {
            return report with { Skipped = e.Message }; // the run is whole all the same
        }
    }

    private static string? Reason(RunSetup setup) => !setup.Model.IsCausal ? "an encoder sees the words it would have to predict"
        : setup.Model.Task is not null && ConfigFile.ReadHead(Path.Combine(setup.Recipe.Model.From!, ConfigFile.Name)) is not null ? "model.from has an output layer for labels and none for tokens" : null;

    private static SequentialWindows Windows(TokenStream tokens, int length) => new(tokens, new WindowOptions { Length = length });

    private static double Measure(RunSetup setup, TokenStream tokens, int window, bool before)
    {
        double Of(ILanguageModel model) => Perplexity.Of(model, Windows(tokens, window), tokens.TextBytes).BitsPerByte;
        if (setup.Model.Task is not null)
        {
            var (_, came) = ModelFolder.Load(setup.Recipe.Model.From!, device: setup.Model.Device);
            using var owned = came;
            ComputeTypes.Set(came, setup.Recipe.Trainer.Precision);
            return Of(before ? came : new BodyUnder(setup.Model, came.Head));
        }
        if (!before) return Of(setup.Model);
        var bits = 0.0;
        setup.OverBase(() => bits = Of(setup.Model));
        return bits;
    }

    /// <summary>A tuned body below an output layer for tokens. Owns neither.</summary>
    private sealed class BodyUnder(ILanguageModel body, Linear head) : ILanguageModel
    {
        public IReadOnlyList<Parameter> Parameters => body.Parameters;
        public int VocabSize => body.VocabSize;
        public int MaxPositions => body.MaxPositions;
        public Linear Head => head;
        public Tensor Hidden(Tensor ids, in Step step) => body.Hidden(ids, step);
        public KvCache NewCache(int batch, int capacity) => body.NewCache(batch, capacity);

        public void Dispose()
        {
            // What it is made of has owners.
        }
    }
}
