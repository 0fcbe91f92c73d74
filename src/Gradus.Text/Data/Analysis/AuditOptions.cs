using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Analysis;

/// <summary>What an audit looks at: the content of the .yaml that <c>gradus data audit --options</c> takes.</summary>
public sealed record AuditOptions
{
    /// <summary>Who is looked for, by the name of the set; the default has gender, religion and age in English.</summary>
    public IReadOnlyDictionary<string, GroupSet> Groups { get; init; } = GroupSet.Defaults;

    /// <summary>Associations tested on vectors of the text's own words.</summary>
    public IReadOnlyList<AssociationTest> Associations { get; init; } = DefaultAssociations;

    /// <summary>How topics are looked for.</summary>
    public TopicOptions Topics { get; init; } = new();

    /// <summary>How word vectors are made.</summary>
    public WordVectorOptions Vectors { get; init; } = new();

    /// <summary>A model of <c>gradus data train-language-id</c>, for documents that do not say their language.</summary>
    public string? LanguageModel { get; init; }

    /// <summary>A classifier of <c>gradus data train-classifier</c> that tells good from bad sentences: sentiment by group. Unset: not looked at.</summary>
    public string? Sentiment { get; init; }

    /// <summary>The classifier's class of sentences that say something good.</summary>
    public string SentimentLabel { get; init; } = "1";

    /// <summary>Documents that topics and vectors are made of: an even sample by content.</summary>
    [AtLeast(10)]
    public int SampleDocuments { get; init; } = 2000;

    /// <summary>Words of a sampled document that are enough.</summary>
    [AtLeast(10)]
    public int SampleWords { get; init; } = 600;

    /// <summary>Gender against career and family, and against science and arts, as Caliskan et al. tested them (2017).</summary>
    private static IReadOnlyList<AssociationTest> DefaultAssociations { get; } =
    [
        new()
        {
            Name = "male and female words: career and family",
            X = ["he", "him", "his", "man", "men", "boy", "father", "son", "brother", "husband"], Y = ["she", "her", "hers", "woman", "women", "girl", "mother", "daughter", "sister", "wife"],
            A = ["executive", "management", "professional", "corporation", "salary", "office", "business", "career"], B = ["home", "parents", "children", "family", "cousins", "marriage", "wedding", "relatives"],
        },
        new()
        {
            Name = "male and female words: science and arts",
            X = ["he", "him", "his", "man", "men", "boy", "father", "son", "brother", "husband"], Y = ["she", "her", "hers", "woman", "women", "girl", "mother", "daughter", "sister", "wife"],
            A = ["science", "technology", "physics", "chemistry", "experiment", "astronomy", "engineering", "mathematics"], B = ["poetry", "art", "dance", "literature", "novel", "symphony", "drama", "music"],
        },
    ];
}
