using System.CommandLine;
using System.Text.RegularExpressions;

namespace Gradus.Tests.Cli;

/// <summary>
/// What the command line shows, written down in <c>Cli/help</c>, and what recipes and the engine know, in <c>Cli/known</c>. After a
/// wanted change run the tests once with <c>GRADUS_ACCEPT=1</c> and commit the difference.
/// </summary>
public sealed partial class HelpTests
{
    private static readonly string s_folder = Path.Combine(Repo.Root, "tests", "Gradus.Tests", "Cli");
    private static readonly bool s_accept = Environment.GetEnvironmentVariable("GRADUS_ACCEPT") == "1";

    /// <summary>Every command that does something, as it is typed; the program alone is the empty one.</summary>
    public static TheoryData<string> Verbs
    {
        get
        {
            var all = new TheoryData<string>();
            void Add(Command command, string name)
            {
                all.Add(name);
                foreach (var inner in command.Subcommands) Add(inner, $"{name} {inner.Name}".Trim());
            }
            Add(Gradus.Cli.Program.Root(), "");
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Help_is_what_the_snapshot_says(string verb)
    {
        var help = CommandLine.Run(new CommandLine.Settings().With("COLUMNS", "160"), [.. Words(verb), "--help"]).Done();
        Assert.Equal("", help.Error);
        Compare($"help/{(verb.Length == 0 ? "gradus" : verb.Replace(' ', '-'))}.txt", Trimmed(help.Out));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Help_has_examples_and_what_they_say_can_be_said(string verb)
    {
        var root = Gradus.Cli.Program.Root();
        var command = Words(verb).Aggregate((Command)root, (c, word) => c.Subcommands.Single(s => s.Name == word));
        var examples = Example().Matches(command.Description!).Select(m => m.Groups[1].Value).ToArray();
        Assert.NotEmpty(examples);
        if (verb.Length > 0) Assert.Contains(examples, example => example.StartsWith(verb, StringComparison.Ordinal));
        foreach (var example in examples)
        {
            // What follows two spaces, a pipe or a redirection is not ours.
            var ours = Regex.Split(example, @"  +| [|>] |\)$", RegexOptions.None, TimeSpan.FromSeconds(1))[0];
            var parsed = root.Parse(System.CommandLine.Parsing.CommandLineParser.SplitCommandLine(ours).ToArray());
            Assert.True(parsed.Errors.Count == 0, $"{ours}: {string.Join("; ", parsed.Errors.Select(e => e.Message))}");
            Assert.Empty(parsed.UnmatchedTokens);
            foreach (Match recipe in Recipe().Matches(ours))
                Assert.True(File.Exists(Path.Combine(Repo.Root, recipe.Value)), $"{ours}: there is no {recipe.Value}");
        }
    }

    [Fact]
    public void Every_option_and_argument_is_explained()
    {
        var bare = new List<string>();
        void Look(Command command, string name)
        {
            bare.AddRange(command.Options.Where(o => string.IsNullOrWhiteSpace(o.Description)).Select(o => $"{name} {o.Name}"));
            bare.AddRange(command.Arguments.Where(a => string.IsNullOrWhiteSpace(a.Description)).Select(a => $"{name} <{a.Name}>"));
            if (string.IsNullOrWhiteSpace(command.Description)) bare.Add(name);
            foreach (var inner in command.Subcommands) Look(inner, $"{name} {inner.Name}");
        }
        Look(Gradus.Cli.Program.Root(), "gradus");
        Assert.Empty(bare);
    }

    [Fact]
    [Row("G9")]
    public void The_recipe_schema_is_what_the_snapshot_says() => Compare("known/recipe.schema.json", CommandLine.Run("schema").Done().Out);

    [Fact]
    [Row("G9")]
    public void The_components_are_what_the_snapshot_says()
    {
        var kinds = CommandLine.Run("list").Done();
        var lines = kinds.Lines.Concat(kinds.Lines.Select(l => l.Split(' ')[0]).SelectMany(kind => CommandLine.Run("list", kind).Done().Lines.Select(l => $"{kind}: {l}")));
        Compare("known/components.txt", Trimmed(string.Join('\n', lines)));
    }

    [Fact]
    public void The_operators_we_call_are_what_the_snapshot_says() =>
        Compare("known/operators.txt", string.Join('\n', Operators().Distinct().Order(StringComparer.Ordinal)) + "\n");

    // Every operator is declared where it is used, by its name and overload in libtorch.
    private static IEnumerable<string> Operators() => Directory.EnumerateFiles(Path.Combine(Repo.Root, "src", "Gradus.Engine"), "*.cs", SearchOption.AllDirectories)
        .SelectMany(file => Operator().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value));

    private static string[] Words(string verb) => verb.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Trimmed(string text) => string.Join('\n', text.ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(line => line.TrimEnd())) + "\n";

    private static void Compare(string name, string now)
    {
        var path = Path.Combine(s_folder, name);
        if (s_accept)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, now);
        }
        Assert.True(File.Exists(path), $"no snapshot {name}: run with GRADUS_ACCEPT=1 and commit it");
        var before = File.ReadAllText(path).ReplaceLineEndings("\n");
        if (before == now) return;
        var (old, fresh) = (before.Split('\n'), now.Split('\n'));
        Assert.Fail($"{name} changed. Wanted? Run again with GRADUS_ACCEPT=1 and commit it.\n{string.Join('\n', old.Except(fresh).Select(l => "- " + l).Concat(fresh.Except(old).Select(l => "+ " + l)))}");
    }

    [GeneratedRegex(@"(?:^|\| |\()\s*(?:\./)?gradus ((?!trains )[a-z].*)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Example();

    [GeneratedRegex(@"recipes/[a-z0-9/-]+\.yaml", RegexOptions.CultureInvariant)]
    private static partial Regex Recipe();

    [GeneratedRegex(@"""((?:aten|gradus)::[a-z0-9_]+(?:\.[A-Za-z0-9_]+)?)""", RegexOptions.CultureInvariant)]
    private static partial Regex Operator();
}
