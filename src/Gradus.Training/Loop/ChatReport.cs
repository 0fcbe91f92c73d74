using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Inference.Generation;

namespace Gradus.Training.Loop;

/// <summary><c>evaluation.json</c> of a chat run: loss on held-out conversations, answers to held-out questions and how many of them end by themselves, before and after.</summary>
internal sealed record ChatReport
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public required Side Before { get; init; }

    public Side? After { get; init; }

    /// <summary>One measurement.</summary>
    /// <param name="Loss">Nats a learned token; null without validation records.</param>
    /// <param name="Asked">Questions.</param>
    /// <param name="Stopped">Answers that the model ended itself, with the most likely token every time.</param>
    /// <param name="StoppedDrawn">The same, drawn as <c>gradus chat</c> draws.</param>
    /// <param name="Questions">Some of the questions.</param>
    /// <param name="Answers">The answers to them.</param>
    public sealed record Side(double? Loss, int Asked, int Stopped, int StoppedDrawn, IReadOnlyList<string> Questions, IReadOnlyList<string> Answers);

    public static void WriteBefore(RunSetup setup, ChatRun chat, string folder) => new ChatReport { Before = Measure(setup, chat) }.Write(folder);

    /// <summary>Measures the exported weights, and returns what the report says of them.</summary>
    public static string WriteAfter(RunSetup setup, ChatRun chat, string folder)
    {
        var path = Path.Combine(folder, TaskReport.FileName);
        if (!File.Exists(path)) return "";
        var report = StrictJson.Read<ChatReport>(File.ReadAllBytes(path), path);
        var after = Measure(setup, chat);
        (report with { After = after }).Write(folder);
        if (after.Asked == 0) return "";
        var text = new StringBuilder("\n## Before and after\n\n| held out | before | after |\n|---|--:|--:|\n");
        text.Append(CultureInfo.InvariantCulture, $"| loss (nats a learned token) | {report.Before.Loss:F4} | {after.Loss:F4} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| answers ended by the model itself, of {after.Asked}: the most likely token every time | {report.Before.Stopped} | {after.Stopped} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| drawn as `gradus chat` draws (temperature {Sampling.Chat.Temperature}, top-p {Sampling.Chat.TopP}) | {report.Before.StoppedDrawn} | {after.StoppedDrawn} |\n");
        for (var i = 0; i < after.Questions.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"\n> {Quoted(after.Questions[i])}\n\nBefore: {Quoted(report.Before.Answers.ElementAtOrDefault(i) ?? "")}\n\nAfter: {Quoted(after.Answers[i])}\n");
        if (after.StoppedDrawn < 0.9 * after.Asked)
            text.Append("\n**Many answers do not end by themselves.** More steps, or conversations whose answers fit into chat.max_length, teach a model to stop.\n");
        return text.ToString();
    }

    private static Side Measure(RunSetup setup, ChatRun chat)
    {
        using var off = Grad.Off();
        var loss = chat.Held is { } held ? new Validator(held, setup.Recipe.Trainer.Batch, 0, null).Measure(setup.Model, setup.Objective).Loss : (double?)null;
        var answers = chat.Answers(setup.Model);
        return new(loss, answers.Asked, answers.Stopped, answers.StoppedDrawn, [.. answers.Examples.Select(e => e.Question)], [.. answers.Examples.Select(e => e.Answer)]);
    }

    private static string Quoted(string text) => text.Length == 0 ? "(nothing)" : text.ReplaceLineEndings(" ").Trim() is var line && line.Length > 400 ? line[..400] + " …" : line;

    private void Write(string folder) => Durable.WriteText(Path.Combine(folder, TaskReport.FileName), JsonSerializer.Serialize(this, s_json) + "\n");
}
