using System.CommandLine;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Dedup;
using Gradus.Text.Data.Steps;

namespace Gradus.Cli;

/// <summary><c>gradus data dedup</c>: one step of a pipeline, from the command line.</summary>
internal static class DataDedupCommand
{
    private static readonly string[] s_ways = ["near", "document", "paragraph", "line", "url", "substring", "semantic"];

    public static Command Create()
    {
        var run = new DataRun();
        var data = new Argument<string[]>("data") { Description = "Texts and .jsonl files, folders or globs, or a .yaml with a data section", Arity = ArgumentArity.OneOrMore };
        var by = new Option<string>("--by") { Description = $"{string.Join(", ", s_ways)}; several with commas between (near)", DefaultValueFactory = _ => "near", HelpName = "what" };
        var similarity = new Option<double>("--similarity") { Description = "Least Jaccard similarity of near-duplicates (0.8)", DefaultValueFactory = _ => 0.8 };
        var command = new Command("dedup", """
            Removes copies: near-duplicates by MinHash, exact documents, paragraphs, lines or addresses, passages by suffix array, texts of one meaning by word vectors. The first
            copy stays. A recipe says the same, with more knobs, as steps: near-dedup, exact-dedup, substring-dedup, semantic-dedup.

            Example:
              gradus data dedup pages/*.jsonl.gz --by document,near --out data/unique
            """) { data, by, similarity };
        foreach (var option in run.Options) command.Options.Add(option);
        command.SetAction((result, cancel) =>
        {
            var least = result.GetValue(similarity);
            if (least is < 0 or > 1) throw new UserException("--similarity: must be from 0 to 1");
            var steps = result.GetValue(by)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(way => Step(way, least)).ToList();
            if (steps.Count == 0) throw new UserException($"--by: is empty; {string.Join(", ", s_ways)}");
            return Task.FromResult(run.Prepare(result, run.Section(result, result.GetRequiredValue(data), o => o with { Steps = [.. o.Steps, .. steps] }), merge: false, cancel));
        });
        return command;
    }

    private static DataStep Step(string way, double similarity) => way switch
    {
        "near" => new NearDedup { Similarity = similarity },
        "document" => new ExactDedup(),
        "paragraph" => new ExactDedup { By = DedupUnit.Paragraph },
        "line" => new ExactDedup { By = DedupUnit.Line },
        "url" => new ExactDedup { By = DedupUnit.Url },
        "substring" => new SubstringDedup(),
        "semantic" => new SemanticDedup(),
        _ => throw new UserException($"--by: '{way}' is not one of {string.Join(", ", s_ways)}{NearestName.Hint(way, s_ways)}"),
    };
}
