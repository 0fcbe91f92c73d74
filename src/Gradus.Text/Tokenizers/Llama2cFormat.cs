using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers.Decoders;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;
using Gradus.Text.Tokenizers.PostProcessors;

namespace Gradus.Text.Tokenizers;

/// <summary>llama2.c's tokenizer file: the longest length, then for each piece its score, length and bytes, little-endian. Ids 0 to 2 are unknown, BOS, EOS.</summary>
[Component("llama2c")]
internal sealed record Llama2cFormat : TokenizerFormat
{
    public override int Order => 4;

    private const int MaxPiece = 1 << 16;

    public override string Files => "llama2.c's tok*.bin";

    public override bool Fits(string fileName) =>
        fileName.EndsWith(".bin", StringComparison.Ordinal) && fileName.StartsWith("tok", StringComparison.Ordinal);

    public override Tokenizer Read(string file)
    {
        var pieces = ReadPieces(file);
        if (pieces.Count < 3 + 256)
            throw new UserException($"{file}: {pieces.Count} pieces; a llama2.c tokenizer has at least 259 (3 control pieces and 256 bytes)");

        AddedToken[] added = [new(0, "<unk>", Special: true), new(1, "<s>", Special: true), new(2, "</s>", Special: true)];
        var vocab = new Dictionary<string, int>(pieces.Count, StringComparer.Ordinal);
        foreach (var token in added)
            vocab.Add(token.Content, token.Id);
        for (var id = 3; id < pieces.Count; id++)
        {
            var name = pieces[id].Text.Replace(" ", PieceModel.Mark, StringComparison.Ordinal);
            if (!vocab.TryAdd(name, id))
                throw new UserException($"{file}: pieces {vocab[name]} and {id} are both '{name}'");
        }

        BpeParts.CheckVocabulary(vocab, added, file);
        var parts = new TokenizerParts
        {
            Normalizer = new SequenceNormalizer
            {
                Steps = [new PrependNormalizer { Prepend = PieceModel.Mark }, new ReplaceNormalizer { Pattern = NamedPattern.String(" "), Content = PieceModel.Mark }],
            },
            Model = new BpeTokenModel
            {
                Tokens = VocabularyJson.Named(vocab), Merges = MergesOf(vocab, pieces), UnknownToken = "<unk>", FuseUnknown = true, ByteFallback = true,
            },
            PostProcessor = TemplateProcessor.Frame([new("<s>", 1)], []),
            Decoder = new SequenceDecoder
            {
                Steps = [new ReplaceDecoder { Pattern = NamedPattern.String(PieceModel.Mark), Content = " " }, new ByteFallbackDecoder(), new FuseDecoder(), new StripDecoder { Start = 1 }],
            },
            Added = added,
        };
        return new PipelineTokenizer(parts) { BosId = 1, EosId = 2, UnkId = 0 };
    }

    /// <summary>llama2.c joins the neighbours that make the piece of the highest score: every split of a piece is a merge, ranked by score.</summary>
    private static MergeTable MergesOf(Dictionary<string, int> vocab, List<(string Text, float Score)> pieces)
    {
        var merges = new MergeTable(vocab.Count * 2);
        var lookup = vocab.GetAlternateLookup<ReadOnlySpan<char>>();
        var rank = -1;
        var score = float.NaN;
        foreach (var (name, id) in vocab.Where(v => v.Value >= 3 && v.Key.Length > 1).OrderByDescending(v => pieces[v.Value].Score).ThenBy(v => v.Value))
        {
            if (pieces[id].Score != score) // pieces of equal score share a rank: then the leftmost goes first, as there
                (rank, score) = (rank + 1, pieces[id].Score);
            for (var cut = 1; cut < name.Length; cut++)
                if (lookup.TryGetValue(name.AsSpan(0, cut), out var left) && lookup.TryGetValue(name.AsSpan(cut), out var right) && left >= 3 && right >= 3)
                    merges.Add(left, right, rank, id);
        }

        return merges;
    }

    private static List<(string Text, float Score)> ReadPieces(string file)
    {
        var content = File.ReadAllBytes(file);
        var pieces = new List<(string, float)>();
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        if (content.Length < 4)
            throw new UserException($"{file}: {content.Length} bytes are no llama2.c tokenizer");
        var at = 4;
        while (at < content.Length)
        {
            if (content.Length - at < 8)
                throw Wrong("the file ends inside a piece");
            var score = BinaryPrimitives.ReadSingleLittleEndian(content.AsSpan(at));
            var length = BinaryPrimitives.ReadInt32LittleEndian(content.AsSpan(at + 4));
            if (!float.IsFinite(score))
                throw Wrong("its score is not a number");
            if (length is <= 0 or > MaxPiece)
                throw Wrong($"its length is {length}; this is no llama2.c tokenizer, or it is damaged");
            if (length > content.Length - at - 8)
                throw Wrong($"it is {length} bytes long, but the file ends after {content.Length - at - 8}");
            try
            {
                pieces.Add((strict.GetString(content, at + 8, length), score));
            }
            catch (DecoderFallbackException e)
            {
                throw new UserException($"{file}: piece {pieces.Count} is not valid UTF-8", e);
            }

            at += 8 + length;
        }

        return pieces;

        UserException Wrong(string why) => new(string.Create(CultureInfo.InvariantCulture, $"{file}: piece {pieces.Count} at byte {at}: {why}"));
    }
}
