namespace Gradus.Text.Tokenizers.Chat;

internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>A part of a template that does something.</summary>
internal abstract class Statement
{
    public abstract Flow Run(Render render);

    public static Flow RunAll(Render render, Statement[] body)
    {
        foreach (var statement in body)
        {
            render.Budget.Step();
            var flow = statement.Run(render);
            if (flow != Flow.Next)
                return flow;
        }

        return Flow.Next;
    }
}

internal sealed class DataStatement(string text) : Statement
{
    public override Flow Run(Render render)
    {
        render.Out.Append(text);
        return Flow.Next;
    }
}

internal sealed class OutputStatement(Expression expression) : Statement
{
    // 'a' + b + 'c' and a ~ b are written part by part instead of being put together first.
    private readonly Expression[]? _sum = (expression as BinaryExpression)?.Sum()?.ToArray();
    private readonly Expression[]? _parts = (expression as ConcatExpression)?.Parts;

    public override Flow Run(Render render)
    {
        if (_parts is not null)
        {
            foreach (var part in _parts)
                render.Out.Append(PythonText.Str(render, part.Value(render)));
            return Flow.Next;
        }

        if (_sum is null)
        {
            render.Out.Append(PythonText.Str(render, expression.Value(render)));
            return Flow.Next;
        }

        var first = _sum[0].Value(render);
        for (var i = 1; i < _sum.Length; i++)
        {
            var next = _sum[i].Value(render);
            render.At = _sum[i].At;
            if (first is TextValue text && next is TextValue)
            {
                render.Out.Append(text);
                first = next;
            }
            else
            {
                first = Arithmetic.Add(render, first, next);
            }
        }

        render.Out.Append(PythonText.Str(render, first));
        return Flow.Next;
    }
}

internal sealed class IfStatement((Expression Test, Statement[] Body)[] branches, Statement[] otherwise) : Statement
{
    public override Flow Run(Render render)
    {
        foreach (var (test, body) in branches)
            if (test.Value(render).Truth)
                return RunAll(render, body);
        return RunAll(render, otherwise);
    }
}

internal sealed class ForStatement(Target target, Expression over, Expression? filter, Statement[] body, Scope scope, int loopPlace, Statement[] otherwise, Scope otherScope) : Statement
{
    public override Flow Run(Render render)
    {
        var value = over.Value(render);
        render.At = over.At;
        var items = Python.Items(render, value);
        if (filter is not null)
        {
            var kept = new List<ChatValue>();
            render.Frame.Clear(scope.Places);
            foreach (var item in items)
            {
                render.Budget.Step();
                target.Set(render, item);
                if (filter.Value(render).Truth)
                    kept.Add(item);
            }

            render.Budget.Take(kept.Count * 8L);
            items = kept;
        }

        if (items.Count == 0)
        {
            render.Frame.Clear(otherScope.Places);
            return RunAll(render, otherwise);
        }

        var loop = new LoopValue(items);
        var count = items.Count; // a list that grows meanwhile does not keep the loop alive
        for (var i = 0; i < count && i < items.Count; i++)
        {
            render.Budget.Step();
            render.Frame.Clear(scope.Places);
            render.Frame.Values[loopPlace] = loop;
            loop.Index = i;
            target.Set(render, items[i]);
            if (RunAll(render, body) == Flow.Break)
                break;
        }

        return Flow.Next;
    }
}

/// <summary><c>{% break %}</c> and <c>{% continue %}</c>.</summary>
internal sealed class JumpStatement(Flow flow) : Statement
{
    public override Flow Run(Render render) => flow;
}

internal sealed class SetStatement(Target target, Expression value) : Statement
{
    public override Flow Run(Render render)
    {
        target.Set(render, value.Value(render));
        return Flow.Next;
    }
}

/// <summary><c>{% set x %}…{% endset %}</c> and <c>{% filter f %}…{% endfilter %}</c> (without a target).</summary>
internal sealed class CaptureStatement(Target? target, FilterExpression[] filters, Statement[] body, Scope scope) : Statement
{
    public override Flow Run(Render render)
    {
        render.Frame.Clear(scope.Places);
        var outside = render.Out;
        render.Out = new TextBuilder(render.Budget);
        var flow = RunAll(render, body);
        ChatValue value = render.Out.ToText();
        render.Out = outside;
        foreach (var filter in filters)
            value = filter.Apply(render, value);
        if (target is not null)
            target.Set(render, value);
        else
            render.Out.Append(PythonText.Str(render, value));
        return flow;
    }
}

internal sealed class WithStatement((Target Target, Expression Value)[] names, Statement[] body, Scope scope) : Statement
{
    public override Flow Run(Render render)
    {
        var values = names.Select(n => n.Value.Value(render)).ToArray();
        render.Frame.Clear(scope.Places);
        for (var i = 0; i < names.Length; i++)
            names[i].Target.Set(render, values[i]);
        return RunAll(render, body);
    }
}

/// <summary><c>{% generation %}…{% endgeneration %}</c>: what the model is to say.</summary>
internal sealed class GenerationStatement(Statement[] body, Scope scope) : Statement
{
    public override Flow Run(Render render)
    {
        render.Frame.Clear(scope.Places);
        var start = render.Out.Length;
        var flow = RunAll(render, body);
        render.Out.Generated(start);
        return flow;
    }
}

/// <summary>A macro, or the body of a <c>{% call %}</c> block, which is one without a name.</summary>
internal sealed class Macro(string name, (string Name, int Place, Expression? Default)[] parameters, Statement[] body, Layout layout, (int Caller, int Varargs, int Kwargs)? own)
{
    public string Name => name;

    public CallableValue In(Frame outer) => new(name, (render, arguments) => Call(render, arguments, outer));

    private TextValue Call(Render render, Arguments arguments, Frame outer)
    {
        render.Budget.Enter();
        render.Budget.Take(64 + (layout.Count * 8L));
        var (frame, before, outside) = (new Frame(layout.Count, outer), render.Frame, render.Out);
        Bind(frame, arguments);
        (render.Frame, render.Out) = (frame, new TextBuilder(render.Budget));
        foreach (var (parameter, place, otherwise) in parameters)
            frame.Values[place] ??= otherwise?.Value(render) ?? new UndefinedValue($"parameter '{parameter}' was not provided");
        Statement.RunAll(render, body);
        var text = render.Out.ToText();
        (render.Frame, render.Out) = (before, outside);
        render.Budget.Leave();
        return text;
    }

    private void Bind(Frame frame, Arguments arguments)
    {
        for (var i = 0; i < Math.Min(parameters.Length, arguments.Values.Length); i++)
            frame.Values[parameters[i].Place] = arguments.Values[i];
        bool Takes(string what) => own is not null && layout.Mentions.Contains(what);
        if (arguments.Values.Length > parameters.Length && !Takes("varargs"))
            throw new TemplateFault($"macro '{name}' takes not more than {parameters.Length} argument(s)");
        if (Takes("varargs"))
            frame.Values[own!.Value.Varargs] = new ListValue([.. arguments.Values.Skip(parameters.Length)], isTuple: true);
        if (Takes("caller"))
            frame.Values[own!.Value.Caller] = new UndefinedValue("no caller: the macro was not called by a call block");
        var rest = new DictValue();
        foreach (var (given, value) in arguments.Named)
        {
            var place = Array.FindIndex(parameters, p => p.Name == given);
            if (place >= 0 && place < arguments.Values.Length)
                throw new TemplateFault($"macro '{name}' got two values for '{given}'");
            if (place >= 0)
                frame.Values[parameters[place].Place] = value;
            else if (given == "caller" && Takes("caller"))
                frame.Values[own!.Value.Caller] = value;
            else if (Takes("kwargs"))
                rest.Add(new TextValue(given), value);
            else
                throw new TemplateFault($"macro '{name}' takes no argument '{given}'");
        }

        if (Takes("kwargs"))
            frame.Values[own!.Value.Kwargs] = rest;
    }
}

internal sealed class MacroStatement(Macro macro, Target target) : Statement
{
    public override Flow Run(Render render)
    {
        target.Set(render, macro.In(render.Frame));
        return Flow.Next;
    }
}

internal sealed class CallStatement(CallExpression call, Macro body) : Statement
{
    public override Flow Run(Render render)
    {
        render.Out.Append(PythonText.Str(render, call.Call(render, body.In(render.Frame))));
        return Flow.Next;
    }
}

/// <summary>What a value can be given to.</summary>
internal abstract class Target
{
    public abstract void Set(Render render, ChatValue value);
}

internal sealed class NameTarget(int place) : Target
{
    public override void Set(Render render, ChatValue value) => render.Frame.Values[place] = value;
}

internal sealed class ManyTargets(int at, Target[] targets) : Target
{
    public override void Set(Render render, ChatValue value)
    {
        render.At = at;
        var items = Python.Items(render, value);
        if (items.Count != targets.Length)
            throw new TemplateFault($"{targets.Length} names for {items.Count} values");
        for (var i = 0; i < targets.Length; i++)
            targets[i].Set(render, items[i]);
    }
}

internal sealed class NamespaceTarget(int at, NameExpression space, string name) : Target
{
    public override void Set(Render render, ChatValue value)
    {
        var found = space.Value(render);
        render.At = at;
        if (found is not NamespaceValue known)
            throw new TemplateFault($"'{space.Name}' is no namespace(); only a namespace's attributes can be set");
        known.Names.Set(new TextValue(name), value, render);
    }
}
