using Gradus.Foundation.Files;
using Gradus.Inference.Generation;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Chat;

namespace Gradus.Training.Loop;

/// <summary>Conversations as rows for the loop, and as questions for measuring.</summary>
internal sealed class ChatRun : RecordRun
{
    private const int Asked = 100;

    private readonly Tokenizer _tokenizer;
    private readonly ChatRowOptions _options;
    private readonly Lazy<ChatTemplate> _template;
    private readonly ChatRowEncoder _encoder;
    private readonly int[] _ends;
    private readonly List<DataRecord> _validation;

    /// <param name="options">The <c>chat</c> section.</param>
    /// <param name="sets">The records.</param>
    /// <param name="tokenizer">Text to ids.</param>
    /// <param name="model">Where the model's own template is, or null.</param>
    /// <param name="seed">Of the order.</param>
    /// <param name="say">Messages for the person.</param>
    /// <exception cref="UserException">The records are no conversations, or there is nothing to learn from them.</exception>
    public ChatRun(ChatRowOptions options, RecordSets sets, Tokenizer tokenizer, string? model, ulong seed, Action<string> say)
    {
        (_options, _tokenizer) = (options, tokenizer);
        _template = new(() => ChatTemplate.Load(options.Template ?? model ?? throw new UserException("chat.template: a model that is not read from a folder has no chat template; name a file, such as recipes/sft/alpaca.jinja"), tokenizer));
        _encoder = new ChatRowEncoder(tokenizer, () => _template.Value, options);
        (var train, _validation, var test) = sets.Read(say);
        if (test.Count > 0) throw new UserException("records.test: a chat run measures on records.validation; leave this out");
        // Rows of prompts and answers need none, but the model that comes of it is talked with by the one it had.
        if (options.Template is not null || (model is not null && ChatTemplate.IsIn(model))) _ = _template.Value;
        var rows = Usable(train, "train", say);
        var held = _validation.Count == 0 ? [] : Usable(_validation, "validation", say);
        _ends = [.. tokenizer.EosId is { } eos ? [eos] : Array.Empty<int>(), .. _template.IsValueCreated && _template.Value.EndOfTurn() is { } end ? [end] : Array.Empty<int>()];
        Train = Source(rows, _encoder.Pad, seed);
        Held = held.Count == 0 ? null : Source(held, _encoder.Pad, null);
        Key = Hash(rows);
        var learned = rows.Sum(row => row.Targets.LongCount(target => target != TokenBatch.Ignore));
        say(FormattableString.Invariant($"records: {rows.Count:N0} conversations to learn from in {Train.RowsPerEpoch:N0} rows, {held.Count:N0} to validate on; {Train.TokensPerEpoch:N0} tokens, {learned:N0} of them ({100.0 * learned / Train.TokensPerEpoch:F0} %) learned"));
        Check(train, rows, learned);
        Description = FormattableString.Invariant($"{Train.TokensPerEpoch:N0} tokens, {learned:N0} learned, in {rows.Count:N0} conversations");
    }

    public override IBatchSource Train { get; }
    public override IBatchSource? Held { get; }
    public override string Key { get; }
    public override string Description { get; }
    public override string LengthKey => "chat.max_length";

    public override void MeasureBefore(RunSetup setup, string folder) => ChatReport.WriteBefore(setup, this, folder);

    public override string MeasureAfter(RunSetup setup, string folder) => ChatReport.WriteAfter(setup, this, folder);

    /// <summary>Puts the template beside the model, which then talks by it.</summary>
    public override void Export(string folder)
    {
        if (_template.IsValueCreated) _template.Value.Save(folder);
    }

    /// <summary>
    /// Answers to held-out questions, at most <see cref="Asked"/>: what a model says first, and how many answers it ends by itself, up to
    /// <c>chat.max_length</c> tokens. Asked is what has a known answer that fits, as else there is no room to stop in. Twice: the most likely token
    /// every time, where small models fall into loops (Holtzman et al., 2020), and drawn as <c>gradus chat</c> draws.
    /// </summary>
    public ChatAnswers Answers(ILanguageModel model)
    {
        var generator = new TextGenerator(model, _tokenizer, _ends);
        var drawing = Sampling.Chat with { MaxNewTokens = _options.MaxLength };
        var (asked, stopped, drawn, examples) = (0, 0, 0, new List<(string Question, string Answer)>());
        foreach (var (question, ids) in _validation.Where((record, i) => !_encoder.Encode(record, i).Truncated).Select(_encoder.Question).Where(q => q.Ids.Length > 0 && q.Ids.Length < model.MaxPositions).Take(Asked))
        {
            using var scope = Gradus.Engine.Tensors.Tensor.Scope();
            var (text, _, finish) = generator.Complete(ids, drawing with { Temperature = 0 });
            asked++;
            stopped += finish == FinishReason.EndOfText ? 1 : 0;
            drawn += generator.Complete(ids, drawing with { Seed = (ulong)asked }).Finish == FinishReason.EndOfText ? 1 : 0;
            if (examples.Count < 5) examples.Add((question, text));
        }
        return new(asked, stopped, drawn, examples);
    }

    private IBatchSource Source(List<EncodedRow> rows, int pad, ulong? seed) =>
        _options.Pack ? new PackedRows(rows, _options.MaxLength, pad, seed) : new LabelledRows(rows, _options.Rows, pad, seed);

    private List<EncodedRow> Usable(List<DataRecord> records, string name, Action<string> say)
    {
        var rows = new List<EncodedRow>(records.Count);
        var (cut, dropped, empty) = (0, 0, 0);
        for (var i = 0; i < records.Count; i++)
        {
            var row = _encoder.Encode(records[i], i);
            if (row.Truncated)
            {
                if (_options.TooLong == LongRows.Stop) throw new UserException($"{records[i].Place}: has more than {_options.MaxLength} tokens (chat.max_length, chat.too_long)");
                if (_options.TooLong == LongRows.Drop)
                {
                    dropped++;
                    continue;
                }
                cut++;
            }
            if (row.Targets.All(target => target == TokenBatch.Ignore))
            {
                if (_options.NothingToLearn == EmptyRows.Stop) throw new UserException($"{records[i].Place}: nothing is learned from it: the assistant says nothing{(row.Truncated ? FormattableString.Invariant($" in the first {_options.MaxLength} tokens (chat.max_length)") : "")} (chat.nothing_to_learn)");
                empty++;
                continue;
            }
            rows.Add(row);
        }
        if (cut + dropped + empty > 0)
            say(FormattableString.Invariant($"records.{name}: of {records.Count:N0} conversations {cut:N0} were cut and {dropped:N0} left out as too long for {_options.MaxLength} tokens (chat.max_length), {empty:N0} left out with nothing to learn"));
        return rows.Count > 0 ? rows : throw new UserException($"records.{name}: nothing can be learned from any of {records.Count} records: {(empty > 0 ? "the assistant says nothing in them, or not before chat.max_length" : "all are longer than chat.max_length")}");
    }

    /// <summary>What makes a run worthless is said before its first step.</summary>
    private void Check(List<DataRecord> train, List<EncodedRow> rows, long learned)
    {
        Findings.Add(new(Finding.Template, FindingLevel.Ok, _template.IsValueCreated ? "conversations are written by the model's chat template" : "prompts and answers are learned as they stand, without a chat template"));
        Findings.Add(new(Finding.Masks, FindingLevel.Ok, FormattableString.Invariant($"every row teaches something: {learned:N0} of {Train.TokensPerEpoch:N0} tokens are learned")));
        var ends = rows.Count(row => row.Targets.Any(_ends.Contains));
        Findings.Add(ends > 0 ? new(Finding.EndOfTurn, FindingLevel.Ok, FormattableString.Invariant($"{ends:N0} of {rows.Count:N0} rows teach the model to stop"))
            : new(Finding.EndOfTurn, FindingLevel.Stop, "chat.template: no row teaches the model to stop: after the assistant's words the template writes no control token that is learned (<|im_end|>, eos_token …)"));
        FindLeaks(train, _validation, "validation", FindingLevel.Stop);
        if (rows.Count(row => row.Truncated) is > 0 and var cut)
            Findings.Add(new(Finding.Truncated, FindingLevel.Warning, FormattableString.Invariant($"{cut:N0} of {rows.Count:N0} conversations are cut (chat.max_length, chat.too_long)")));
    }
}

/// <summary>What a model answers to questions it has not seen.</summary>
/// <param name="Asked">Questions.</param>
/// <param name="Stopped">Answers that the model ended itself, with the most likely token every time.</param>
/// <param name="StoppedDrawn">The same, drawn as <c>gradus chat</c> draws.</param>
/// <param name="Examples">Some of the former.</param>
internal sealed record ChatAnswers(int Asked, int Stopped, int StoppedDrawn, IReadOnlyList<(string Question, string Answer)> Examples);
