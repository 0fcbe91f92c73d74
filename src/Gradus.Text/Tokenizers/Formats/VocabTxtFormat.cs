using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Decoders;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PostProcessors;
using Gradus.Text.Tokenizers.PreTokenizers;

namespace Gradus.Text.Tokenizers.Formats;

/// <summary>BERT's <c>vocab.txt</c>, one token a line, with the settings that <c>tokenizer_config.json</c> beside it names.</summary>
[Component("vocab-txt")]
internal sealed record VocabTxtFormat : TokenizerFormat
{
    public override int Order => 3;

    public override string Files => "BERT's vocab.txt";

    public override bool Fits(string fileName) => fileName.EndsWith("vocab.txt", StringComparison.Ordinal);

    public override Tokenizer Read(string file)
    {
        var vocab = ReadVocabulary(file);
        var config = TokenizerConfig.Beside(file);
        bool? Flag(string name) => config.Config?[name] is { } node
            ? node.GetValueKind() switch
            {
                System.Text.Json.JsonValueKind.True => true,
                System.Text.Json.JsonValueKind.False => false,
                _ => throw new UserException($"{Path.Combine(Path.GetDirectoryName(file) ?? "", "tokenizer_config.json")}: {name}: expected true or false"),
            }
            : null;
        var names = SpecialNames.Read(file, vocab.ContainsKey);
        string Named(string key, string otherwise) => config.Config?[key] is { } node && node.GetValueKind() == System.Text.Json.JsonValueKind.String ? node.GetValue<string>() : otherwise;
        var (unknown, cls, sep) = (names.Unk ?? "[UNK]", Named("cls_token", "[CLS]"), Named("sep_token", "[SEP]"));
        foreach (var name in new[] { unknown, cls, sep })
            if (!vocab.ContainsKey(name))
                throw new UserException($"{file}: the token '{name}' is not in the vocabulary");
        var special = new[] { Named("pad_token", "[PAD]"), unknown, cls, sep, Named("mask_token", "[MASK]") }.Where(vocab.ContainsKey).Distinct().ToArray();
        var parts = new TokenizerParts
        {
            Normalizer = new BertNormalizer
            {
                Lowercase = Flag("do_lower_case") ?? true, StripAccents = Flag("strip_accents"), HandleChineseChars = Flag("tokenize_chinese_chars") ?? true,
            },
            PreTokenizer = new BertPreTokenizer(),
            Model = new WordPieceModel { Tokens = VocabularyJson.Named(vocab), UnknownToken = unknown },
            PostProcessor = TemplateProcessor.Pairs(new(cls, vocab[cls]), new(sep, vocab[sep])),
            Decoder = new WordPieceDecoder(),
            Added = [.. special.Select(name => new AddedToken(vocab[name], name, Special: true)).OrderBy(t => t.Id)],
        };
        int? Id(string? name) => name is not null && vocab.TryGetValue(name, out var id) ? id : null;
        return new PipelineTokenizer(parts)
        {
            BosId = Id(names.Bos) ?? vocab[cls], EosId = Id(names.Eos) ?? vocab[sep], PadId = Id(Named("pad_token", "[PAD]")), UnkId = vocab[unknown], Config = config,
        };
    }

    private static Dictionary<string, int> ReadVocabulary(string file)
    {
        var vocab = new Dictionary<string, int>(StringComparer.Ordinal);
        try
        {
            foreach (var line in File.ReadLines(file, new UTF8Encoding(false, throwOnInvalidBytes: true)))
            {
                var name = line.TrimEnd();
                if (!vocab.TryAdd(name, vocab.Count))
                    throw new UserException(string.Create(CultureInfo.InvariantCulture, $"{file}:{vocab.Count + 1}: the token '{name}' stands on line {vocab[name] + 1} too"));
            }
        }
        catch (DecoderFallbackException e)
        {
            throw new UserException(string.Create(CultureInfo.InvariantCulture, $"{file}: not valid UTF-8 after line {vocab.Count}"), e);
        }

        BpeParts.CheckVocabulary(vocab, [], file);
        return vocab;
    }
}
