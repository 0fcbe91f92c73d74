using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Gradus.Text.Tokenizers.PostProcessors;

namespace Gradus.Text.Tokenizers;

/// <summary>Any tokenizer that <c>tokenizer.json</c> can describe: normalise → pre-tokenise → model → post-process → decode, each a part of its own.</summary>
internal class PipelineTokenizer : Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly AddedSets _always, _parsed; // without special tokens, with them
    private readonly Dictionary<int, AddedToken> _added;
    private readonly Dictionary<string, int> _addedIds = new(StringComparer.Ordinal);
    private readonly HashSet<int> _special;
    private readonly int[]? _before, _after; // what goes round a single text; null where it is more than that
    private readonly bool _needsOrigins;
    private readonly byte[]?[] _bytes;
    private readonly Lazy<TokenizerParts> _typed; // for text in which special tokens stay text
    private readonly ConcurrentBag<PipelineWork> _idle = [], _idleTyped = [];

    public PipelineTokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _always = new(parts, parts.Added.Where(t => !t.Special));
        _parsed = new(parts, parts.Added);
        _added = parts.Added.ToDictionary(t => t.Id);
        foreach (var token in parts.Added)
            _addedIds[token.Content] = token.Id;
        _special = [.. parts.Added.Where(t => t.Special).Select(t => t.Id)];
        _bytes = new byte[Math.Max(parts.Model.Vocabulary.Size, parts.Added.Count == 0 ? 0 : parts.Added.Max(t => t.Id) + 1)][];
        _needsOrigins = parts.PreTokenizer is { NeedsOrigins: true } && (parts.Normalizer is not null || parts.PreTokenizer is PreTokenizers.SequencePreTokenizer);
        var hidden = _special.Where(id => id < parts.Model.Vocabulary.Size && parts.Model.Vocabulary.Name(id) is not null).ToHashSet();
        _typed = new(() => hidden.Count == 0 ? parts : parts with { Model = parts.Model.Without(hidden) });
        List<int> before = [], after = [];
        if (parts.PostProcessor?.Around(before, after) ?? true)
            (_before, _after) = ([.. before], [.. after]);
    }

    internal override TokenizerParts Parts => _parts;

    public override int VocabSize => _bytes.Length;

    public override int? IdOf(string token) => _addedIds.TryGetValue(token, out var id) ? id : _parts.Model.Vocabulary.Id(token);

    public override string NameOf(int id)
    {
        Check(id);
        return _added.TryGetValue(id, out var token) ? token.Content : id < _parts.Model.Vocabulary.Size ? _parts.Model.Vocabulary.Name(id) ?? "" : "";
    }

    public override bool IsSpecial(int id) => _special.Contains(id);

    public override ReadOnlySpan<byte> TokenBytes(int id)
    {
        Check(id);
        return _bytes[id] ??= _added.TryGetValue(id, out var token) ? Encoding.UTF8.GetBytes(token.Content)
            : Encoding.UTF8.GetBytes(NameOf(id)) is var name && _parts.Decoder is { } decoder ? decoder.Bytes(name) : name;
    }

    public override void Encode(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens) => Encode(utf8, ids, addSpecialTokens, _always);

    public override void EncodeParsed(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens) => Encode(utf8, ids, addSpecialTokens, _parsed);

    internal override DecodeStream NewDecodeStream(bool skipSpecialTokens) => new PipelineDecodeStream(this, _parts.Decoder, skipSpecialTokens);

    internal override EncodingDraft Draft(ReadOnlySpan<byte> utf8, int type, TokenizeOptions o)
    {
        CheckDropout(o);
        byte[]? repaired = Utf8.IsValid(utf8) ? null : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8));
        // Where users wrote some of a parsed text, the model's own control tokens are out of reach in all of it: those of the template are added tokens.
        var parsed = o.ParseSpecialTokens && o.Untrusted is not { Count: > 0 };
        var idle = parsed ? _idle : _idleTyped;
        var work = o.SamplingSeed is { } seed ? new PipelineWork(parsed ? _parts : _typed.Value, Draws(seed), o.Dropout) : Rent(idle);
        var draft = work.Draft(repaired ?? utf8, type, parsed ? _parsed : o.ParseSpecialTokens ? _parsed.Refusing(o.Untrusted!) : _always);
        if (o.SamplingSeed is null)
            idle.Add(work);
        return draft;
    }

    /// <summary>The name of a decoded token, or null where the id is none.</summary>
    internal string? DecodedName(int id)
    {
        if ((uint)id >= (uint)VocabSize)
            return null;
        if (!_added.TryGetValue(id, out var token))
            return id < _parts.Model.Vocabulary.Size ? _parts.Model.Vocabulary.Name(id) : null;
        return _parsed.NormalizedContent(token);
    }

    private void Encode(ReadOnlySpan<byte> text, List<int> ids, bool addSpecialTokens, AddedSets added)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (addSpecialTokens && _before is null)
        {
            var options = new TokenizeOptions { AddSpecialTokens = true, ParseSpecialTokens = ReferenceEquals(added, _parsed) };
            ids.AddRange(PostProcessor.Finish(_parts.PostProcessor, Draft(text, 0, options), null, true).Tokens.Select(t => t.Id));
            return;
        }

        if (!Utf8.IsValid(text))
            text = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text));
        var before = ids.Count;
        if (addSpecialTokens)
            ids.AddRange(_before!);
        var idle = ReferenceEquals(added, _parsed) ? _idle : _idleTyped;
        var work = Rent(idle);
        try
        {
            work.Encode(text, ids, added, _needsOrigins);
        }
        catch
        {
            CollectionsMarshal.SetCount(ids, before); // a pattern that ran out of time: the list is as it was
            throw;
        }

        idle.Add(work);
        if (addSpecialTokens)
            ids.AddRange(_after!);
    }

    private PipelineWork Rent(ConcurrentBag<PipelineWork> idle) => idle.TryTake(out var work) ? work : new PipelineWork(ReferenceEquals(idle, _idle) ? _parts : _typed.Value, null);

    private void Check(int id)
    {
        if ((uint)id >= (uint)VocabSize)
            throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has ids 0 to {VocabSize - 1}.");
    }
}
