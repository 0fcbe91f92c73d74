using System.Globalization;

namespace Gradus.Text.Tokenizers.Chat;

internal sealed partial class TemplateParser
{
    private Expression Expr(bool withChoice = true)
    {
        Deeper(Now.At);
        var value = withChoice ? Choice() : Or();
        _nesting--;
        return value;
    }

    /// <summary>Expressions with commas between are a tuple; one alone is itself.</summary>
    private Expression Tuple(bool withChoice = true, string? end = null, bool inBrackets = false)
    {
        var (at, items, comma) = (Now.At, new List<Expression>(), false);
        while (true)
        {
            if (Now.Kind is TokenKind.OutputEnd or TokenKind.BlockEnd || Now.Is(TokenKind.Sign, ")") || (end is not null && Now.Is(TokenKind.Name, end)))
                break;
            items.Add(Expr(withChoice));
            if (!SkipSign(","))
                break;
            comma = true;
        }

        if (!comma && items.Count == 1)
            return items[0];
        if (!comma && !inBrackets)
            throw new TemplateFault($"expected an expression, found {Now}", Now.At);
        return new ListExpression(at, [.. items], isTuple: true);
    }

    private Expression Choice()
    {
        var value = Or();
        while (Skip("if"))
        {
            var at = Now.At;
            var test = Or();
            Expression? otherwise = null;
            if (Skip("else"))
            {
                Deeper(at);
                otherwise = Choice();
                _nesting--;
            }

            value = new ChoiceExpression(at, test, value, otherwise);
        }

        return value;
    }

    private Expression Or() => Chain(And, () => Skip("or"), (at, a, b) => new OrExpression(at, a, b));

    private Expression And() => Chain(Not, () => Skip("and"), (at, a, b) => new AndExpression(at, a, b));

    private Expression Not()
    {
        var at = Now.At;
        if (!Skip("not"))
            return Compare();
        Deeper(at);
        var inner = new NotExpression(at, Not());
        _nesting--;
        return inner;
    }

    private Expression Compare()
    {
        var first = Sum();
        List<(string, Expression)>? rest = null;
        while (true)
        {
            string? sign = null;
            if (Now.Kind == TokenKind.Sign && Now.Text is "==" or "!=" or "<" or "<=" or ">" or ">=")
                sign = Take().Text;
            else if (Skip("in"))
                sign = "in";
            else if (Now.Is(TokenKind.Name, "not") && _tokens[_next + 1].Is(TokenKind.Name, "in"))
                (sign, _next) = ("not in", _next + 2);
            if (sign is null)
                return rest is null ? first : new CompareExpression(first.At, first, [.. rest]);
            (rest ??= []).Add((sign, Sum()));
        }
    }

    private Expression Sum() => Binary(Concat, "+", "-");

    private Expression Concat()
    {
        var first = Product();
        if (!Now.Is(TokenKind.Sign, "~"))
            return first;
        var parts = new List<Expression> { first };
        while (SkipSign("~"))
            parts.Add(Product());
        return new ConcatExpression(first.At, [.. parts]);
    }

    private Expression Product() => Binary(Power, "*", "/", "//", "%");

    private Expression Power() => Binary(() => Unary(), "**");

    private Expression Binary(Func<Expression> operand, params string[] signs)
    {
        var (left, length) = (operand(), 0);
        while (Now.Kind == TokenKind.Sign && Array.IndexOf(signs, Now.Text) >= 0)
        {
            var sign = Take();
            Long(++length, sign.At);
            left = new BinaryExpression(sign.At, sign.Text, left, operand());
        }

        return left;
    }

    private Expression Chain(Func<Expression> operand, Func<bool> another, Func<int, Expression, Expression, Expression> join)
    {
        var (left, length) = (operand(), 0);
        while (true)
        {
            var at = Now.At;
            if (!another())
                return left;
            Long(++length, at);
            left = join(at, left, operand());
        }
    }

    // A chain of operators is a tree as deep as it is long.
    private void Long(int length, int at)
    {
        if (length > _limits.Nesting * 4)
            throw new TemplateFault($"more than {_limits.Nesting * 4} operators in a row; that is the limit", at);
    }

    private Expression Unary(bool withFilters = true)
    {
        var at = Now.At;
        Expression value;
        if (Now.Is(TokenKind.Sign, "-") || Now.Is(TokenKind.Sign, "+"))
        {
            Deeper(at);
            value = new UnaryExpression(at, Take().Text == "-", Unary(withFilters: false));
            _nesting--;
        }
        else
        {
            value = Primary();
        }

        value = Postfix(value);
        return withFilters ? Filtered(value) : value;
    }

    private Expression Primary()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new ConstantExpression(token.At, BoolValue.True),
                    "false" or "False" => new ConstantExpression(token.At, BoolValue.False),
                    "none" or "None" => new ConstantExpression(token.At, NoneValue.Instance),
                    _ => Named(token),
                };
            case TokenKind.Text:
                var text = token.Text;
                while (Now.Kind == TokenKind.Text)
                    text += Take().Text;
                return new ConstantExpression(token.At, new TextValue(text));
            case TokenKind.Whole:
                return new ConstantExpression(token.At, IntValue.Of(long.Parse(token.Text, CultureInfo.InvariantCulture)));
            case TokenKind.Real:
                return new ConstantExpression(token.At, new FloatValue(double.Parse(token.Text, CultureInfo.InvariantCulture)));
            case TokenKind.Sign when token.Text == "(":
                var tuple = Tuple(inBrackets: true);
                ExpectSign(")");
                return tuple;
            case TokenKind.Sign when token.Text == "[":
                return new ListExpression(token.At, [.. Items("]", () => Expr())], isTuple: false);
            case TokenKind.Sign when token.Text == "{":
                return new DictExpression(token.At, [.. Items("}", () =>
                {
                    var key = Expr();
                    ExpectSign(":");
                    return (key, Expr());
                })]);
            default:
                throw Unexpected(token);
        }
    }

    private List<T> Items<T>(string close, Func<T> item)
    {
        var items = new List<T>();
        while (!SkipSign(close))
        {
            if (items.Count > 0)
            {
                ExpectSign(",");
                if (SkipSign(close))
                    break;
            }

            items.Add(item());
        }

        return items;
    }

    private NameExpression Named(TemplateToken token)
    {
        var name = new NameExpression(token.At, token.Text, _scope);
        _names.Add(name);
        if (token.Text is "caller" or "varargs" or "kwargs")
            for (var layout = _scope.Layout; layout is not null; layout = layout.Outer)
                layout.Mentions.Add(token.Text);
        return name;
    }

    private Expression Postfix(Expression value)
    {
        for (var length = 1; ; length++)
        {
            Long(length, Now.At);
            if (SkipSign("."))
            {
                var token = Take();
                value = token.Kind switch
                {
                    TokenKind.Name => new AttributeExpression(token.At, value, token.Text),
                    TokenKind.Whole => new ItemExpression(token.At, value, new ConstantExpression(token.At, IntValue.Of(long.Parse(token.Text, CultureInfo.InvariantCulture)))),
                    _ => throw new TemplateFault($"expected a name or a number behind '.', found {token}", token.At),
                };
            }
            else if (Now.Is(TokenKind.Sign, "["))
            {
                value = Subscript(value, Take().At);
            }
            else if (Now.Is(TokenKind.Sign, "("))
            {
                var at = Now.At;
                value = new CallExpression(at, value, CallArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private Expression Subscript(Expression owner, int at)
    {
        Expression? Part() => Now.Is(TokenKind.Sign, ":") || Now.Is(TokenKind.Sign, "]") ? null : Expr();
        var first = Part();
        if (!SkipSign(":"))
        {
            if (first is null)
                throw Unexpected(Now);
            ExpectSign("]");
            return new ItemExpression(at, owner, first);
        }

        var second = Part();
        var third = SkipSign(":") ? Part() : null;
        ExpectSign("]");
        return new SliceExpression(at, owner, first, second, third);
    }

    private Expression Filtered(Expression value)
    {
        for (var length = 1; ; length++)
        {
            Long(length, Now.At);
            if (SkipSign("|"))
            {
                value = FilterCall(value);
            }
            else if (Now.Is(TokenKind.Name, "is"))
            {
                value = Test(value, Take().At);
            }
            else if (Now.Is(TokenKind.Sign, "("))
            {
                var at = Now.At;
                value = new CallExpression(at, value, CallArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private FilterExpression[] FilterChain()
    {
        var filters = new List<FilterExpression>();
        while (SkipSign("|"))
            filters.Add(FilterCall(null));
        return [.. filters];
    }

    private FilterExpression FilterCall(Expression? input)
    {
        var name = Expect(TokenKind.Name, "a filter's name");
        var filter = Template.FilterNamed(name.Text, name.At);
        return new(name.At, input, filter, Now.Is(TokenKind.Sign, "(") ? CallArguments() : ArgumentList.None);
    }

    private Expression Test(Expression value, int at)
    {
        var negated = Skip("not");
        var name = Expect(TokenKind.Name, "a test's name");
        var test = Template.TestNamed(name.Text, name.At);
        var arguments = ArgumentList.None;
        if (Now.Is(TokenKind.Sign, "("))
            arguments = CallArguments();
        else if (Now.Kind is TokenKind.Text or TokenKind.Whole or TokenKind.Real || Now.Is(TokenKind.Sign, "[") || Now.Is(TokenKind.Sign, "{")
            || (Now.Kind == TokenKind.Name && Now.Text is not ("else" or "or" or "and" or "is" or "if" or "not" or "in")))
            arguments = new([Postfix(Primary())], [], null, null);
        Expression tested = new TestExpression(name.At, value, test, arguments);
        return negated ? new NotExpression(at, tested) : tested;
    }

    private ArgumentList CallArguments()
    {
        var (values, named) = (new List<Expression>(), new List<(string, Expression)>());
        Expression? allValues = null, allNamed = null;
        ExpectSign("(");
        while (!SkipSign(")"))
        {
            if (values.Count + named.Count > 0 || allValues is not null || allNamed is not null)
            {
                ExpectSign(",");
                if (SkipSign(")"))
                    break;
            }

            if (SkipSign("*"))
                allValues = Expr();
            else if (SkipSign("**"))
                allNamed = Expr();
            else if (Now.Kind == TokenKind.Name && _tokens[_next + 1].Is(TokenKind.Sign, "="))
            {
                var name = Take().Text;
                _next++;
                named.Add((name, Expr()));
            }
            else if (named.Count > 0)
                throw new TemplateFault("a value by place stands behind one by name", Now.At);
            else
                values.Add(Expr());
        }

        return new([.. values], [.. named], allValues, allNamed);
    }
}
