namespace Gradus.Text.Tokenizers.Chat;

/// <summary>Reads the blocks of a template; expressions are in the other half of the class.</summary>
internal sealed partial class TemplateParser
{
    private static readonly Dictionary<string, string> s_refused = new(StringComparer.Ordinal)
    {
        ["include"] = "reads another file", ["import"] = "reads another file", ["from"] = "reads another file", ["extends"] = "reads another file",
        ["block"] = "belongs to templates that extend others", ["do"] = "is not of the dialect", ["trans"] = "is not of the dialect", ["debug"] = "shows the interpreter",
    };

    private readonly List<TemplateToken> _tokens;
    private readonly ChatLimits _limits;
    private readonly List<NameExpression> _names = [];
    private Scope _scope;
    private int _next;
    private int _nesting;
    private int _loops;

    public TemplateParser(string source, ChatLimits limits)
    {
        _limits = limits;
        _tokens = new TemplateLexer(source).Tokens();
        _scope = new Scope(Layout, null);
    }

    public Layout Layout { get; } = new(null);

    public List<string> Globals { get; } = [];

    public bool HasGeneration { get; private set; }

    private TemplateToken Now => _tokens[_next];

    public Statement[] Parse()
    {
        var body = Body([]);
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var name in _names)
            name.Resolve(Globals, numbers);
        return body;
    }

    /// <summary>Everything up to a block that begins with one of these words, which stays the current token.</summary>
    private Statement[] Body(string[] ends, string what = "", int opened = 0)
    {
        var body = new List<Statement>();
        while (true)
        {
            var token = Take();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new DataStatement(token.Text));
                    break;
                case TokenKind.OutputBegin:
                    body.Add(new OutputStatement(Tuple()));
                    Expect(TokenKind.OutputEnd, "'}}'");
                    break;
                case TokenKind.BlockBegin:
                    if (Now.Kind == TokenKind.Name && Array.IndexOf(ends, Now.Text) >= 0)
                        return [.. body];
                    if (Block() is { } statement)
                        body.Add(statement);
                    break;
                case TokenKind.End when ends.Length == 0:
                    return [.. body];
                default:
                    throw token.Kind == TokenKind.End ? new TemplateFault($"'{{% {what} %}}' is never closed by '{{% {ends[^1]} %}}'", opened) : Unexpected(token);
            }
        }
    }

    private Statement? Block()
    {
        var tag = Expect(TokenKind.Name, "the name of a block");
        Deeper(tag.At);
        Statement? statement = null;
        switch (tag.Text)
        {
            case "if": statement = If(tag); break;
            case "for": statement = For(tag); break;
            case "set": statement = Set(tag); break;
            case "macro": statement = MacroBlock(tag); break;
            case "call": statement = Call(tag); break;
            case "filter": statement = FilterBlock(tag); break;
            case "with": statement = With(tag); break;
            case "generation": statement = Generation(tag); break;
            case "print": statement = Print(); break;
            case "break" or "continue":
                if (_loops == 0)
                    throw new TemplateFault($"'{tag.Text}' is not inside a loop", tag.At);
                statement = new JumpStatement(tag.Text == "break" ? Flow.Break : Flow.Continue);
                break;
            default:
                throw s_refused.TryGetValue(tag.Text, out var why)
                    ? TemplateFault.NotAllowed($"'{{% {tag.Text} %}}' {why} and", tag.At)
                    : new TemplateFault($"'{{% {tag.Text} %}}' is not known here{Foundation.Files.NearestName.Hint(tag.Text, ["if", "for", "set", "macro", "call", "filter", "with", "generation", "raw", "break", "continue", "endif", "endfor"])}", tag.At);
        }

        Expect(TokenKind.BlockEnd, "'%}'");
        _nesting--;
        return statement;
    }

    private IfStatement If(TemplateToken tag)
    {
        var branches = new List<(Expression, Statement[])>();
        while (true)
        {
            var test = Tuple(withChoice: false);
            branches.Add((test, BlockBody(["elif", "else", "endif"], "if", tag.At)));
            var end = Take().Text;
            if (end == "elif")
                continue;
            var otherwise = end == "else" ? BlockBody(["endif"], "if", tag.At) : [];
            if (end == "else")
                Take();
            return new([.. branches], otherwise);
        }
    }

    private ForStatement For(TemplateToken tag)
    {
        // The names belong to the body; what is gone over is seen from outside.
        var outside = _scope;
        var inside = new Scope(outside.Layout, outside);
        _scope = inside;
        var target = Targets(spaces: false);
        _scope = outside;
        if (!Take().Is(TokenKind.Name, "in"))
            throw new TemplateFault($"expected 'in', found {_tokens[_next - 1]}", _tokens[_next - 1].At);
        var over = Tuple(withChoice: false, "recursive");
        _scope = inside;
        Expression? filter = null;
        if (Skip("if"))
            filter = Expr();
        if (Now.Is(TokenKind.Name, "recursive"))
            throw new TemplateFault("'recursive' loops are not supported; a macro that calls itself is", Now.At);
        var place = inside.Declare("loop");
        _loops++;
        var body = BlockBody(["else", "endfor"], "for", tag.At);
        _loops--;
        var other = _scope = new Scope(outside.Layout, outside);
        var otherwise = Take().Text == "else" ? BlockBody(["endfor"], "for", tag.At) : null;
        if (otherwise is not null)
            Take();
        _scope = outside;
        return new(target, over, filter, body, inside, place, otherwise ?? [], other);
    }

    private Statement Set(TemplateToken tag)
    {
        // The names are there behind the value: {% set x = x %} reads the old one, which the places of a name see to.
        var target = Targets(spaces: true);
        if (SkipSign("="))
            return new SetStatement(target, Tuple());
        var filters = FilterChain();
        return Captured(target, filters, "set", tag.At);
    }

    private CaptureStatement FilterBlock(TemplateToken tag)
    {
        var first = FilterCall(null);
        return Captured(null, [first, .. FilterChain()], "filter", tag.At);
    }

    private CaptureStatement Captured(Target? target, FilterExpression[] filters, string what, int at)
    {
        var (body, scope) = Inner(() => BlockBody(["end" + what], what, at));
        Take();
        return new(target, filters, body, scope);
    }

    private WithStatement With(TemplateToken tag)
    {
        var (outside, inside, names) = (_scope, new Scope(_scope.Layout, _scope), new List<(Target, Expression)>());
        while (Now.Kind != TokenKind.BlockEnd)
        {
            if (names.Count > 0)
                ExpectSign(",");
            _scope = inside;
            var target = OneTarget(spaces: false);
            _scope = outside;
            ExpectSign("=");
            names.Add((target, Expr()));
        }

        _scope = inside;
        var body = BlockBody(["endwith"], "with", tag.At);
        Take();
        _scope = outside;
        return new([.. names], body, inside);
    }

    private GenerationStatement Generation(TemplateToken tag)
    {
        HasGeneration = true;
        var (body, scope) = Inner(() => BlockBody(["endgeneration"], "generation", tag.At));
        Take();
        return new(body, scope);
    }

    private Statement Print()
    {
        var parts = new List<Expression> { Expr() };
        while (SkipSign(","))
            parts.Add(Expr());
        return new OutputStatement(parts.Count == 1 ? parts[0] : new ConcatExpression(parts[0].At, [.. parts]));
    }

    private MacroStatement MacroBlock(TemplateToken tag)
    {
        var name = Expect(TokenKind.Name, "the macro's name");
        var target = new NameTarget(_scope.Declare(name.Text));
        return new(MacroOf(name.Text, "macro", tag.At, signature: true), target);
    }

    private CallStatement Call(TemplateToken tag)
    {
        // The signature comes before the call but belongs to the body: the tokens of the call are read in between.
        var (layout, outside) = (new Layout(_scope.Layout), _scope);
        var inside = new Scope(layout, outside);
        _scope = inside;
        var parameters = Now.Is(TokenKind.Sign, "(") ? Signature() : [];
        _scope = outside;
        if (Expr() is not CallExpression call)
            throw new TemplateFault("'{% call %}' needs a call", tag.At);
        _scope = inside;
        var body = Detached(() => BlockBody(["endcall"], "call", tag.At));
        Take();
        _scope = outside;
        return new(call, new Macro("caller", parameters, body, layout, null));
    }

    private Macro MacroOf(string name, string what, int at, bool signature)
    {
        var (layout, outside) = (new Layout(_scope.Layout), _scope);
        var scope = _scope = new Scope(layout, outside);
        var own = (scope.Declare("caller"), scope.Declare("varargs"), scope.Declare("kwargs"));
        var parameters = signature ? Signature() : [];
        var body = Detached(() => BlockBody(["end" + what], what, at));
        Take();
        _scope = outside;
        return new(name, parameters, body, layout, own);
    }

    private (string Name, int Place, Expression? Default)[] Signature()
    {
        var parameters = new List<(string, int, Expression?)>();
        ExpectSign("(");
        while (!SkipSign(")"))
        {
            if (parameters.Count > 0)
                ExpectSign(",");
            var name = Expect(TokenKind.Name, "a parameter's name");
            var place = _scope.Declare(name.Text);
            var otherwise = SkipSign("=") ? Expr() : null;
            if (otherwise is null && parameters.Count > 0 && parameters[^1].Item3 is not null)
                throw new TemplateFault($"'{name.Text}' has no default but stands behind one that has", name.At);
            parameters.Add((name.Text, place, otherwise));
        }

        return [.. parameters];
    }

    /// <summary>A body whose jumps cannot leave it.</summary>
    private Statement[] Detached(Func<Statement[]> read)
    {
        var loops = _loops;
        _loops = 0;
        var body = read();
        _loops = loops;
        return body;
    }

    private (Statement[] Body, Scope Scope) Inner(Func<Statement[]> read)
    {
        var outside = _scope;
        var scope = _scope = new Scope(outside.Layout, outside);
        var body = read();
        _scope = outside;
        return (body, scope);
    }

    private Statement[] BlockBody(string[] ends, string what, int opened)
    {
        SkipSign(":");
        Expect(TokenKind.BlockEnd, "'%}'");
        return Body(ends, what, opened);
    }

    private Target Targets(bool spaces)
    {
        var (at, first) = (Now.At, OneTarget(spaces));
        if (!Now.Is(TokenKind.Sign, ","))
            return first;
        var all = new List<Target> { first };
        while (SkipSign(","))
            if (Now.Kind == TokenKind.Name && Now.Text != "in" || Now.Is(TokenKind.Sign, "("))
                all.Add(OneTarget(spaces));
            else
                break;
        return new ManyTargets(at, [.. all]);
    }

    private Target OneTarget(bool spaces)
    {
        if (SkipSign("("))
        {
            var inner = Targets(spaces);
            ExpectSign(")");
            return inner;
        }

        var name = Expect(TokenKind.Name, "a name");
        if (name.Text is "true" or "True" or "false" or "False" or "none" or "None")
            throw new TemplateFault($"'{name.Text}' cannot be set", name.At);
        if (spaces && SkipSign("."))
            return new NamespaceTarget(name.At, Named(name), Expect(TokenKind.Name, "a name").Text);
        return new NameTarget(_scope.Declare(name.Text));
    }

    private void Deeper(int at)
    {
        if (++_nesting > _limits.Nesting)
            throw new TemplateFault($"blocks and brackets are nested more than {_limits.Nesting} deep; that is the limit", at);
    }

    private TemplateToken Take() => _tokens[_next < _tokens.Count - 1 ? _next++ : _next];

    private bool Skip(string name)
    {
        if (!Now.Is(TokenKind.Name, name))
            return false;
        _next++;
        return true;
    }

    private bool SkipSign(string sign)
    {
        if (!Now.Is(TokenKind.Sign, sign))
            return false;
        _next++;
        return true;
    }

    private TemplateToken Expect(TokenKind kind, string what) => Now.Kind == kind ? Take() : throw new TemplateFault($"expected {what}, found {Now}", Now.At);

    private void ExpectSign(string sign)
    {
        if (!SkipSign(sign))
            throw new TemplateFault($"expected '{sign}', found {Now}", Now.At);
    }

    private static TemplateFault Unexpected(TemplateToken token) => new($"unexpected {token}", token.At);
}
