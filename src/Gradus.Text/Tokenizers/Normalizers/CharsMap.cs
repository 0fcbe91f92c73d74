using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's compiled normalisation rules: the size of a trie (4 bytes), the trie (strings to replace → places in a pool), and the
/// pool of replacements, each ended by a zero byte. Immutable.
/// </summary>
internal sealed class CharsMap
{
    private readonly DoubleArray _trie;
    private readonly byte[] _pool;
    private readonly bool[] _plain = new bool[128];

    private CharsMap(DoubleArray trie, byte[] pool, byte[] blob)
    {
        (_trie, _pool, Blob) = (trie, pool, blob);
        for (var first = 0; first < 128; first++)
        {
            var node = 0u;
            var value = trie.Step(ref node, (byte)first);
            var plain = value < 0;
            for (var second = 0; plain && value != DoubleArray.Dead && second < 128; second++)
            {
                var next = node;
                plain = trie.Step(ref next, (byte)second) == DoubleArray.Dead;
            }

            _plain[first] = plain;
        }
    }

    /// <summary>As files hold it.</summary>
    public byte[] Blob { get; }

    /// <summary>Reads compiled rules; null with the reason when they are damaged.</summary>
    public static CharsMap? Read(byte[] blob, out string fault)
    {
        fault = "";
        if (blob.Length < 5)
            fault = $"{blob.Length} bytes are no charsmap";
        else if (BinaryPrimitives.ReadUInt32LittleEndian(blob) is var size && (size >= (uint)blob.Length - 4 || size % 4 != 0 || size == 0))
            fault = $"its trie is said to be {size} bytes long, which is no multiple of 4 or does not fit into {blob.Length - 4} bytes with a pool behind it";
        else if (!Utf8.IsValid(blob.AsSpan(4 + (int)size)))
            fault = "its replacements are not valid UTF-8";
        else
            return new(DoubleArray.Read(blob.AsSpan(4, (int)size)), blob[(4 + (int)size)..], blob);
        return null;
    }

    /// <summary>Compiles rules.</summary>
    public static CharsMap Build(IReadOnlyDictionary<string, string> rules)
    {
        var pool = new List<byte>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        List<byte[]> keys = [];
        List<int> values = [];
        foreach (var (from, to) in rules.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            if (!places.TryGetValue(to, out var place))
            {
                places.Add(to, place = pool.Count);
                pool.AddRange(Encoding.UTF8.GetBytes(to));
                pool.Add(0);
            }

            keys.Add(Encoding.UTF8.GetBytes(from));
            values.Add(place);
        }

        var trie = DoubleArray.Build(keys, values);
        var units = trie.Write();
        var blob = new byte[4 + units.Length + pool.Count];
        BinaryPrimitives.WriteInt32LittleEndian(blob, units.Length);
        units.CopyTo(blob, 4);
        pool.CopyTo(blob, 4 + units.Length);
        return new(trie, [.. pool], blob);
    }

    /// <summary>True when no rule begins with this ASCII character alone or followed by another ASCII character: the common case, told by one look.</summary>
    public bool IsPlain(byte ascii) => _plain[ascii];

    /// <summary>The longest rule that <paramref name="text"/> begins with.</summary>
    public bool Longest(ReadOnlySpan<byte> text, out int length, out ReadOnlySpan<byte> replacement) =>
        Replacement(_trie.Longest(text, out length), out replacement) && length > 0;

    /// <summary>The shortest rule that <paramref name="text"/> begins with: what the Rust library asks for.</summary>
    public bool Shortest(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        var node = 0u;
        foreach (var b in text)
        {
            var value = b == 0 ? DoubleArray.Dead : _trie.Step(ref node, b);
            if (value == DoubleArray.Dead)
                break;
            if (value >= 0)
                return Replacement(value, out replacement);
        }

        replacement = default;
        return false;
    }

    private bool Replacement(int place, out ReadOnlySpan<byte> replacement)
    {
        replacement = default;
        if (place < 0 || place >= _pool.Length || (_pool[place] & 0xC0) == 0x80)
            return false;
        var rest = _pool.AsSpan(place);
        var end = rest.IndexOf((byte)0);
        replacement = end < 0 ? rest : rest[..end];
        return true;
    }
}
