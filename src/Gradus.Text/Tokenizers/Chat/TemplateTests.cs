namespace Gradus.Text.Tokenizers.Chat;

/// <summary>What stands behind <c>is</c>.</summary>
internal sealed record TemplateTest(string Name, string[] Parameters, Func<Render, ChatValue, Arguments, bool> Run)
{
    public bool Holds(Render render, ChatValue value, Arguments arguments) => Run(render, value, arguments.Bind(Name, Parameters));
}

/// <summary>The tests of Jinja.</summary>
internal static class TemplateTests
{
    public static readonly Dictionary<string, TemplateTest> All = Table();

    private static Dictionary<string, TemplateTest> Table()
    {
        var all = new Dictionary<string, TemplateTest>(StringComparer.Ordinal);
        void Plain(string names, Func<ChatValue, bool> test) => Add(names, [], (_, v, _) => test(v));
        void Pair(string names, Func<Render, ChatValue, ChatValue, bool> test) => Add(names, ["other"], (r, v, a) => test(r, v, a.Need(0, "is")));
        void Add(string names, string[] parameters, Func<Render, ChatValue, Arguments, bool> test)
        {
            foreach (var name in names.Split(' '))
                all.Add(name, new(name, parameters, test));
        }

        Plain("defined", v => v is not UndefinedValue);
        Plain("undefined", v => v is UndefinedValue);
        Plain("none", v => v is NoneValue);
        Plain("true", v => v is BoolValue { Value: true });
        Plain("false", v => v is BoolValue { Value: false });
        Plain("boolean", v => v is BoolValue);
        Plain("string", v => v is TextValue);
        Plain("number", v => v is IntValue or FloatValue or BoolValue);
        Plain("integer", v => v is IntValue or FloatValue { Digits: not null });
        Plain("float", v => v is FloatValue { Digits: null });
        Plain("mapping", v => v is DictValue);
        Plain("sequence", v => v is TextValue or ListValue or DictValue or UndefinedValue);
        Plain("iterable", v => v is TextValue or ListValue or DictValue or UndefinedValue);
        Plain("callable", v => v is CallableValue or UndefinedValue);
        Plain("escaped", _ => false);
        Add("lower", [], (r, v, _) => TextMethods.IsLower(PythonText.Str(r, v).Text));
        Add("upper", [], (r, v, _) => TextMethods.IsUpper(PythonText.Str(r, v).Text));
        Add("odd", [], (r, v, _) => Arithmetic.Modulo(r, v, IntValue.Of(2)) is IntValue { Value: 1 } or FloatValue { Value: 1 });
        Add("even", [], (r, v, _) => Arithmetic.Modulo(r, v, IntValue.Of(2)) is IntValue { Value: 0 } or FloatValue { Value: 0 });
        Add("divisibleby", ["num"], (r, v, a) => Arithmetic.Modulo(r, v, a.Need(0, "divisibleby")) is IntValue { Value: 0 } or FloatValue { Value: 0 });
        Pair("eq equalto ==", Python.Equal);
        Pair("ne !=", (r, a, b) => !Python.Equal(r, a, b));
        Pair("lt lessthan <", (r, a, b) => Python.Compare(r, a, b, "<") < 0);
        Pair("le <=", (r, a, b) => Python.Compare(r, a, b, "<=") <= 0);
        Pair("gt greaterthan >", (r, a, b) => Python.Compare(r, a, b, ">") > 0);
        Pair("ge >=", (r, a, b) => Python.Compare(r, a, b, ">=") >= 0);
        Pair("in", Python.Contains);
        Pair("sameas", (r, a, b) => a.GetType() == b.GetType() && (a is not (ListValue or DictValue) ? Python.Equal(r, a, b) : ReferenceEquals(a, b)));
        Plain("filter", v => v is TextValue text && Filters.All.ContainsKey(text.Text));
        Plain("test", v => v is TextValue text && All!.ContainsKey(text.Text));
        return all;
    }
}
