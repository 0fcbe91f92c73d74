using System.CommandLine;
using Gradus.Foundation.Recipes;

namespace Gradus.Cli;

/// <summary>Where the parts come together: the assemblies whose components recipes may name, and the verbs.</summary>
internal static class Composition
{
    public static void Register()
    {
        foreach (var name in new[] { "Gradus.Text", "Gradus.Models", "Gradus.Inference", "Gradus.Training" })
            Components.Register(System.Reflection.Assembly.Load(name));
    }

    public static IReadOnlyList<Command> Verbs =>
    [
        QuickstartCommand.Create(),
        TrainCommand.Create(),
        GenerateCommand.Create(),
        ChatCommand.Create(),
        EvalCommand.Create(),
        AdapterCommand.Create(),
        PredictCommand.Create(),
        TokenizerCommand.Create(),
        DataCommand.Create(),
        ConvertCommand.Create(),
        ListCommand.Create(),
        SchemaCommand.Create(),
        DoctorCommand.Create(),
        BenchCommand.Create(),
        CompletionCommand.Create(),
    ];
}
