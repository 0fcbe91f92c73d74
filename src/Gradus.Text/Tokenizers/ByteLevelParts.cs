using System.Text;
using Gradus.Text.Tokenizers.Decoders;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PostProcessors;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers;

/// <summary>Between the parts of a <c>tokenizer.json</c> and the fast encoder of byte-level BPE: which shapes it takes, and what it is in parts.</summary>
internal static class ByteLevelParts
{
    /// <summary>The fast encoder's model of a tokenizer that it encodes and decodes exactly, or null.</summary>
    public static BpeModel? FastModel(TokenizerParts parts)
    {
        if (Normalizes(parts.Normalizer) is not { } nfc || parts is not { Decoder: ByteLevelDecoder, Model: BpeTokenModel { ByteFallback: false, Dropout: null or 0, Prefix: null or "", Suffix: null or "" } model })
            return null;
        List<int> before = [], after = [];
        var (splitter, addPrefixSpace) = Splitting(parts.PreTokenizer);
        if (splitter is null || !(parts.PostProcessor?.Around(before, after) ?? true) || !Plain(parts.Added) || (nfc && !parts.Added.All(t => Decomposition.IsNfc(Encoding.UTF8.GetBytes(t.Content)))))
            return null;
        var vocab = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < model.Vocabulary.Size; id++)
            if (model.Vocabulary.Name(id) is { } name)
                vocab.Add(name, id);
        var fast = BpeParts.ByteLevel(vocab, model.Merges, splitter, parts.Added, model.IgnoreMerges);
        if (model.UnknownToken is not null && Array.IndexOf(fast.ByteIds, -1) >= 0)
            return null;
        return fast with { AddPrefixSpace = addPrefixSpace, Before = [.. before], After = [.. after], Nfc = nfc };
    }

    /// <summary>The parts that encode as <paramref name="model"/> does.</summary>
    public static TokenizerParts Of(BpeModel model)
    {
        var own = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < model.Vocabulary.Size; id++)
            if (model.Vocabulary.Name(id) is { } name)
                own.Add(name, id);
        NamedId[] Named(int[] ids) => [.. ids.Select(id => new NamedId(model.Vocabulary.Name(id)!, id))];
        return new TokenizerParts
        {
            PreTokenizer = model.Splitter == Gpt2Splitter.Instance || model.Splitter is WholeSplitter
                ? new ByteLevelPreTokenizer { AddPrefixSpace = model.AddPrefixSpace, UseRegex = model.Splitter is not WholeSplitter }
                : new SequencePreTokenizer { Steps = [.. model.Splitter.Steps.Select(Split), new ByteLevelPreTokenizer { AddPrefixSpace = model.AddPrefixSpace, UseRegex = false }] },
            Model = new BpeTokenModel { Tokens = VocabularyJson.Named(own), Merges = model.Merges, IgnoreMerges = model.IgnoreMerges },
            PostProcessor = model.Before.Length + model.After.Length > 0 ? TemplateProcessor.Frame(Named(model.Before), Named(model.After)) : new ByteLevelProcessor(),
            Decoder = new ByteLevelDecoder(),
            Added = model.Added,
        };
    }

    /// <summary>Whether texts are brought into form NFC, which nearly all are in already; null where the step does more than that.</summary>
    private static bool? Normalizes(Normalizer? step) => step switch
    {
        null => false,
        NfcNormalizer => true,
        SequenceNormalizer { Steps: var steps } => steps.Aggregate((bool?)false, (any, one) => any is { } before && Normalizes(one) is { } here ? before | here : null),
        _ => null,
    };

    private static (Splitter? Splitter, bool AddPrefixSpace) Splitting(PreTokenizer? step)
    {
        PreTokenizer[] steps = step is SequencePreTokenizer sequence ? [.. sequence.Steps] : step is null ? [] : [step];
        if (steps is not [.., ByteLevelPreTokenizer last] || (last.AddPrefixSpace && steps.Length > 1))
            return (null, false);
        Splitter splitter = WholeSplitter.Instance;
        foreach (var one in steps)
        {
            Splitter? next = one switch
            {
                SplitPreTokenizer { Pattern.Matcher: SplitterPattern scanner, Invert: false, Behavior: CutBehavior.Isolated } => scanner.Splitter,
                SplitPreTokenizer { Pattern.Matcher: SplitterPattern scanner, Invert: true, Behavior: CutBehavior.Removed } => scanner.Splitter,
                SplitPreTokenizer { Invert: false, Behavior: CutBehavior.Isolated, Pattern.IsRegex: true } split => new PatternSplitter(split.Pattern),
                DigitsPreTokenizer digits => new PatternSplitter(NamedPattern.Regex(digits.IndividualDigits ? @"\p{N}" : @"\p{N}+", "pre_tokenizer", scanners: false)),
                ByteLevelPreTokenizer bytes => bytes.UseRegex ? Gpt2Splitter.Instance : WholeSplitter.Instance,
                _ => null,
            };
            if (next is null)
                return (null, false);
            splitter = splitter is WholeSplitter ? next : next is WholeSplitter ? splitter : new ChainSplitter(splitter, next);
        }

        return (splitter is ChainSplitter ? PreTokenizerOptions.ScannerFor(splitter.Pattern) ?? splitter : splitter, last.AddPrefixSpace);
    }

    /// <summary>Whether added tokens need one search only, and decode to themselves.</summary>
    private static bool Plain(IReadOnlyList<AddedToken> added)
    {
        if (added.Any(t => ByteAlphabet.Read(t.Content) is { } bytes && !bytes.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(t.Content))))
            return false;
        AddedToken[] raw = [.. added.Where(t => !t.Normalized)], normalized = [.. added.Where(t => t.Normalized)];
        if (raw.Length == 0 || normalized.Length == 0)
            return true;
        return !added.Any(t => t.StripLeft || t.StripRight) && !raw.Any(a => normalized.Any(b => Overlap(a.Content, b.Content) || Overlap(b.Content, a.Content)));
    }

    /// <summary>Whether the second string can begin inside the first.</summary>
    private static bool Overlap(string a, string b)
    {
        for (var i = 0; i < a.Length; i++)
            if (a.AsSpan(i).StartsWith(b, StringComparison.Ordinal) || b.AsSpan().StartsWith(a.AsSpan(i), StringComparison.Ordinal))
                return true;
        return false;
    }

    private static SplitPreTokenizer Split(string pattern) => new() { Pattern = NamedPattern.Regex(pattern, "pre_tokenizer", scanners: true) };
}
