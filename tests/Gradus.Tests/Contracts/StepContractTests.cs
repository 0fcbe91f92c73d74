using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Text.Data.Analysis;
using Gradus.Text.Data.Steps;
using Gradus.Text.Data.Sources;
using Gradus.Tests.Text.Data.Pipeline;
using Gradus.Tests.Text.Data.Steps;

namespace Gradus.Tests.Contracts;

/// <summary>What every registered step of a data pipeline keeps to.</summary>
public sealed class StepContractTests : IDisposable
{
    private readonly PipelineFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Kinds => [.. Components.Of(typeof(DataStep)).Select(c => c.Kind)];

    /// <summary>The step with its defaults; what must be given is given by its key.</summary>
    private DataStep Make(string kind)
    {
        var type = Components.Of(typeof(DataStep)).Single(c => c.Kind == kind).Type;
        File.WriteAllText(_folder.File("list.txt"), "word\n");
        var given = string.Concat(RequiredKeys(type).Select(key => key switch
        {
            "against" => $", against: [{{ kind: text, path: {_folder.File("list.txt")} }}]",
            "share" => ", share: 0.5",
            "documents" => ", documents: 5",
            "max" => ", max: 50",
            "with" => ", with: [{ kind: word-swap }, { kind: typos }, { kind: gender-swap }]",
            "model" => $", model: {Model(kind)}",
            _ when kind == "url-filter" => "",
            _ => $", {key}: {_folder.File("list.txt")}",
        }));
        if (kind == "url-filter") given = ", block: [example.com]";
        return RecipeFile.Parse<DataOptions>($"sources: [{{ kind: text, path: x }}]\nsteps: [{{ kind: {kind}{given} }}]\n", "r.yaml", []).Steps.Single();
    }

    /// <summary>A toy model of what the step takes.</summary>
    private string Model(string kind)
    {
        var path = _folder.File(kind + ".model");
        if (kind == "language")
            LanguageIdentifier.Train([("en", "the cat and the dog are here"), ("de", "die Katze und der Hund sind hier")]).Save(path);
        else
            TextClassifier.Train([new("the cat and the dog", "good"), new("xx yy zz", "bad")], new ClassifierOptions { HashBits = 10 }).Save(path);
        return path;
    }

    private static IEnumerable<string> RequiredKeys(Type type) => type.GetProperties().Where(p => p.IsDefined(typeof(System.Runtime.CompilerServices.RequiredMemberAttribute), false)).Select(p => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name));

    [Theory]
    [MemberData(nameof(Kinds))]
    [Row("B2")]
    public void A_step_is_bound_from_a_recipe_and_written_back(string kind)
    {
        var step = Make(kind);
        var options = new DataOptions { Sources = [new TextSource { Path = "x" }], Steps = [step] };
        var written = RecipeFile.Write(options);
        Assert.Equal(written, RecipeFile.Write(RecipeFile.Parse<DataOptions>(written, "r.yaml", [])));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    [Row("B2")]
    public void A_verdict_depends_on_the_document_alone(string kind)
    {
        if (Make(kind) is not LocalStep step) return; // global steps have tests of their own: all of them depend on the others
        string[] texts = ["a", "word", StepRun.Prose(80), StepRun.Prose(300, 2) + "\n\n" + StepRun.Prose(40, 2), "Menu\nHome\n3 likes", "ünïcödé " + StepRun.Prose(60, 3), "\0\r\n\u200B x", "cafÃ© me@example.org +1 212 555 0199", new string('a', 100_000), "{ } # ... …", "我喜歡吃蘋果。\n我喜歡吃香蕉。"];
        var alone = texts.Select(t => StepRun.Of(step, t)).ToList();
        // One worker, all texts, twice and in another order.
        var worker = step.Build();
        var draft = new Draft();
        foreach (var i in Enumerable.Range(0, texts.Length).Concat(Enumerable.Range(0, texts.Length).Reverse()))
        {
            draft.Start(new Document(Encoding.UTF8.GetBytes(texts[i]), "x"));
            worker.Apply(draft);
            Assert.Equal((alone[i].Rule, alone[i].Detail), (draft.DroppedBy, draft.Detail));
            if (alone[i].Text is { } text)
                Assert.Equal(text, Encoding.UTF8.GetString(draft.Text));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    [Row("B8")]
    public void A_pipeline_of_one_step_is_the_same_on_one_worker_and_three(string kind)
    {
        _folder.WriteMixed(120);
        var step = Make(kind);
        var prints = new[] { 1, 3 }.Select(workers =>
        {
            _folder.Prepare(_folder.Options(step), $"out-{workers}", new PrepareRun { Workers = workers });
            return PipelineFolder.Fingerprint(_folder.File($"out-{workers}"));
        });
        Assert.Single(prints.Distinct());
    }
}
