using System.Diagnostics;

namespace Gradus.Tests.Cli;

/// <summary>The script that <c>gradus completion bash</c> prints, at work in a real bash.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("./gradus qu", "quickstart")]
    [InlineData("./gradus tokenizer en", "encode")]
    [InlineData("./gradus train x.yaml --res", "--resume")]
    [InlineData("./gradus list opt", "optimizers")]
    [InlineData("./gradus completion z", "zsh")]
    public void Bash_completes(string typed, string expected)
    {
        Assert.SkipUnless(File.Exists("/bin/bash"), "needs bash");
        Assert.Equal([expected], Completions(typed));
    }

    [Fact]
    public void Bash_lists_the_verbs_and_leaves_what_it_cannot_know_to_file_names()
    {
        Assert.SkipUnless(File.Exists("/bin/bash"), "needs bash");
        var verbs = Completions("./gradus ");
        foreach (var verb in new[] { "train", "generate", "eval", "tokenizer", "data", "convert", "list", "schema", "doctor", "completion", "quickstart" })
            Assert.Contains(verb, verbs);
        Assert.Empty(Completions("./gradus train rec"));
    }

    [Theory]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public void Other_shells_have_a_script_that_asks_the_program(string shell) =>
        Assert.Contains("[suggest:", CommandLine.Run("completion", shell).Done().Out, StringComparison.Ordinal);

    private static string[] Completions(string typed)
    {
        using var folder = Repo.Temp();
        File.WriteAllText(folder.File("gradus"), $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "gradus.dll")}' \"$@\"\n");
        File.WriteAllText(folder.File("complete"), CommandLine.Run("completion", "bash").Done().Out);
        // As bash does at a tab: the words of the line, the one at the cursor, and the whole line.
        File.WriteAllText(folder.File("test"), """
            chmod +x gradus
            source ./complete
            complete -p ./gradus > /dev/null || exit 9
            COMP_LINE=$1; COMP_POINT=${#COMP_LINE}
            read -ra COMP_WORDS <<< "$COMP_LINE"
            [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _gradus "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            printf '%s\n' "${COMPREPLY[@]}"
            """);
        var start = new ProcessStartInfo("bash", ["test", typed]) { WorkingDirectory = folder.Path, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var shell = Process.Start(start)!;
        var errors = shell.StandardError.ReadToEndAsync();
        var found = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        Assert.True(shell.ExitCode == 0, errors.Result);
        return found.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
