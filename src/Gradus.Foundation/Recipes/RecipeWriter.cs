using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Gradus.Foundation.Recipes;

/// <summary>Writes a record as a recipe: keys in the order of the record, doubles in their shortest exact form, texts quoted unless plainly safe.</summary>
internal sealed partial class RecipeWriter(bool maskSecrets)
{
    private const string Mask = "\"***\"";
    private readonly StringBuilder _yaml = new();

    public static string Write(object recipe, bool maskSecrets)
    {
        var writer = new RecipeWriter(maskSecrets);
        writer.Section(recipe, indent: 0, firstIndent: 0);
        return writer._yaml.Length == 0 ? "{}\n" : writer._yaml.ToString();
    }

    private void Section(object record, int indent, int firstIndent)
    {
        if (Components.KindOf(record.GetType()) is { } kind)
        {
            Key("kind", ref firstIndent, indent);
            _yaml.Append(' ').Append(Text(kind)).Append('\n');
        }
        foreach (var field in RecordShape.Of(record.GetType()).Fields)
        {
            Key(field.Key, ref firstIndent, indent);
            var value = field.Property.GetValue(record);
            if (field.Secret && maskSecrets && value is not null)
                _yaml.Append(' ').Append(Mask).Append('\n');
            else
                Value(field.Shape, value, indent);
        }
    }

    // After "key:": the rest of the line, and the lines below it.
    private void Value(ValueShape shape, object? value, int indent)
    {
        if (Inline(shape, value) is { } text)
        {
            _yaml.Append(' ').Append(text).Append('\n');
            return;
        }
        _yaml.Append('\n');
        if (shape.Form == Form.Map)
        {
            foreach (DictionaryEntry entry in (IDictionary)value!)
            {
                var first = indent + 2;
                Key(Text((string)entry.Key), ref first, indent + 2);
                Value(shape.Element!, entry.Value, indent + 2);
            }
        }
        else if (shape.Form == Form.List)
        {
            foreach (var item in (IEnumerable)value!)
            {
                _yaml.Append(' ', indent + 2).Append('-');
                if (Inline(shape.Element!, item) is { } element)
                    _yaml.Append(' ').Append(element).Append('\n');
                else if (shape.Element!.IsSection)
                {
                    _yaml.Append(' ');
                    Section(item!, indent + 4, firstIndent: 0);
                }
                else
                    Value(shape.Element, item, indent + 2);
            }
        }
        else
            Section(value!, indent + 2, indent + 2);
    }

    private void Key(string key, ref int firstIndent, int indent)
    {
        _yaml.Append(' ', firstIndent).Append(key).Append(':');
        firstIndent = indent;
    }

    // One-line form: scalars, lists of scalars, and whatever is empty. Null when the value needs lines of its own.
    private static string? Inline(ValueShape shape, object? value) => shape.Form switch
    {
        _ when value is null => "null",
        Form.Bool => (bool)value ? "true" : "false",
        Form.Integer => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        Form.Real => Real(value),
        Form.Text => Text((string)value),
        Form.Enum => Text(EnumWords.Of(shape.Type).FirstOrDefault(word => word.Value.Equals(value)).Word ?? throw new ArgumentException($"{value} is not a named value of {shape.Type}", nameof(value))),
        Form.List => InlineList(shape.Element!, (IEnumerable)value),
        Form.Map => ((IDictionary)value).Count == 0 ? "{}" : null,
        _ => RecordShape.Of(value.GetType()).Fields.Count == 0 && Components.KindOf(value.GetType()) is null ? "{}" : null,
    };

    private static string? InlineList(ValueShape element, IEnumerable items)
    {
        var texts = items.Cast<object?>().Select(item => Inline(element, item)).ToArray();
        return texts.Contains(null) ? null : $"[{string.Join(", ", texts)}]";
    }

    private static string Real(object value)
    {
        if (!double.IsFinite(Convert.ToDouble(value, CultureInfo.InvariantCulture)))
            throw new ArgumentException("NaN and infinities cannot be written in a recipe", nameof(value));
        return value is float single ? single.ToString("R", CultureInfo.InvariantCulture) : ((double)value).ToString("R", CultureInfo.InvariantCulture);
    }

    private static string Text(string text)
    {
        if (Safe().IsMatch(text) && !Reserved().IsMatch(text))
            return text;
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => @"\\",
                '\n' => "\\n",
                '\t' => "\\t",
                _ when char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF' or '\uFFFE' or '\uFFFF' => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => c.ToString(),
            });
        return quoted.Append('"').ToString();
    }

    [GeneratedRegex(@"^[A-Za-z_/][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Safe();

    // Words that some YAML reader takes for something else than text; ours takes only null and its spellings so.
    [GeneratedRegex(@"^(null|true|false|yes|no|on|off|y|n|inf|nan)\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Reserved();
}
