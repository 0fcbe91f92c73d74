using System.Globalization;

namespace Gradus.Foundation.Recipes;

/// <summary>Makes a sealed options record a component: <c>kind: adamw</c> in a recipe chooses it for the socket it derives from.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ComponentAttribute(string kind) : Attribute
{
    /// <summary>The word after <c>kind:</c>, lower case with dashes.</summary>
    public string Kind { get; } = kind;
}

/// <summary>Marks an abstract options record as a socket: the place of a recipe that its components fill.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class SocketAttribute(string name) : Attribute
{
    /// <summary>The plural that <c>gradus list NAME</c> takes: <c>optimizers</c>.</summary>
    public string Name { get; } = name;

    /// <summary>False for sockets whose components another file names, not a recipe: the steps of a <c>tokenizer.json</c>. They are not listed.</summary>
    public bool InRecipes { get; init; } = true;
}

/// <summary>One line about a property, a component or a socket, for the schema and the lists. Without it the XML summary is used.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property)]
public sealed class DocAttribute(string text) : Attribute
{
    /// <summary>The line.</summary>
    public string Text { get; } = text;
}

/// <summary>The value is a secret: masked wherever a recipe is shown or stored with <c>maskSecrets</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;

/// <summary>A limit on a number, or on every number of a list. NaN and infinities are refused without any.</summary>
[AttributeUsage(AttributeTargets.Property)]
public abstract class LimitAttribute(double bound, string words, string keyword) : Attribute
{
    /// <summary>The bound itself.</summary>
    public double Bound { get; } = bound;

    internal string Keyword { get; } = keyword;

    internal string Words => string.Create(CultureInfo.InvariantCulture, $"{words} {Bound:R}");

    internal abstract bool Allows(double value);
}

/// <summary>The value may be the bound or more.</summary>
public sealed class AtLeastAttribute(double bound) : LimitAttribute(bound, "at least", "minimum")
{
    internal override bool Allows(double value) => value >= Bound;
}

/// <summary>The value must be more than the bound.</summary>
public sealed class AboveAttribute(double bound) : LimitAttribute(bound, "above", "exclusiveMinimum")
{
    internal override bool Allows(double value) => value > Bound;
}

/// <summary>The value may be the bound or less.</summary>
public sealed class AtMostAttribute(double bound) : LimitAttribute(bound, "at most", "maximum")
{
    internal override bool Allows(double value) => value <= Bound;
}

/// <summary>The value must be less than the bound.</summary>
public sealed class BelowAttribute(double bound) : LimitAttribute(bound, "below", "exclusiveMaximum")
{
    internal override bool Allows(double value) => value < Bound;
}

/// <summary>Checks that one limit cannot say: warm-up not longer than the run, heads dividing the width.</summary>
public interface IValidated
{
    /// <summary>
    /// What is wrong, by key: a key of this record (<c>warmup_steps</c>, or <c>nameof(WarmupSteps)</c>) or a path below it
    /// (<c>schedule.warmup_steps</c>). Asked only when every value of the record could be read.
    /// </summary>
    IEnumerable<(string Key, string Message)> Problems();
}
