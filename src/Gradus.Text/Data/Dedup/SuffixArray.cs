namespace Gradus.Text.Data.Dedup;

/// <summary>
/// Suffix arrays in linear time by induced sorting (SA-IS; Nong, Zhang and Chan, 2009). Of a text and its end, the order of all suffixes;
/// a suffix that is the beginning of another comes first.
/// </summary>
internal static class SuffixArray
{
    private interface ISymbols
    {
        int At(int index);
    }

    /// <summary>Start positions of all suffixes, in order.</summary>
    public static int[] Of(byte[] text, int length)
    {
        var order = new int[length];
        if (length > 0)
            Sort(new Bytes(text), length, 256, order);
        return order;
    }

    private readonly struct Bytes(byte[] text) : ISymbols
    {
        public int At(int index) => text[index];
    }

    private readonly struct Numbers(int[] text) : ISymbols
    {
        public int At(int index) => text[index];
    }

    private static void Sort<T>(T text, int n, int alphabet, Span<int> order)
        where T : struct, ISymbols
    {
        if (n == 1)
        {
            order[0] = 0;
            return;
        }

        // A suffix is of type S when it is smaller than the one after it, L when it is larger; the end of the text is smaller than all.
        var isS = new System.Collections.BitArray(n);
        for (var i = n - 2; i >= 0; i--)
            isS[i] = text.At(i) < text.At(i + 1) || text.At(i) == text.At(i + 1) && isS[i + 1];
        var sizes = new int[alphabet];
        for (var i = 0; i < n; i++)
            sizes[text.At(i)]++;

        // Leftmost S positions (an S after an L) stand for the pieces between them; sorting these sorts everything.
        var count = 0;
        for (var i = 1; i < n; i++)
            count += IsStart(i) ? 1 : 0;
        var starts = new int[count];
        count = 0;
        for (var i = 1; i < n; i++)
            if (IsStart(i))
                starts[count++] = i;
        Induce(text, n, isS, sizes, starts, order);
        if (count > 1)
        {
            // Name the pieces in the order that inducing has given them; equal pieces have equal names.
            var names = new int[n];
            Array.Fill(names, -1);
            var (name, last, seen) = (-1, -1, 0);
            foreach (var position in order)
            {
                if (position == 0 || !IsStart(position))
                    continue;
                if (last < 0 || !SamePiece(last, position))
                    name++;
                names[position] = name;
                last = position;
                seen++;
            }

            var sorted = new int[count];
            if (name + 1 < count)
            {
                var reduced = new int[count];
                for (var i = 0; i < count; i++)
                    reduced[i] = names[starts[i]];
                Sort(new Numbers(reduced), count, name + 1, sorted);
                for (var i = 0; i < count; i++)
                    sorted[i] = starts[sorted[i]];
            }
            else
            {
                foreach (var start in starts)
                    sorted[names[start]] = start;
            }

            Induce(text, n, isS, sizes, sorted, order);
        }

        bool IsStart(int i) => isS[i] && !isS[i - 1];

        bool SamePiece(int a, int b)
        {
            for (var i = 0; ; i++)
            {
                var (endA, endB) = (a + i >= n, b + i >= n);
                if (endA || endB)
                    return false; // only one piece reaches the end
                if (text.At(a + i) != text.At(b + i) || isS[a + i] != isS[b + i])
                    return false;
                if (i > 0 && (IsStart(a + i) || IsStart(b + i)))
                    return IsStart(a + i) && IsStart(b + i);
            }
        }
    }

    /// <summary>From the order of the leftmost S suffixes that of all: L suffixes from left to right, then S suffixes from right to left.</summary>
    private static void Induce<T>(T text, int n, System.Collections.BitArray isS, int[] sizes, ReadOnlySpan<int> starts, Span<int> order)
        where T : struct, ISymbols
    {
        order.Fill(-1);
        var bucket = new int[sizes.Length];
        Ends(sizes, bucket);
        for (var i = starts.Length - 1; i >= 0; i--)
            order[--bucket[text.At(starts[i])]] = starts[i];
        Begins(sizes, bucket);
        order[bucket[text.At(n - 1)]++] = n - 1; // the last suffix is induced by the end of the text
        for (var i = 0; i < n; i++)
        {
            var before = order[i] - 1;
            if (before >= 0 && !isS[before])
                order[bucket[text.At(before)]++] = before;
        }

        Ends(sizes, bucket);
        for (var i = n - 1; i >= 0; i--)
        {
            var before = order[i] - 1;
            if (before >= 0 && isS[before])
                order[--bucket[text.At(before)]] = before;
        }
    }

    private static void Begins(int[] sizes, int[] bucket)
    {
        var sum = 0;
        for (var i = 0; i < sizes.Length; i++)
        {
            bucket[i] = sum;
            sum += sizes[i];
        }
    }

    private static void Ends(int[] sizes, int[] bucket)
    {
        var sum = 0;
        for (var i = 0; i < sizes.Length; i++)
            bucket[i] = sum += sizes[i];
    }
}
