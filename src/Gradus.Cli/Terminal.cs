using System.Text.Json;

namespace Gradus.Cli;

/// <summary>Two streams: results go to standard output, what a person watches goes to standard error.</summary>
internal static class Terminal
{
    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>True when a person watches and redraws are welcome.</summary>
    public static bool IsLive => !System.Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");

    public static bool HasColour => IsLive && Environment.GetEnvironmentVariable("NO_COLOR") is null;

    /// <summary>Colours on standard output: it is a terminal, and nobody asked for none.</summary>
    public static bool OutHasColour => !System.Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb") && Environment.GetEnvironmentVariable("NO_COLOR") is null;

    /// <summary>Text of a file for a terminal: control characters are written out, so that none steers it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="lines">Line breaks and tabs stay.</param>
    /// <param name="marks">Line breaks and tabs are shown by an arrow.</param>
    public static string Visible(string text, bool lines = false, bool marks = false) => !text.Any(char.IsControl) ? text : string.Concat(text.Select(c => c switch
    {
        '\n' or '\t' when lines => c.ToString(),
        '\n' when marks => "↵",
        '\t' when marks => "→",
        _ when char.IsControl(c) => $"\\x{(int)c:x2}",
        _ => c.ToString(),
    }));

    public static void Out(string line) => System.Console.Out.WriteLine(line);

    public static void Write(string text)
    {
        System.Console.Out.Write(text);
        System.Console.Out.Flush();
    }

    public static void Json(object value) => Out(JsonSerializer.Serialize(value, s_json));

    public static void Note(string line) => System.Console.Error.WriteLine(line);

    /// <summary>Redraws the line a person watches.</summary>
    public static void Live(string line) => System.Console.Error.Write("\r" + line + "\u001b[K");

    public static void Error(string message)
    {
        foreach (var line in message.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            System.Console.Error.WriteLine(HasColour ? $"\u001b[31merror:\u001b[0m {Shown(line)}" : $"error: {Shown(line)}");
    }

    // A message may quote a file: what it holds must not steer the terminal.
    private static string Shown(string line) => !line.Any(char.IsControl) ? line : string.Concat(line.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString()));
}
