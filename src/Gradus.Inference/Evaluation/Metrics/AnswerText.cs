using System.Text;

namespace Gradus.Inference.Evaluation.Metrics;

/// <summary>Answers as SQuAD's measure compares them (Rajpurkar et al., 2016): lower case, without punctuation and articles, single spaces.</summary>
internal static class AnswerText
{
    private const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    public static string Normalised(string answer) => string.Join(' ', Words(answer));

    public static string[] Words(string answer)
    {
        var text = new StringBuilder(answer.Length);
        foreach (var c in answer.ToLowerInvariant())
            if (!Punctuation.Contains(c)) text.Append(c);
        return [.. text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Where(word => word is not ("a" or "an" or "the"))];
    }

    /// <summary>The best of a number over all right answers; a question without an answer wants the empty one.</summary>
    public static double Best(Judged item, Func<string, string, double> of)
    {
        var said = item.Said.Count > 0 ? item.Said[0] : "";
        return item.Expected.Count == 0 ? of("", said) : item.Expected.Max(answer => of(answer, said));
    }
}
