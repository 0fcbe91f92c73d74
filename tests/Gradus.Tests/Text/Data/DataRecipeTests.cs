using Gradus.Foundation.Recipes;
using Gradus.Text.Data;
using Gradus.Text.Data.Sources;

namespace Gradus.Tests.Text.Data;

public sealed class DataRecipeTests
{
    private const string Yaml = """
        sources:
          - kind: jsonl
            path: corpus/*.jsonl.gz
            field: body
            bad_records: skip
          - kind: text
            path: book.txt
            documents: passage
            passage_bytes: 4000
            split: test
        split:
          validation: 0.02
        """;

    private static string Fails(string yaml) => Assert.Throws<RecipeException>(() => RecipeFile.Parse<DataOptions>(yaml, "r.yaml", [])).Message;

    [Fact]
    public void A_data_section_binds_and_round_trips()
    {
        var options = RecipeFile.Parse<DataOptions>(Yaml, "r.yaml", ["split.seed=7"]);
        var jsonl = Assert.IsType<JsonlSource>(options.Sources[0]);
        Assert.Equal(("corpus/*.jsonl.gz", "body", BadRecords.Skip, BadUtf8.Reject), (jsonl.Path, jsonl.Field, jsonl.BadRecords, jsonl.BadUtf8));
        var text = Assert.IsType<TextSource>(options.Sources[1]);
        Assert.Equal((TextUnit.Passage, 4000, (DataSplit?)DataSplit.Test), (text.Documents, text.PassageBytes, text.Split));
        Assert.Equal((0.02, 0.05, 7L), (options.Split.Validation, options.Split.Test, options.Split.Seed));
        var written = RecipeFile.Write(options);
        Assert.Equal(written, RecipeFile.Write(RecipeFile.Parse<DataOptions>(written, "r.yaml", [])));
    }

    [Fact]
    public void Mistakes_in_a_data_section_are_named()
    {
        Assert.Contains("'csvs'", Fails("sources:\n  - kind: csvs\n    path: a.csv\n"));
        Assert.Contains("did you mean 'path'", Fails("sources:\n  - kind: text\n    pth: a.txt\n"));
        Assert.Contains("their sum must be below 1", Fails(Yaml.Replace("0.02", "0.96", StringComparison.Ordinal)));
        Assert.Contains("never be seen", Assert.Throws<RecipeException>(() => RecipeFile.Parse<WindowOptions>("length: 8\nstride: 9\n", "r.yaml", [])).Message);
    }
}
