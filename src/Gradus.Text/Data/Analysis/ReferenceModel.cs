using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;

namespace Gradus.Text.Data.Analysis;

/// <summary>What a reference model predicts.</summary>
public enum ReferenceUnit
{
    /// <summary>Words; those seen once in the reference stand for all unknown ones.</summary>
    Word,

    /// <summary>Bytes: nothing is unknown, and any script will do.</summary>
    Byte,
}

/// <summary>A Kneser-Ney model of texts that are as texts should be, and how well it predicts another text.</summary>
public sealed class ReferenceModel
{
    private const long MostBytes = 64L << 20; // of reference text; the model takes some twenty times as much

    private readonly KneserNey _model;
    private readonly Dictionary<string, int>? _vocabulary; // by words: 0 is the end of a text, 1 what is unknown

    private ReferenceModel(KneserNey model, Dictionary<string, int>? vocabulary) => (_model, _vocabulary) = (model, vocabulary);

    /// <summary>Trains on texts.</summary>
    public static ReferenceModel Train(IEnumerable<ReadOnlyMemory<byte>> texts, ReferenceUnit unit, int order)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (unit == ReferenceUnit.Byte)
        {
            var bytes = new List<int> { 256 };
            foreach (var text in texts)
            {
                foreach (var b in text.Span)
                    bytes.Add(b);
                bytes.Add(256);
            }

            return new ReferenceModel(KneserNey.Train([.. bytes], order, 257), null);
        }

        var documents = texts.Select(t => Words.Of(Encoding.UTF8.GetString(t.Span))).ToList();
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var word in documents.SelectMany(d => d))
            counts[word] = counts.GetValueOrDefault(word) + 1;
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var word in counts.Where(c => c.Value > 1).Select(c => c.Key).Order(StringComparer.Ordinal))
            vocabulary[word] = vocabulary.Count + 2;
        var ids = new List<int> { 0 };
        foreach (var document in documents)
        {
            ids.AddRange(document.Select(w => vocabulary.GetValueOrDefault(w, 1)));
            ids.Add(0);
        }

        return new ReferenceModel(KneserNey.Train([.. ids], order, vocabulary.Count + 2), vocabulary);
    }

    /// <summary>Trains on a file: a text, or .jsonl rows.</summary>
    /// <exception cref="UserException">No such file, or one that is too large.</exception>
    public static ReferenceModel Of(string path, ReferenceUnit unit, int order)
    {
        var (texts, bytes) = (new List<ReadOnlyMemory<byte>>(), 0L);
        foreach (var document in SourceOptions.FromPath(path).Read(new SourceReport()))
        {
            if ((bytes += document.Utf8.Length) > MostBytes)
                throw new UserException($"{path}: holds more than {MostBytes >> 20} MB of text; a part of it is enough for a reference.");
            texts.Add(document.Utf8);
        }

        return Train(texts, unit, order);
    }

    /// <summary>Mean −log2 p of the text's words or bytes; 0 of a text without any.</summary>
    public double BitsPerUnit(ReadOnlySpan<byte> utf8, int most = 20_000)
    {
        var ids = new List<int>(Math.Min(most, utf8.Length) + 1);
        ids.Add(_vocabulary is null ? 256 : 0);
        if (_vocabulary is null)
            foreach (var b in utf8[..Math.Min(most, utf8.Length)])
                ids.Add(b);
        else
            foreach (var word in Words.Of(Encoding.UTF8.GetString(utf8)).Take(most))
                ids.Add(_vocabulary.GetValueOrDefault(word, 1));
        return ids.Count == 1 ? 0 : _model.Bits([.. ids], first: 1) / (ids.Count - 1);
    }

    /// <summary>2 to <see cref="BitsPerUnit"/>: among how many words (or bytes) the model chooses, on average.</summary>
    public double Perplexity(ReadOnlySpan<byte> utf8, int most = 20_000) => Math.Pow(2, BitsPerUnit(utf8, most));
}
