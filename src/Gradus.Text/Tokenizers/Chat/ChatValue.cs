using System.Globalization;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>
/// A value inside a template: one of the sealed classes of this file and of <c>Containers.cs</c>, and nothing else. No value reaches
/// the objects of the runtime, so nothing a template says can.
/// </summary>
internal abstract class ChatValue
{
    private protected ChatValue()
    {
    }

    /// <summary>What Python calls the type.</summary>
    public abstract string TypeName { get; }

    public abstract bool Truth { get; }
}

/// <summary>What a name that stands for nothing gives: prints as nothing, is false, and refuses everything else with its hint.</summary>
internal sealed class UndefinedValue(string hint) : ChatValue
{
    public override string TypeName => "Undefined";

    public override bool Truth => false;

    public TemplateFault Fault() => new(hint);
}

internal sealed class NoneValue : ChatValue
{
    public static readonly NoneValue Instance = new();

    public override string TypeName => "NoneType";

    public override bool Truth => false;
}

internal sealed class BoolValue : ChatValue
{
    public static readonly BoolValue True = new(true), False = new(false);

    private BoolValue(bool value) => Value = value;

    public bool Value { get; }

    public override string TypeName => "bool";

    public override bool Truth => Value;

    public static BoolValue Of(bool value) => value ? True : False;
}

internal sealed class IntValue : ChatValue
{
    private static readonly IntValue[] s_small = [.. Enumerable.Range(-16, 1040).Select(i => new IntValue(i))];

    private IntValue(long value) => Value = value;

    public long Value { get; }

    public override string TypeName => "int";

    public override bool Truth => Value != 0;

    public static IntValue Of(long value) => value is >= -16 and < 1024 ? s_small[value + 16] : new(value);
}

/// <param name="value">The number.</param>
/// <param name="digits">How the input wrote a whole number beyond 64 bits: it prints as it came.</param>
internal sealed class FloatValue(double value, string? digits = null) : ChatValue
{
    public double Value => value;

    public string? Digits => digits;

    public override string TypeName => digits is null ? "float" : "int";

    public override bool Truth => value != 0;
}

/// <summary>A string that knows which of its parts came from the caller.</summary>
internal sealed class TextValue(string text, Mark[] marks) : ChatValue
{
    public static readonly TextValue Empty = new("", Mark.None);
    private static readonly TextValue[] s_ascii = [.. Enumerable.Range(0, 128).Select(c => new TextValue(((char)c).ToString(), Mark.None))];

    public TextValue(string text)
        : this(text, Mark.None)
    {
    }

    public string Text => text;

    public Mark[] Marks => marks;

    public override string TypeName => "str";

    public override bool Truth => text.Length > 0;

    public TextValue Slice(int start, int end) =>
        start == 0 && end == text.Length ? this
        : start >= end ? Empty
        : marks.Length == 0 && end == start + 1 && text[start] < 128 ? s_ascii[text[start]]
        : new(text[start..end], Mark.Slice(marks, start, end));
}

/// <summary>Something that can be called: a macro, a method bound to its object, a global function.</summary>
internal sealed class CallableValue(string name, Func<Render, Arguments, ChatValue> run) : ChatValue
{
    public string Name => name;

    public override string TypeName => "function";

    public override bool Truth => true;

    public ChatValue Call(Render render, Arguments arguments) => run(render, arguments);
}

/// <summary>What a call is given.</summary>
internal readonly struct Arguments(ChatValue[] values, KeyValuePair<string, ChatValue>[] named)
{
    public static readonly Arguments None = new([], []);

    /// <summary>By place. After <see cref="Bind"/> also what was given by name; null in the gaps.</summary>
    public ChatValue[] Values => values;

    public KeyValuePair<string, ChatValue>[] Named => named;

    public ChatValue? At(int index) => index < values.Length ? values[index] : null;

    public ChatValue Need(int index, string function) => At(index) ?? throw new TemplateFault($"{function}() lacks its argument {(index + 1).ToString(CultureInfo.InvariantCulture)}");

    /// <summary>The same with everything by place.</summary>
    public Arguments Bind(string function, string[] parameters)
    {
        if (values.Length > parameters.Length)
            throw new TemplateFault($"{function}() takes at most {parameters.Length} arguments, {values.Length} given");
        if (named.Length == 0)
            return this;
        var all = new ChatValue[parameters.Length];
        values.CopyTo(all, 0);
        foreach (var (name, value) in named)
        {
            var place = Array.IndexOf(parameters, name);
            if (place < 0)
                throw new TemplateFault($"{function}() has no argument '{name}'{Foundation.Files.NearestName.Hint(name, parameters)}");
            if (all[place] is not null)
                throw new TemplateFault($"{function}() has two values for its argument '{name}'");
            all[place] = value;
        }

        return new(all, []);
    }

    public static KeyValuePair<string, ChatValue>[] NamedOf(DictValue dict) =>
        [.. dict.Entries.Select(e => KeyValuePair.Create(e.Key is TextValue t ? t.Text : throw new TemplateFault("names of arguments must be strings"), e.Value))];
}
