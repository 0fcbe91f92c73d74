using System.Text;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>
/// The frequent substrings of a corpus, from an enhanced suffix array (suffixes in order, and the lengths that neighbours share): every
/// substring that occurs twice or more and that no single character always follows.
/// </summary>
internal static class SubstringSeeds
{
    private readonly record struct Candidate(int Start, int Length, long Score);

    /// <summary>The pieces to start from with their weights: all characters, then the substrings that cover most text.</summary>
    /// <param name="corpus">Its words; a substring counts as often as its words.</param>
    /// <param name="rules">Which substrings may be pieces.</param>
    /// <param name="longest">The longest substring, in characters.</param>
    /// <param name="limit">How many pieces at most.</param>
    public static List<(byte[] Piece, double Weight)> Find(PieceCorpus corpus, PieceRules rules, int longest, int limit)
    {
        var (text, room, weight) = Join(corpus);
        var suffixes = Sort(text, room, longest + 1);
        var candidates = Candidates(text, room, weight, suffixes, longest, rules);
        candidates.Sort((a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : text.AsSpan(a.Start, a.Length).SequenceCompareTo(text.AsSpan(b.Start, b.Length)));
        var seeds = new List<(byte[], double)>();
        foreach (var (c, times) in corpus.Alphabet)
            seeds.Add((Encoding.UTF8.GetBytes(char.ConvertFromUtf32(c)), times));
        var buffer = new StringBuilder();
        foreach (var candidate in candidates.Take(Math.Max(0, limit - seeds.Count)))
        {
            buffer.Clear();
            foreach (var c in text.AsSpan(candidate.Start, candidate.Length))
                buffer.Append(new Rune(c));
            seeds.Add((Encoding.UTF8.GetBytes(buffer.ToString()), candidate.Score));
        }

        return seeds;
    }

    /// <summary>All words in a row: code points, how many of them are left in the word from each place on, and the word's count.</summary>
    private static (int[] Text, int[] Room, long[] Weight) Join(PieceCorpus corpus)
    {
        var text = new List<int>();
        var ends = new List<int>();
        foreach (var word in corpus.Words)
        {
            text.AddRange(PieceCorpus.CodePoints(word));
            ends.Add(text.Count);
        }

        var (room, weight) = (new int[text.Count], new long[text.Count]);
        for (var (at, word) = (0, 0); at < text.Count; at++)
        {
            if (at == ends[word])
                word++;
            (room[at], weight[at]) = (ends[word] - at, corpus.Times[word]);
        }

        return ([.. text], room, weight);
    }

    /// <summary>The places of the text in the order of what stands there, as far as <paramref name="depth"/> characters: ranks doubled, each round a radix sort.</summary>
    private static int[] Sort(int[] text, int[] room, int depth)
    {
        var n = text.Length;
        int[] distinct = [.. text.Distinct().Order()];
        var rank = new int[n];
        for (var i = 0; i < n; i++)
            rank[i] = 1 + Array.BinarySearch(distinct, text[i]); // 0: past the end of the word
        var ranks = distinct.Length + 1;
        var (order, spare, next) = (new int[n], new int[n], new int[n]);
        for (var i = 0; i < n; i++)
            spare[i] = i;
        CountingSort(spare, order, i => rank[i], ranks);
        for (var length = 1; length < depth; length *= 2)
        {
            var step = length;
            int Second(int i) => room[i] > step ? rank[i + step] : 0;
            CountingSort(order, spare, Second, ranks);
            CountingSort(spare, order, i => rank[i], ranks);
            ranks = 1;
            for (var i = 0; i < n; i++)
            {
                if (i == 0 || rank[order[i]] != rank[order[i - 1]] || Second(order[i]) != Second(order[i - 1]))
                    ranks++;
                next[order[i]] = ranks - 1;
            }

            (rank, next) = (next, rank);
        }

        return order;
    }

    private static void CountingSort(int[] from, int[] to, Func<int, int> key, int keys)
    {
        var starts = new int[keys + 1];
        foreach (var i in from)
            starts[key(i) + 1]++;
        for (var k = 0; k < keys; k++)
            starts[k + 1] += starts[k];
        foreach (var i in from)
            to[starts[key(i)]++] = i;
    }

    private static List<Candidate> Candidates(int[] text, int[] room, long[] weight, int[] suffixes, int longest, PieceRules rules)
    {
        var candidates = new List<Candidate>();
        var open = new Stack<(int Depth, long Before)>(); // substrings that all suffixes since then begin with, shortest below
        long total = 0;
        var before = 0;
        for (var i = 0; i < suffixes.Length; i++)
        {
            var at = suffixes[i];
            var after = i + 1 < suffixes.Length ? Shared(text, room, at, suffixes[i + 1], longest + 1) : 0;
            // A suffix that occurs in one word only is no inner node, but the word may occur often.
            if (room[at] > Math.Max(before, after) && room[at] <= longest)
                Add(at, room[at], weight[at]);
            var since = total;
            total += weight[at];
            while (open.TryPeek(out var top) && top.Depth > after)
            {
                open.Pop();
                if (top.Depth <= longest)
                    Add(at, top.Depth, total - top.Before);
                since = top.Before;
            }

            if (after > 0 && (!open.TryPeek(out var under) || under.Depth < after))
                open.Push((after, since));
            before = after;
        }

        return candidates;

        void Add(int start, int length, long times)
        {
            if (length > 1 && times > 1 && rules.Allows(text.AsSpan(start, length)))
                candidates.Add(new(start, length, times * length));
        }
    }

    private static int Shared(int[] text, int[] room, int a, int b, int most)
    {
        most = Math.Min(most, Math.Min(room[a], room[b]));
        var shared = 0;
        while (shared < most && text[a + shared] == text[b + shared])
            shared++;
        return shared;
    }
}
