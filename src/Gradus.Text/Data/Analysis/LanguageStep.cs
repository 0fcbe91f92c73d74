using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Analysis;

/// <summary>Tells each document's language by its characters, notes it as <c>language</c>, and keeps the languages that are wanted.</summary>
[Component("language")]
public sealed record LanguageStep : LocalStep
{
    /// <summary>A model of <c>gradus data train-language-id</c>.</summary>
    public required string Model { get; init; }

    /// <summary>Languages to keep (<c>en</c>, or a label of the model such as <c>sr-Latn</c>); empty: all.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>Least probability of the language; documents below it go.</summary>
    [AtLeast(0)]
    [AtMost(1)]
    public double MinScore { get; init; }

    /// <summary>Characters of a document that are looked at.</summary>
    [AtLeast(20)]
    public int MaxCharacters { get; init; } = 4000;

    protected internal override IReadOnlyList<string> Inputs() => [Model];

    public override IDocumentStep Build()
    {
        var model = SharedModels.Of(Model, "", () => LanguageIdentifier.Load(Model));
        foreach (var wanted in Keep)
            if (!model.Languages.Contains(wanted, StringComparer.Ordinal) && !model.Labels.Contains(wanted, StringComparer.Ordinal))
                throw new UserException($"keep: {Model} does not know the language '{wanted}'{NearestName.Hint(wanted, model.Languages)}");
        return new Step(this, model);
    }

    private sealed class Step(LanguageStep o, LanguageIdentifier model) : IDocumentStep
    {
        private readonly HashSet<string> _keep = new(o.Keep, StringComparer.Ordinal);
        private readonly char[] _text = new char[o.MaxCharacters];

        public void Apply(Draft draft)
        {
            // The beginning is enough; a character cut at the end is no letter of any language.
            var bytes = draft.Text[..(int)Math.Min(draft.Text.Length, 4L * o.MaxCharacters)];
            Encoding.UTF8.GetDecoder().Convert(bytes, _text, flush: false, out _, out var characters, out _);
            if (model.Identify(_text.AsSpan(0, characters), o.MaxCharacters) is not { } guess)
            {
                draft.SetMeta(MetaKeys.Language, null);
                if (_keep.Count > 0 || o.MinScore > 0)
                    draft.Drop("no-letters");
                return;
            }

            draft.SetMeta(MetaKeys.Language, guess.Language);
            if (_keep.Count > 0 && !_keep.Contains(guess.Language) && !_keep.Contains(guess.Label))
                draft.Drop("language-not-kept", guess.Language);
            else if (guess.Score < o.MinScore)
                draft.Drop("language-unsure", FormattableString.Invariant($"{guess.Language} {guess.Score.ToString("0.###", CultureInfo.InvariantCulture)}"));
        }
    }
}
