namespace Gradus.Text.Tokenizers.Chat;

/// <summary>Python's arithmetic: whole numbers stay whole, <c>//</c> and <c>%</c> round down, strings and lists add and repeat.</summary>
internal static class Arithmetic
{
    public static ChatValue Add(Render render, ChatValue a, ChatValue b)
    {
        switch (a, b)
        {
            case (TextValue x, TextValue y):
                return Concat(render, x, y);
            case (ListValue x, ListValue y) when x.IsTuple == y.IsTuple:
                render.Budget.Take((x.Items.Count + (long)y.Items.Count) * 8);
                return new ListValue([.. x.Items, .. y.Items], x.IsTuple);
        }

        if (Whole(a, b, out var i, out var j))
            return Sum(i, j);
        if (Numbers(a, b, out var p, out var q))
            return new FloatValue(p + q);
        if (a is TextValue or ListValue)
            throw new TemplateFault($"only {a.TypeName} can be added to {a.TypeName}, not {Python.Defined(b).TypeName}");
        throw Unsupported("+", a, b);
    }

    public static TextValue Concat(Render render, TextValue a, TextValue b)
    {
        if (b.Text.Length == 0)
            return a;
        if (a.Text.Length == 0)
            return b;
        var length = (long)a.Text.Length + b.Text.Length;
        render.Budget.Take(length * sizeof(char));
        if (a.Marks.Length + b.Marks.Length == 0)
            return new(a.Text + b.Text);
        var marks = new List<Mark>(a.Marks.Length + b.Marks.Length);
        marks.AddRange(a.Marks);
        foreach (var mark in b.Marks)
        {
            var moved = new Mark(mark.Start + a.Text.Length, mark.End + a.Text.Length, mark.Tag);
            if (marks.Count > 0 && marks[^1] is var last && last.End == moved.Start && last.Tag == moved.Tag)
                marks[^1] = last with { End = moved.End };
            else
                marks.Add(moved);
        }

        return new(a.Text + b.Text, [.. marks]);
    }

    public static ChatValue Subtract(ChatValue a, ChatValue b) =>
        Whole(a, b, out var i, out var j) ? (j == long.MinValue ? throw Outgrown() : Sum(i, -j))
        : Numbers(a, b, out var p, out var q) ? new FloatValue(p - q)
        : throw Unsupported("-", a, b);

    public static ChatValue Multiply(Render render, ChatValue a, ChatValue b)
    {
        if (Whole(a, b, out var i, out var j))
            return Checked(() => checked(i * j));
        if (Numbers(a, b, out var p, out var q))
            return new FloatValue(p * q);
        if (Python.TryInt(b, out var times) && a is TextValue or ListValue)
            return Repeat(render, a, times);
        if (Python.TryInt(a, out times) && b is TextValue or ListValue)
            return Repeat(render, b, times);
        throw Unsupported("*", a, b);
    }

    public static ChatValue Divide(ChatValue a, ChatValue b)
    {
        if (!Numbers(a, b, out var p, out var q))
            throw Unsupported("/", a, b);
        return q == 0 ? throw new TemplateFault("division by zero") : new FloatValue(p / q);
    }

    public static ChatValue FloorDivide(ChatValue a, ChatValue b)
    {
        if (Whole(a, b, out var i, out var j))
        {
            if (j == 0)
                throw new TemplateFault("division by zero");
            return Checked(() => checked(i / j) - (i % j != 0 && (i < 0) != (j < 0) ? 1 : 0));
        }

        if (!Numbers(a, b, out var p, out var q))
            throw Unsupported("//", a, b);
        return q == 0 ? throw new TemplateFault("division by zero") : new FloatValue(Math.Floor(p / q));
    }

    public static ChatValue Modulo(Render render, ChatValue a, ChatValue b)
    {
        if (a is TextValue format)
            return Formatting.Percent(render, format, b);
        if (Whole(a, b, out var i, out var j))
        {
            if (j == 0)
                throw new TemplateFault("modulo by zero");
            if (j == -1)
                return IntValue.Of(0);
            var rest = i % j;
            return IntValue.Of(rest != 0 && (rest < 0) != (j < 0) ? rest + j : rest);
        }

        if (!Numbers(a, b, out var p, out var q))
            throw Unsupported("%", a, b);
        if (q == 0)
            throw new TemplateFault("modulo by zero");
        var remainder = p % q;
        return new FloatValue(remainder != 0 && (remainder < 0) != (q < 0) ? remainder + q : remainder);
    }

    public static ChatValue Power(ChatValue a, ChatValue b)
    {
        if (Whole(a, b, out var i, out var j) && j >= 0)
            return Checked(() =>
            {
                if (i is 0 or 1 or -1)
                    return j == 0 ? 1 : i == -1 && j % 2 == 0 ? 1 : i;
                if (j > 63)
                    throw new OverflowException();
                var product = 1L;
                for (var k = 0; k < j; k++)
                    product = checked(product * i);
                return product;
            });
        if (!Numbers(a, b, out var p, out var q))
            throw Unsupported("**", a, b);
        if (p == 0 && q < 0)
            throw new TemplateFault("0 cannot be raised to a negative power");
        var power = Math.Pow(p, q);
        return double.IsNaN(power) ? throw new TemplateFault("the power is not a real number") : new FloatValue(power);
    }

    public static ChatValue Negate(ChatValue a) =>
        Python.TryInt(a, out var i) ? Checked(() => checked(-i)) : a is FloatValue f ? new FloatValue(-f.Value) : throw new TemplateFault($"'-' needs a number, not '{Python.Defined(a).TypeName}'");

    public static ChatValue Plus(ChatValue a) =>
        Python.TryInt(a, out var i) ? IntValue.Of(i) : a is FloatValue f ? f : throw new TemplateFault($"'+' needs a number, not '{Python.Defined(a).TypeName}'");

    private static ChatValue Repeat(Render render, ChatValue value, long times)
    {
        times = Math.Max(0, times);
        if (value is TextValue text)
        {
            if (times == 0 || text.Text.Length == 0)
                return TextValue.Empty;
            render.Budget.Take(times > 1L << 32 ? long.MaxValue / 4 : text.Text.Length * times * sizeof(char));
            var built = new TextBuilder(render.Budget);
            for (var i = 0; i < times; i++)
                built.Append(text);
            return built.ToText();
        }

        var list = (ListValue)value;
        render.Budget.Take(times > 1L << 32 && list.Items.Count > 0 ? long.MaxValue / 4 : list.Items.Count * times * 8);
        var items = new List<ChatValue>();
        for (var i = 0; i < times && list.Items.Count > 0; i++)
            items.AddRange(list.Items);
        return new ListValue(items, list.IsTuple);
    }

    private static IntValue Sum(long i, long j)
    {
        var sum = unchecked(i + j);
        return ((i ^ sum) & (j ^ sum)) < 0 ? throw Outgrown() : IntValue.Of(sum);
    }

    private static TemplateFault Outgrown() => new("a whole number outgrows 64 bits");

    private static IntValue Checked(Func<long> compute)
    {
        try
        {
            return IntValue.Of(compute());
        }
        catch (OverflowException)
        {
            throw Outgrown();
        }
    }

    private static bool Whole(ChatValue a, ChatValue b, out long i, out long j)
    {
        j = 0;
        return Python.TryInt(a, out i) && Python.TryInt(b, out j);
    }

    private static bool Numbers(ChatValue a, ChatValue b, out double p, out double q)
    {
        q = 0;
        return Python.TryNumber(a, out p) && Python.TryNumber(b, out q);
    }

    private static TemplateFault Unsupported(string sign, ChatValue a, ChatValue b) =>
        new($"'{sign}' is not supported between '{Python.Defined(a).TypeName}' and '{Python.Defined(b).TypeName}'");
}
