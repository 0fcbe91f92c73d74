using System.CommandLine;
using Gradus.Foundation.Recipes;
using Gradus.Training.Loop;

namespace Gradus.Cli;

/// <summary><c>gradus schema</c>: the JSON schema of recipes, for editors.</summary>
internal static class SchemaCommand
{
    public static Command Create()
    {
        var command = new Command("schema", "Prints the JSON schema of training recipes; editors complete and check with it.\n\nExample:\n  gradus schema > recipes/schema.json\n  (first line of a recipe: # yaml-language-server: $schema=../schema.json)");
        command.SetAction(_ =>
        {
            Terminal.Out(RecipeSchema.Export(typeof(TrainRecipe)));
            return ExitCode.Done;
        });
        return command;
    }
}
