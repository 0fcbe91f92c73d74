using System.Diagnostics;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Tests.Text.Tokenizers.Chat;

/// <summary>Templates written to break in, to hang or to fill the memory (RELIABILITY TK7, TK8, TK10), and ones that are merely wrong.</summary>
[Row("L16")]
public sealed class TemplateAttackTests
{
    private static readonly ChatMessage[] s_hello = [new("user", "Hello")];

    [Theory]
    [InlineData("{{ ().__class__.__bases__[0].__subclasses__() }}", 7)]
    [InlineData("{{ ''.__class__.__mro__ }}", 7)]
    [InlineData("{{ messages.__class__ }}", 13)]
    [InlineData("{{ messages[0]['__class__'] }}", 15)]
    [InlineData("{{ messages|attr('__class__') }}", 13)]
    [InlineData("{{ range.__globals__ }}", 10)]
    [InlineData("{{ namespace.__init__.__globals__ }}", 14)]
    [InlineData("{{ cycler.__init__ }}", 4)]
    [InlineData("{{ joiner }}", 4)]
    [InlineData("{{ lipsum.__globals__ }}", 4)]
    [InlineData("{{ self.__dict__ }}", 4)]
    [InlineData("{{ '{0.__class__}'.format(1) }}", 26)]
    [InlineData("{% macro m() %}{% endmacro %}{{ m.__closure__ }}", 35)]
    [InlineData("{% for m in messages %}{{ loop.__class__ }}{% endfor %}", 32)]
    [InlineData("{{ messages.append(1) }}", 19)]
    [InlineData("{{ messages[0].update({'role': 'system'}) }}", 22)]
    [InlineData("{% include 'canary' %}", 4)]
    [InlineData("{% import 'os' as os %}", 4)]
    [InlineData("{% from 'os' import system %}", 4)]
    [InlineData("{% extends 'canary' %}", 4)]
    [InlineData("{% block a %}{% endblock %}", 4)]
    [InlineData("{% do messages.append(1) %}", 4)]
    public void What_reaches_outside_is_not_allowed(string source, int column)
    {
        var fault = Refused(source);
        Assert.StartsWith($"t:1:{column}: ", fault, StringComparison.Ordinal);
        Assert.Contains("is not allowed", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ open('canary').read() }}")]
    [InlineData("{{ os.environ }}")]
    [InlineData("{{ config.items() }}")]
    [InlineData("{{ request.application }}")]
    [InlineData("{{ get_env('HOME') }}")]
    [InlineData("{{ messages|map('open')|list }}")]
    [InlineData("{{ messages|map(attribute='__class__')|list }}")]
    public void What_is_not_there_cannot_be_called(string source) => Refused(source);

    [Theory]
    [InlineData("{% for a in range(1000000000) %}x{% endfor %}")]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{{ a }}{% endfor %}{% endfor %}{% endfor %}")]
    [InlineData("{{ 'a' * 1000000000 }}")]
    [InlineData("{{ ['a'] * 1000000000 }}")]
    [InlineData("{{ 'a' * 9223372036854775807 }}")]
    [InlineData("{% set s = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(1000) %}{% set s.x = s.x ~ s.x %}{% endfor %}")]
    [InlineData("{% set s = namespace(x=['a']) %}{% for i in range(1000) %}{% set s.x = s.x + s.x %}{% endfor %}")]
    [InlineData("{% set s = namespace(x='ab') %}{% for i in range(1000) %}{% set s.x = s.x.replace('a', 'aaaaaaaaaaaaaaaaaaaaaa') %}{% endfor %}")]
    [InlineData("{% set s = namespace(x=[]) %}{% for i in range(100000) %}{% set s.x = [s.x, s.x] %}{% endfor %}{{ s.x }}")]
    [InlineData("{% set s = namespace(x=[]) %}{% for i in range(100000) %}{% set s.x = [s.x] %}{% endfor %}{{ s.x|tojson }}")]
    [InlineData("{% set s = namespace(x=[], y=[]) %}{% for i in range(100000) %}{% set s.x = [s.x] %}{% set s.y = [s.y] %}{% endfor %}{{ s.x == s.y }}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% macro a() %}{{ b() }}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}")]
    [InlineData("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}")]
    [InlineData("{{ '%999999999d' % 1 }}")]
    [InlineData("{{ '{:>999999999}'.format(1) }}")]
    [InlineData("{{ 'a'.center(999999999) }}")]
    [InlineData("{{ 'a'.zfill(999999999) }}")]
    [InlineData("{{ 'a'|indent(999999999, true) if 'a'.ljust(999999999) }}")]
    [InlineData("{{ [1]|batch(999999999, 0)|list }}")]
    [InlineData("{{ [1]|slice(999999999)|list }}")]
    [InlineData("{{ 9 ** 9 ** 9 ** 9 }}")]
    [InlineData("{% for a in range(100000) %}{{ range(100000)|sort|length }}{% endfor %}")]
    [InlineData("{% for a in range(100000) %}{{ range(100000)|sum }}{% endfor %}")]
    [InlineData("{% set l = range(100000)|list %}{% for a in l %}{{ a in l }}{% endfor %}")]
    [InlineData("{% set l = [1] %}{% for a in range(100000) %}{% set x = l.extend(l) %}{% endfor %}")]
    [InlineData("{% set big = 'ab' * 1000000 %}{% for a in range(100000) %}{{ big.count('b') }}{{ big|length }}{{ big.isalpha() }}{{ 'x' in big }}{% endfor %}")]
    [InlineData("{% set big = 'ab' * 1000000 %}{% for a in range(100000) %}{% set x = big.split('b') %}{% set y = big|upper %}{% endfor %}")]
    [InlineData("{% set d = {} %}{% for a in range(100000) %}{% set x = d.update({a: a}) %}{% endfor %}")]
    public void What_would_never_end_ends_at_a_bound(string source)
    {
        Within(TimeSpan.FromMilliseconds(100), 64 << 20, () => Refused(source));
    }

    public static TheoryData<string, string> Sources => new()
    {
        { "10 MB", new string('x', 10 << 20) },
        { "10 MB of macros", string.Concat(Enumerable.Repeat("{% macro m() %}{% endmacro %}", 360_000)) },
        { "brackets", "{{ " + new string('(', 100_000) },
        { "lists", "{{ " + string.Concat(Enumerable.Repeat("[", 50_000)) + string.Concat(Enumerable.Repeat("]", 50_000)) + " }}" },
        { "nots", "{{ " + string.Concat(Enumerable.Repeat("not ", 50_000)) + "x }}" },
        { "minuses", "{{ " + string.Concat(Enumerable.Repeat("-", 100_000)) + "1 }}" },
        { "a sum", "{{ 1" + string.Concat(Enumerable.Repeat("+1", 100_000)) + " }}" },
        { "ifs in ifs", string.Concat(Enumerable.Repeat("{% if 1 %}", 20_000)) },
        { "choices", "{{ 1" + string.Concat(Enumerable.Repeat(" if 1 else 1", 15_000)) + " }}" },
        { "attributes", "{{ x" + string.Concat(Enumerable.Repeat(".a", 100_000)) + " }}" },
        { "filters", "{{ x" + string.Concat(Enumerable.Repeat("|e", 100_000)) + " }}" },
        { "an output", "a {{ b" },
        { "a block", "a {% if b" },
        { "a comment", "a {# b" },
        { "a string", "{{ 'abc }}" },
        { "raw", "{% raw %} abc" },
        { "if", "{% if 1 %} abc" },
        { "for", "{% for a in b %} abc" },
        { "macro", "{% macro m() %}" },
        { "many opened", string.Concat(Enumerable.Repeat("{{", 100_000)) },
        { "many comments", string.Concat(Enumerable.Repeat("{#", 100_000)) },
        { "many raws", string.Concat(Enumerable.Repeat("{% raw %}", 20_000)) },
    };

    [Theory]
    [MemberData(nameof(Sources))]
    public void Sources_too_long_too_deep_or_never_closed_are_refused(string what, string source)
    {
        Assert.NotEmpty(what);
        Within(TimeSpan.FromMilliseconds(100), 64 << 20, () => Refused(source));
    }

    [Theory]
    [InlineData("{% iff x %}", "t:1:4: '{% iff %}' is not known here; did you mean 'if'?")]
    [InlineData("a\nb {{ x|uper }}", "t:2:8: there is no filter 'uper'; did you mean 'upper'?")]
    [InlineData("{{ x is strin }}", "t:1:9: there is no test 'strin'; did you mean 'string'?")]
    [InlineData("{{ x.y }}", "t:1:6: 'x' is undefined")]
    [InlineData("{{ messages[0].content + 1 }}", "t:1:26: only str can be added to str, not int")]
    [InlineData("{{ messages[0].content.nope.nope }}", "t:1:29: 'str object' has no attribute 'nope'")]
    [InlineData("{% for a in 5 %}{% endfor %}", "t:1:13: 'int' is nothing to go over (a list, a dictionary or a string is)")]
    [InlineData("{% set a.b = 1 %}", "t:1:8: 'a' is no namespace(); only a namespace's attributes can be set")]
    [InlineData("{{ 1 / 0 }}", "t:1:6: division by zero")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "t:1:26: a whole number outgrows 64 bits")]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "t:1:35: macro 'm' takes not more than 1 argument(s)")]
    [InlineData("{{ raise_exception('only\nuser') }}", "t: only user")]
    [InlineData("{% if 1 %}\n{% endfor %}", "t:2:4: '{% endfor %}' is not known here")]
    [InlineData("{{ 'a' 1 }}", "t:1:8: expected '}}', found '1'")]
    [InlineData("{% break %}", "t:1:4: 'break' is not inside a loop")]
    public void Mistakes_are_told_with_their_place(string source, string expected) => Assert.StartsWith(expected, Refused(source), StringComparison.Ordinal);

    [Theory]
    [InlineData("messages")]
    [InlineData("tools")]
    [InlineData("documents")]
    [InlineData("tokenize")]
    [InlineData("add_generation_prompt")]
    [InlineData("continue_final_message")]
    [InlineData("chat_template")]
    [InlineData("bos_token")]
    [InlineData("eos_token")]
    [InlineData("raise_exception")]
    [InlineData("strftime_now")]
    [InlineData("range")]
    [InlineData("namespace")]
    public void Arguments_cannot_take_the_place_of_what_Gradus_sets(string name)
    {
        var template = ChatTemplate.Parse("{{ messages }}{{ bos_token }}{{ enable_thinking }}{{ " + name + " }}");
        var options = new ChatOptions { Arguments = JsonSerializer.SerializeToElement(new Dictionary<string, object> { [name] = "x" }) };
        Assert.Equal($"argument '{name}' of the chat template is not allowed: Gradus sets it itself", Assert.Throws<UserException>(() => template.Render(s_hello, options)).Message);
    }

    [Fact]
    public void Arguments_are_those_the_template_reads()
    {
        var template = ChatTemplate.Parse("{{ messages[0].content }}{% if enable_thinking %}!{% endif %}");
        Assert.Equal(["enable_thinking"], template.ArgumentNames());
        Assert.Equal("Hello!", template.Render(s_hello, new() { Arguments = JsonSerializer.SerializeToElement(new { enable_thinking = true }) }).Text);
        var fault = Assert.Throws<UserException>(() => template.Render(s_hello, new() { Arguments = JsonSerializer.SerializeToElement(new { enable_thinkin = true }) }));
        Assert.Equal("argument 'enable_thinkin': the chat template reads no such name; did you mean 'enable_thinking'?", fault.Message);
    }

    [Fact]
    public void Long_conversations_stay_within_the_bounds()
    {
        var messages = Enumerable.Range(0, 20_000).Select(i => new ChatMessage(i % 2 == 0 ? "user" : "assistant", new string('a', 200))).ToArray();
        foreach (var format in new[] { "chatml", "llama3.1-tools", "qwen3-thinking", "mistral-v3-tools" })
        {
            var source = File.ReadAllText(Repo.Fixture($"chat-templates/templates/{format}.jinja"));
            var bytes = 0L;
            var list = new ListValue([.. messages.Select((m, i) => (ChatValue)m.ValueAt(i, ref bytes))], isFixed: true);
            var text = new Template("t", source).Text(new Dictionary<string, ChatValue> { ["messages"] = list, ["bos_token"] = new TextValue("<s>"), ["eos_token"] = new TextValue("</s>") }, () => default, messages.Length, bytes);
            Assert.True(text.Text.Length > 4_000_000);
        }
    }

    private static string Refused(string source)
    {
        var message = Assert.Throws<UserException>(() => ChatTemplate.Parse(source, specialTokens: new Dictionary<string, string>(), name: "t").Render(s_hello)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    // The best of three: other work on the machine, and compilation, are not the template's. All that is allocated counts, freed or not.
    private static void Within(TimeSpan time, long bytes, Action action)
    {
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 3 && best > time; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var watch = Stopwatch.StartNew();
            action();
            best = watch.Elapsed < best ? watch.Elapsed : best;
            var used = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(used < bytes, $"{used >> 20} MB were allocated, {bytes >> 20} are the bound");
        }

        Assert.True(best <= time, $"took {best.TotalMilliseconds:F0} ms, {time.TotalMilliseconds:F0} are the bound");
    }
}
