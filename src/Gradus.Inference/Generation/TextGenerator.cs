using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;
using Gradus.Text.Tokenizers;

namespace Gradus.Inference.Generation;

/// <summary>Why a text ended: a stop string, the end-of-text token, the wished length, or the end of the model's context.</summary>
public enum FinishReason
{
    Stop,
    EndOfText,
    Length,
    Context,
}

/// <summary>One new token.</summary>
/// <param name="Id">The token.</param>
/// <param name="Text">The text that can be shown now: whole characters only, and nothing that may yet be part of a stop string.</param>
/// <param name="Finish">Set on the last one.</param>
public readonly record struct GeneratedToken(int Id, string Text, FinishReason? Finish);

/// <summary>Continues a text token by token, with a key/value cache.</summary>
/// <param name="model">The network.</param>
/// <param name="tokenizer">Text to ids and back.</param>
/// <param name="ends">Tokens that end the text besides the tokenizer's end of text: those of the model's configuration, the end of a chat's turn.</param>
public sealed class TextGenerator(ILanguageModel model, Tokenizer tokenizer, IReadOnlyList<int>? ends = null)
{
    private readonly ILanguageModel _model = model is { IsCausal: true, Task: null } ? model : throw new UserException(model?.Task is null ? "an encoder fills in masked words and cannot continue a text; load a decoder (gpt2, llama)" : "the model's output layer is for labels, not for tokens; gradus predict asks it");

    /// <summary>The prompt as ids. An empty prompt is the beginning-of-text token, or end-of-text where there is none.</summary>
    /// <exception cref="UserException">An empty prompt and no such token.</exception>
    public int[] Prompt(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = text.Length == 0 ? [] : tokenizer.Encode(text);
        if (ids.Length > 0 && !(ids.Length == 1 && ids[0] == tokenizer.EosId)) return ids;
        return (tokenizer.BosId ?? tokenizer.EosId) is { } start
            ? [start]
            : throw new UserException("the prompt is empty and the tokenizer has no beginning-of-text token; give a prompt");
    }

    /// <summary>New tokens, one by one. The caller may stop at any time.</summary>
    /// <exception cref="UserException">The prompt does not fit the model's context, or holds an id the model does not know.</exception>
    public IEnumerable<GeneratedToken> Stream(int[] prompt, Sampling sampling, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(sampling);
        if (prompt.Length == 0) throw new ArgumentException("a prompt has at least one token", nameof(prompt));
        if (prompt.Length > _model.MaxPositions) throw new UserException($"the prompt has {prompt.Length} tokens; the model's context holds {_model.MaxPositions}");
        if (prompt.FirstOrDefault(id => id < 0 || id >= _model.VocabSize, -1) is var stranger and >= 0) throw new UserException($"token {stranger} of the prompt is outside the model's vocabulary of {_model.VocabSize}: is this the model's own tokenizer?");
        return Run(prompt, sampling, cancel);
    }

    /// <summary>The whole continuation at once.</summary>
    public (string Text, int[] Ids, FinishReason Finish) Complete(int[] prompt, Sampling sampling, CancellationToken cancel = default)
    {
        var (text, ids, finish) = (new System.Text.StringBuilder(), new List<int>(), FinishReason.Length);
        foreach (var token in Stream(prompt, sampling, cancel))
        {
            text.Append(token.Text);
            if (token.Id >= 0) ids.Add(token.Id);
            finish = token.Finish ?? finish;
        }
        return (text.ToString(), [.. ids], finish);
    }

    private IEnumerable<GeneratedToken> Run(int[] prompt, Sampling sampling, CancellationToken cancel)
    {
        var capacity = (int)Math.Min(_model.MaxPositions, (long)prompt.Length + sampling.MaxNewTokens);
        var history = new List<int>(capacity);
        history.AddRange(prompt);
        var choices = Math.Min(_model.VocabSize, tokenizer.VocabSize); // rows that only pad the embeddings are no tokens
        var sampler = new Sampler(sampling, choices);
        var decoder = new StreamingDecoder(tokenizer);
        var scanner = new StopScanner(sampling.Stop);
        using var cache = _model.NewCache(1, capacity);
        int[] fresh = prompt;
        for (var made = 0; made < sampling.MaxNewTokens; made++)
        {
            cancel.ThrowIfCancellationRequested();
            var logits = Logits(fresh, cache);
            var id = sampler.Next(logits.AsSpan(0, choices), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(history), (ulong)made);
            if ((id == tokenizer.EosId || ends?.Contains(id) == true) && !sampling.IgnoreEos)
            {
                yield return new(id, scanner.Push(decoder.Flush()) + scanner.Flush(), FinishReason.EndOfText);
                yield break;
            }
            history.Add(id);
            fresh = [id];
            var text = scanner.Push(decoder.Push(id));
            FinishReason? finish = scanner.Stopped ? FinishReason.Stop
                : made + 1 == sampling.MaxNewTokens ? FinishReason.Length
                : history.Count >= _model.MaxPositions ? FinishReason.Context
                : null;
            if (finish is not null && finish != FinishReason.Stop) text += scanner.Push(decoder.Flush()) + scanner.Flush();
            yield return new(id, text, finish);
            if (finish is not null) yield break;
        }
    }

    /// <summary>Logits after the last of <paramref name="ids"/>, float32 [V].</summary>
    private float[] Logits(int[] ids, KvCache cache)
    {
        using var scope = Tensor.Scope();
        using var off = Grad.Off();
        var input = Tensor.From(ids, 1, ids.Length).To(DType.Int64).To(_model.Device);
        var hidden = _model.Hidden(input, new Step { Cache = cache });
        return _model.Head.Forward(hidden.Narrow(1, ids.Length - 1, 1)).Flatten(0, 2).ToArray<float>();
    }
}
