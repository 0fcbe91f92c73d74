using System.Reflection;
using System.Runtime.CompilerServices;
using Gradus.Foundation.Recipes;

namespace Gradus.Tests.Foundation.Recipes;

/// <summary>What every component of every room owes the recipes, tested the moment it exists.</summary>
public sealed class ComponentContractTests
{
    private static readonly IReadOnlyList<ComponentInfo> s_components = All();

    [Fact]
    public void Every_kind_is_a_lower_case_word_and_every_component_says_what_it_is() =>
        Check(component => !component.Kind.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.') ? "kind: lower case letters, digits and dashes"
            : component.Doc is null ? "no XML summary or [Doc]" : null);

    [Fact]
    public void Every_key_has_one_line_of_documentation() =>
        Check(component => string.Join(", ", RecordShape.Of(component.Type).Fields.Where(field => field.Doc is null).Select(field => field.Key)) is { Length: > 0 } keys ? $"no XML summary or [Doc] on {keys}" : null);

    // Required keys have no default to write; the rest must survive writing and reading, which also checks defaults against limits and IValidated.
    [Fact]
    public void The_defaults_of_every_component_are_written_and_read_back_unchanged() =>
        Check(component =>
        {
            if (component.Type.GetProperties().Any(p => p.IsDefined(typeof(RequiredMemberAttribute))))
                return null;
            var yaml = RecipeFile.Write(Activator.CreateInstance(component.Type)!);
            try
            {
                var parse = typeof(RecipeFile).GetMethod(nameof(RecipeFile.Parse))!.MakeGenericMethod(component.Socket);
                return RecipeFile.Write(parse.Invoke(null, [yaml, "defaults", Array.Empty<string>()])!) == yaml ? null : "the defaults read back differently";
            }
            catch (TargetInvocationException e) when (e.InnerException is RecipeException problem)
            {
                return problem.Message;
            }
        });

    [Fact]
    public void Every_socket_exports_a_schema() =>
        Assert.All(Components.Sockets, socket => Assert.Contains("oneOf", RecipeSchema.Export(socket.Type), StringComparison.Ordinal));

    private static void Check(Func<ComponentInfo, string?> problem)
    {
        Assert.Contains(s_components, component => component.Type == typeof(SampleAdamw)); // so that an empty list cannot pass
        var problems = s_components.Select(component => (component, Problem: problem(component))).Where(x => x.Problem is not null).Select(x => $"{x.component.Type.FullName}: {x.Problem}").ToArray();
        Assert.True(problems.Length == 0, string.Join('\n', problems));
    }

    private static IReadOnlyList<ComponentInfo> All()
    {
        foreach (var project in new[] { "Gradus.Foundation", "Gradus.Engine", "Gradus.Text", "Gradus.Models", "Gradus.Inference", "Gradus.Training", "Gradus.Tests" })
            Components.Register(Assembly.Load(project));
        return [.. Components.Sockets.SelectMany(socket => Components.Of(socket.Type))];
    }
}
