using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Gradus.Tests.Cli;

/// <summary>What a run of the program came to.</summary>
/// <param name="Code">Exit code; 128 + n after signal n.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record Outcome(int Code, string Out, string Error)
{
    public string[] Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The last line of standard output: where --json puts a result.</summary>
    public System.Text.Json.JsonElement Json => System.Text.Json.JsonDocument.Parse(Lines[^1]).RootElement;

    /// <summary>Bad input ends with code 2 and one line that says what is wrong: no trace, nothing else that calls itself an error.</summary>
    public string Refusal()
    {
        Assert.True(Code == 2, $"exit code {Code} instead of 2\n{Error}\n{Out}");
        var line = Assert.Single(Error.Split('\n'), l => l.StartsWith("error: ", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("fault of Gradus", Error, StringComparison.Ordinal);
        Assert.DoesNotContain(line, char.IsControl);
        return line["error: ".Length..];
    }

    public Outcome Done()
    {
        Assert.True(Code == 0, $"exit code {Code}\n{Error}\n{Out}");
        return this;
    }
}

/// <summary>The real program, as a process: the <c>gradus</c> that was built beside the tests.</summary>
internal sealed class CommandLine : IDisposable
{
    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, "gradus.dll");
    private readonly Process _process;
    private readonly StringBuilder _out = new(), _error = new();
    private readonly Lock _gate = new();

    private CommandLine(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(_out, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Runs the program to its end.</summary>
    public static Outcome Run(params IEnumerable<string> args) => Run(new Settings(), args);

    /// <inheritdoc cref="Run(IEnumerable{string})"/>
    public static Outcome Run(Settings settings, params IEnumerable<string> args)
    {
        using var running = Start(settings, args);
        return running.End();
    }

    /// <summary>
    /// Background jobs of a shell without job control are started with SIGINT ignored, and what they start inherits it: no signal comes then.
    /// </summary>
    public static void SkipWhereIgnored(PosixSignal signal)
    {
        var ignored = File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[^1];
        Assert.SkipWhen(signal == PosixSignal.SIGINT && (Convert.ToInt32(ignored.ToString(), 16) & 2) != 0, "SIGINT is ignored here, by whoever started the tests");
    }

    /// <summary>Starts the program and returns.</summary>
    public static CommandLine Start(Settings settings, params IEnumerable<string> args)
    {
        Assert.True(File.Exists(s_program), $"{s_program}: the program is not beside the tests");
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8 };
        start.ArgumentList.Add(s_program);
        foreach (var arg in args) start.ArgumentList.Add(arg);
        if (settings.Folder is { } folder) start.WorkingDirectory = folder;
        foreach (var name in new[] { "GRADUS_FAILPOINT", "GRADUS_TRACE", "GRADUS_ACCEPT", "NO_COLOR" }) start.Environment.Remove(name);
        foreach (var (name, value) in settings.Environment) start.Environment[name] = value;
        var process = Process.Start(start)!;
        var running = new CommandLine(process);
        try
        {
            if (settings.Input is { } input) process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended without reading: its exit code says why.
        }
        return running;
    }

    /// <summary>Waits until standard output has this many lines; false when the program ended before.</summary>
    public bool WaitForLines(int count, int seconds = 120)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            lock (_gate)
                if (Lines(_out) >= count) return true;
            if (_process.HasExited) return false;
            Assert.True(watch.Elapsed.TotalSeconds < seconds, $"no line {count} within {seconds} s\n{_error}");
            Thread.Sleep(1);
        }
    }

    /// <summary>Waits until standard error says this.</summary>
    public void WaitForError(string text, int seconds = 120)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            lock (_gate)
                if (_error.ToString().Contains(text, StringComparison.Ordinal)) return;
            Assert.True(watch.Elapsed.TotalSeconds < seconds && !_process.HasExited, $"never said '{text}'\n{_error}");
            Thread.Sleep(1);
        }
    }

    public void Signal(PosixSignal signal)
    {
        var name = signal switch { PosixSignal.SIGINT => "-INT", PosixSignal.SIGTERM => "-TERM", _ => throw new ArgumentOutOfRangeException(nameof(signal)) };
        using var kill = Process.Start("kill", [name, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>SIGKILL. False when the program had ended by itself.</summary>
    public bool Kill()
    {
        _process.Kill();
        return End().Code == 128 + 9;
    }

    /// <summary>Waits for the end.</summary>
    public Outcome End(int seconds = 300)
    {
        if (!_process.WaitForExit(TimeSpan.FromSeconds(seconds)))
        {
            _process.Kill();
            Assert.Fail($"still running after {seconds} s\n{_error}");
        }
        _process.WaitForExit(); // until the streams are read to their ends
        lock (_gate) return new Outcome(_process.ExitCode, _out.ToString(), _error.ToString());
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private static int Lines(StringBuilder text)
    {
        var count = 0;
        foreach (var chunk in text.GetChunks()) count += chunk.Span.Count('\n');
        return count;
    }

    private void Keep(StringBuilder text, string? line)
    {
        if (line is null) return;
        lock (_gate) text.Append(line).Append('\n');
    }

    /// <summary>Where and how the program runs.</summary>
    internal sealed record Settings
    {
        /// <summary>Its working folder; the tests' own when unset.</summary>
        public string? Folder { get; init; }

        /// <summary>Added to the environment.</summary>
        public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

        /// <summary>Standard input.</summary>
        public byte[]? Input { get; init; }

        public static Settings In(string folder) => new() { Folder = folder };

        public Settings With(string name, string value) => this with { Environment = new Dictionary<string, string>(Environment) { [name] = value } };
    }
}
