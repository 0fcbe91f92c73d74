using System.Text;
using Gradus.Text.Tokenizers.Models;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>
/// Pieces with log probabilities, fitted to the words of a corpus by expectation maximisation, and thinned out. Sums over words are whole
/// numbers (fixed point), so the result is the same whatever the number of threads.
/// </summary>
internal sealed class UnigramEm
{
    private const double UnknownPenalty = 10;
    private const double Rare = 0.5; // pieces that are expected less often are dropped
    private const double One = 1 << 20; // fixed point
    private const double Absent = double.NegativeInfinity;

    private readonly PieceCorpus _corpus;
    private readonly ParallelOptions _parallel;
    private byte[][] _pieces;
    private double[] _scores; // -∞ for a piece that EM dropped: it stays in the trie until the next thinning
    private DoubleArray _trie;
    private double _unknown;

    public UnigramEm(PieceCorpus corpus, byte[][] pieces, double[] scores, int threads)
    {
        (_corpus, _pieces, _scores) = (corpus, pieces, scores);
        _parallel = new() { MaxDegreeOfParallelism = threads == 0 ? Environment.ProcessorCount : threads };
        _trie = DoubleArray.Build(pieces, [.. Enumerable.Range(0, pieces.Length)]);
        SetUnknown();
    }

    /// <summary>Pieces that are left.</summary>
    public int Count { get; private set; }

    public IEnumerable<(string Text, double Score)> Pieces()
    {
        for (var id = 0; id < _pieces.Length; id++)
            if (_scores[id] != Absent)
                yield return (Encoding.UTF8.GetString(_pieces[id]), _scores[id]);
    }

    /// <summary>An E step and an M step. Returns the log likelihood of the corpus before it.</summary>
    /// <param name="sparse">Digamma smoothing, a sparse prior (Liang and Klein, 2007), as SentencePiece; false: plain EM, whose likelihood never falls.</param>
    public double Step(bool sparse)
    {
        var expected = Expect(out var likelihood);
        var counts = Array.ConvertAll(expected, e => e / One);
        var sum = 0.0;
        for (var id = 0; id < counts.Length; id++)
            if (_scores[id] != Absent && (counts[id] >= Rare || (!sparse && counts[id] > 0)))
                sum += counts[id];
            else
                counts[id] = 0;
        for (var id = 0; id < counts.Length; id++)
            _scores[id] = counts[id] == 0 ? Absent : sparse ? Digamma(counts[id]) - Digamma(sum) : Math.Log(counts[id]) - Math.Log(sum);
        SetUnknown();
        return likelihood;
    }

    /// <summary>Keeps so many pieces: those without which the likelihood of the best spellings would fall most.</summary>
    public void Prune(int keep)
    {
        var used = CountBest();
        var total = (double)_corpus.Times.Sum();
        var sum = (double)used.Sum();
        var losses = new double[_pieces.Length]; // -∞: goes; +∞: stays
        Parallel.For(0, _pieces.Length, _parallel, () => new Lattice(this), (id, _, lattice) =>
        {
            losses[id] = Loss(id, used, sum, total, lattice);
            return lattice;
        }, _ => { });
        int[] ids = [.. Enumerable.Range(0, _pieces.Length).Where(id => losses[id] != Absent).OrderByDescending(id => losses[id]).ThenBy(id => id)];
        var certain = ids.TakeWhile(id => double.IsPositiveInfinity(losses[id])).Count();
        ids = ids[..Math.Min(ids.Length, Math.Max(keep, certain))];
        (_pieces, _scores) = ([.. ids.Select(id => _pieces[id])], [.. ids.Select(id => _scores[id])]);
        _trie = DoubleArray.Build(_pieces, [.. Enumerable.Range(0, _pieces.Length)]);
        SetUnknown();
    }

    private double Loss(int id, long[] used, double sum, double total, Lattice lattice)
    {
        if (_scores[id] == Absent || used[id] == 0)
            return Absent;
        var (best, others) = lattice.Alternatives(_pieces[id], id);
        if (!best)
            return Absent; // not even its own text is spelt with it
        if (others.Count == 0)
            return double.PositiveInfinity; // nothing else spells it
        var now = Math.Log(used[id]) - Math.Log(sum);
        var logSum = Math.Log(sum + (double)used[id] * (others.Count - 1));
        var then = 0.0;
        foreach (var other in others)
            then += Math.Log((other < 0 ? 0 : used[other]) + used[id]) - logSum;
        return used[id] / total * (now - then);
    }

    /// <summary>How often each piece stands in the best spellings of the corpus.</summary>
    private long[] CountBest() => Sum((word, times, counts, lattice) =>
    {
        lattice.Best(word, skip: -1);
        for (var end = word.Length; end > 0; end = lattice.Starts[end])
            if (lattice.Ids[end] is >= 0 and var id)
                counts[id] += times;
    });

    private long[] Expect(out double likelihood)
    {
        var sums = Sum((word, times, counts, lattice) =>
        {
            var z = lattice.Expect(word, times, counts);
            counts[^1] += (long)Math.Round(times * z * 1024);
        }, extra: 1);
        likelihood = sums[^1] / 1024.0;
        return sums[..^1];
    }

    private long[] Sum(Action<byte[], long, long[], Lattice> add, int extra = 0)
    {
        var total = new long[_pieces.Length + extra];
        var slices = Math.Max(1, Math.Min(_corpus.Words.Length, _parallel.MaxDegreeOfParallelism * 8));
        var gate = new Lock();
        Parallel.For(0, slices, _parallel, () => (Counts: new long[total.Length], Lattice: new Lattice(this)), (slice, _, own) =>
        {
            for (var i = slice; i < _corpus.Words.Length; i += slices)
                add(_corpus.Words[i], _corpus.Times[i], own.Counts, own.Lattice);
            return own;
        }, own =>
        {
            lock (gate)
                for (var i = 0; i < total.Length; i++)
                    total[i] += own.Counts[i];
        });
        return total;
    }

    private void SetUnknown()
    {
        var lowest = double.PositiveInfinity;
        Count = 0;
        foreach (var score in _scores)
            if (score != Absent)
                (lowest, Count) = (Math.Min(lowest, score), Count + 1);
        _unknown = lowest - UnknownPenalty;
    }

    private static double Digamma(double x)
    {
        var result = 0.0;
        for (; x < 7; x++)
            result -= 1 / x;
        x -= 0.5;
        var square = 1 / (x * x);
        return result + Math.Log(x) + square * (1.0 / 24 - square * (7.0 / 960 - square * (31.0 / 8064 - square * (127.0 / 30720))));
    }

    /// <summary>The pieces of one word at their places, and what is computed over them. One per thread.</summary>
    private sealed class Lattice(UnigramEm em)
    {
        private readonly record struct Edge(int Start, int End, int Id, double Score);

        private readonly List<Edge> _edges = []; // by start
        private double[] _forward = [], _backward = [], _best = [];

        /// <summary>Of the best spelling: the piece that ends at each place, or -1 for an unknown character, and where it starts.</summary>
        public int[] Ids { get; private set; } = [];

        public int[] Starts { get; private set; } = [];

        public void Best(byte[] word, int skip)
        {
            Gather(word, skip);
            Room(word.Length);
            _best.AsSpan(0, word.Length + 1).Fill(Absent);
            _best[0] = 0;
            foreach (var (start, end, id, score) in _edges)
                if (_best[start] + score > _best[end])
                    (_best[end], Ids[end], Starts[end]) = (_best[start] + score, id, start);
        }

        /// <summary>Whether a piece's own text is best spelt by the piece, and how it is spelt without it (empty: not at all).</summary>
        public (bool Best, List<int> Others) Alternatives(byte[] piece, int id)
        {
            Best(piece, skip: -1);
            if (Starts[piece.Length] != 0 || Ids[piece.Length] != id)
                return (false, []);
            var others = new List<int>();
            if (piece.Length == UnigramUnknowns.Width(piece[0]))
                return (true, others);
            Best(piece, skip: id);
            for (var end = piece.Length; end > 0; end = Starts[end])
                others.Add(Ids[end]);
            return (true, others);
        }

        /// <summary>Adds how often each piece is expected in so many occurrences of the word. Returns the log probability of the word.</summary>
        public double Expect(byte[] word, long times, long[] expected)
        {
            Gather(word, skip: -1);
            Room(word.Length);
            _forward.AsSpan(0, word.Length + 1).Fill(Absent);
            _backward.AsSpan(0, word.Length + 1).Fill(Absent);
            _forward[0] = _backward[word.Length] = 0;
            foreach (var (start, end, _, score) in _edges) // by start: what leads to a start has been added
                _forward[end] = LogAdd(_forward[end], _forward[start] + score);
            for (var e = _edges.Count - 1; e >= 0; e--)
                _backward[_edges[e].Start] = LogAdd(_backward[_edges[e].Start], _backward[_edges[e].End] + _edges[e].Score);
            var z = _forward[word.Length];
            foreach (var (start, end, id, score) in _edges)
                if (id >= 0)
                    expected[id] += (long)Math.Round(times * Math.Exp(_forward[start] + score + _backward[end] - z) * One);
            return z;
        }

        private void Gather(byte[] word, int skip)
        {
            _edges.Clear();
            for (var start = 0; start < word.Length;)
            {
                var width = UnigramUnknowns.Width(word[start]);
                var (node, spelt) = (0u, false);
                for (var end = start; end < word.Length;)
                {
                    var id = em._trie.Step(ref node, word[end++]);
                    if (id == DoubleArray.Dead)
                        break;
                    if (id < 0 || id == skip || em._scores[id] == Absent)
                        continue;
                    _edges.Add(new(start, end, id, em._scores[id]));
                    spelt |= end - start == width;
                }

                if (!spelt)
                    _edges.Add(new(start, start + width, -1, em._unknown));
                start += width;
            }
        }

        private void Room(int length)
        {
            if (_forward.Length > length)
                return;
            (_forward, _backward, _best) = (new double[length + 64], new double[length + 64], new double[length + 64]);
            (Ids, Starts) = (new int[length + 64], new int[length + 64]);
        }

        private static double LogAdd(double x, double y)
        {
            var (low, high) = x < y ? (x, y) : (y, x);
            return low == Absent || high - low > 50 ? high : high + Math.Log(1 + Math.Exp(low - high));
        }
    }
}
