using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Augmentation;

/// <summary>
/// A change to a text that leaves what it means, and so its label, as it was. One sealed record with <c>[Component]</c> in one file. Used by the
/// step <c>augment</c> and, for further copies of a document, by a mixture.
/// </summary>
[Socket("augmentations")]
public abstract record TextAugmentation
{
    /// <summary>Files whose content decides. Their bytes count for the cache, their names do not.</summary>
    protected internal virtual IReadOnlyList<string> Inputs() => [];

    /// <summary>What does it. Made once a thread.</summary>
    /// <exception cref="UserException">A file it needs is missing or wrong.</exception>
    public abstract ITextChange Build();
}

/// <summary>What a <see cref="TextAugmentation"/> builds.</summary>
public interface ITextChange
{
    /// <summary>The changed text; the same text when there is nothing to change. Depends on nothing but its arguments.</summary>
    string Apply(string text, Draws draws);
}

/// <summary>Random numbers for one change of one document: the same for the same text, seed and copy, on every machine.</summary>
public sealed class Draws
{
    private readonly Counter _counter;
    private ulong _next;

    /// <param name="utf8">The document.</param>
    /// <param name="seed">The recipe's.</param>
    /// <param name="copy">How often the document came before.</param>
    public Draws(ReadOnlySpan<byte> utf8, long seed, int copy) => _counter = new Counter(Hash64.Of(utf8, Hash64.Mix(unchecked((ulong)seed * 0x1_0001 + (ulong)copy))), "data.augment");

    /// <summary>Uniform in [0, 1).</summary>
    public double Unit() => _counter.Unit(_next++);

    /// <summary>Uniform in 0 .. n−1.</summary>
    public int Below(int n) => _counter.Below(_next++, n);
}
