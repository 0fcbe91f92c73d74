using System.CommandLine;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Cli;

/// <summary><c>gradus list [KIND]</c>: what a recipe may name.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var kind = new Argument<string?>("kind") { HelpName = "kind", Description = "What to list, for example optimizers; without it, the kinds there are", DefaultValueFactory = _ => null };
        kind.CompletionSources.Add(_ => Components.Sockets.Select(s => new System.CommandLine.Completions.CompletionItem(s.Name)));
        var json = new Option<bool>("--json") { Description = "One JSON object a line" };
        var command = new Command("list", "Lists the components that recipes can name: models, optimizers, objectives, schedules, sources …\n\nExamples:\n  gradus list\n  gradus list optimizers") { kind, json };
        command.SetAction(result => Run(result.GetValue(kind), result.GetValue(json)));
        return command;
    }

    private static int Run(string? kind, bool json)
    {
        if (kind is null)
        {
            foreach (var socket in Components.Sockets)
                Print(json, socket.Name, socket.Doc, Components.Of(socket.Type).Select(c => c.Kind));
            return ExitCode.Done;
        }
        var found = Components.Sockets.FirstOrDefault(s => s.Name == kind)
            ?? throw new UserException($"there is no kind of component called '{kind}'; {Suggestion(kind)}the kinds are {string.Join(", ", Components.Sockets.Select(s => s.Name))}");
        foreach (var component in Components.Of(found.Type))
            Print(json, component.Kind, component.Doc, []);
        return ExitCode.Done;
    }

    private static string Suggestion(string kind) => NearestName.Of(kind, Components.Sockets.Select(s => s.Name)) is { } near ? $"did you mean '{near}'? " : "";

    private static void Print(bool json, string name, string? doc, IEnumerable<string> members)
    {
        var inside = members.ToArray();
        if (json) Terminal.Json(new { Name = name, Doc = doc, Kinds = inside });
        else Terminal.Out($"{name,-16} {(inside.Length > 0 ? string.Join(", ", inside) : doc)}");
    }
}
