using Gradus.Foundation.Files;
using Gradus.Text.Data.Steps;

namespace Gradus.Tests.Text.Data.Steps;

/// <summary>C4, FineWeb, boilerplate, addresses, licences, word lists, lengths: each rule by a document built for it.</summary>
public sealed class WebFilterTests : IDisposable
{
    private const string Good = "The first line of this page is a sentence. \nThe second line has a question, does it not? \nAnd the third one ends the page with a bang!";

    private readonly TempFolder _temp = Repo.Temp();

    public void Dispose() => _temp.Dispose();

    [Fact]
    [Row("B2")]
    public void C4_keeps_lines_that_are_sentences()
    {
        var run = StepRun.Of(new C4Quality(), "Home | About | Contact\n" + Good + "\nToo short.\nRead the rest of this long story here...\nEnable JavaScript to see the rest of this page.\nBy going on you accept our use of cookies and of crumbs.\nHe called it \"a sentence that has a quote\"");
        Assert.Equal("The first line of this page is a sentence.\nThe second line has a question, does it not?\nAnd the third one ends the page with a bang!\nHe called it \"a sentence that has a quote\"", run.Text);
        Assert.Equal(new Dictionary<string, long> { ["line-without-end-mark"] = 2, ["short-line"] = 1, ["javascript-line"] = 1, ["policy-line"] = 1 }, run.Edits);
        Assert.Equal(Good.Replace(" \n", "\n", StringComparison.Ordinal), StepRun.Of(new C4Quality(), run.Text!.Replace("\nHe called it \"a sentence that has a quote\"", "", StringComparison.Ordinal)).Text);
    }

    [Theory]
    [InlineData("One sentence that is long enough stands here. And a second one that is long enough too.", "too-few-sentences")] // two, of three
    [InlineData("One sentence that is long enough. A second one that is long enough. A third one that is enough.", null)]
    [InlineData(Good + "\nfunction f() { return 1; }", "curly-bracket")]
    [InlineData(Good + "\nLorem ipsum dolor sit amet.", "lorem-ipsum")]
    [InlineData("Home\nAbout\nContact", "too-few-sentences")]
    [Row("B2")]
    public void C4_drops_pages_by_its_rules(string text, string? rule) => Assert.Equal(rule, StepRun.Of(new C4Quality(), text).Rule);

    [Fact]
    [Row("B2")]
    public void C4_takes_out_citations_and_long_words()
    {
        Assert.Equal("The claim[a] is known well enough. It is said so here. And so it is said there.", StepRun.Of(new C4Quality(), "The claim[a] is known[12] well enough[citation needed]. It is said so here. And so it is said there[edit].").Text);
        var word = new string('x', 1001);
        Assert.Equal(Good.Replace(" \n", "\n", StringComparison.Ordinal), StepRun.Of(new C4Quality(), Good + $"\nThis line has a {word} in it, so it goes.").Text);
        Assert.Contains(word[..1000], StepRun.Of(new C4Quality(), Good + $"\nThis line has a {word[..1000]} in it, so it stays.").Text!);
    }

    [Fact]
    [Row("B2")]
    public void FineWeb_counts_lines_characters_and_breaks()
    {
        static string Lines(int ended, int open) => string.Join('\n', Enumerable.Range(0, ended + open).Select(i => StepRun.Prose(9, (ulong)i + 1).TrimEnd('.') + (i < ended ? "." : "")));
        var step = new FineWebQuality();
        Assert.Equal("punctuated-lines", StepRun.Of(step, Lines(12, 88)).Rule); // 0.12 is dropped
        Assert.Null(StepRun.Of(step, Lines(13, 87)).Rule);
        static string Short(int shortLines, int longLines) => string.Join('\n', Enumerable.Range(0, shortLines).Select(i => $"Line {i} is quite short.").Concat(Enumerable.Range(0, longLines).Select(i => StepRun.Prose(60, (ulong)i + 1))));
        Assert.Equal("short-lines", StepRun.Of(step, Short(67, 33)).Rule); // 0.67 is dropped
        Assert.Null(StepRun.Of(step, Short(66, 34)).Rule);
        // A line of 30 characters is not short, one of 29 is.
        Assert.Null(StepRun.Of(step, string.Join('\n', Enumerable.Range(0, 10).Select(i => $"Just thirty characters, no {i}!."))).Rule);
        Assert.Equal("short-lines", StepRun.Of(step, string.Join('\n', Enumerable.Range(0, 10).Select(i => $"Just twenty-nine of them no{i}."))).Rule);
        var twice = StepRun.Prose(20, 3);
        Assert.Equal("duplicate-line-characters", StepRun.Of(step, twice + "\n" + twice + "\n" + StepRun.Prose(130, 4)).Rule);
        Assert.Null(StepRun.Of(step, twice + "\n" + twice + "\n" + StepRun.Prose(220, 4)).Rule);
        Assert.Equal("list", StepRun.Of(step with { ShortLine = 0 }, string.Join('\n', Enumerable.Range(0, 20).Select(i => $"Entry number {i}."))).Rule);
    }

    [Fact]
    [Row("B2")]
    public void Boilerplate_lines_go_and_pages_of_them_too()
    {
        var body = StepRun.Prose(400);
        var run = StepRun.Of(new BoilerplateLines(), "ALL IN CAPITALS HERE\n" + body + "\n3 likes\n2024\nHome\nSign in to go on\nRead more...\n5 items in cart\nLast words stay.");
        Assert.Equal(body + "\nLast words stay.", run.Text!.Trim());
        Assert.Equal(new Dictionary<string, long> { ["capitals"] = 1, ["counter"] = 1, ["menu"] = 3, ["numbers-only"] = 1, ["single-word"] = 1 }, run.Edits);
        Assert.Equal("mostly-boilerplate", StepRun.Of(new BoilerplateLines(), StepRun.Prose(100) + "\n3 likes\n4 shares\n5 comments").Rule); // 6 words of 106
        Assert.Null(StepRun.Of(new BoilerplateLines(), StepRun.Prose(120) + "\n3 likes\n4 shares\n5 comments").Rule); // 6 of 126
        Assert.Equal(body, StepRun.Of(new BoilerplateLines(), body).Text);
    }

    [Theory]
    [InlineData("https://www.example.com/page", "blocked-domain")]
    [InlineData("http://news.EXAMPLE.com:443/page", "blocked-domain")]
    [InlineData("https://notexample.com/", null)]
    [InlineData("https://example.com.evil.org/", null)]
    [InlineData("https://other.org/ads/1.html", "blocked-url")]
    [InlineData("https://other.org/adsense", null)]
    [InlineData("https://other.org/ads#top", "blocked-url")]
    [Row("B2")]
    public void Addresses_are_blocked_by_domain_and_path(string url, string? rule) =>
        Assert.Equal(rule, StepRun.Of(new UrlFilter { Block = ["example.com", "other.org/ads"] }, "text", ("url", url)).Rule);

    [Fact]
    [Row("B2")]
    public void Addresses_are_allowed_from_a_file()
    {
        File.WriteAllText(_temp.File("allow.txt"), "# these only\nexample.com\n\nother.org/docs/\n");
        var step = new UrlFilter { AllowFile = _temp.File("allow.txt") };
        Assert.Null(StepRun.Of(step, "text", ("url", "https://sub.example.com/x")).Rule);
        Assert.Null(StepRun.Of(step, "text", ("url", "https://other.org/docs/x")).Rule);
        Assert.Equal("not-allowed", StepRun.Of(step, "text", ("url", "https://other.org/x")).Rule);
        Assert.Equal("no-url", StepRun.Of(step, "text").Rule);
        Assert.Null(StepRun.Of(new UrlFilter { Block = ["x.org"] }, "text").Rule);
        Assert.Contains("no such file", Assert.Throws<UserException>(() => new UrlFilter { AllowFile = _temp.File("absent") }.Build()).Message);
    }

    [Theory]
    [InlineData("CC-BY-4.0", null)]
    [InlineData("cc by sa 3.0", null)]
    [InlineData("https://creativecommons.org/licenses/by-sa/4.0/", null)]
    [InlineData("http://creativecommons.org/publicdomain/zero/1.0/", null)]
    [InlineData("https://creativecommons.org/licenses/by-nc/4.0/", "license-denied")]
    [InlineData("CC-BY-NC-SA-4.0", "license-denied")]
    [InlineData("Proprietary", "license-not-allowed")]
    [InlineData("", "license-unknown")]
    [InlineData(null, "license-unknown")]
    [Row("B14")]
    public void A_strict_licence_policy_refuses_what_it_does_not_know(string? license, string? rule)
    {
        var meta = license is null ? Array.Empty<(string, string)>() : [("license", license)];
        Assert.Equal(rule, StepRun.Of(new LicensePolicy(), "text", meta).Rule);
        // Not strict: only what is denied goes.
        Assert.Equal(rule == "license-denied" ? rule : null, StepRun.Of(new LicensePolicy { Strict = false }, "text", meta).Rule);
    }

    [Theory]
    [InlineData("no", false, "consent-refused")]
    [InlineData("withdrawn", true, "consent-refused")]
    [InlineData("yes", true, null)]
    [InlineData(null, false, null)]
    [InlineData(null, true, "consent-unknown")]
    [Row("B14")]
    public void Who_has_said_no_is_not_used(string? consent, bool required, string? rule) =>
        Assert.Equal(rule, StepRun.Of(new LicensePolicy { RequireConsent = required }, "text", consent is null ? [("license", "MIT")] : [("license", "MIT"), ("consent", consent)]).Rule);

    [Fact]
    [Row("B2")]
    public void Listed_words_and_phrases_are_found_whatever_their_case()
    {
        File.WriteAllText(_temp.File("list.txt"), "# test words\nfrobnicate\nvery bad phrase\nÉCLAIR\n");
        var step = new WordList { Path = _temp.File("list.txt") };
        Assert.Equal(("listed-words", "1 of 4"), (StepRun.Of(step, "To Frobnicate, or not.").Rule, StepRun.Of(step, "To Frobnicate, or not.").Detail));
        Assert.Equal("listed-words", StepRun.Of(step, "A VERY bad\nphrase.").Rule);
        Assert.Equal("listed-words", StepRun.Of(step, "one éclair").Rule);
        Assert.Null(StepRun.Of(step, "frobnicated very bad phrases, bad phrase very").Rule);
        Assert.Null(StepRun.Of(step with { MaxMatches = 1 }, "frobnicate once").Rule);
        Assert.Null(StepRun.Of(step with { MaxShare = 0.2 }, "frobnicate " + StepRun.Prose(9)).Rule);
        Assert.DoesNotContain("frobnicate", StepRun.Of(step, "frobnicate").Detail!, StringComparison.OrdinalIgnoreCase);
        File.WriteAllText(_temp.File("list.txt"), "# nothing\n");
        Assert.Contains("holds no words", Assert.Throws<UserException>(() => step.Build()).Message);
    }

    [Fact]
    [Row("B2")]
    public void Lengths_are_in_characters_and_words()
    {
        Assert.Equal("too-few-characters", StepRun.Of(new Length { MinCharacters = 5 }, "éééé").Rule);
        Assert.Null(StepRun.Of(new Length { MinCharacters = 5 }, "ééééé").Rule);
        Assert.Equal("too-many-characters", StepRun.Of(new Length { MaxCharacters = 4 }, "ééééé").Rule);
        Assert.Equal("too-few-words", StepRun.Of(new Length { MinWords = 3 }, "two words").Rule);
        Assert.Equal("too-many-words", StepRun.Of(new Length { MaxWords = 1 }, "two words").Rule);
    }

    [Fact]
    [Row("B2")]
    public void A_sample_is_a_share_and_a_larger_share_holds_the_smaller()
    {
        var texts = Enumerable.Range(0, 4000).Select(i => $"document {i}").ToArray();
        HashSet<string> Kept(double share, long seed = 0) => [.. texts.Where(t => StepRun.Of(new Sample { Share = share, Seed = seed }, t).Rule is null)];
        var tenth = Kept(0.1);
        Assert.InRange(tenth.Count, 400 - 4 * 19, 400 + 4 * 19); // four standard deviations
        Assert.Subset(Kept(0.3), tenth);
        Assert.InRange(Kept(0.1, seed: 1).Intersect(tenth).Count(), 10, 80); // another seed, another tenth
    }
}
