using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Tests.Text.Data.Sources;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Sources;

namespace Gradus.Tests.Text.Data.Records;

public sealed class RecordTests : SourceBench
{
    private static (List<DataRecord> Records, SourceReport Report) Read(RecordOptions options)
    {
        var report = new SourceReport();
        return ([.. options.Read(report)], report);
    }

    private List<DataRecord> Rows(string name, string text, RecordFormat? format = null) => Read(new RecordOptions { Path = Write(name, text), Format = format }).Records;

    private string Fault(string row, RecordFormat? format = null)
    {
        var path = Write("a.jsonl", row + "\n");
        var message = Assert.ThrowsAny<UserException>(() => Read(new RecordOptions { Path = path, Format = format })).Message;
        Assert.StartsWith(path + ":1: ", message);
        Assert.DoesNotContain('\n', message);
        return message[(path.Length + 4)..];
    }

    private static string Talk(DataRecord record) => string.Join(" | ", ((Conversation)record).Messages.Select(m => $"{m.Role}: {m.Content}"));

    [Fact]
    [Row("B13")]
    [Row("Y14")]
    public void The_real_sets_are_told_by_their_fields_and_read_to_their_last_row()
    {
        var (dolly, _) = Read(new RecordOptions { Path = Repo.SharedData("instruct-dolly-hhrlhf/dev_first700.jsonl") });
        Assert.Equal(700, dolly.OfType<Completion>().Count());
        var (seeds, _) = Read(new RecordOptions { Path = Repo.SharedData("instruct-self-instruct/seed_tasks.jsonl") });
        Assert.Equal(175, seeds.OfType<Conversation>().Count());
        var (hh, report) = Read(new RecordOptions { Path = Repo.SharedData("pref-hh-rlhf/dev_first1000.jsonl.gz"), BadRecords = BadRecords.Skip });
        Assert.Equal((997, 3L), (hh.OfType<Preference>().Count(), report.Skipped)); // three transcripts end in an empty answer
        Assert.All(report.Reasons, r => Assert.Matches(@":(87|517|926): field 'chosen': turn \d+ is empty", r));
        Assert.All(hh.Cast<Preference>(), p => Assert.True(p.Prompt[^1].Role == "user" && p.Chosen[0].Role == "assistant" && p.Rejected[0].Role == "assistant"));
        var (stack, _) = Read(new RecordOptions { Path = Repo.SharedData("pref-stack-exchange/stack_exchange_paired_tiny.json") });
        Assert.Equal(25, stack.OfType<Preference>().Count());
        var (chat, _) = Read(new RecordOptions { Path = Repo.SharedData("pref-stack-exchange/chat_tiny.json") });
        Assert.Equal("system: You are an AI assistant. | user: What is the meaning of life? | assistant: The meaning of life is 42. | user: That's ridiculous. | assistant: I agree.", Talk(Assert.Single(chat)));
        foreach (var (file, sentences, tokens, entities) in new[] { ("wnut17train.conll", 3394, 62_730, 1975), ("emerging.dev.conll", 1009, 15_733, 836) })
        {
            var tagged = Read(new RecordOptions { Path = Repo.SharedData("ner-wnut17/" + file) }).Records.Cast<TaggedTokens>().ToList();
            Assert.Equal((sentences, tokens, entities), (tagged.Count, tagged.Sum(t => t.Tokens.Count), tagged.Sum(t => t.Tags.Count(tag => tag.StartsWith("B-", StringComparison.Ordinal)))));
        }

        foreach (var language in new[] { "en", "de" })
        {
            var questions = Read(new RecordOptions { Path = Repo.SharedData($"eval-squad/xquad.{language}.json.xz") }).Records.Cast<QuestionAnswer>().ToList();
            Assert.Equal(1190, questions.Count);
            Assert.All(questions, q => Assert.Equal(q.Answers[0].Text, q.Context.Substring(q.Answers[0].Start, q.Answers[0].Text.Length)));
        }

        var squad2 = Read(new RecordOptions { Path = Repo.SharedData("eval-squad/allennlp_squad2.json") }).Records.Cast<QuestionAnswer>().ToList();
        Assert.Equal(6, squad2.Count);
        Assert.Contains(squad2, q => q.Answers.Count == 0);
        var (pairs, emptyPairs) = Read(new RecordOptions { BadRecords = BadRecords.Skip, Source = new ParallelSource { Path = Repo.SharedData("onmt-en-de-10k/src-train.txt"), Target = Repo.SharedData("onmt-en-de-10k/tgt-train.txt"), SourceLanguage = "en", TargetLanguage = "de" } });
        Assert.Equal((9_999, 1L, "de"), (pairs.Count, emptyPairs.Skipped, ((ParallelText)pairs[0]).TargetLanguage)); // line 5 of the published source is empty
        var sst = Read(new RecordOptions { Path = Repo.SharedData("glue-sst2/train.tsv") }).Records.Cast<LabelledText>().ToList();
        Assert.Equal((6920, 3610, 3310), (sst.Count, sst.Count(t => t.Label == "1"), sst.Count(t => t.Label == "0")));
        Assert.StartsWith("a stirring , funny", sst[0].Text);
    }

    [Theory]
    [InlineData("""{"instruction":"Say hi","input":"in German","output":"Hallo","system":"Brief."}""", "system: Brief. | user: Say hi\n\nin German | assistant: Hallo")]
    [InlineData("""{"instruction":"And now?","output":"Bye","history":[["Hi","Hello"]]}""", "user: Hi | assistant: Hello | user: And now? | assistant: Bye")]
    [InlineData("""{"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Hello"}],"system":"Brief."}""", "system: Brief. | user: Hi | assistant: Hello")]
    [InlineData("""{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"f","arguments":{}}}]},{"role":"tool","content":"4"},{"role":"assistant","content":"4."}]}""", "user: Hi | assistant:  | tool: 4 | assistant: 4.")]
    [Row("B13")]
    public void Every_chat_format_becomes_one_conversation(string row, string talk) => Assert.Equal(talk, Talk(Assert.Single(Rows("a.jsonl", row))));

    [Fact]
    [Row("B13")]
    public void Function_calls_of_sharegpt_become_tool_calls_and_tools_may_be_text()
    {
        var record = (Conversation)Assert.Single(Rows("a.jsonl", """{"conversations":[{"from":"human","value":"2+2?"},{"from":"function_call","value":"{\"name\":\"add\",\"arguments\":{\"a\":2}}"},{"from":"observation","value":"4"},{"from":"gpt","value":"4","weight":0.5}],"tools":"[{\"name\":\"add\"}]"}"""));
        Assert.Equal("""[{"type":"function","function":{"name":"add","arguments":{"a":2}}}]""", record.Messages[1].Json.GetProperty("tool_calls").GetRawText());
        Assert.Equal(("tool", "add", 0.5, 1.0), (record.Messages[2].Role, record.Tools!.Value[0].GetProperty("name").GetString(), record.Weight(3), record.Weight(1)));
    }

    [Fact]
    [Row("B13")]
    public void Preferences_ratings_pairs_and_questions_read_in_all_their_shapes()
    {
        foreach (var row in new[] { """{"prompt":"Q","chosen":"good","rejected":"bad"}""", """{"prompt":[{"role":"user","content":"Q"}],"chosen":[{"role":"assistant","content":"good"}],"rejected":[{"role":"assistant","content":"bad"}]}""",
            """{"chosen":[{"role":"user","content":"Q"},{"role":"assistant","content":"good"}],"rejected":[{"role":"user","content":"Q"},{"role":"assistant","content":"bad"}]}""", """{"chosen":"\n\nHuman: Q\n\nAssistant: good","rejected":"\n\nHuman: Q\n\nAssistant: bad"}""",
            """{"prompt":"Q","chosen":[{"role":"user","content":"Q"},{"role":"assistant","content":"good"}],"rejected":[{"role":"user","content":"Q"},{"role":"assistant","content":"bad"}]}""", """{"conversations":[{"from":"human","value":"Q"}],"chosen":{"from":"gpt","value":"good"},"rejected":{"from":"gpt","value":"bad"}}""" })
        {
            var pair = (Preference)Assert.Single(Rows("a.jsonl", row));
            Assert.Equal(("Q", "good", "bad"), (Assert.Single(pair.Prompt).Content, Assert.Single(pair.Chosen).Content, Assert.Single(pair.Rejected).Content));
        }

        var rated = (RatedAnswer)Assert.Single(Rows("a.jsonl", """{"prompt":"Q","completion":"A","label":false}"""));
        Assert.Equal((false, "A"), (rated.Desirable, rated.Answer[0].Content));
        var pairs = (ParallelText)Assert.Single(Rows("a.jsonl", """{"translation":{"en":"house","de":"Haus"}}""", new ParallelFormat { From = "de" }));
        Assert.Equal(("Haus", "house", "de"), (pairs.Source, pairs.Target, pairs.SourceLanguage));
        var question = (QuestionAnswer)Assert.Single(Rows("a.jsonl", """{"context":"😀 the fox","question":"who?","answers":{"text":["fox"],"answer_start":[6]}}"""));
        Assert.Equal("fox", question.Context.Substring(question.Answers[0].Start, 3)); // files count code points, strings units
        var labelled = (LabelledText)Assert.Single(Rows("a.csv", "premise,hypothesis,label\n\"a, b\",c,entailment\n"));
        Assert.Equal(("a, b", "c", "entailment"), (labelled.Text, labelled.Pair, labelled.Label));
        Assert.Equal(["B-PER", "O"], ((TaggedTokens)Assert.Single(Rows("a.jsonl", """{"tokens":["Ada","ran"],"ner_tags":[1,0]}""", new NerFormat { Names = ["O", "B-PER"] }))).Tags);
    }

    [Theory]
    [InlineData("""{"messages":[{"rol":"user","content":"x"}]}""", "field 'messages[0].role': missing; did you mean 'rol'?")]
    [InlineData("""{"messages":[{"role":"usr","content":"x"}]}""", "field 'messages[0].role': 'usr' is no role; did you mean 'user'?")]
    [InlineData("""{"messages":[{"role":"system","content":"a"},{"role":"system","content":"b"},{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}""", "field 'messages[1].role': a second system message")]
    [InlineData("""{"messages":[{"role":"user","content":"x"},{"role":"system","content":"a"},{"role":"assistant","content":"y"}]}""", "field 'messages[1].role': a system message that is not the first")]
    [InlineData("""{"messages":[{"role":"user","content":"  "},{"role":"assistant","content":"y"}]}""", "field 'messages[0].content': is empty")]
    [InlineData("""{"messages":[{"role":"user","content":null}]}""", "field 'messages[0].content': null")]
    [InlineData("""{"messages":[{"role":"user","content":3}]}""", "field 'messages[0].content': a number where a text has to be")]
    [InlineData("""{"messages":[{"role":"assistant","content":"x"},{"role":"user","content":"y"}]}""", "field 'messages[0].role': the assistant speaks first")]
    [InlineData("""{"messages":[{"role":"user","content":"x"}]}""", "field 'messages': no message is the assistant's")]
    [InlineData("""{"messages":[]}""", "field 'messages': there are no messages")]
    [InlineData("""{"messages":["x"]}""", "field 'messages[0]': a text where a message")]
    [InlineData("""{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}],"tools":"[{"}""", "field 'tools': a text that is no JSON")]
    [InlineData("""{"conversations":[{"from":"humn","value":"x"}]}""", "field 'conversations[0].from': 'humn' is no speaker; did you mean 'human'?")]
    [InlineData("""{"conversations":[{"from":"human","valu":"x"}]}""", "field 'conversations[0].value': missing; did you mean 'valu'?")]
    [InlineData("""{"instruction":"x","output":""}""", "field 'output': is empty")]
    [InlineData("""{"prompt":"x","chosen":"same","rejected":"same"}""", "field 'rejected': the same as the chosen answer")]
    [InlineData("""{"chosen":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"rejected":[{"role":"user","content":"c"},{"role":"assistant","content":"b"}]}""", "field 'rejected': it shares no beginning")]
    [InlineData("""{"tokens":["a","b"],"tags":["O"]}""", "field 'tags': 1 tags for 2 tokens")]
    [InlineData("""{"context":"the fox","question":"q","answers":{"text":["fox"],"answer_start":[3]}}""", "field 'answers.answer_start[0]': the context does not have the answer 'fox' at 3; it stands at 4")]
    [InlineData("""{"prompt":"x","response":3}""", "the fields prompt, response fit no format")]
    [InlineData("""{"foo":1}""", "the fields foo fit no format")]
    [InlineData("""[1]""", "the fields of a list fit no format")]
    [InlineData("""{"a":1,"a":2}""", "not valid JSON")]
    [Row("B13")]
    [Row("Y14")]
    public void A_bad_row_is_named_by_row_and_field(string row, string says) => Assert.StartsWith(says, Fault(row));

    [Fact]
    [Row("B13")]
    [Row("Y14")]
    public void Columns_are_mapped_and_slips_in_a_mapping_are_seen()
    {
        var format = new AlpacaFormat { Columns = new Dictionary<string, string> { ["instruction"] = "question", ["output"] = "reply" } };
        Assert.Equal("user: Q | assistant: A", Talk(Assert.Single(Rows("a.jsonl", """{"question":"Q","reply":"A"}""", format))));
        Assert.StartsWith("field 'reply': missing (the column mapped to 'output'); did you mean 'repli'?", Fault("""{"question":"Q","repli":"A"}""", format));
        var slip = Assert.ThrowsAny<UserException>(() => Read(new RecordOptions { Path = Write("a.jsonl", "{}"), Format = format with { Columns = new Dictionary<string, string> { ["instruktion"] = "q" } } })).Message;
        Assert.Contains("'alpaca' has no field 'instruktion'; did you mean 'instruction'?", slip);
        Assert.StartsWith("field 'label': 'posit' is none of the labels; did you mean 'positive'?".Replace("positive", "posit1", StringComparison.Ordinal), Fault("""{"text":"x","label":"posit"}""", new LabelledFormat { Labels = ["posit1", "negative"] }));
    }

    [Fact]
    [Row("Y14")]
    public void A_format_is_told_by_fields_in_the_order_of_what_asks_for_most()
    {
        foreach (var (row, kind) in new[] { ("""{"prompt":"a","completion":"b","label":true}""", "kto"), ("""{"prompt":"a","completion":"b"}""", "prompt-completion"), ("""{"prompt":"a","chosen":"b","rejected":"c","messages":[]}""", "preference"), ("""{"instruction":"a","input":"","output":"b","text":"c","label":"d"}""", "alpaca"), ("""{"source":"a","target":"b"}""", "parallel-pairs"), ("""{"text":"a","label":1}""", "labelled"), ("""{"paragraphs":[],"title":"x"}""", "qa") })
        {
            using var json = System.Text.Json.JsonDocument.Parse(row);
            Assert.Equal(kind, Components.KindOf(RecordOptions.Detect(json.RootElement, "x").GetType()));
        }

        using var text = System.Text.Json.JsonDocument.Parse("""{"text":"a","url":"b"}""");
        Assert.Null(RecordOptions.TryDetect(text.RootElement, "x")); // plain documents are no records
    }

    [Fact]
    public void Lines_that_do_not_pair_up_are_an_error()
    {
        var source = new ParallelSource { Path = Write("a.txt", "1\n2\n3\n"), Target = Write("b.txt", "1\n2\n") };
        Assert.Contains("b.txt: ends after 2 lines", Assert.ThrowsAny<UserException>(() => Read(new RecordOptions { Source = source })).Message);
        Assert.Contains("yields documents, not rows", Assert.ThrowsAny<UserException>(() => Read(new RecordOptions { Source = new TextSource { Path = "x" } })).Message);
        Assert.Contains("line 2 has no two columns", Assert.ThrowsAny<UserException>(() => Read(new RecordOptions { Path = Write("c.conll", "a\tO\nb\n\n") })).Message);
    }
}
