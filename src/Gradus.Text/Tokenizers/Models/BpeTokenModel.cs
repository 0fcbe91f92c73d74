using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>Byte-pair encoding of characters (Sennrich et al., 2016): from single characters, joins the pair of lowest rank until none joins.</summary>
[Component("BPE")]
internal sealed record BpeTokenModel : TokenModel
{
    private readonly Lazy<CharIds> _chars;
    private readonly Lazy<Dictionary<byte[], int>> _whole;

    public BpeTokenModel()
    {
        _chars = new(() => new CharIds(this));
        _whole = new(() => ByteKeys.Of(Vocabulary, Hidden));
    }

    // A copy has lookups of its own: its settings may differ.
    private BpeTokenModel(BpeTokenModel other)
        : base(other)
    {
        (Tokens, Merges, UnknownToken, Dropout, Prefix, Suffix) = (other.Tokens, other.Merges, other.UnknownToken, other.Dropout, other.Prefix, other.Suffix);
        (FuseUnknown, ByteFallback, IgnoreMerges, Hidden) = (other.FuseUnknown, other.ByteFallback, other.IgnoreMerges, other.Hidden);
        _chars = new(() => new CharIds(this));
        _whole = new(() => ByteKeys.Of(Vocabulary, Hidden));
    }

    public Vocabulary Tokens { get; init; } = new([]);

    /// <summary>Tokens that are never found in text.</summary>
    public IReadOnlySet<int> Hidden { get; init; } = new HashSet<int>();

    public override Vocabulary Vocabulary => Tokens;

    public MergeTable Merges { get; init; } = new(0);

    /// <summary>What stands for characters that the vocabulary lacks; null drops them.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>The share of merges that sampling leaves out (Provilkov et al., 2020); encoding without sampling leaves out none.</summary>
    public double? Dropout { get; init; }

    /// <summary>What the file writes before tokens that do not start a word.</summary>
    public string? Prefix { get; init; }

    /// <summary>What the file writes behind tokens that end a word.</summary>
    public string? Suffix { get; init; }

    /// <summary>Several unknown characters in a row become one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>A character that the vocabulary lacks becomes the tokens <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c> of its bytes.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>A piece that is a token as a whole is that token, merges or not.</summary>
    public bool IgnoreMerges { get; init; }

    public override int? UnknownId => UnknownToken is null ? null : Vocabulary.Id(UnknownToken);

    public override PipelinePart Read(JsonField field)
    {
        var vocab = VocabularyJson.Read(field["vocab"]);
        double? dropout = null;
        if (!field["dropout"].IsNull)
            dropout = field["dropout"].Value.ValueKind == JsonValueKind.Number && field["dropout"].Value.GetDouble() is >= 0 and <= 1 and var p
                ? p
                : throw field["dropout"].Error("expected a number from 0 to 1");
        var prefix = field["continuing_subword_prefix"].OptionalText();
        return new BpeTokenModel
        {
            Tokens = VocabularyJson.Named(vocab),
            Merges = ReadMerges(field["merges"], vocab, prefix ?? ""),
            UnknownToken = field["unk_token"].OptionalText(),
            Dropout = dropout,
            Prefix = prefix,
            Suffix = field["end_of_word_suffix"].OptionalText(),
            FuseUnknown = field["fuse_unk"].Flag(),
            ByteFallback = field["byte_fallback"].Flag(),
            IgnoreMerges = field["ignore_merges"].Flag(),
        };
    }

    public override void WriteSettings(Utf8JsonWriter json)
    {
        if (Dropout is { } dropout)
            json.WriteNumber("dropout", dropout);
        else
            json.WriteNull("dropout");
        json.WriteString("unk_token", UnknownToken);
        json.WriteString("continuing_subword_prefix", Prefix);
        json.WriteString("end_of_word_suffix", Suffix);
        json.WriteBoolean("fuse_unk", FuseUnknown);
        json.WriteBoolean("byte_fallback", ByteFallback);
        json.WriteBoolean("ignore_merges", IgnoreMerges);
        VocabularyJson.Write(json, Vocabulary);
        json.WriteStartArray("merges");
        var plain = true; // "a b" as long as no token has a space in it
        var merges = Merges.ByRank();
        foreach (var (left, right, _, _) in merges)
            plain &= !Vocabulary.Name(left)!.Contains(' ', StringComparison.Ordinal) && !Vocabulary.Name(right)!.Contains(' ', StringComparison.Ordinal);
        foreach (var (left, right, _, _) in merges)
        {
            if (plain)
            {
                json.WriteStringValue($"{Vocabulary.Name(left)} {Vocabulary.Name(right)}");
                continue;
            }

            json.WriteStartArray();
            json.WriteStringValue(Vocabulary.Name(left));
            json.WriteStringValue(Vocabulary.Name(right));
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    public override TokenModel Without(IReadOnlySet<int> tokens) => this with { Hidden = tokens };

    public override TokenModel WithTokens(IEnumerable<(int Id, string Name)> more) => this with { Tokens = Tokens.With(more) };

    public override TokenModelWork NewWork(Random? random) => new Work(this, random is not null && Dropout is > 0 and var share ? new DropoutMerge(Merges, share, random) : null);

    public override TokenModelWork NewDropoutWork(Random random, double share) => new Work(this, share > 0 ? new DropoutMerge(Merges, share, random) : null);

    private static MergeTable ReadMerges(JsonField list, Dictionary<string, int> vocab, string prefix)
    {
        var merges = new MergeTable(list.Value.ValueKind == JsonValueKind.Array ? list.Value.GetArrayLength() : 0);
        var rank = 0;
        foreach (var item in list.Items())
        {
            var isText = item.Value.ValueKind == JsonValueKind.String;
            if (isText && item.Text().StartsWith("#version", StringComparison.Ordinal))
                continue;
            string[] parts = isText ? item.Text().Split(' ') : [.. item.Items().Select(part => part.Text())];
            if (parts.Length != 2)
                throw item.Error($"a merge has two parts, this one has {parts.Length}");
            BpeParts.AddMerge(merges, vocab, parts[0], parts[1], rank++, () => $"{item.File}: {item.Path}", prefix);
        }

        return merges;
    }

    /// <summary>The tokens that single characters start as, which depends on their place in the word.</summary>
    private sealed class CharIds
    {
        private readonly Dictionary<int, int> _inside = [], _first, _last, _only;

        public CharIds(BpeTokenModel model)
        {
            var (prefix, suffix) = (model.Prefix ?? "", model.Suffix ?? "");
            _first = prefix.Length == 0 ? _inside : [];
            _last = suffix.Length == 0 ? _inside : [];
            _only = suffix.Length == 0 ? _first : prefix.Length == 0 ? _last : [];
            Array.Fill(Bytes, -1);
            for (var id = 0; id < model.Vocabulary.Size; id++)
            {
                if (model.Vocabulary.Name(id) is not { } name || model.Hidden.Contains(id))
                    continue;
                Add(name, id, prefix, "", _inside);
                if (_first != _inside)
                    Add(name, id, "", "", _first);
                if (_last != _inside)
                    Add(name, id, prefix, suffix, _last);
                if (_only != _first && _only != _last)
                    Add(name, id, "", suffix, _only);
                if (BytePieces.Read(name) is { } value)
                    Bytes[value] = id;
            }
        }

        /// <summary>The tokens of bytes; -1 where one is missing.</summary>
        public int[] Bytes { get; } = new int[256];

        public int Id(int rune, bool first, bool last) => (first ? last ? _only : _first : last ? _last : _inside).GetValueOrDefault(rune, -1);

        private static void Add(string name, int id, string prefix, string suffix, Dictionary<int, int> ids)
        {
            if (name.Length > prefix.Length + suffix.Length && name.StartsWith(prefix, StringComparison.Ordinal) && name.EndsWith(suffix, StringComparison.Ordinal)
                && Rune.TryGetRuneAt(name, prefix.Length, out var rune) && prefix.Length + rune.Utf16SequenceLength + suffix.Length == name.Length)
                ids[rune.Value] = id;
        }
    }

    private sealed class Work : TokenModelWork
    {
        private readonly BpeTokenModel _model;
        private readonly CharIds _chars;
        private readonly MergeWork _merge;
        private readonly DropoutMerge? _dropout;
        private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>>? _whole;
        private readonly byte[] _prefix, _suffix;
        private readonly int? _unknown;
        private readonly List<int> _symbols = [], _starts = [];

        public Work(BpeTokenModel model, DropoutMerge? dropout)
        {
            (_model, _chars, _unknown) = (model, model._chars.Value, model.UnknownId);
            (_merge, _dropout) = (new MergeWork(model.Merges), dropout);
            _whole = model.IgnoreMerges ? model._whole.Value.GetAlternateLookup<ReadOnlySpan<byte>>() : null;
            (_prefix, _suffix) = (Encoding.UTF8.GetBytes(model.Prefix ?? ""), Encoding.UTF8.GetBytes(model.Suffix ?? ""));
        }

        public override void Spell(ReadOnlySpan<byte> piece, List<FoundToken> tokens)
        {
            if (_dropout is null && _whole is { } whole && whole.TryGetValue(piece, out var id))
            {
                tokens.Add(new(id, 0, piece.Length));
                return;
            }

            _symbols.Clear();
            _starts.Clear();
            var end = Begin(piece);
            var symbols = CollectionsMarshal.AsSpan(_symbols);
            var starts = CollectionsMarshal.AsSpan(_starts);
            var count = _dropout is null ? _merge.Merge(symbols, starts) : _dropout.Merge(symbols, starts);
            for (var i = 0; i < count; i++)
                tokens.Add(new(symbols[i], starts[i], i + 1 < count ? starts[i + 1] : end));
            if (_symbols.Capacity > 1 << 16) // one huge piece should not pin its scratch for ever
            {
                _symbols.Clear();
                _starts.Clear();
                (_symbols.Capacity, _starts.Capacity) = (256, 256);
            }
        }

        /// <summary>The tokens before any merge. Returns where the last ends: characters that are dropped count nothing, as in Hugging Face's library.</summary>
        private int Begin(ReadOnlySpan<byte> piece)
        {
            var position = 0;
            var unknown = 0; // bytes of unknown characters that no token stands for yet
            for (var at = 0; at < piece.Length;)
            {
                Rune.DecodeFromUtf8(piece[at..], out var rune, out var length);
                var (first, last) = (at == 0, at + length == piece.Length);
                at += length;
                var id = _chars.Id(rune.Value, first, last);
                if (id >= 0)
                {
                    Unknown(ref unknown, ref position);
                    Add(id, length, ref position);
                }
                else if (!(_model.ByteFallback && Bytes(piece.Slice(at - length, length), first ? [] : _prefix, last ? _suffix : [], ref position)) && _unknown is not null)
                {
                    if (!_model.FuseUnknown)
                        Unknown(ref unknown, ref position);
                    unknown += length;
                }
            }

            Unknown(ref unknown, ref position);
            return position;
        }

        private void Unknown(ref int length, ref int position)
        {
            if (length > 0)
                Add(_unknown!.Value, length, ref position);
            length = 0;
        }

        private void Add(int id, int length, ref int position)
        {
            _symbols.Add(id);
            _starts.Add(position);
            position += length;
        }

        private bool Bytes(ReadOnlySpan<byte> character, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> suffix, ref int position)
        {
            if (!Known(prefix) || !Known(character) || !Known(suffix))
                return false;
            AddBytes(prefix, ref position);
            AddBytes(character, ref position);
            AddBytes(suffix, ref position);
            return true;
        }

        private bool Known(ReadOnlySpan<byte> bytes)
        {
            foreach (var b in bytes)
                if (_chars.Bytes[b] < 0)
                    return false;
            return true;
        }

        private void AddBytes(ReadOnlySpan<byte> bytes, ref int position)
        {
            foreach (var b in bytes)
                Add(_chars.Bytes[b], 1, ref position);
        }
    }
}
