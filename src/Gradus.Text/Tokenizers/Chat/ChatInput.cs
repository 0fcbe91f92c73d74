using System.Globalization;
using System.Text.Json;

namespace Gradus.Text.Tokenizers.Chat;

/// <summary>JSON from outside as values of a template: read-only, and every string marked as data.</summary>
internal static class ChatInput
{
    /// <param name="element">The JSON.</param>
    /// <param name="tag">The mark of its strings (see <see cref="Mark"/>).</param>
    /// <param name="bytes">Grows by the size of what was read.</param>
    public static ChatValue Read(JsonElement element, int tag, ref long bytes)
    {
        bytes += 16;
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var dict = new DictValue(isFixed: true);
                foreach (var property in element.EnumerateObject())
                    dict.Add(Text(property.Name, tag, ref bytes), Read(property.Value, tag, ref bytes));
                return dict;
            case JsonValueKind.Array:
                var items = new List<ChatValue>(element.GetArrayLength());
                foreach (var item in element.EnumerateArray())
                    items.Add(Read(item, tag, ref bytes));
                return new ListValue(items, isFixed: true);
            case JsonValueKind.String:
                return Text(element.GetString()!, tag, ref bytes);
            case JsonValueKind.Number:
                var raw = element.GetRawText();
                if (raw.AsSpan().IndexOfAny(".eE") >= 0)
                    return new FloatValue(element.GetDouble());
                return long.TryParse(raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? IntValue.Of(whole) : new FloatValue(element.GetDouble(), raw);
            case JsonValueKind.True: return BoolValue.True;
            case JsonValueKind.False: return BoolValue.False;
            default: return NoneValue.Instance;
        }
    }

    public static TextValue Text(string text, int tag, ref long bytes)
    {
        bytes += text.Length * 2L;
        return text.Length == 0 ? TextValue.Empty : new(text, tag == 0 ? Mark.None : [new(0, text.Length, tag)]);
    }
}
