using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>Word level: the most frequent words and runs of punctuation are tokens, everything else is unknown. Memory: the distinct words.</summary>
[Component("word")]
public sealed record WordTrainerOptions : TokenizerTrainerOptions
{
    /// <summary>The defaults.</summary>
    public WordTrainerOptions() => SpecialTokens = ["[UNK]"];

    /// <summary>Words that occur less often are unknown.</summary>
    [AtLeast(1)]
    public int MinFrequency { get; init; } = 1;

    /// <summary>Writes everything in lower case.</summary>
    public bool Lowercase { get; init; }

    /// <summary>What stands for other words; one of the special tokens.</summary>
    public string UnknownToken { get; init; } = "[UNK]";

    /// <inheritdoc/>
    public override Tokenizer Train(IEnumerable<ReadOnlyMemory<byte>> documents, TrainingReport? report = null)
    {
        ArgumentNullException.ThrowIfNull(documents);
        var special = WordTrainerParts.Special(this, UnknownToken);
        Normalizer? normalizer = Lowercase ? new LowercaseNormalizer() : null;
        var preTokenizer = new WhitespacePreTokenizer();
        var words = WordTrainerParts.Count(documents, this, report, normalizer, preTokenizer);
        var names = words.Where(w => w.Times >= MinFrequency).Select(w => Encoding.UTF8.GetString(w.Word)).Except(SpecialTokens, StringComparer.Ordinal);
        var vocab = SpecialTokens.Concat(names).Take(Math.Max(VocabSize, special.Length)).Select((name, id) => KeyValuePair.Create(name, id)).ToArray();
        return new PipelineTokenizer(new TokenizerParts
        {
            Normalizer = normalizer,
            PreTokenizer = preTokenizer,
            Model = new WordLevelModel { Tokens = VocabularyJson.Named(vocab), UnknownToken = UnknownToken },
            Added = special,
        })
        {
            UnkId = Array.Find(special, t => t.Content == UnknownToken)!.Id,
        };
    }
}
