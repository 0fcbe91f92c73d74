using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Analysis;

/// <summary>A part of a dataset: documents of one source, language or licence.</summary>
/// <param name="Name">Which.</param>
/// <param name="Documents">Documents.</param>
/// <param name="Bytes">UTF-8 bytes of their text.</param>
public sealed record AuditShare(string Name, long Documents, long Bytes);

/// <summary>A bar of a histogram.</summary>
/// <param name="From">Its lower border.</param>
/// <param name="To">Its upper border, not included.</param>
/// <param name="Count">What falls between.</param>
public sealed record AuditBin(double From, double To, long Count);

/// <summary>How numbers are spread. Quantiles are right to within 5 %.</summary>
public sealed record AuditSpread(double Least, double Tenth, double Median, double Mean, double Ninetieth, double Greatest, IReadOnlyList<AuditBin> Bins);

/// <summary>How rich the words are.</summary>
/// <param name="Words">Words.</param>
/// <param name="Distinct">Different words.</param>
/// <param name="Exact">Distinct words are counted, not estimated.</param>
/// <param name="TypeTokenRatio">Distinct by all words: falls as a corpus grows.</param>
/// <param name="RatioPerThousand">Mean ratio over runs of a thousand words, which does not; null when no document is so long.</param>
/// <param name="Entropy">Of the words, in bits.</param>
public sealed record AuditVocabulary(long Words, double Distinct, bool Exact, double TypeTokenRatio, double? RatioPerThousand, double Entropy);

/// <summary>How easy English documents are to read.</summary>
public sealed record AuditReadability(long Documents, double Ease, double Grade, IReadOnlyList<AuditBin> Bins);

/// <summary>When documents were written, as far as they say.</summary>
public sealed record AuditTime(long Dated, string First, string Last, SortedDictionary<string, long> Years);

/// <summary>Documents whose text came before, to the byte.</summary>
public sealed record AuditDuplicates(double Documents, bool Exact);

/// <summary>A document that was dropped on the way.</summary>
public sealed record AuditExample(string Origin, string Text, string Detail);

/// <summary>What a rule of the preparation dropped or changed.</summary>
public sealed record AuditExclusion(string Step, string Rule, long Documents, long Bytes, long Edits, IReadOnlyList<AuditExample> Examples);

/// <summary>The preparation that the dataset came out of.</summary>
public sealed record AuditPreparation(long Read, long Skipped, long Kept, IReadOnlyList<AuditExclusion> Rules);

/// <summary>A group of a set: who is named, how often.</summary>
/// <param name="Name">Which.</param>
/// <param name="Documents">Documents that name it.</param>
/// <param name="Mentions">Words that name it.</param>
/// <param name="Share">Of the documents that name any.</param>
/// <param name="Expected">Documents there would be by the reference.</param>
/// <param name="Residual">(documents − expected) / √expected: beyond ±2 is unlikely chance.</param>
public sealed record AuditGroup(string Name, long Documents, long Mentions, double Share, double? Expected, double? Residual);

/// <summary>The groups of a set against their reference.</summary>
public sealed record AuditGroups(string Name, IReadOnlyList<AuditGroup> Groups, ChiSquareResult? Test);

/// <summary>How sentences sound that name one group.</summary>
public sealed record AuditSentimentGroup(string Name, long Sentences, double Mean, double Error);

/// <summary>Sentiment by group of a set: the gap between the ends, and the chance of one as great.</summary>
public sealed record AuditSentiment(string Name, IReadOnlyList<AuditSentimentGroup> Groups, double? Gap, double? PValue);

/// <summary>A word's place in the first three principal components of the text's own word vectors.</summary>
/// <param name="Text">The word.</param>
/// <param name="Topic">Its topic, from 0.</param>
/// <param name="At">Three coordinates.</param>
public sealed record AuditWord(string Text, int Topic, IReadOnlyList<double> At);

/// <summary>Private data that has a form.</summary>
public sealed record AuditPrivate(long Documents, SortedDictionary<string, long> Kinds);

/// <summary><c>audit.json</c>: what a dataset is, in figures.</summary>
public sealed record AuditReport
{
    /// <summary>The file's name.</summary>
    public const string FileName = "audit.json";

    /// <summary>The version of the format that this build writes.</summary>
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public required int Version { get; init; }

    /// <summary>What was looked at.</summary>
    public required string Name { get; init; }

    public required long Documents { get; init; }

    public required long Bytes { get; init; }

    public required long Characters { get; init; }

    /// <summary>Tokens of the tokenizer that was named, if any.</summary>
    public long? Tokens { get; init; }

    public required IReadOnlyList<AuditShare> Sources { get; init; }

    public required IReadOnlyList<AuditShare> Languages { get; init; }

    public required IReadOnlyList<AuditShare> Licenses { get; init; }

    public required IReadOnlyList<AuditShare> Splits { get; init; }

    /// <summary>How many equally large sources would be as diverse: 2 to the entropy of their bytes.</summary>
    public required double EffectiveSources { get; init; }

    /// <summary>The same of languages.</summary>
    public required double EffectiveLanguages { get; init; }

    /// <summary>Characters a document.</summary>
    public required AuditSpread Lengths { get; init; }

    public required AuditVocabulary Vocabulary { get; init; }

    public AuditReadability? Readability { get; init; }

    public AuditTime? Time { get; init; }

    public required AuditDuplicates Duplicates { get; init; }

    public AuditPreparation? Preparation { get; init; }

    public required IReadOnlyList<AuditGroups> Groups { get; init; }

    public required IReadOnlyList<AuditSentiment> Sentiment { get; init; }

    public required IReadOnlyList<Topic> Topics { get; init; }

    /// <summary>The likeliest words of the topics, by their vectors: near means used alike.</summary>
    public IReadOnlyList<AuditWord> Words { get; init; } = [];

    public required IReadOnlyList<AssociationResult> Associations { get; init; }

    public required AuditPrivate Private { get; init; }

    /// <summary>Reads an audit: the file, or the folder that it is in.</summary>
    /// <exception cref="UserException">No such file, or not an audit.</exception>
    public static AuditReport Load(string path)
    {
        var file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        if (!File.Exists(file))
            throw new UserException($"{file}: there is no such file. Make an audit with: gradus data audit DATA --out {path}");
        var report = StrictJson.Read<AuditReport>(File.ReadAllBytes(file), file);
        return report.Version == CurrentVersion ? report : throw new UserException($"{file}: version {report.Version} is not known; this build reads version {CurrentVersion}. Make the audit again.");
    }

    /// <summary>The file's content.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, s_json) + "\n";
}
