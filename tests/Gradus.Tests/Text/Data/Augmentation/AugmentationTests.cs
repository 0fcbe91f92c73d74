using System.Formats.Tar;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data;
using Gradus.Text.Data.Analysis;
using Gradus.Text.Data.Augmentation;
using Gradus.Text.Data.Compression;
using Gradus.Text.Data.Steps;

namespace Gradus.Tests.Text.Data.Augmentation;

[Row("B10")]
public sealed class AugmentationTests : IDisposable
{
    private const string Text = "The quick brown fox jumps over the lazy dog, and it never looks back.\nA second line has other words in it; Mr. Smith reads them.";

    private readonly TempFolder _folder = Repo.Temp();

    public void Dispose() => _folder.Dispose();

    private static string Apply(TextAugmentation augmentation, string text, long seed = 0, int copy = 0) => augmentation.Build().Apply(text, new Draws(Encoding.UTF8.GetBytes(text), seed, copy));

    private string Dict()
    {
        using var tar = new System.Formats.Tar.TarReader(CompressedFile.Open(Repo.SharedData("wordnet-3.0/wordnet-3.0-dict.tar.xz")));
        while (tar.GetNextEntry() is { } entry)
            if (entry.EntryType is TarEntryType.RegularFile && Path.GetFileName(entry.Name) is var name && (name.StartsWith("index.", StringComparison.Ordinal) || name.StartsWith("data.", StringComparison.Ordinal)))
                entry.ExtractToFile(_folder.File(name), overwrite: true);
        return _folder.Path;
    }

    [Fact]
    public void Changes_are_the_same_for_the_same_text_seed_and_copy_and_others_else()
    {
        foreach (TextAugmentation a in new TextAugmentation[] { new Typos { Rate = 0.1 }, new WordSwap { Rate = 0.3 }, new WordDelete { Rate = 0.3 } })
        {
            Assert.Equal(Apply(a, Text, 1, 1), Apply(a, Text, 1, 1));
            Assert.NotEqual(Text, Apply(a, Text, 1, 1));
            Assert.NotEqual(Apply(a, Text, 1, 1), Apply(a, Text, 1, 2));
            Assert.NotEqual(Apply(a, Text, 1, 1), Apply(a, Text, 2, 1));
        }
    }

    [Fact]
    public void Swapped_words_are_the_same_words_and_deleted_ones_a_part_of_them()
    {
        static IEnumerable<string> Sorted(string text) => Words.Of(text).Order(StringComparer.Ordinal);
        Assert.Equal(Sorted(Text), Sorted(Apply(new WordSwap { Rate = 1 }, Text)));
        Assert.Equal(2, Apply(new WordSwap { Rate = 1 }, Text).Split('\n').Length);
        var shorter = Words.Of(Apply(new WordDelete { Rate = 0.5 }, Text));
        var all = Words.Of(Text);
        Assert.InRange(shorter.Count, 5, all.Count - 5);
        var at = 0;
        Assert.All(shorter, w => Assert.True((at = all.IndexOf(w, at) + 1) > 0)); // in their order
        Assert.Single(Words.Of(Apply(new WordDelete { Rate = 0.99 }, "one two")));
        Assert.Equal("alone", Apply(new WordDelete { Rate = 0.99 }, "alone"));
    }

    [Fact]
    public void Typos_come_at_their_rate_and_leave_first_letters_alone()
    {
        var text = string.Join(' ', Enumerable.Repeat("wonderful", 2000));
        var words = Apply(new Typos { Rate = 0.05 }, text).Split(' ');
        Assert.Equal(2000, words.Length);
        Assert.All(words, w => Assert.Equal('w', w[0]));
        var wrong = words.Count(w => w != "wonderful") / 2000.0;
        Assert.InRange(wrong, 0.28, 0.39); // 1 − 0.95^8 = 0.337, ± 4 standard errors and a bit for swaps that take two letters
        Assert.All(words, w => Assert.InRange(w.Length, 4, 13));
    }

    [Fact]
    public void Synonyms_are_wordnets_keep_case_and_leave_names_and_small_words()
    {
        var net = WordNet.Load(Dict());
        Assert.Contains("automobile", net.Synonyms("car"));
        Assert.Contains("purchase", net.Synonyms("buy"));
        Assert.Empty(net.Synonyms("notaword"));
        var all = Apply(new Synonyms { Path = _folder.Path, Rate = 1 }, "Car and car are big. He met Ford in the car.");
        var words = all.Split(' ');
        Assert.NotEqual("car", words[2]);
        Assert.Contains(words[2], net.Synonyms("car"));
        Assert.True(char.IsUpper(words[0][0]) && words[0] != "Car");
        Assert.Equal("and", words[1]);
        Assert.Contains("Ford", all, StringComparison.Ordinal);
        Assert.Contains("He ", all, StringComparison.Ordinal);
        Assert.Contains("data.noun", Assert.Throws<UserException>(() => WordNet.Load(Path.Combine(_folder.Path, "none"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [Row("M6")]
    [InlineData("He thanked the waitress and himself.", "She thanked the waiter and herself.")]
    [InlineData("HE SAID: the KING and Mr Jones left.", "SHE SAID: the QUEEN and Ms Jones left.")]
    [InlineData("She gave her book to him, and he gave her his.", "He gave his book to her, and she gave him hers.")]
    [InlineData("I saw her. I saw her and waited. Her brother saw hers.", "I saw him. I saw him and waited. His sister saw his.")]
    [InlineData("Martin Luther King met Billie Jean King; the King of Spain smiled.", "Martin Luther King met Billie Jean King; the Queen of Spain smiled.")]
    [InlineData("The women's hats and my father's coat.", "The men's hats and my mother's coat.")]
    [InlineData("Prince was here; shepherds and theatre, woman-like.", "Princess was here; shepherds and theatre, woman-like.")]
    [InlineData("Nothing gendered here at all.", "Nothing gendered here at all.")]
    public void Gender_is_swapped_in_words_not_in_names(string text, string swapped) => Assert.Equal(swapped, Apply(new GenderSwap(), text));

    [Fact]
    [Row("M6")]
    public void Swapping_twice_gives_the_text_back_where_pairs_are_one_to_one()
    {
        // A whole novel but for the three pronouns that are not one to one.
        var text = string.Join('\n', File.ReadLines(Repo.SharedData("moby-dick/moby-dick.txt")).Take(6000));
        var plain = string.Join(' ', text.Split(' ').Select(w => w.Trim('\n').ToLowerInvariant().Trim('.', ',', ';', '!', '?', '"', '\'', '-') is "her" or "his" or "him" or "hers" ? "it" : w));
        var once = Apply(new GenderSwap(), plain);
        // "her-" inside longer runs stays; what has changed must change back.
        var pairs = GenderSwap.DefaultPairs();
        var changed = Words.Of(plain).Zip(Words.Of(once)).Count(p => p.First != p.Second);
        Assert.True(changed > 500, $"{changed}");
        Assert.All(Words.Of(plain).Zip(Words.Of(once)).Where(p => p.First != p.Second && pairs.ContainsKey(p.First)), p => Assert.Equal(pairs[p.First], p.Second));
        var back = Words.Of(Apply(new GenderSwap(), once)).Zip(Words.Of(plain)).Count(p => p.First != p.Second && pairs.ContainsKey(p.Second));
        Assert.Equal(0, back);
        foreach (var (a, b) in pairs)
            Assert.Equal(a, pairs[b]);
    }

    [Fact]
    [Row("M6")]
    public void Own_pairs_are_read_and_pairs_that_are_not_one_to_one_refused()
    {
        File.WriteAllText(_folder.File("pairs"), "# German\nVater\tMutter\nSohn Tochter\n");
        Assert.Equal("Mutter und Tochter, his", Apply(new GenderSwap { Pairs = _folder.File("pairs") }, "Vater und Sohn, his"));
        File.WriteAllText(_folder.File("pairs"), "actor actress\nactor player\n");
        Assert.Contains("pairs:2: 'actor'", Assert.Throws<UserException>(() => new GenderSwap { Pairs = _folder.File("pairs") }.Build()).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Row("M6")]
    public void Counterfactual_copies_even_out_who_is_named()
    {
        // Nine documents about men, one about a woman: with swapped copies the χ² of the skew is gone.
        var texts = Enumerable.Range(0, 60).Select(i => i % 10 == 0 ? "The woman took her hat. She left." : "The man took his hat. He left.").ToList();
        double P(IEnumerable<string> all)
        {
            var audit = new DataAudit();
            foreach (var (text, i) in all.Select((t, i) => (t, i)))
                audit.Add(new Document(Encoding.UTF8.GetBytes(text), $"t:{i}"));
            return audit.Finish("t").Groups.Single(g => g.Name == "gender").Test!.PValue;
        }

        Assert.True(P(texts) < 1e-6);
        Assert.Equal(1, P(texts.Concat(texts.Select(t => Apply(new GenderSwap(), t)))), 1e-9);
    }

    [Fact]
    public void The_step_changes_a_share_of_the_documents_by_their_content()
    {
        var step = new AugmentStep { With = [new WordDelete { Rate = 0.5 }], Share = 0.3 };
        var documents = Enumerable.Range(0, 500).Select(i => new Document(Encoding.UTF8.GetBytes($"document number {i} has some words in it that may go"), $"t:{i}", Meta: new Dictionary<string, string> { ["label"] = $"{i % 3}" })).ToList();
        List<string> Run(IEnumerable<Document> all)
        {
            var (worker, draft) = (step.Build(), new Draft());
            return [.. all.Select(d =>
            {
                draft.Start(d);
                worker.Apply(draft);
                Assert.Equal(d.Meta!["label"], draft.Meta("label")); // labels stay
                return Encoding.UTF8.GetString(draft.Text);
            })];
        }

        var once = Run(documents);
        Assert.InRange(once.Zip(documents).Count(p => p.First != Encoding.UTF8.GetString(p.Second.Utf8.Span)), 110, 190);
        var reversed = Run(documents.AsEnumerable().Reverse());
        reversed.Reverse();
        Assert.Equal(once, reversed); // the order of the documents changes nothing
    }

    [Fact]
    public void Back_translation_and_synthetic_text_go_through_functions()
    {
        var calls = new List<string>();
        var change = new BackTranslation(s => { calls.Add(s); return s.Contains("lost", StringComparison.Ordinal) ? "" : s.ToUpperInvariant(); }, s => s.ToLowerInvariant());
        var text = "First One.  This Is lost. Last One!";
        Assert.Equal("first one.  This Is lost. last one!", change.Apply(text, new Draws([], 0, 0)));
        Assert.Equal(["First One.", "This Is lost.", "Last One!"], calls);
        Assert.Equal(1, change.Unchanged);
        var rewriting = new Rewriting(s => s.Length > 3 ? s + "!" : " ");
        Assert.Equal(("long!", "ab", 1L), (rewriting.Apply("long", new Draws([], 0, 0)), rewriting.Apply("ab", new Draws([], 0, 0)), rewriting.Unchanged));

        var documents = SyntheticDocuments.From(["a", "b", "c", "d"], p => p switch { "c" => "  ", "d" => "Text of a", _ => "Text of " + p }, "toy").ToList();
        Assert.Equal(["toy:1", "toy:2"], documents.Select(d => d.Origin));
        Assert.All(documents, d => Assert.Equal("synthetic", d.Meta![MetaKeys.Source]));
    }
}
