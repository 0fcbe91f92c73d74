using System.Globalization;
using System.Text;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>The methods of strings. Parts of a string keep the marks of where they came from.</summary>
internal static class TextMethods
{
    public static readonly Dictionary<string, Methods.Method> All = new(StringComparer.Ordinal)
    {
        ["strip"] = (r, s, a) => Strip(r, s, a.Bind("strip", ["chars"]).At(0), left: true, right: true),
        ["lstrip"] = (r, s, a) => Strip(r, s, a.Bind("lstrip", ["chars"]).At(0), left: true, right: false),
        ["rstrip"] = (r, s, a) => Strip(r, s, a.Bind("rstrip", ["chars"]).At(0), left: false, right: true),
        ["split"] = (r, s, a) => Splitting.Split(r, (TextValue)s, a.Bind("split", ["sep", "maxsplit"]), fromRight: false),
        ["rsplit"] = (r, s, a) => Splitting.Split(r, (TextValue)s, a.Bind("rsplit", ["sep", "maxsplit"]), fromRight: true),
        ["splitlines"] = (r, s, a) => new ListValue([.. Splitting.Lines(r, (TextValue)s, a.Bind("splitlines", ["keepends"]).At(0)?.Truth ?? false)]),
        ["partition"] = (r, s, a) => Splitting.Partition(r, (TextValue)s, Text(a.Need(0, "partition")), last: false),
        ["rpartition"] = (r, s, a) => Splitting.Partition(r, (TextValue)s, Text(a.Need(0, "rpartition")), last: true),
        ["startswith"] = (r, s, a) => Affix(r, (TextValue)s, a, "startswith", static (text, affix) => text.StartsWith(affix, StringComparison.Ordinal)),
        ["endswith"] = (r, s, a) => Affix(r, (TextValue)s, a, "endswith", static (text, affix) => text.EndsWith(affix, StringComparison.Ordinal)),
        ["removeprefix"] = (_, s, a) => Text(a.Need(0, "removeprefix")) is var affix && Text(s).StartsWith(affix, StringComparison.Ordinal) ? ((TextValue)s).Slice(affix.Length, Text(s).Length) : s,
        ["removesuffix"] = (_, s, a) => Text(a.Need(0, "removesuffix")) is { Length: > 0 } affix && Text(s).EndsWith(affix, StringComparison.Ordinal) ? ((TextValue)s).Slice(0, Text(s).Length - affix.Length) : s,
        ["upper"] = (r, s, _) => Cased(r, (TextValue)s, Upper),
        ["lower"] = (r, s, _) => Cased(r, (TextValue)s, Lower),
        ["casefold"] = (r, s, _) => Cased(r, (TextValue)s, text => Lower(text).Replace("ß", "ss", StringComparison.Ordinal)),
        ["title"] = (r, s, _) => Cased(r, (TextValue)s, Title),
        ["capitalize"] = (r, s, _) => Cased(r, (TextValue)s, Capitalize),
        ["swapcase"] = (r, s, _) => Cased(r, (TextValue)s, text => string.Concat(text.Select(c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c)))),
        ["replace"] = (r, s, a) => Replace(r, (TextValue)s, a.Need(0, "replace"), a.Need(1, "replace"), a.Bind("replace", ["old", "new", "count"]).At(2)),
        ["join"] = (r, s, a) => Join(r, (TextValue)s, Python.Items(r, a.Need(0, "join")), strict: true),
        ["find"] = (r, s, a) => Find(r, (TextValue)s, a, "find", last: false) ?? IntValue.Of(-1),
        ["rfind"] = (r, s, a) => Find(r, (TextValue)s, a, "rfind", last: true) ?? IntValue.Of(-1),
        ["index"] = (r, s, a) => Find(r, (TextValue)s, a, "index", last: false) ?? throw new TemplateFault("index(): the string does not hold it"),
        ["rindex"] = (r, s, a) => Find(r, (TextValue)s, a, "rindex", last: true) ?? throw new TemplateFault("rindex(): the string does not hold it"),
        ["count"] = (r, s, a) => Count(r, Text(s), Text(a.Need(0, "count"))),
        ["isdigit"] = (r, s, _) => Every(r, s, static rune => char.IsAsciiDigit((char)Math.Min(rune.Value, 0xffff)) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber || "²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉".Contains(rune.ToString(), StringComparison.Ordinal)),
        ["isdecimal"] = (r, s, _) => Every(r, s, static rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber),
        ["isnumeric"] = (r, s, _) => Every(r, s, Rune.IsNumber),
        ["isalpha"] = (r, s, _) => Every(r, s, Rune.IsLetter),
        ["isalnum"] = (r, s, _) => Every(r, s, static rune => Rune.IsLetter(rune) || Rune.IsNumber(rune)),
        ["isspace"] = (r, s, _) => Every(r, s, static rune => rune.IsBmp && CodePoints.IsSpace((char)rune.Value)),
        ["isascii"] = (r, s, _) => BoolValue.Of(Ascii.IsValid(Text(s))),
        ["isupper"] = (r, s, _) => BoolValue.Of(IsUpper(Text(s))),
        ["islower"] = (r, s, _) => BoolValue.Of(IsLower(Text(s))),
        ["format"] = (r, s, a) => Formatting.Braces(r, (TextValue)s, a),
        ["zfill"] = (r, s, a) => Text(s) is ['-' or '+', ..] ? Padded(r, ((TextValue)s).Slice(1, Text(s).Length), Width(a) - 1, 1, "0", ((TextValue)s).Slice(0, 1)) : Padded(r, (TextValue)s, Width(a), 1, "0"),
        ["ljust"] = (r, s, a) => Padded(r, (TextValue)s, Width(a), 0, Fill(a)),
        ["rjust"] = (r, s, a) => Padded(r, (TextValue)s, Width(a), 1, Fill(a)),
        ["center"] = (r, s, a) => Centered(r, (TextValue)s, Width(a), Fill(a)),
    };

    public static string Text(ChatValue value) => value is TextValue text ? text.Text : throw new TemplateFault($"a string is needed, not '{Python.Defined(value).TypeName}'");

    public static TextValue Strip(Render render, ChatValue self, ChatValue? chars, bool left, bool right)
    {
        var (text, set) = (Text(self), chars is null or NoneValue ? null : Text(chars));
        render.Budget.Scan(text.Length + ((long)(set?.Length ?? 0) * 64));
        bool Falls(char c) => set is null ? CodePoints.IsSpace(c) : set.Contains(c, StringComparison.Ordinal);
        var (start, end) = (0, text.Length);
        while (left && start < end && Falls(text[start]))
            start++;
        while (right && end > start && Falls(text[end - 1]))
            end--;
        render.Budget.Take((end - start) * 2L);
        return ((TextValue)self).Slice(start, end);
    }

    public static TextValue Cased(Render render, TextValue text, Func<string, string> change)
    {
        render.Budget.Take(text.Text.Length * 4L);
        var changed = change(text.Text);
        return new(changed, changed.Length == text.Text.Length ? text.Marks : Mark.Blur(text.Marks, changed.Length));
    }

    public static string Upper(string text) => text.ToUpperInvariant().Replace("ß", "SS", StringComparison.Ordinal);

    public static string Lower(string text) => text.ToLowerInvariant();

    public static string Capitalize(string text) => text.Length == 0 ? text : FirstUpper(text, 0, out var rest) + Lower(text[rest..]);

    /// <summary>The first character from <paramref name="at"/> in upper case, and where the rest begins.</summary>
    public static string FirstUpper(string text, int at, out int rest)
    {
        rest = at + (at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1);
        return text[at] == 'ß' ? "Ss" : text[at..rest].ToUpperInvariant();
    }

    public static string Title(string text)
    {
        var (built, inWord) = (new StringBuilder(text.Length), false);
        for (var i = 0; i < text.Length;)
        {
            var first = FirstUpper(text, i, out var rest);
            built.Append(inWord ? Lower(text[i..rest]) : first);
            inWord = Rune.TryGetRuneAt(text, i, out var rune) && Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;
            i = rest;
        }

        return built.ToString();
    }

    public static bool IsUpper(string text) => text.Any(char.IsUpper) && !text.Any(char.IsLower);

    public static bool IsLower(string text) => text.Any(char.IsLower) && !text.Any(char.IsUpper);

    public static TextValue Replace(Render render, TextValue text, ChatValue old, ChatValue with, ChatValue? count)
    {
        var (find, put, left) = (Text(old), (TextValue)with, count is null or NoneValue ? -1 : Python.Index(count, "a count"));
        render.Budget.Scan(text.Text.Length);
        if (left < 0)
            left = int.MaxValue;
        if (find.Length > 0 && !text.Text.Contains(find, StringComparison.Ordinal))
            return text;
        var built = new TextBuilder(render.Budget);
        var at = 0;
        while (left-- > 0)
        {
            // The empty string is found before every character and at the end.
            var found = find.Length == 0 ? at : text.Text.IndexOf(find, at, StringComparison.Ordinal);
            if (found < 0 || at > text.Text.Length)
                break;
            render.Budget.Step();
            built.Append(text, at, found);
            built.Append(put);
            at = found + find.Length;
            if (find.Length == 0)
            {
                if (at == text.Text.Length)
                    return built.ToText();
                var next = at + (at + 1 < text.Text.Length && char.IsSurrogatePair(text.Text[at], text.Text[at + 1]) ? 2 : 1);
                built.Append(text, at, next);
                at = next;
            }
        }

        if (at < text.Text.Length)
            built.Append(text, at, text.Text.Length);
        return built.ToText();
    }

    public static TextValue Join(Render render, TextValue between, List<ChatValue> items, bool strict)
    {
        var built = new TextBuilder(render.Budget);
        for (var i = 0; i < items.Count; i++)
        {
            render.Budget.Step();
            if (i > 0)
                built.Append(between);
            if (strict && items[i] is not TextValue)
                throw new TemplateFault($"join(): item {i.ToString(CultureInfo.InvariantCulture)} is no string but '{items[i].TypeName}'");
            built.Append(PythonText.Str(render, items[i]));
        }

        return built.ToText();
    }

    public static TextValue Centered(Render render, TextValue text, int width, string fill)
    {
        var missing = width - CodePoints.Count(text.Text);
        if (missing <= 0)
            return text;
        var left = (missing / 2) + (missing & width & 1); // as Python decides the odd one
        return Padded(render, Padded(render, text, CodePoints.Count(text.Text) + left, 1, fill), width, 0, fill);
    }

    private static TextValue Padded(Render render, TextValue text, int width, int left, string fill, TextValue? sign = null)
    {
        var missing = width - CodePoints.Count(text.Text);
        if (missing <= 0)
            return sign is null ? text : Arithmetic.Concat(render, sign, text);
        render.Budget.Take(missing * (long)fill.Length * 2);
        var padding = new TextValue(new StringBuilder().Insert(0, fill, missing).ToString());
        var padded = left == 1 ? Arithmetic.Concat(render, padding, text) : Arithmetic.Concat(render, text, padding);
        return sign is null ? padded : Arithmetic.Concat(render, sign, padded);
    }

    private static int Width(Arguments a) => Python.Index(a.Need(0, "the method"), "a width");

    private static string Fill(Arguments a) => a.At(1) is { } fill ? CodePoints.Count(Text(fill)) == 1 ? Text(fill) : throw new TemplateFault("the fill must be one character") : " ";

    private static BoolValue Affix(Render render, TextValue self, Arguments a, string name, Func<string, string, bool> test)
    {
        var affixes = a.Bind(name, ["prefix", "start", "end"]).Need(0, name);
        var text = self;
        if (a.At(1) is not null || a.At(2) is not null)
            text = (TextValue)Python.Slice(render, self, a.At(1), a.At(2), null);
        if (affixes is not ListValue { IsTuple: true } many)
        {
            render.Budget.Scan(Text(affixes).Length);
            return BoolValue.Of(test(text.Text, Text(affixes)));
        }

        render.Budget.Steps(many.Items.Count);
        return BoolValue.Of(many.Items.Any(affix => test(text.Text, Text(affix))));
    }

    private static IntValue? Find(Render render, TextValue self, Arguments a, string name, bool last)
    {
        var part = Text(a.Bind(name, ["sub", "start", "end"]).Need(0, name));
        render.Budget.Scan(self.Text.Length * 2L);
        var from = a.At(1) is null or NoneValue ? 0 : Python.Index(a.At(1)!, "a place");
        var text = self.Text;
        if (from != 0 || a.At(2) is not null and not NoneValue)
        {
            var length = CodePoints.Count(text);
            from = Math.Max(0, from < 0 ? from + length : from);
            if (from > length)
                return null;
            text = ((TextValue)Python.Slice(render, self, IntValue.Of(from), a.At(2), null)).Text;
        }

        var at = last ? text.LastIndexOf(part, StringComparison.Ordinal) : text.IndexOf(part, StringComparison.Ordinal);
        return at < 0 ? null : IntValue.Of(from + CodePoints.Before(text, at));
    }

    private static IntValue Count(Render render, string text, string part)
    {
        render.Budget.Scan(text.Length);
        if (part.Length == 0)
            return IntValue.Of(CodePoints.Count(text) + 1);
        var count = 0;
        for (var at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + part.Length, StringComparison.Ordinal))
            count++;
        return IntValue.Of(count);
    }

    private static BoolValue Every(Render render, ChatValue self, Func<Rune, bool> test)
    {
        render.Budget.Scan(Text(self).Length * 8L);
        return BoolValue.Of(Text(self).Length > 0 && Text(self).EnumerateRunes().All(test));
    }
}
