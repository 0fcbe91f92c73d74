using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Mixing;

/// <summary>A document of a mixture: which, and how often it came before.</summary>
/// <param name="Document">Its number among those that are mixed.</param>
/// <param name="Copy">0 the first time.</param>
public readonly record struct MixEntry(long Document, int Copy);

/// <summary>What became of one group.</summary>
/// <param name="Documents">Documents it has.</param>
/// <param name="Bytes">Their text.</param>
/// <param name="Share">The share it was to have.</param>
/// <param name="MixedDocuments">Documents of it in the mixture, copies included.</param>
/// <param name="MixedBytes">Their text, before any augmentation.</param>
public sealed record MixGroup(long Documents, long Bytes, double Share, long MixedDocuments, long MixedBytes);

/// <summary>
/// The order of a mixture as a pure function of the documents' groups and sizes. Keeps 8 bytes a document, 12 more an entry with a curriculum;
/// shuffles are permutations that need no table.
/// </summary>
internal sealed class Mixture
{
    private readonly MixOptions _options;
    private readonly List<string> _names = [];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<int> _groups = [], _sizes = [];
    private readonly List<float>? _scores;

    public Mixture(MixOptions options)
    {
        foreach (var (key, message) in options.Problems())
            throw new UserException($"mix.{key}: {message}");
        _options = options;
        _scores = options.Order == MixOrder.Curriculum ? [] : null;
    }

    /// <summary>Documents added.</summary>
    public int Count => _groups.Count;

    /// <summary>By name, in ordinal order; filled by <see cref="Order"/>.</summary>
    public SortedDictionary<string, MixGroup> Report { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds the next document.</summary>
    public void Add(string group, int bytes, double score)
    {
        if (!_numbers.TryGetValue(group, out var number))
        {
            _numbers[group] = number = _names.Count;
            _names.Add(group);
        }

        _groups.Add(number);
        _sizes.Add(bytes);
        _scores?.Add((float)score);
    }

    /// <summary>The documents in the order they are to be trained on.</summary>
    /// <exception cref="UserException">Weights that name a group that is not there, or none that is.</exception>
    public IEnumerable<MixEntry> Order()
    {
        if (Count == 0)
            return [];
        var shares = Shares();
        var interleaved = Interleave(shares);
        return _scores is null ? interleaved : ByDifficulty(interleaved);
    }

    private IEnumerable<MixEntry> ByDifficulty(IEnumerable<MixEntry> entries)
    {
        // Copies of a document are equally difficult: all of them stand together, in the order of the mixture.
        var all = entries.ToArray();
        var place = new int[all.Length];
        for (var i = 0; i < place.Length; i++)
            place[i] = i;
        var keys = Array.ConvertAll(all, e => _scores![(int)e.Document]);
        Array.Sort(place, (a, b) => keys[a] != keys[b] ? keys[a].CompareTo(keys[b]) : a.CompareTo(b));
        foreach (var i in place)
            yield return all[i];
    }

    /// <summary>Shares by group number, summing to one; 0 for a group that is left out.</summary>
    private double[] Shares()
    {
        var sizes = new double[_names.Count];
        for (var d = 0; d < Count; d++)
            sizes[_groups[d]] += Size(d);
        var shares = new double[_names.Count];
        if (_options.Weights is { } weights)
        {
            foreach (var (name, weight) in weights)
                shares[_numbers.TryGetValue(name, out var g) ? g : throw Unknown(name)] = weight;
        }
        else
        {
            for (var g = 0; g < shares.Length; g++)
                shares[g] = _options.Balance ? 1 : Math.Pow(sizes[g] / sizes.Max(), 1 / _options.Temperature);
        }

        var sum = shares.Sum();
        return Array.ConvertAll(shares, s => s / sum);
    }

    private UserException Unknown(string name)
    {
        var near = NearestName.Of(name, _names);
        return new UserException($"mix.weights: no training document has '{name}' as its {_options.By}; {(near is null ? "" : $"did you mean '{near}'? ")}There are: {string.Join(", ", _names.Order(StringComparer.Ordinal).Take(20))}{(_names.Count > 20 ? " …" : "")}.");
    }

    /// <summary>
    /// The group whose turn it is. By documents this is the quota method of Balinski and Young (1975): of the groups that one more document
    /// would not put a whole document over their share, the one whose next is due first; so none is ever a whole document off. By bytes
    /// it is the group that is furthest behind, counting half a document of its own. A group that leaves ends the exactness of the others.
    /// </summary>
    private IEnumerable<MixEntry> Interleave(double[] shares)
    {
        var groups = _names.Count;
        var (members, starts) = Members(groups);
        var (taken, used, bytes, active) = (new long[groups], new double[groups], new long[groups], new bool[groups]);
        var exact = _options.Unit == MixUnit.Documents;
        var ahead = exact ? 1 : Enumerable.Range(0, Count).Average(Size) / 2;
        for (var g = 0; g < groups; g++)
            active[g] = shares[g] > 0;
        var permutations = new WindowPermutation[groups];
        for (var total = 0L; total < (_options.Documents ?? long.MaxValue); total++)
        {
            var next = -1;
            for (var g = 0; g < groups; g++)
                if (active[g] && !(exact && taken[g] >= shares[g] * (total + 1) - 1e-9) && (next < 0 || (used[g] + ahead) / shares[g] < (used[next] + ahead) / shares[next]))
                    next = g;
            if (next < 0)
                break;
            var n = starts[next + 1] - starts[next];
            var (copy, index) = Math.DivRem(taken[next], n);
            if (index == 0 && _options.Order == MixOrder.Shuffled)
                permutations[next] = new WindowPermutation(n, new Counter((ulong)_options.Seed, "data.mix." + _names[next]), copy);
            var document = members[starts[next] + (_options.Order == MixOrder.Shuffled ? (int)permutations[next][index] : (int)index)];
            taken[next]++;
            used[next] += Size(document);
            bytes[next] += _sizes[document];
            yield return new MixEntry(document, checked((int)copy));
            if (taken[next] == (long)(_options.MaxRepeats ?? int.MaxValue) * n)
                (active[next], exact) = (false, false);
            if (taken[next] == n && _options.Documents is null && Ends(taken, starts, shares))
                break;
        }

        for (var g = 0; g < groups; g++)
        {
            var own = members.AsSpan(starts[g]..starts[g + 1]);
            var size = 0L;
            foreach (var d in own)
                size += _sizes[d];
            Report[_names[g]] = new MixGroup(own.Length, size, shares[g], taken[g], bytes[g]);
        }
    }

    private bool Ends(long[] taken, int[] starts, double[] shares)
    {
        if (_options.Until == MixUntil.FirstSeen)
            return true;
        for (var g = 0; g < taken.Length; g++)
            if (shares[g] > 0 && taken[g] < starts[g + 1] - starts[g])
                return false;
        return true;
    }

    private (int[] Members, int[] Starts) Members(int groups)
    {
        var starts = new int[groups + 1];
        foreach (var g in _groups)
            starts[g + 1]++;
        for (var g = 0; g < groups; g++)
            starts[g + 1] += starts[g];
        var (members, at) = (new int[Count], starts.AsSpan(0, groups).ToArray());
        for (var d = 0; d < Count; d++)
            members[at[_groups[d]]++] = d;
        return (members, starts);
    }

    private double Size(int document) => _options.Unit == MixUnit.Documents ? 1 : Math.Max(1, _sizes[document]);
}
