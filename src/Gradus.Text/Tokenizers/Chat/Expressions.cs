namespace Gradus.Text.Tokenizers.Chat;

/// <summary>A part of a template that has a value.</summary>
/// <param name="at">Where it stands in the source.</param>
internal abstract class Expression(int at)
{
    public int At => at;

    public abstract ChatValue Value(Render render);
}

internal sealed class ConstantExpression(int at, ChatValue value) : Expression(at)
{
    public ChatValue Constant => value;

    public override ChatValue Value(Render render)
    {
        render.Budget.Step();
        return value;
    }
}

internal sealed class NameExpression(int at, string name, Scope scope) : Expression(at)
{
    private readonly UndefinedValue _undefined = new($"'{name}' is undefined");
    private (int Up, int Place)[] _places = [];
    private int _global;

    public string Name => name;

    /// <summary>After parsing: everything that will ever be set is known.</summary>
    public void Resolve(List<string> globals, Dictionary<string, int> numbers)
    {
        _places = scope.Find(name);
        if (numbers.TryGetValue(name, out _global))
            return;
        _global = numbers[name] = globals.Count;
        globals.Add(name);
    }

    public override ChatValue Value(Render render)
    {
        render.Budget.Step();
        foreach (var (up, place) in _places)
        {
            var frame = render.Frame;
            for (var i = 0; i < up; i++)
                frame = frame.Outer!;
            if (frame.Values[place] is { } value)
                return value;
        }

        if (render.Globals[_global] is { } global)
            return global;
        return Functions.Refused.Contains(name) ? throw TemplateFault.NotAllowed($"'{name}'", At) : _undefined;
    }
}

internal sealed class ListExpression(int at, Expression[] items, bool isTuple) : Expression(at)
{
    private ListValue? _constant;

    public Expression[] Items => items;

    public override ChatValue Value(Render render)
    {
        var values = new List<ChatValue>(items.Length);
        render.Budget.Take(items.Length * 8);
        foreach (var item in items)
            values.Add(item.Value(render));
        return new ListValue(values, isTuple);
    }

    /// <summary>One list for all times when it holds constants only: for looking, not for changing.</summary>
    public ChatValue Shared(Render render)
    {
        if (_constant is not null)
            return _constant;
        if (!Array.TrueForAll(items, item => item is ConstantExpression))
            return Value(render);
        return _constant = new ListValue([.. items.Select(item => ((ConstantExpression)item).Constant)], isTuple: true);
    }
}

internal sealed class DictExpression(int at, (Expression Key, Expression Value)[] pairs) : Expression(at)
{
    public override ChatValue Value(Render render)
    {
        render.Budget.Step();
        var dict = new DictValue();
        foreach (var (key, value) in pairs)
            dict.Set(key.Value(render), value.Value(render), render);
        return dict;
    }
}

internal sealed class AttributeExpression(int at, Expression owner, string name) : Expression(at)
{
    public Expression Owner => owner;

    public string Name => name;

    public override ChatValue Value(Render render)
    {
        var value = owner.Value(render);
        render.At = At;
        return Python.Attribute(render, value, name);
    }
}

internal sealed class ItemExpression(int at, Expression owner, Expression key) : Expression(at)
{
    public override ChatValue Value(Render render)
    {
        var (value, k) = (owner.Value(render), key.Value(render));
        render.At = At;
        return Python.Item(render, value, k);
    }
}

internal sealed class SliceExpression(int at, Expression owner, Expression? from, Expression? to, Expression? step) : Expression(at)
{
    public override ChatValue Value(Render render)
    {
        var (value, f, t, s) = (owner.Value(render), from?.Value(render), to?.Value(render), step?.Value(render));
        render.At = At;
        return Python.Slice(render, value, f, t, s);
    }
}

internal sealed class NotExpression(int at, Expression inner) : Expression(at)
{
    public override ChatValue Value(Render render) => BoolValue.Of(!inner.Value(render).Truth);
}

internal sealed class AndExpression(int at, Expression left, Expression right) : Expression(at)
{
    public override ChatValue Value(Render render) => left.Value(render) is { Truth: false } no ? no : right.Value(render);
}

internal sealed class OrExpression(int at, Expression left, Expression right) : Expression(at)
{
    public override ChatValue Value(Render render) => left.Value(render) is { Truth: true } yes ? yes : right.Value(render);
}

internal sealed class ChoiceExpression(int at, Expression test, Expression then, Expression? otherwise) : Expression(at)
{
    private readonly UndefinedValue _undefined = new("the inline if-expression has no else, and its condition is false");

    public override ChatValue Value(Render render) => test.Value(render).Truth ? then.Value(render) : otherwise?.Value(render) ?? _undefined;
}

internal sealed class CompareExpression(int at, Expression first, (string Sign, Expression Right)[] rest) : Expression(at)
{
    public override ChatValue Value(Render render)
    {
        var left = first.Value(render);
        foreach (var (sign, expression) in rest)
        {
            var right = sign is "in" or "not in" && expression is ListExpression list ? list.Shared(render) : expression.Value(render);
            render.At = At;
            var holds = sign switch
            {
                "==" => Python.Equal(render, left, right),
                "!=" => !Python.Equal(render, left, right),
                "<" => Python.Compare(render, left, right, sign) < 0,
                "<=" => Python.Compare(render, left, right, sign) <= 0,
                ">" => Python.Compare(render, left, right, sign) > 0,
                ">=" => Python.Compare(render, left, right, sign) >= 0,
                "in" => Python.Contains(render, left, right),
                _ => !Python.Contains(render, left, right),
            };
            if (!holds)
                return BoolValue.False;
            left = right;
        }

        return BoolValue.True;
    }
}

internal sealed class BinaryExpression(int at, string sign, Expression left, Expression right) : Expression(at)
{
    /// <summary>The parts of <c>a + b + c</c>, or null when this is no sum.</summary>
    public List<Expression>? Sum()
    {
        if (sign != "+")
            return null;
        var parts = (left as BinaryExpression)?.Sum() ?? [left];
        parts.Add(right);
        return parts;
    }

    public override ChatValue Value(Render render)
    {
        var (a, b) = (left.Value(render), right.Value(render));
        render.At = At;
        return sign switch
        {
            "+" => Arithmetic.Add(render, a, b),
            "-" => Arithmetic.Subtract(a, b),
            "*" => Arithmetic.Multiply(render, a, b),
            "/" => Arithmetic.Divide(a, b),
            "//" => Arithmetic.FloorDivide(a, b),
            "%" => Arithmetic.Modulo(render, a, b),
            _ => Arithmetic.Power(a, b),
        };
    }
}

internal sealed class UnaryExpression(int at, bool negative, Expression inner) : Expression(at)
{
    public override ChatValue Value(Render render)
    {
        var value = inner.Value(render);
        render.At = At;
        return negative ? Arithmetic.Negate(value) : Arithmetic.Plus(value);
    }
}

internal sealed class ConcatExpression(int at, Expression[] parts) : Expression(at)
{
    public Expression[] Parts => parts;

    public override ChatValue Value(Render render)
    {
        var values = new TextValue[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            values[i] = PythonText.Str(render, parts[i].Value(render));
        var built = values[0];
        if (parts.Length == 2)
            return Arithmetic.Concat(render, built, values[1]);
        var all = new TextBuilder(render.Budget);
        foreach (var value in values)
            all.Append(value);
        return all.ToText();
    }
}

/// <summary>What stands in the brackets of a call.</summary>
internal sealed record ArgumentList(Expression[] Values, (string Name, Expression Value)[] Named, Expression? AllValues, Expression? AllNamed)
{
    public static readonly ArgumentList None = new([], [], null, null);

    public Arguments Evaluate(Render render)
    {
        if (Values.Length + Named.Length == 0 && AllValues is null && AllNamed is null)
            return Arguments.None;
        render.Budget.Step();
        var values = Values.Length == 0 ? [] : new ChatValue[Values.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = Values[i].Value(render);
        var named = Named.Length == 0 ? [] : new KeyValuePair<string, ChatValue>[Named.Length];
        for (var i = 0; i < named.Length; i++)
            named[i] = new(Named[i].Name, Named[i].Value.Value(render));
        if (AllValues is not null)
        {
            var more = Python.Items(render, AllValues.Value(render));
            render.Budget.Take(more.Count * 8L);
            values = [.. values, .. more];
        }

        if (AllNamed is not null)
            named = [.. named, .. Arguments.NamedOf(AllNamed.Value(render) as DictValue ?? throw new TemplateFault("'**' needs a dictionary"))];
        return new(values, named);
    }
}

internal sealed class CallExpression(int at, Expression callee, ArgumentList arguments) : Expression(at)
{
    public override ChatValue Value(Render render) => Call(render, null);

    /// <summary>The call, with the body of a <c>{% call %}</c> block as <c>caller</c>.</summary>
    public ChatValue Call(Render render, ChatValue? caller)
    {
        ChatValue target;
        if (callee is AttributeExpression attribute)
        {
            var owner = attribute.Owner.Value(render);
            if (caller is null && Methods.Find(owner, attribute.Name) is { } method)
            {
                var given = arguments.Evaluate(render);
                render.At = At;
                return method(render, owner, given);
            }

            render.At = At;
            target = Python.Attribute(render, owner, attribute.Name);
        }
        else
        {
            target = callee.Value(render);
        }

        var all = arguments.Evaluate(render);
        if (caller is not null)
            all = new(all.Values, [.. all.Named, KeyValuePair.Create("caller", caller)]);
        render.At = At;
        return Python.Defined(target) is CallableValue callable ? callable.Call(render, all) : throw new TemplateFault($"a {target.TypeName} cannot be called");
    }
}

internal sealed class FilterExpression(int at, Expression? input, Filter filter, ArgumentList arguments) : Expression(at)
{
    public override ChatValue Value(Render render) => Apply(render, input!.Value(render));

    /// <summary>The filter on a given value: of a block, that is its text.</summary>
    public ChatValue Apply(Render render, ChatValue value)
    {
        var given = arguments.Evaluate(render);
        render.At = At;
        return filter.Apply(render, value, given);
    }
}

internal sealed class TestExpression(int at, Expression input, TemplateTest test, ArgumentList arguments) : Expression(at)
{
    public override ChatValue Value(Render render)
    {
        var value = input.Value(render);
        var given = arguments.Evaluate(render);
        render.At = At;
        return BoolValue.Of(test.Holds(render, value, given));
    }
}
