using System.Text;
using Gradus.Text.Data.Analysis;

namespace Gradus.Text.Data.Augmentation;

/// <summary>
/// A change made by something that can write: a paraphrasing model, or any function from text to text. The seam for models: this room knows
/// none. A failed or empty answer leaves the text as it was, and is counted.
/// </summary>
/// <param name="rewrite">Makes another text of one.</param>
public sealed class Rewriting(Func<string, string> rewrite) : ITextChange
{
    /// <summary>Texts that came back empty and were left.</summary>
    public long Unchanged { get; private set; }

    public string Apply(string text, Draws draws)
    {
        ArgumentNullException.ThrowIfNull(text);
        var written = rewrite(text);
        if (!string.IsNullOrWhiteSpace(written))
            return written;
        Unchanged++;
        return text;
    }
}

/// <summary>Back-translation (Sennrich et al., 2016): each sentence into another language and back, through two functions that a model serves.</summary>
/// <param name="there">Into the other language.</param>
/// <param name="back">Back again.</param>
public sealed class BackTranslation(Func<string, string> there, Func<string, string> back) : ITextChange
{
    /// <summary>Sentences that were lost on the way and stand as they were.</summary>
    public long Unchanged { get; private set; }

    public string Apply(string text, Draws draws)
    {
        ArgumentNullException.ThrowIfNull(text);
        var built = new StringBuilder(text.Length);
        var at = 0;
        foreach (var sentence in Words.Sentences(text))
        {
            var start = text.IndexOf(sentence, at, StringComparison.Ordinal);
            built.Append(text, at, start - at);
            var foreign = there(sentence);
            var returned = string.IsNullOrWhiteSpace(foreign) ? "" : back(foreign);
            if (string.IsNullOrWhiteSpace(returned))
                Unchanged++;
            built.Append(string.IsNullOrWhiteSpace(returned) ? sentence : returned.Trim());
            at = start + sentence.Length;
        }

        return built.Append(text, at, text.Length - at).ToString();
    }
}

/// <summary>Documents that a model writes: one for each prompt, marked as synthetic, repeats and empty answers left out.</summary>
public static class SyntheticDocuments
{
    /// <param name="prompts">What is asked, in order.</param>
    /// <param name="write">Answers a prompt.</param>
    /// <param name="model">Who writes, for the documents' metadata.</param>
    public static IEnumerable<Document> From(IEnumerable<string> prompts, Func<string, string> write, string model)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(write);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var prompt in prompts)
        {
            number++;
            var text = write(prompt).Trim();
            if (text.Length > 0 && seen.Add(text))
                yield return new Document(Encoding.UTF8.GetBytes(text), FormattableString.Invariant($"{model}:{number}"), Meta: new Dictionary<string, string>(StringComparer.Ordinal) { [MetaKeys.Source] = "synthetic", ["model"] = model });
        }
    }
}
