using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Augmentation;

/// <summary>
/// Synonyms from WordNet's own files (<c>index.*</c> and <c>data.*</c> of a <c>dict</c> folder): the other single words of a word's commonest
/// sense, in the part of speech that it is tagged with most often.
/// </summary>
public sealed class WordNet
{
    private static readonly string[] s_parts = ["noun", "verb", "adj", "adv"];

    private readonly Dictionary<string, string[]> _synonyms;

    private WordNet(Dictionary<string, string[]> synonyms) => _synonyms = synonyms;

    /// <summary>Words that have a synonym.</summary>
    public int Count => _synonyms.Count;

    /// <summary>The files that are read.</summary>
    public static IReadOnlyList<string> Files(string folder) => [.. s_parts.SelectMany(p => new[] { Path.Combine(folder, "index." + p), Path.Combine(folder, "data." + p) })];

    /// <exception cref="UserException">A file is missing or is not WordNet's.</exception>
    public static WordNet Load(string folder)
    {
        var best = new Dictionary<string, (int Tagged, string[] Words)>(StringComparer.Ordinal);
        foreach (var part in s_parts)
        {
            var senses = Senses(Path.Combine(folder, "data." + part));
            foreach (var (line, place) in Rows(Path.Combine(folder, "index." + part)))
            {
                // lemma pos synset_cnt p_cnt [pointers] sense_cnt tagsense_cnt offset …
                var field = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (field.Length < 4 || !int.TryParse(field[3], NumberStyles.None, CultureInfo.InvariantCulture, out var pointers) || field.Length < 7 + pointers
                    || !int.TryParse(field[5 + pointers], NumberStyles.None, CultureInfo.InvariantCulture, out var tagged) || !int.TryParse(field[6 + pointers], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
                    throw new UserException($"{place}: is not a row of WordNet's index.");
                var lemma = field[0];
                if (!Simple(lemma) || !senses.TryGetValue(offset, out var words) || words.Where(w => w != lemma).ToArray() is not { Length: > 0 } others)
                    continue;
                if (!best.TryGetValue(lemma, out var known) || tagged > known.Tagged)
                    best[lemma] = (tagged, others);
            }
        }

        return new WordNet(best.ToDictionary(b => b.Key, b => b.Value.Words, StringComparer.Ordinal));
    }

    /// <summary>Synonyms of a word in lower case; none when it has none.</summary>
    public IReadOnlyList<string> Synonyms(string lemma) => _synonyms.GetValueOrDefault(lemma) ?? [];

    private static bool Simple(string word) => word.Length > 1 && word.All(char.IsAsciiLetterLower);

    /// <summary>Single words in lower case by synset, of synsets with two of them and more.</summary>
    private static Dictionary<int, string[]> Senses(string path)
    {
        var senses = new Dictionary<int, string[]>();
        foreach (var (line, place) in Rows(path))
        {
            // synset_offset lex_filenum ss_type w_cnt word lex_id [word lex_id …] …
            var field = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (field.Length < 6 || !int.TryParse(field[0], NumberStyles.None, CultureInfo.InvariantCulture, out var offset) || !int.TryParse(field[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var count) || field.Length < 4 + 2 * count)
                throw new UserException($"{place}: is not a row of WordNet's data.");
            var words = Enumerable.Range(0, count).Select(i => field[4 + 2 * i]).Select(w => w.EndsWith(')') && w.IndexOf('(', StringComparison.Ordinal) is > 0 and var at ? w[..at] : w).Where(Simple).Distinct(StringComparer.Ordinal).ToArray();
            if (words.Length > 1)
                senses[offset] = words;
        }

        return senses;
    }

    /// <summary>Lines that are not the licence at the head, which starts with two spaces.</summary>
    private static IEnumerable<(string Line, string Place)> Rows(string path)
    {
        if (!File.Exists(path))
            throw new UserException($"{path}: there is no such file; path names WordNet's dict folder, with index.noun and data.noun in it.");
        var number = 0;
        foreach (var line in File.ReadLines(path, Encoding.Latin1))
        {
            number++;
            if (line.Length > 0 && line[0] != ' ')
                yield return (line, $"{path}:{number}");
        }
    }
}
