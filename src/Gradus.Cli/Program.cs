using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Cli;

/// <summary>The composition root: which verbs there are, which rooms have components, and what becomes of a failure.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        System.Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        Composition.Register();
        return Failures.Report(() =>
        {
            var result = Root().Parse(args.Length == 0 ? ["--help"] : args);
            if (result.Errors.Count == 0) return result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
            foreach (var error in Explained(result)) Terminal.Error(error);
            Terminal.Note($"'gradus {string.Concat(VerbsOf(result))}--help' shows what can be said");
            return ExitCode.BadInput;
        });
    }

    internal static RootCommand Root()
    {
        var root = new RootCommand("""
            Gradus trains language models from C#: raw text, tokenizer, pre-training, evaluation, generation.

            Start here:
              gradus quickstart                       trains a small model on real text in about five minutes
              gradus train recipes/pretrain/tiny.yaml  trains what a recipe says
              gradus generate runs/quickstart/model --prompt "The people of"
              gradus doctor                           looks at this machine and says what slows it down

            Exit codes: 0 done, 1 failed, 2 bad input (nothing was started or written), 3 the run diverged, 130 stopped by you (saved).
            """);
        foreach (var verb in Composition.Verbs) root.Add(verb);
        Numbers.ReadStrictly(root);
        Help.Shorten(root);
        if (!root.Directives.OfType<SuggestDirective>().Any()) root.Add(new SuggestDirective());
        return root;
    }

    /// <summary>The parser's words, or, for a verb or option that is not there, what is nearest to it.</summary>
    private static IEnumerable<string> Explained(ParseResult result)
    {
        var command = result.CommandResult.Command;
        if (result.UnmatchedTokens is not [var stranger, ..])
            return command.Subcommands.Count > 0 && command.Action is null ? [$"say what to do: {string.Join(", ", command.Subcommands.Select(c => $"{command.Name} {c.Name}"))}"] : result.Errors.Select(e => e.Message).Distinct();
        var known = stranger.StartsWith('-') ? command.Options.Select(o => o.Name) : command.Subcommands.Select(c => c.Name);
        return [$"{(stranger.StartsWith('-') ? "unknown option" : "unknown command or argument")} '{stranger}'{NearestName.Hint(stranger, known)}"];
    }

    private static IEnumerable<string> VerbsOf(ParseResult result)
    {
        var names = new Stack<string>();
        for (var command = result.CommandResult; command.Parent is System.CommandLine.Parsing.CommandResult parent; command = parent) names.Push(command.Command.Name + " ");
        return names;
    }
}
