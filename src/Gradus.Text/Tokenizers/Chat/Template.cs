using System.Globalization;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>
/// A parsed template of the Jinja dialect that Hugging Face chat templates are written in. A closed interpreter: values are
/// <see cref="ChatValue"/>s, functions are those of <see cref="Functions"/>, <see cref="Filters"/>, <see cref="TemplateTests"/> and
/// <see cref="Methods"/>; nothing looks anything up by reflection, opens a file or imports. Immutable; may be rendered by many threads at once.
/// </summary>
internal sealed class Template
{
    private readonly string _name;
    private readonly string _source;
    private readonly Statement[] _body;
    private readonly ChatLimits _limits;

    public Template(string name, string source, ChatLimits? limits = null)
    {
        (_name, _source, _limits) = (name, "", limits ?? ChatLimits.Default);
        if (source.Length > _limits.SourceLength)
            throw new UserException(string.Create(CultureInfo.InvariantCulture, $"{name}: a chat template of {source.Length:N0} characters; {_limits.SourceLength:N0} is the limit"));
        _source = TemplateLexer.Normalised(source);
        try
        {
            var parser = new TemplateParser(_source, _limits);
            _body = parser.Parse();
            (Layout, Globals, HasGeneration) = (parser.Layout, parser.Globals, parser.HasGeneration);
        }
        catch (TemplateFault fault)
        {
            throw Explained(fault, fault.At);
        }
    }

    public Layout Layout { get; }

    /// <summary>The names it uses but does not set.</summary>
    public List<string> Globals { get; }

    /// <summary>Whether it marks what the model says.</summary>
    public bool HasGeneration { get; }

    public static Filter FilterNamed(string name, int at = -1) => Filters.All.TryGetValue(name, out var filter) ? filter
        : throw new TemplateFault($"there is no filter '{name}'{NearestName.Hint(name, Filters.All.Keys)}", at);

    public static TemplateTest TestNamed(string name, int at = -1) => TemplateTests.All.TryGetValue(name, out var test) ? test
        : throw new TemplateFault($"there is no test '{name}'{NearestName.Hint(name, TemplateTests.All.Keys)}", at);

    /// <summary>Renders with these names; a name of <see cref="Functions"/> that is not among them is the function.</summary>
    /// <exception cref="UserException">The template raised, is wrong at some line, or went over a bound.</exception>
    public TextValue Text(IReadOnlyDictionary<string, ChatValue> names, Func<DateTimeOffset> now, int messages = 0, long inputBytes = 0, ChatLimits? limits = null)
    {
        var render = new Render(this, new Budget(limits ?? _limits, messages, inputBytes), now);
        for (var i = 0; i < Globals.Count; i++)
            render.Globals[i] = names.TryGetValue(Globals[i], out var value) || Functions.All.TryGetValue(Globals[i], out value) ? value : null;
        try
        {
            Statement.RunAll(render, _body);
            return render.Out.ToText();
        }
        catch (TemplateFault fault)
        {
            throw Explained(fault, fault.At >= 0 ? fault.At : render.At);
        }
    }

    private UserException Explained(TemplateFault fault, int at)
    {
        var message = OneLine(fault.Message);
        if (fault.OfTemplate)
            return new UserException($"{_name}: {message}", fault);
        at = Math.Clamp(at, 0, _source.Length);
        var line = _source.AsSpan(0, at).Count('\n') + 1;
        var column = at - (at == 0 ? -1 : _source.LastIndexOf('\n', at - 1));
        return new UserException(string.Create(CultureInfo.InvariantCulture, $"{_name}:{line}:{column}: {message}"), fault);
    }

    private static string OneLine(string text)
    {
        var line = string.Concat(text.Trim().Select(c => char.IsControl(c) ? ' ' : c));
        return line.Length <= 500 ? line : line[..500] + "…";
    }
}
