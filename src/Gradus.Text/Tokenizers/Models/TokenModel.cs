using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>A token that a model found: its id and the bytes <c>[Start, End)</c> of the piece that it covers.</summary>
internal readonly record struct FoundToken(int Id, int Start, int End);

/// <summary>The model step: spells one piece of (normalised, pre-tokenised) text with the tokens of its vocabulary. Its kind is <c>model.type</c>.</summary>
[Socket("token-models", InRecipes = false)]
internal abstract record TokenModel : PipelinePart
{
    /// <summary>Its tokens by name; <c>Vocabulary.Bytes</c> are the UTF-8 bytes of the name as the file writes it.</summary>
    public abstract Vocabulary Vocabulary { get; }

    /// <summary>The id of what the vocabulary cannot spell, or null.</summary>
    public virtual int? UnknownId => null;

    /// <summary>True where an unknown token is named by the text it stands for, as Unigram's are.</summary>
    public virtual bool UnknownKeepsText => false;

    /// <summary>True where tokens depend on neighbouring text of unbounded length, so caching by piece is worth nothing.</summary>
    public virtual bool WholeText => false;

    /// <summary>The model that never finds these tokens in text: what is typed must not become a control token.</summary>
    public virtual TokenModel Without(IReadOnlySet<int> tokens) => this;

    /// <summary>The model with more names in its vocabulary, which it never finds in text.</summary>
    public virtual TokenModel WithTokens(IEnumerable<(int Id, string Name)> more) => this;

    /// <summary>A worker of this model: scratch that one thread uses for many pieces.</summary>
    /// <param name="random">For BPE-dropout and subword sampling; null when spelling is deterministic.</param>
    public abstract TokenModelWork NewWork(Random? random);

    /// <summary>A worker that leaves out this share of merges, or null where the model has no merges to leave out.</summary>
    public virtual TokenModelWork? NewDropoutWork(Random random, double share) => null;
}

/// <summary>One thread's worker of a <see cref="TokenModel"/>.</summary>
internal abstract class TokenModelWork
{
    /// <summary>Appends the tokens of <paramref name="piece"/> (UTF-8, not empty), in order.</summary>
    public abstract void Spell(ReadOnlySpan<byte> piece, List<FoundToken> tokens);
}
