using System.Globalization;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>A language's text for training a vocabulary: it is read twice, first to weigh it.</summary>
/// <param name="Language">Its name.</param>
/// <param name="Documents">Its documents in UTF-8.</param>
public sealed record LanguageText(string Language, IEnumerable<ReadOnlyMemory<byte>> Documents);

/// <summary>
/// Balances languages before a vocabulary is trained on them (Conneau et al., 2020): of n_i bytes, language i gets the share
/// p_i = n_i^alpha / Σ_j n_j^alpha of a text as long as all together. Temperature T is alpha = 1/T. Alpha 1 leaves all as it is, 0 makes all equal.
/// </summary>
/// <remarks>
/// A language's lines are taken p_i / q_i times, q_i its share before: every line the whole part, and one more where a number made of the
/// line's text falls below the rest. So the same lines come out whatever their order, and the same every time.
/// </remarks>
public sealed record LanguageSampling
{
    /// <summary>The exponent; XLM-R's vocabulary was trained with 0.3.</summary>
    public double Alpha { get; init; } = 0.3;

    /// <summary>
    /// False: no line is taken more than once, and the text gets shorter instead. Where a language has little text, its lines over and over make
    /// whole words of chance look frequent, and new text is spelt worse.
    /// </summary>
    public bool Repeat { get; init; } = true;

    /// <summary>Chooses other lines.</summary>
    public ulong Seed { get; init; }

    /// <summary>The shares, before and after, in the order of the languages.</summary>
    public IReadOnlyList<(double Before, double After)> Shares(IReadOnlyList<long> bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        if (!(Alpha is >= 0 and <= 1))
            throw new UserException(string.Create(CultureInfo.InvariantCulture, $"alpha: {Alpha} is outside 0 to 1"));
        var (all, powers) = ((double)bytes.Sum(), bytes.Sum(n => n == 0 ? 0 : Math.Pow(n, Alpha)));
        return [.. bytes.Select(n => n == 0 ? (0, 0) : (n / all, Math.Pow(n, Alpha) / powers))];
    }

    /// <summary>The documents of all languages in the new shares.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Mix(IReadOnlyList<LanguageText> languages)
    {
        ArgumentNullException.ThrowIfNull(languages);
        if (languages.Count == 0)
            yield break;
        var shares = Shares([.. languages.Select(l => l.Documents.Sum(d => (long)d.Length))]);
        double[] factors = [.. shares.Select(s => s.Before == 0 ? 0 : s.After / s.Before)];
        var scale = Repeat ? 1 : 1 / Math.Max(1, factors.Max());
        for (var i = 0; i < languages.Count; i++)
        {
            var times = factors[i] * scale;
            foreach (var document in languages[i].Documents)
                foreach (var part in Copies(document, times))
                    yield return part;
        }
    }

    private IEnumerable<ReadOnlyMemory<byte>> Copies(ReadOnlyMemory<byte> document, double times)
    {
        var whole = Math.Floor(times);
        for (var copy = 0; copy < whole; copy++)
            yield return document;
        var chosen = new List<byte>();
        for (var at = 0; at < document.Length;)
        {
            var newLine = document.Span[at..].IndexOf((byte)'\n');
            var end = newLine < 0 ? document.Length : at + newLine + 1;
            var line = document.Span[at..end];
            if (Number(line) < times - whole)
                chosen.AddRange(line);
            at = end;
        }

        if (chosen.Count > 0)
            yield return chosen.ToArray();
    }

    /// <summary>A number from 0 to 1 that depends on the line and the seed alone.</summary>
    private double Number(ReadOnlySpan<byte> line)
    {
        var mixed = (PieceCache.LongHash(line) ^ (Seed * 0x9E3779B97F4A7C15UL)) * 0xD6E8FEB86659FD93UL;
        mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93UL;
        return (mixed >> 11) / (double)(1UL << 53);
    }
}
