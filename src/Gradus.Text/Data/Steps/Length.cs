using System.Globalization;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>Drops documents that are too short or too long.</summary>
[Component("length")]
public sealed record Length : LocalStep
{
    /// <summary>Fewest characters.</summary>
    [AtLeast(0)]
    public int MinCharacters { get; init; } = 1;

    /// <summary>Most characters; null: any number.</summary>
    [AtLeast(1)]
    public int? MaxCharacters { get; init; }

    /// <summary>Fewest words.</summary>
    [AtLeast(0)]
    public int MinWords { get; init; }

    /// <summary>Most words; null: any number.</summary>
    [AtLeast(1)]
    public int? MaxWords { get; init; }

    public override IDocumentStep Build() => new Step(this);

    private sealed class Step(Length o) : IDocumentStep
    {
        public void Apply(Draft draft)
        {
            var characters = draft.Shape.Characters;
            if (characters < o.MinCharacters)
                draft.Drop("too-few-characters", characters.ToString(CultureInfo.InvariantCulture));
            else if (characters > o.MaxCharacters)
                draft.Drop("too-many-characters", characters.ToString(CultureInfo.InvariantCulture));
            else if (o.MinWords > 0 && draft.Shape.Words < o.MinWords)
                draft.Drop("too-few-words", draft.Shape.Words.ToString(CultureInfo.InvariantCulture));
            else if (o.MaxWords is { } most && draft.Shape.Words > most)
                draft.Drop("too-many-words", draft.Shape.Words.ToString(CultureInfo.InvariantCulture));
        }
    }
}
