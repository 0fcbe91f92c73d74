using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Gradus.Cli;

/// <summary>Help in which a command says all about itself and one sentence about each command below it.</summary>
internal sealed class Help(HelpAction usual) : SynchronousCommandLineAction
{
    public static void Shorten(RootCommand root)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        if (option.Action is HelpAction usual) option.Action = new Help(usual);
    }

    public override bool ClearsParseErrors => true; // help is what a half-typed command needs

    public override int Invoke(ParseResult parseResult)
    {
        foreach (var command in parseResult.CommandResult.Command.Subcommands) command.Description = FirstSentence(command.Description ?? "");
        return usual.Invoke(parseResult);
    }

    private static string FirstSentence(string text)
    {
        var paragraph = text.ReplaceLineEndings("\n").Split("\n\n")[0].Replace('\n', ' ');
        var end = paragraph.IndexOfAny(['.', ':'], 0) is >= 0 and var first && first + 1 < paragraph.Length && paragraph[first + 1] == ' ' ? first : paragraph.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? paragraph : paragraph[..end] + ".";
    }
}
