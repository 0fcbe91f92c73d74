using System.Diagnostics;
using System.Text;
using Gradus.Foundation.Recipes;

namespace Gradus.Tests.Foundation.Recipes;

/// <summary>Bad recipes: one clear line each, with the place, the reason and a remedy.</summary>
public sealed class BadRecipeTests
{
    [Theory]
    // The ten of the foundation's brief.
    [InlineData("data: {path: x}\noptimizer:\n  kind: adamw\n  leanring_rate: 1", "r.yaml:4:3: unknown key 'leanring_rate' in optimizer (adamw); did you mean 'learning_rate'?")]
    [InlineData("data: {path: x}\nsteps: 5", "r.yaml:2:1: unknown key 'steps' in the recipe; it belongs under trainer")]
    [InlineData("data: {path: x}\ntrainer: {steps: 1.0}", "r.yaml:2:18: trainer.steps: expected a whole number, got '1.0'; write 1")]
    [InlineData("data: {path: x}\ntrainer: {steps: null}", "r.yaml:2:18: trainer.steps: is empty; a whole number is needed")]
    [InlineData("data: {path: x}\ntrainer:\n  steps: 1\n  pack: true\n  steps: 2", "r.yaml:5:3: duplicate key 'steps' (first on line 3)")]
    [InlineData("trainer: {steps: 1}", "r.yaml:1:1: missing key 'data' in the recipe")]
    [InlineData("data: {path: x}\noptimizer: {learning_rate: -1}", "r.yaml:2:28: optimizer.learning_rate: -1 is out of range; it must be above 0 and at most 10")]
    [InlineData("data: {path: x}\noptimizer: {learning_rate: .nan}", "r.yaml:2:28: optimizer.learning_rate: .nan is not a finite number")]
    [InlineData("data:\n\tpath: x", "r.yaml:2:1: a tab in the indentation; YAML is indented with spaces")]
    [InlineData("data: &a {path: x}\ntrainer: *a", "r.yaml:1:7: anchors (&name) are not part of recipes; write the value out where it is used")]
    // More.
    [InlineData("data: {path: x}\ntrainer: {clip_norm: 1e999}", "r.yaml:2:22: trainer.clip_norm: 1e999 is too large for a finite number")]
    [InlineData("data: {path: x}\ntrainer: {clip_norm: 1e-999}", "r.yaml:2:22: trainer.clip_norm: 1e-999 is too small: it would become 0")]
    [InlineData("data: {path: x}\ntrainer: {ema: 1e39}", "r.yaml:2:16: trainer.ema: 1e39 is too large for a finite number")]
    [InlineData("data: {path: x}\ntrainer: {clip_norm: Infinity}", "r.yaml:2:22: trainer.clip_norm: Infinity is not a finite number")]
    [InlineData("data: {path: x}\ntrainer: {clip_norm: '1'}", "r.yaml:2:22: trainer.clip_norm: expected a number, got '1'; remove the quotes")]
    [InlineData("data: {path: x}\noptimizer:\n  learning_rate: 0,0003", "r.yaml:3:18: optimizer.learning_rate: expected a number, got '0,0003'; write the decimal point as '.'")]
    [InlineData("data: {path: x}\ntrainer: {seed: 9223372036854775808}", "r.yaml:2:17: trainer.seed: 9223372036854775808 is out of range; it must be at least -9223372036854775808 and at most 9223372036854775807")]
    [InlineData("data: {path: x}\ntrainer: {tag: -1}", "r.yaml:2:16: trainer.tag: -1 is out of range; it must be at least 0 and at most 18446744073709551615")]
    [InlineData("data: {path: x}\ntrainer: {steps: 1e3}", "r.yaml:2:18: trainer.steps: expected a whole number, got '1e3'; write 1000")]
    [InlineData("data: {path: x}\ntrainer: {steps: 1_000}", "r.yaml:2:18: trainer.steps: expected a whole number, got '1_000'; write 1000")]
    [InlineData("data: {path: x}\ntrainer: {steps: 010}", "r.yaml:2:18: trainer.steps: expected a whole number, got '010'")]
    [InlineData("data: {path: x}\ntrainer: {steps: 0x10}", "r.yaml:2:18: trainer.steps: expected a whole number, got '0x10'")]
    [InlineData("data: {path: x}\ntrainer: {steps: ١٢}", "r.yaml:2:18: trainer.steps: expected a whole number, got '١٢'")]
    [InlineData("data: {path: x}\ntrainer: {pack: yes}", "r.yaml:2:17: trainer.pack: expected true or false, got 'yes'")]
    [InlineData("data: {path: x}\ntrainer: {Steps: 5}", "r.yaml:2:11: unknown key 'Steps' in trainer; did you mean 'steps'?")]
    [InlineData("data: {path: x}\ntrainer: 5", "r.yaml:2:10: trainer: expected a section of keys and values, got '5'")]
    [InlineData("data: {path: x}\ntrainer:", "r.yaml:2:9: trainer: is empty; a section is needed")]
    [InlineData("data: {path: [x]}", "r.yaml:1:14: data.path: expected a text, got a list")]
    [InlineData("data: {path: }", "r.yaml:1:14: data.path: is empty; write '' for the empty text")]
    [InlineData("data: {path: x, targets: a}", "r.yaml:1:26: data.targets: expected a list, as in [a, b], got 'a'")]
    [InlineData("data: {path: x, sizes: [1, b]}", "r.yaml:1:28: data.sizes.1: expected a whole number, got 'b'")]
    [InlineData("data: {path: x, targets: [a, null]}", "r.yaml:1:30: data.targets.1: is empty; write '' for the empty text")]
    [InlineData("data: {path: x, weights: [0.5, 2]}", "r.yaml:1:32: data.weights.1: 2 is out of range; it must be at least 0 and at most 1")]
    [InlineData("data: {path: x}\nmix: [1]", "r.yaml:2:6: mix: expected a section of names and values, got a list")]
    [InlineData("data: {path: x}\nmix: {a: x}", "r.yaml:2:10: mix.a: expected a number, got 'x'")]
    [InlineData("data: {path: x}\noptimizer: {kind: adam}", "r.yaml:2:19: optimizer.kind: unknown kind 'adam'; did you mean 'adamw'?")]
    [InlineData("data: {path: x}\noptimizer: {kind: 7}", "r.yaml:2:19: optimizer.kind: unknown kind '7'; known: adamw, sgd")]
    [InlineData("data: {path: x}\noptimizer: {kind: }", "r.yaml:2:19: optimizer.kind: expected a name, got nothing")]
    [InlineData("data: {path: x}\nstages: [{momentum: 1}]", "r.yaml:2:10: stages.0: missing key 'kind'; known: adamw, sgd")]
    [InlineData("data: {path: x}\noptimizer: {kind: sgd, beta1: 0.5}", "r.yaml:2:24: unknown key 'beta1' in optimizer (sgd); kind 'adamw' has it")]
    [InlineData("data: {path: x}\ntrainer: {steps: 5, warmup_steps: 6}", "r.yaml:2:21: trainer.warmup_steps: 6 is more than the 5 steps of the run")]
    [InlineData("data: {path: x}\ntrainer: {kind: fast}", "r.yaml:2:11: unknown key 'kind' in trainer; known: clip_norm, ema, every, pack, precision, seed, steps, tag, warmup_steps")]
    [InlineData("", "r.yaml:1:1: the recipe is empty")]
    [InlineData("# nothing\n\n", "r.yaml:1:1: the recipe is empty")]
    [InlineData("~", "r.yaml:1:1: the recipe is empty")]
    [InlineData("just words", "r.yaml:1:1: expected a section of keys and values, got 'just words'")]
    [InlineData("[1, 2]", "r.yaml:1:1: expected a section of keys and values, got a list")]
    [InlineData("data: {path: x}\n---\ndata: {path: y}", "r.yaml:2:1: a recipe is one YAML document; a second one starts here")]
    [InlineData("data: {path: x}\ntrainer: {steps: 1", "r.yaml:2:10: this '{' is never closed")]
    [InlineData("data: {path: x, targets: [a, b}\n", null)]
    [InlineData("data: {path: 'x}\n", null)]
    [InlineData("data: {path: \"\\q\"}\n", null)]
    [InlineData("data: a: b\n", "r.yaml:1:8: not valid YAML: a second ':' on the line; put quotes around a text that holds ': '")]
    [InlineData("data:\n  path: x\n trainer: {}\n", null)]
    [InlineData("data: {path: !!str x}", "r.yaml:1:14: YAML tags are not part of recipes; remove 'tag:yaml.org,2002:str'")]
    [InlineData("data: {path: *x}", "r.yaml:1:14: aliases (*name) are not part of recipes; write the value out")]
    [InlineData("<<: {path: x}", "r.yaml:1:1: merge keys (<<) are not part of recipes; write the values out")]
    [InlineData("? [a]\n: b", "r.yaml:1:3: a key is a name")]
    [InlineData("data: @x", null)]
    [InlineData("%YAML 9.9\n---\na: b", null)]
    [InlineData("data: {path: x\0y}", null)]
    public void One_line_says_where_and_why(string yaml, string? expected)
    {
        var error = Assert.Throws<RecipeException>(() => RecipeFile.Parse<SampleRecipe>(yaml, "r.yaml", []));
        Assert.DoesNotContain('\n', error.Message);
        // Where the words are YamlDotNet's, the place still has to be there.
        if (expected is null)
            Assert.Matches(@"^r\.yaml:[1-3]:\d+: .{10,}$", error.Message);
        else
            Assert.Equal(expected, error.Message);
    }

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    [InlineData('-')]
    [InlineData('?')]
    public void Depth_bombs_are_refused_at_once(char opener)
    {
        var clock = Stopwatch.StartNew();
        var yaml = string.Concat(Enumerable.Repeat(opener is '-' or '?' ? opener + " " : opener.ToString(), 200_000));
        Assert.Contains("r.yaml:1:", Assert.Throws<RecipeException>(() => RecipeFile.Parse<SampleRecipe>(yaml, "r.yaml", [])).Message, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 5); // a hang, not a speed, is what this would catch
    }

    [Fact]
    public void A_laughs_bomb_is_refused_before_it_expands()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x]\n");
        for (var i = 1; i < 40; i++)
            bomb.Append($"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n");
        Assert.StartsWith("r.yaml:1:5: anchors", Assert.Throws<RecipeException>(() => RecipeFile.Parse<SampleRecipe>(bomb.ToString(), "r.yaml", [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_thousand_mistakes_end_in_a_count()
    {
        var yaml = "data: {path: x}\n" + string.Concat(Enumerable.Range(0, 1000).Select(i => $"zzz{i}: 1\n"));
        var error = Assert.Throws<RecipeException>(() => RecipeFile.Parse<SampleRecipe>(yaml, "r.yaml", []));
        Assert.Equal(1000, error.Problems.Count);
        Assert.EndsWith("… and 900 more", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_damage_never_escapes_as_another_exception()
    {
        var random = new Random(20261120);
        var good = "data: { path: x, targets: [a, 'b'] }\noptimizer:\n  kind: sgd\n  learning_rate: 2e-4\nstages:\n  - {kind: adamw}\nnote: |\n  text\n";
        const string Noise = "[]{}:,-?&*!|>'\"%@`#\t\n \0\uFFFEé0~<\\";
        var refused = 0;
        for (var i = 0; i < 5_000; i++)
        {
            var text = new StringBuilder(good);
            for (var edits = random.Next(1, 5); edits > 0; edits--)
            {
                var at = random.Next(text.Length);
                if (random.Next(2) == 0)
                    text.Remove(at, Math.Min(random.Next(1, 6), text.Length - at));
                else
                    text.Insert(at, Noise[random.Next(Noise.Length)]);
            }
            try
            {
                RecipeFile.Parse<SampleRecipe>(text.ToString(), "r.yaml", []);
            }
            catch (RecipeException e)
            {
                refused++;
                Assert.All(e.Problems, problem => Assert.True(problem.Line >= 1 && problem.Column >= 1, problem.ToString()));
            }
        }
        Assert.InRange(refused, 1_250, 4_999);
    }
}
