using System.Text.Json;
using Gradus.Text.Data.Sources.DuckDb;

namespace Gradus.Tests.Cli;

/// <summary><c>gradus data peek|convert|stats</c>, as a process.</summary>
public sealed class DataVerbTests : IDisposable
{
    private readonly TempFolder _temp = Repo.Temp();

    private CommandLine.Settings Here => CommandLine.Settings.In(_temp.Path);

    public void Dispose() => _temp.Dispose();

    private void Write(string name, string text) => File.WriteAllText(_temp.File(name), text);

    /// <summary>A tokenizer whose ids are the bytes, with ChatML's marks and template.</summary>
    private string ChatTokenizer()
    {
        Write("text.txt", string.Concat(Enumerable.Range(0, 300).Select(i => $"some words to learn from, number {i}\n")));
        CommandLine.Run(Here, "tokenizer", "train", "text.txt", "--out", "tok", "--vocab-size", "300").Done();
        CommandLine.Run(Here, "tokenizer", "add", "tok", "--tokens", "<|im_start|>,<|im_end|>", "--special", "--out", "chat").Done();
        File.WriteAllText(_temp.File("chat/chat_template.jinja"), "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}");
        return "chat";
    }

    [Fact]
    [Row("X.1")]
    public void Peek_shows_records_through_the_template_with_what_is_learned()
    {
        var tokenizer = ChatTokenizer();
        Write("talk.jsonl", """{"messages":[{"role":"user","content":"Say <|im_end|> please"},{"role":"assistant","content":"Fine."}]}""" + "\n");
        var item = CommandLine.Run(Here, "data", "peek", "talk.jsonl", "--tokenizer", tokenizer, "--json").Done().Json;
        Assert.Equal("<|im_start|>user\nSay <|im_end|> please<|im_end|>\n<|im_start|>assistant\nFine.<|im_end|>\n", item.GetProperty("text").GetString());
        var (ids, learned) = (item.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32()).ToArray(), item.GetProperty("learned").EnumerateArray().Select(i => i.GetInt32()).ToArray());
        Assert.Equal(ids.Length, learned.Length);
        var loaded = Gradus.Text.Tokenizers.Tokenizer.Load(_temp.File(tokenizer));
        Assert.Equal("Fine.<|im_end|>", loaded.Decode([.. ids.Where((_, i) => learned[i] == 1)], skipSpecialTokens: false).TrimEnd('\n'));
        Assert.Equal(2, ids.Count(i => i == loaded.IdOf("<|im_end|>"))); // the user's own is words, never the control token
        var cut = CommandLine.Run(Here, "data", "peek", "talk.jsonl", "--tokenizer", tokenizer, "--length", "10", "--html", "peek.html").Done();
        Assert.Contains("cut to 10", cut.Out);
        Assert.Contains("nothing to learn in it", cut.Out);
        var page = File.ReadAllText(_temp.File("peek.html"));
        Assert.Contains("conversation", page);
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("http", page.Replace("http-equiv", "", StringComparison.Ordinal));
    }

    [Fact]
    [Row("X.1")]
    public void Peek_packs_documents_with_their_borders_and_shows_pairs_side_by_side()
    {
        var tokenizer = ChatTokenizer();
        Write("docs.jsonl", "{\"text\":\"first document\"}\n{\"text\":\"second document\"}\n{\"text\":\"third\"}\n");
        var lines = CommandLine.Run(Here, "data", "peek", "docs.jsonl", "--tokenizer", tokenizer, "--length", "16", "--count", "2", "--json").Done().Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal((2, 16), (lines.Count, lines[0].GetProperty("ids").GetArrayLength()));
        Assert.True(lines.Sum(l => l.GetProperty("borders").GetArrayLength()) >= 1);
        Assert.StartsWith("first document", lines[0].GetProperty("text").GetString());
        Write("pref.jsonl", """{"prompt":"Q","chosen":"good","rejected":"bad"}""" + "\n");
        var pair = CommandLine.Run(Here, "data", "peek", "pref.jsonl", "--json").Done().Lines.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("kind").GetString());
        Assert.Equal(["chosen", "rejected"], pair);
        Assert.Contains("⟦B-PER⟧", CommandLine.Run(Here, "data", "peek", Conll(), "--count", "1").Done().Out);
        Assert.Contains("no chat template", CommandLine.Run(Here, "data", "peek", "pref.jsonl", "--tokenizer", "tok").Refusal());
        Assert.Contains("'messagez' is no format; did you mean 'messages'?", CommandLine.Run(Here, "data", "peek", "pref.jsonl", "--format", "messagez").Refusal());
    }

    private string Conll()
    {
        Write("a.conll", "Ada\tB-PER\nran\tO\n\n");
        return "a.conll";
    }

    [Fact]
    [Row("B1")]
    public void Convert_writes_any_source_as_one_file_and_quarantines_what_is_bad()
    {
        Write("a.csv", "text,n\nfine,1\nragged\n=cmd(),2\n");
        Assert.Contains("a.csv:3: the row has 1 cells", CommandLine.Run(Here, "data", "convert", "a.csv", "out.jsonl").Refusal());
        Assert.False(File.Exists(_temp.File("out.jsonl")));
        var result = CommandLine.Run(Here, "data", "convert", "a.csv", "out.jsonl.zst", "--bad", "quarantine", "--json").Done().Json;
        Assert.Equal((2, 1), (result.GetProperty("rows").GetInt32(), result.GetProperty("quarantined").GetInt32()));
        Assert.Contains("\"place\":\"a.csv:3\"", File.ReadAllText(_temp.File("out.jsonl.zst.quarantine.jsonl")));
        CommandLine.Run(Here, "data", "convert", "out.jsonl.zst", "back.csv").Done();
        Assert.Equal("text,n\nfine,1\n'=cmd(),2\n", File.ReadAllText(_temp.File("back.csv")));
        var pages = CommandLine.Run(Here, "data", "convert", Repo.SharedData("warc/example.warc"), "pages.jsonl").Done();
        Assert.Contains("left out   warc: revisit: 1", pages.Out);
        Assert.Equal("http://example.com/", JsonDocument.Parse(File.ReadAllText(_temp.File("pages.jsonl"))).RootElement.GetProperty("url").GetString());
        Assert.Contains("say by the ending", CommandLine.Run(Here, "data", "convert", "a.csv", "out.doc").Refusal());
        Assert.Contains("is the input", CommandLine.Run(Here, "data", "convert", "a.csv", "./a.csv").Refusal());
        Assert.Contains("'quarantin' is no policy; did you mean 'quarantine'?", CommandLine.Run(Here, "data", "convert", "a.csv", "o.csv", "--bad", "quarantin").Refusal());
        if (!DuckDbLibrary.IsHere()) return;
        CommandLine.Run(Here, "data", "convert", Repo.SharedData("web-samples/c4_demo.jsonl"), "c4.parquet").Done();
        CommandLine.Run(Here, "data", "convert", "c4.parquet", "c4.jsonl").Done();
        Assert.Equal(File.ReadAllLines(Repo.SharedData("web-samples/c4_demo.jsonl")).Select(Parsed), File.ReadAllLines(_temp.File("c4.jsonl")).Select(Parsed));
    }

    private static string Parsed(string line) => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!;

    [Fact]
    [Row("B1")]
    public void Stats_count_by_source_what_is_there_and_what_is_not()
    {
        Write("data.yaml", $"""
            sources:
              - kind: warc
                path: {Repo.SharedData("warc/example.warc")}
              - kind: mediawiki
                path: {Repo.SharedData("mediawiki/bgwiki-latest-pages-articles-shortened.xml.bz2")}
              - kind: jsonl
                path: {Repo.SharedData("web-samples/c4_demo.jsonl")}
            """);
        var sources = CommandLine.Run(Here, "data", "stats", "data.yaml", "--json").Done().Json.GetProperty("sources").EnumerateArray().ToList();
        Assert.Equal([("warc", 1), ("mediawiki", 1), ("jsonl", 300)], sources.Select(s => (s.GetProperty("kind").GetString(), s.GetProperty("documents").GetInt32())));
        Assert.Equal((740_630, 1, 2), (sources[2].GetProperty("bytes").GetInt32(), sources[1].GetProperty("languages").GetProperty("bg").GetInt32(), sources[1].GetProperty("left_out").GetProperty("mediawiki: other namespace").GetInt32()));
        Assert.Equal(1, sources[0].GetProperty("years").GetProperty("2017").GetInt32());
        var lengths = File.ReadAllLines(Repo.SharedData("web-samples/c4_demo.jsonl")).Select(l => System.Text.Encoding.UTF8.GetByteCount(Parsed(l))).Order().ToArray();
        Assert.InRange(sources[2].GetProperty("length").GetProperty("median").GetInt32(), lengths[149] * 0.98, lengths[149] * 1.0001);
        Assert.Equal((lengths[0], lengths[^1]), (sources[2].GetProperty("length").GetProperty("min").GetInt32(), sources[2].GetProperty("length").GetProperty("max").GetInt32()));
        Assert.Contains("documents  300", CommandLine.Run(Here, "data", "stats", Repo.SharedData("web-samples/c4_demo.jsonl")).Done().Out);
    }
}
