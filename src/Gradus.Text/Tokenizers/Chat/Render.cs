namespace Gradus.Text.Tokenizers.Chat;

/// <summary>One rendering of a template: what it has written, what its names stand for, what it may still use up.</summary>
internal sealed class Render(Template template, Budget budget, Func<DateTimeOffset> now)
{
    public Budget Budget => budget;

    public Func<DateTimeOffset> Now => now;

    public TextBuilder Out { get; set; } = new(budget);

    public Frame Frame { get; set; } = new(template.Layout.Count, null);

    /// <summary>What the names that the template does not set stand for, by their number.</summary>
    public ChatValue?[] Globals { get; } = new ChatValue?[template.Globals.Count];

    /// <summary>The place in the source that an error is about.</summary>
    public int At { get; set; }
}
