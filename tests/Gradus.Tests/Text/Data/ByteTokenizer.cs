using Gradus.Text.Tokenizers;

namespace Gradus.Tests.Text.Data;

/// <summary>One token a byte, and an end-of-text at 256: enough to test data handling without a trained vocabulary.</summary>
internal sealed class ByteTokenizer : Tokenizer
{
    private readonly int _vocabSize;

    public ByteTokenizer(bool endOfText = true, int vocabSize = 257)
    {
        _vocabSize = vocabSize;
        EosId = endOfText ? 256 : null;
    }

    public override int VocabSize => _vocabSize;

    public override void Encode(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens)
    {
        foreach (var b in utf8)
            ids.Add(b);
    }

    public override ReadOnlySpan<byte> TokenBytes(int id) => id < 256 ? new[] { (byte)id } : [];

    public override int? IdOf(string token) => null;

    public override string NameOf(int id) => id.ToString();

    public override void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), $"{{\"bytes\":true,\"vocab\":{_vocabSize}}}");
    }
}
