using System.CommandLine;
using Gradus.Foundation.Files;

namespace Gradus.Cli;

/// <summary><c>gradus completion SHELL</c>: a script that makes the shell ask the program itself what may come next.</summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> s_scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            _gradus() {
                local IFS=$'\n'
                COMPREPLY=($("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE#* }" 2>/dev/null))
                COMPREPLY=($(compgen -W "${COMPREPLY[*]}" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _gradus gradus ./gradus
            """,
        ["zsh"] = """
            _gradus() {
                local -a found
                found=("${(@f)$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER#* }" 2>/dev/null)}")
                compadd -- $found
                _files
            }
            compdef _gradus gradus
            """,
        ["fish"] = """
            complete -c gradus -a '(gradus "[suggest:"(string length -- (commandline -cp))"]" (commandline -cp | string replace -r "^\S+\s*" "") 2>/dev/null)'
            """,
        ["pwsh"] = """
            Register-ArgumentCompleter -Native -CommandName gradus -ScriptBlock {
                param($word, $ast, $cursor)
                & gradus "[suggest:$cursor]" ($ast.ToString() -replace '^\S+\s*', '') | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
            }
            """,
    };

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { HelpName = "shell", Description = "bash, zsh, fish or pwsh" };
        shell.CompletionSources.Add(_ => s_scripts.Keys.Select(s => new System.CommandLine.Completions.CompletionItem(s)));
        var command = new Command("completion", "Prints the completion script of a shell.\n\nExample:\n  source <(./gradus completion bash)") { shell };
        command.SetAction(result => Run(result.GetRequiredValue(shell)));
        return command;
    }

    private static int Run(string shell)
    {
        if (!s_scripts.TryGetValue(shell, out var script)) throw new UserException($"no completion for '{shell}'; there are {string.Join(", ", s_scripts.Keys)}");
        Terminal.Out(script);
        return ExitCode.Done;
    }
}
