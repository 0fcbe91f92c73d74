using System.Runtime.InteropServices;
using System.Text;

namespace Gradus.Text.Tokenizers;

/// <summary>SentencePiece-like BPE with byte fallback: Llama 2 and llama2.c. Merges cross words, so a text is one long piece.</summary>
internal sealed class PieceBpe : Tokenizer
{
    private readonly PieceModel _model;
    private readonly AddedTokens _always;
    private readonly AddedTokens _parsed;
    private readonly HashSet<int> _special;

    public PieceBpe(PieceModel model)
    {
        _model = model;
        _always = new AddedTokens(model.Added.Where(t => !t.Special));
        _parsed = new AddedTokens(model.Added);
        _special = [.. model.Added.Where(t => t.Special).Select(t => t.Id)];
    }

    public override int VocabSize => _model.Vocabulary.Size;

    public override ReadOnlySpan<byte> TokenBytes(int id) => _model.Vocabulary.Bytes(id);

    public override int? IdOf(string token) => _model.Vocabulary.Id(token);

    public override string NameOf(int id) => _model.Vocabulary.Name(id) ?? "";

    public override bool IsSpecial(int id) => _special.Contains(id);

    public override void Save(string folder) => TokenizerJsonWriter.Save(folder, this, _model);

    internal override bool StartsWithAddedSpace => _model.Prefix != PiecePrefix.None;

    public override void Encode(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens) => Encode(utf8, ids, addSpecialTokens, _always);

    public override void EncodeParsed(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens) => Encode(utf8, ids, addSpecialTokens, _parsed);

    private void Encode(ReadOnlySpan<byte> text, List<int> ids, bool addSpecialTokens, AddedTokens added)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (addSpecialTokens)
            ids.AddRange(_model.Before);
        var work = new MergeWork(_model.Merges);
        var at = 0;
        if (!added.None)
            while (added.Next(text, at, out var start, out var end, out var id))
            {
                EncodePart(text[at..start], at == 0, ids, work);
                ids.Add(id);
                at = end;
            }

        EncodePart(text[at..], at == 0, ids, work);
        if (addSpecialTokens)
            ids.AddRange(_model.After);
    }

    private void EncodePart(ReadOnlySpan<byte> text, bool first, List<int> ids, MergeWork work)
    {
        if (text.IsEmpty)
            return;
        var from = ids.Count;
        var prefix = _model.Prefix switch
        {
            PiecePrefix.Every => true,
            PiecePrefix.EveryUnlessThere => !StartsWithSpace(text),
            PiecePrefix.FirstUnlessThere => first && !StartsWithSpace(text),
            _ => false,
        };
        if (prefix)
            AddChar(new Rune(' '), " "u8, ids, from);
        for (var at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf8(text[at..], out var rune, out var length);
            AddChar(rune, text.Slice(at, length), ids, from);
            at += length;
        }

        var symbols = CollectionsMarshal.AsSpan(ids)[from..];
        CollectionsMarshal.SetCount(ids, from + work.Merge(symbols));
    }

    private void AddChar(Rune rune, ReadOnlySpan<byte> bytes, List<int> ids, int from)
    {
        // A mark typed in the text and a space are the same to a model of pieces, as they are to SentencePiece.
        var value = rune.Value == PieceModel.Mark[0] ? ' ' : rune.Value;
        var valid = rune != Rune.ReplacementChar || bytes.SequenceEqual("\uFFFD"u8);
        if (valid && _model.CharIds.TryGetValue(value, out var id))
        {
            ids.Add(id);
            return;
        }

        if (_model.ByteFallback && AllBytes(bytes))
        {
            foreach (var b in bytes)
                ids.Add(_model.ByteIds[b]);
            return;
        }

        if (_model.UnknownId is { } unknown && !(_model.FuseUnknown && ids.Count > from && ids[^1] == unknown))
            ids.Add(unknown);
    }

    private bool AllBytes(ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
            if (_model.ByteIds[b] < 0)
                return false;
        return true;
    }

    private static bool StartsWithSpace(ReadOnlySpan<byte> text) => text[0] == ' ' || text.StartsWith("\u2581"u8);
}
